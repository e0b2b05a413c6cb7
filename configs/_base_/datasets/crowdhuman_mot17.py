# CrowdHuman and half of MOT17 for training YOLOX, the other half of MOT17 for testing.
_base_ = "./mot_challenge.py"
img_scale = (800, 1440)  # height, width
samples_per_gpu = 4
train_pipeline = [
    dict(type="Mosaic", img_scale=img_scale, pad_val=114.0, bbox_clip_border=False),
    dict(
        type="RandomAffine",
        scaling_ratio_range=(0.1, 2),
        border=(-img_scale[0] // 2, -img_scale[1] // 2),
        bbox_clip_border=False,
    ),
    dict(
        type="MixUp",
        img_scale=img_scale,
        ratio_range=(0.8, 1.6),
        pad_val=114.0,
        bbox_clip_border=False,
    ),
    dict(type="YOLOXHSVRandomAug"),
    dict(type="RandomFlip", flip_ratio=0.5),
    dict(type="Resize", img_scale=img_scale, keep_ratio=True, bbox_clip_border=False),
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
    samples_per_gpu=samples_per_gpu,
    workers_per_gpu=4,
    persistent_workers=True,
    train=dict(
        _delete_=True,
        type="MultiImageMixDataset",
        dataset=dict(
            type="CocoDataset",
            ann_file=[
                "data/MOT17/annotations/half-train_cocoformat.json",
                "data/crowdhuman/annotations/crowdhuman_train.json",
                "data/crowdhuman/annotations/crowdhuman_val.json",
            ],
            img_prefix=["data/MOT17/train", "data/crowdhuman/train", "data/crowdhuman/val"],
            classes=("pedestrian",),
            pipeline=[
                dict(type="LoadImageFromFile"),
                dict(type="LoadAnnotations", with_bbox=True),
            ],
            filter_empty_gt=False,
        ),
        pipeline=train_pipeline,
    ),
    val=dict(
        pipeline=test_pipeline, interpolate_tracks_cfg=dict(min_num_frames=5, max_num_frames=20)
    ),
    test=dict(
        pipeline=test_pipeline, interpolate_tracks_cfg=dict(min_num_frames=5, max_num_frames=20)
    ),
)
