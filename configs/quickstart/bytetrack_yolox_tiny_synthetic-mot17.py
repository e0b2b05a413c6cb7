# ByteTrack with a small YOLOX, trained from nothing on rendered scenes in minutes on two CPU cores:
#   python tools/synthesize.py mot17 --out data/synthetic/MOT17 --sequences 8 --frames 20 \
#       --test-sequences 3 --test-gt --people 6
#   python tools/synthesize.py crowdhuman --out data/synthetic/crowdhuman --size 640x360 \
#       --images 400 --val-images 0 --people 8
#   python tools/convert_datasets/mot/mot2coco.py -i data/synthetic/MOT17 \
#       -o data/synthetic/MOT17/annotations
#   python tools/convert_datasets/mot/crowdhuman2coco.py -i data/synthetic/crowdhuman \
#       -o data/synthetic/crowdhuman/annotations
_base_ = [
    "../_base_/models/mot_yolox_x_8x8.py",
    "../_base_/datasets/crowdhuman_mot17.py",
    "../_base_/schedules/yolox_80e_mot.py",
]
img_scale = (192, 320)  # height, width
data_root = "data/synthetic/MOT17/"
crowd_root = "data/synthetic/crowdhuman/"
model = dict(
    type="ByteTrack",
    detector=dict(
        input_size=img_scale,
        random_size_range=(6, 6),  # one size: the scenes vary, the training is short
        backbone=dict(deepen_factor=0.33, widen_factor=0.25),
        neck=dict(in_channels=[64, 128, 256], out_channels=64, num_csp_blocks=1),
        bbox_head=dict(in_channels=64, feat_channels=64),
        # A short training leaves more double boxes than the base's threshold of 0.7 removes.
        test_cfg=dict(nms=dict(iou_threshold=0.6)),
        init_cfg=None,
    ),
    motion=dict(type="KalmanFilter"),
    tracker=dict(
        type="ByteTracker",
        obj_score_thrs=dict(high=0.6, low=0.1),
        init_track_thr=0.7,
        weight_iou_with_det_scores=True,
        match_iou_thrs=dict(high=0.1, low=0.5, tentative=0.3),
        num_frames_retain=30,
    ),
)
# Rendered scenes vary enough without mosaic and mixup, which pay off in long trainings only.
train_pipeline = [
    dict(type="Resize", img_scale=img_scale, keep_ratio=True, bbox_clip_border=False),
    dict(
        type="RandomAffine",
        scaling_ratio_range=(0.8, 1.25),
        max_rotate_degree=0.0,
        max_shear_degree=0.0,
        bbox_clip_border=False,
    ),
    dict(type="YOLOXHSVRandomAug"),
    dict(type="RandomFlip", flip_ratio=0.5),
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
            dict(type="Normalize", mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0], to_rgb=False),
            dict(type="Pad", size_divisor=32, pad_val=dict(img=(114.0, 114.0, 114.0))),
            dict(type="ImageToTensor", keys=["img"]),
            dict(type="VideoCollect", keys=["img"]),
        ],
    ),
]
held_out = dict(
    ann_file=data_root + "annotations/test_cocoformat.json",
    img_prefix=data_root + "test",
    pipeline=test_pipeline,
)
data = dict(
    samples_per_gpu=8,
    workers_per_gpu=1,
    train=dict(
        dataset=dict(
            ann_file=[
                data_root + "annotations/train_cocoformat.json",
                crowd_root + "annotations/crowdhuman_train.json",
            ],
            img_prefix=[data_root + "train", crowd_root + "train"],
        ),
        pipeline=train_pipeline,
    ),
    val=held_out,
    test=held_out,
)
fp16 = None
total_epochs = 18
num_last_epochs = 6
optimizer = dict(_delete_=True, type="AdamW", lr=2e-3, weight_decay=0.02)
lr_config = dict(num_last_epochs=1)
custom_hooks = [
    dict(type="YOLOXModeSwitchHook", num_last_epochs=num_last_epochs, priority=48),
    dict(type="ExpMomentumEMAHook", total_iter=150, momentum=0.002, priority=49),
]
checkpoint_config = dict(interval=2, max_keep_ckpts=2)
evaluation = dict(metric=["bbox", "track"], interval=7)
log_config = dict(interval=10)
