_base_ = [
    "../../_base_/models/tracktor_faster_rcnn_r50_fpn.py",
    "../../_base_/datasets/mot_challenge.py",
    "../../_base_/schedules/mot_4e.py",
]
model = dict(
    detector=dict(
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/faster_rcnn/"
            "faster-rcnn_r50_fpn_4e_mot16-half_20210804_001054-73477869.pth"
        ),
    ),
    reid=dict(
        head=dict(num_classes=375),
        init_cfg=dict(
            checkpoint="https://download.openmmlab.com/mmtracking/mot/reid/"
            "reid_r50_6e_mot16_20210803_204826-1b3e3cfd.pth"
        ),
    ),
)
data_root = "data/MOT16/"
data = dict(
    train=dict(
        ann_file=data_root + "annotations/half-train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    val=dict(
        ann_file=data_root + "annotations/half-val_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    test=dict(
        ann_file=data_root + "annotations/half-val_cocoformat.json",
        img_prefix=data_root + "train",
    ),
)
