# A small Faster R-CNN, the detector of Tracktor, trained from nothing on rendered scenes:
#   python tools/synthesize.py mot17 --out data/synthetic/MOT17 --sequences 8 --frames 20 \
#       --test-sequences 3 --test-gt --people 6
#   python tools/synthesize.py crowdhuman --out data/synthetic/crowdhuman --size 640x360 \
#       --images 400 --val-images 0 --people 8
#   python tools/convert_datasets/mot/mot2coco.py -i data/synthetic/MOT17 \
#       -o data/synthetic/MOT17/annotations
#   python tools/convert_datasets/mot/crowdhuman2coco.py -i data/synthetic/crowdhuman \
#       -o data/synthetic/crowdhuman/annotations
#   python tools/train.py configs/quickstart/faster-rcnn_r18_synthetic-mot17.py --seed 0 \
#       --work-dir work_dirs/quickstart/faster-rcnn_r18_synthetic-mot17
USE_MMDET = True
_base_ = [
    "../_base_/models/mot_faster_rcnn_r50_fpn.py",
    "../_base_/datasets/mot_challenge_det.py",
    "../_base_/default_runtime.py",
]
model = dict(
    detector=dict(
        backbone=dict(depth=18, base_channels=16, frozen_stages=-1, norm_eval=False, init_cfg=None),
        neck=dict(in_channels=[16, 32, 64, 128], out_channels=48),
        rpn_head=dict(
            in_channels=48,
            feat_channels=48,
            anchor_generator=dict(scales=[4], ratios=[1.5, 3.0]),  # people in small frames
        ),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=48),
            bbox_head=dict(in_channels=48, fc_out_channels=128),
        ),
        train_cfg=dict(
            rpn_proposal=dict(nms_pre=200, max_per_img=100),
            rcnn=dict(sampler=dict(num=64)),
        ),
        test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=100)),
    )
)
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (320, 192)  # width, height
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(
        type="Resize",
        img_scale=img_scale,
        ratio_range=(0.8, 1.25),
        keep_ratio=True,
        bbox_clip_border=False,
    ),
    dict(type="RandomCrop", crop_size=img_scale[::-1], bbox_clip_border=False),
    dict(type="RandomFlip", flip_ratio=0.5),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="Pad", size=img_scale[::-1]),
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
            dict(type="Pad", size_divisor=32),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="Collect", keys=["img"]),
        ],
    ),
]
data_root = "data/synthetic/MOT17/"
crowd_root = "data/synthetic/crowdhuman/"
held_out = dict(
    ann_file=data_root + "annotations/test_cocoformat.json",
    img_prefix=data_root + "test",
    pipeline=test_pipeline,
)
data = dict(
    samples_per_gpu=8,
    workers_per_gpu=1,
    train=dict(
        ann_file=[
            data_root + "annotations/train_cocoformat.json",
            crowd_root + "annotations/crowdhuman_train.json",
        ],
        img_prefix=[data_root + "train", crowd_root + "train"],
        pipeline=train_pipeline,
    ),
    val=held_out,
    test=held_out,
)
optimizer = dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.02)
optimizer_config = dict(grad_clip=dict(_delete_=True, max_norm=10.0))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.01,
)
total_epochs = 8
checkpoint_config = dict(interval=2, max_keep_ckpts=2)
evaluation = dict(metric=["bbox"], interval=4)
log_config = dict(interval=10)
