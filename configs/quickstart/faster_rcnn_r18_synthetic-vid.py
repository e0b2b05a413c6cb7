# A small Faster R-CNN that sees one frame at a time, trained from nothing on rendered videos of
# animals in minutes on two CPU cores. SELSA and FGFA begin with its weights.
#   python tools/synthesize.py ilsvrc --out data/synthetic/ILSVRC --videos 200 --val-videos 24 \
#       --frames 24 --fps 30 --images 160 --other-images 40
#   python tools/convert_datasets/ilsvrc/imagenet2coco_vid.py -i data/synthetic/ILSVRC \
#       -o data/synthetic/ILSVRC/annotations
#   python tools/convert_datasets/ilsvrc/imagenet2coco_det.py -i data/synthetic/ILSVRC \
#       -o data/synthetic/ILSVRC/annotations
#   python tools/train.py configs/quickstart/faster_rcnn_r18_synthetic-vid.py --seed 0 \
#       --work-dir work_dirs/quickstart/faster_rcnn_r18_synthetic-vid
#   python tools/test.py configs/quickstart/faster_rcnn_r18_synthetic-vid.py --eval bbox \
#       --checkpoint work_dirs/quickstart/faster_rcnn_r18_synthetic-vid/latest.pth
USE_MMDET = True
_base_ = [
    "../_base_/models/faster_rcnn_r18_dc5.py",
    "../_base_/datasets/synthetic_vid.py",
    "../_base_/default_runtime.py",
]
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (240, 160)  # width, height
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", img_scale=img_scale, keep_ratio=True),
    dict(type="RandomFlip", flip_ratio=0.5),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="Pad", size_divisor=16),
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
            dict(type="Normalize", **img_norm_cfg),
            dict(type="Pad", size_divisor=16),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="Collect", keys=["img"]),
        ],
    ),
]
frames = dict(
    type="ImagenetVIDDataset",
    classes=("cattle", "horse", "lion", "tiger", "zebra"),
    ref_img_sampler=None,
)
data_root = "data/synthetic/ILSVRC/"
data = dict(
    samples_per_gpu=8,
    train=[
        dict(
            ann_file=data_root + "annotations/imagenet_vid_train.json",
            img_prefix=data_root + "Data/VID",
            pipeline=train_pipeline,
            **frames,
        ),
        dict(
            load_as_video=False,
            ann_file=data_root + "annotations/imagenet_det_30plus1cls.json",
            img_prefix=data_root + "Data/DET",
            pipeline=train_pipeline,
            **frames,
        ),
    ],
    val=dict(ref_img_sampler=None, pipeline=test_pipeline),
    test=dict(ref_img_sampler=None, pipeline=test_pipeline),
)
del frames
optimizer = dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.02)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10, norm_type=2))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.1,
)
total_epochs = 3
checkpoint_config = dict(interval=1, max_keep_ckpts=2)
evaluation = dict(metric=["bbox"], interval=3)
log_config = dict(interval=50)
