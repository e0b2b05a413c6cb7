_base_ = [
    "../../_base_/models/tracktor_faster_rcnn_r50_fpn.py",
    "../../_base_/datasets/mot_challenge_public.py",
    "../../_base_/schedules/mot_4e.py",
]
model = dict(
    detector=dict(
        # in MOT20 boxes end at the border of the image
        rpn_head=dict(bbox_coder=dict(clip_border=True)),
        roi_head=dict(bbox_head=dict(bbox_coder=dict(clip_border=True))),
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/faster_rcnn/"
            "faster-rcnn_r50_fpn_8e_mot20-half_20210805_001244-2c323fd1.pth"
        ),
    ),
    reid=dict(
        head=dict(num_classes=1705),
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/reid/"
            "reid_r50_6e_mot20_20210803_212426-c83b1c01.pth"
        ),
    ),
)
data_root = "data/MOT20/"
data = dict(
    train=dict(
        ann_file=data_root + "annotations/half-train_cocoformat.json",
        img_prefix=data_root + "train",
        detection_file=data_root + "annotations/half-train_detections.pkl",
    ),
    val=dict(
        ann_file=data_root + "annotations/half-val_cocoformat.json",
        img_prefix=data_root + "train",
        detection_file=data_root + "annotations/half-val_detections.pkl",
    ),
    test=dict(
        ann_file=data_root + "annotations/half-val_cocoformat.json",
        img_prefix=data_root + "train",
        detection_file=data_root + "annotations/half-val_detections.pkl",
    ),
)
# learning policy
lr_config = dict(step=[6])
total_epochs = 8
