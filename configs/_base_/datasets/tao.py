# The 482 classes of TAO that LVIS v0.5 knows: pairs of neighbouring frames for training, the
# videos of the validation set for testing.
dataset_type = "TaoDataset"
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_pipeline = [
    dict(type="LoadMultiImagesFromFile"),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_track=True),
    dict(
        type="SeqResize",
        img_scale=[(1333, 640), (1333, 672), (1333, 704), (1333, 736), (1333, 768), (1333, 800)],
        share_params=True,
        multiscale_mode="value",
        keep_ratio=True,
    ),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size_divisor=32),
    dict(type="MatchInstances", skip_nomatch=True),
    dict(type="VideoCollect", keys=["img", "gt_bboxes", "gt_labels", "gt_match_indices"]),
    dict(type="SeqDefaultFormatBundle", ref_prefix="ref"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="MultiScaleFlipAug",
        img_scale=(1333, 800),
        flip=False,
        transforms=[
            dict(type="Resize", keep_ratio=True),
            dict(type="RandomFlip"),
            dict(type="Normalize", **img_norm_cfg),
            dict(type="Pad", size_divisor=32),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="VideoCollect", keys=["img"]),
        ],
    ),
]
data_root = "data/tao/"
classes_file = data_root + "annotations/tao_classes.txt"
validation = dict(
    type=dataset_type,
    classes=classes_file,
    ann_file=data_root + "annotations/validation_482_classes.json",
    img_prefix=data_root + "val/",
    ref_img_sampler=None,
    pipeline=test_pipeline,
)
data = dict(
    samples_per_gpu=2,
    workers_per_gpu=2,
    train=dict(
        type="ClassBalancedDataset",
        oversample_thr=1e-3,
        dataset=dict(
            type=dataset_type,
            classes=classes_file,
            load_as_video=True,
            ann_file=data_root + "annotations/train_482_classes.json",
            img_prefix=data_root + "train/",
            key_img_sampler=dict(interval=1),
            ref_img_sampler=dict(num_ref_imgs=1, frame_range=[-1, 1], method="uniform"),
            pipeline=train_pipeline,
        ),
    ),
    val=validation,
    test=validation,
)
del classes_file, validation
