_base_ = "./faster-rcnn_r50_fpn_4e_mot17-half.py"
model = dict(
    detector=dict(
        rpn_head=dict(bbox_coder=dict(clip_border=True)),
        roi_head=dict(bbox_head=dict(bbox_coder=dict(clip_border=True))),
    )
)
data_root = "data/MOT20/"
data = dict(
    train=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    val=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
    test=dict(
        ann_file=data_root + "annotations/train_cocoformat.json",
        img_prefix=data_root + "train",
    ),
)
lr_config = dict(step=[6])
total_epochs = 8
