# CrowdHuman and MOT20 for training YOLOX on larger images; testing on the test set of MOT20.
_base_ = "./crowdhuman_mot17.py"
img_scale = (896, 1600)  # height, width
train_pipeline = [
    dict(type="Mosaic", img_scale=img_scale, pad_val=114.0),
    dict(
        type="RandomAffine",
        scaling_ratio_range=(0.1, 2),
        border=(-img_scale[0] // 2, -img_scale[1] // 2),
    ),
    dict(type="MixUp", img_scale=img_scale, ratio_range=(0.8, 1.6), pad_val=114.0),
    dict(type="YOLOXHSVRandomAug"),
    dict(type="RandomFlip", flip_ratio=0.5),
    dict(type="Resize", img_scale=img_scale, keep_ratio=True),
    dict(type="Pad", size_divisor=32, pad_val=dict(img=(114.0, 114.0, 114.0))),
    dict(type="FilterAnnotations", min_gt_bbox_wh=(1, 1), keep_empty=False),
    dict(type="DefaultFormatBundle"),
    dict(type="Collect", keys=["img", "gt_bboxes", "gt_labels"]),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="MultiScaleFlipAug",
        img_scale=img_scale,
        flip=False,
        transforms=[
            dict(type="Resize", keep_ratio=True),
            dict(type="RandomFlip"),
            # YOLOX takes the pixels as they are
            dict(type="Normalize", mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0], to_rgb=False),
            dict(type="Pad", size_divisor=32, pad_val=dict(img=(114.0, 114.0, 114.0))),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="VideoCollect", keys=["img"]),
        ],
    ),
]
data = dict(
    train=dict(
        dataset=dict(
            ann_file=[
                "data/MOT20/annotations/train_cocoformat.json",
                "data/crowdhuman/annotations/crowdhuman_train.json",
                "data/crowdhuman/annotations/crowdhuman_val.json",
            ],
            img_prefix=["data/MOT20/train", "data/crowdhuman/train", "data/crowdhuman/val"],
        ),
        pipeline=train_pipeline,
    ),
    val=dict(
        ann_file="data/MOT20/annotations/train_cocoformat.json",
        img_prefix="data/MOT20/train",
        pipeline=test_pipeline,
    ),
    test=dict(
        ann_file="data/MOT20/annotations/test_cocoformat.json",
        img_prefix="data/MOT20/test",
        pipeline=test_pipeline,
    ),
)
