# A small Mask R-CNN, the detector of MaskTrack R-CNN, trained from nothing on rendered scenes in
# minutes on two CPU cores:
#   python tools/synthesize.py youtube-vis-2019 --out data/synthetic/youtube_vis_2019 \
#       --size 256x160 --videos 120 --valid-videos 10 --test-videos 2 --frames 8 --valid-gt
#   python tools/convert_datasets/youtubevis/youtubevis2coco.py \
#       -i data/synthetic/youtube_vis_2019 -o data/synthetic/youtube_vis_2019/annotations \
#       --version 2019
#   python tools/train.py configs/quickstart/mask-rcnn_r18_synthetic-youtubevis.py --seed 0 \
#       --work-dir work_dirs/quickstart/mask-rcnn_r18_synthetic-youtubevis
USE_MMDET = True
_base_ = ["../_base_/models/mask_rcnn_r18_fpn.py", "../_base_/default_runtime.py"]
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (256, 160)  # width, height
classes = ("person", "sedan", "dog", "horse", "giraffe", "truck", "zebra")
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True, with_mask=True),
    dict(type="Resize", img_scale=img_scale, keep_ratio=True),
    dict(type="RandomFlip", flip_ratio=0.5),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="Pad", size_divisor=32),
    dict(type="DefaultFormatBundle"),
    dict(type="Collect", keys=["img", "gt_bboxes", "gt_labels", "gt_masks"]),
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
            dict(type="Pad", size_divisor=32),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="Collect", keys=["img"]),
        ],
    ),
]
data_root = "data/synthetic/youtube_vis_2019/"
frames = dict(type="CocoVideoDataset", load_as_video=False, ref_img_sampler=None, classes=classes)
held_out = dict(
    ann_file=data_root + "annotations/youtube_vis_2019_valid.json",
    img_prefix=data_root + "valid/JPEGImages",
    pipeline=test_pipeline,
    **frames,
)
data = dict(
    samples_per_gpu=8,
    workers_per_gpu=1,
    train=dict(
        ann_file=data_root + "annotations/youtube_vis_2019_train.json",
        img_prefix=data_root + "train/JPEGImages",
        pipeline=train_pipeline,
        **frames,
    ),
    val=held_out,
    test=held_out,
)
del frames
total_epochs = 7
optimizer = dict(_delete_=True, type="AdamW", lr=1.5e-3, weight_decay=0.02)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10.0))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.1,
)
checkpoint_config = dict(interval=1, max_keep_ckpts=2)
evaluation = dict(metric=["bbox", "segm"], interval=total_epochs)
log_config = dict(interval=20)
