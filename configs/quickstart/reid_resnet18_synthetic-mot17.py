# A small ReID model, trained from nothing on crops of rendered people:
#   python tools/synthesize.py reid --out data/synthetic/MOT17/reid --sequences 20 --frames 12
TRAIN_REID = True
_base_ = ["../_base_/datasets/mot_challenge_reid.py", "../_base_/default_runtime.py"]
model = dict(
    reid=dict(
        type="BaseReID",
        backbone=dict(
            type="ResNet",
            depth=18,
            base_channels=16,
            num_stages=4,
            out_indices=(3,),
            style="pytorch",
        ),
        neck=dict(type="GlobalAveragePooling", kernel_size=(4, 2), stride=1),
        head=dict(
            type="LinearReIDHead",
            num_fcs=1,
            in_channels=128,
            fc_channels=128,
            out_channels=64,
            num_classes=256,  # at least the number of people in meta/train_80.txt
            loss=dict(type="CrossEntropyLoss", loss_weight=1.0),
            loss_pairwise=dict(type="TripletLoss", margin=0.3, loss_weight=1.0),
            norm_cfg=dict(type="BN1d"),
            act_cfg=dict(type="ReLU"),
        ),
    )
)
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (64, 128)  # width, height
train_pipeline = [
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(
        type="SeqResize",
        img_scale=img_scale,
        share_params=False,
        keep_ratio=False,
        bbox_clip_border=False,
        override=False,
    ),
    dict(type="SeqRandomFlip", share_params=False, flip_ratio=0.5, direction="horizontal"),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="VideoCollect", keys=["img", "gt_label"]),
    dict(type="ReIDFormatBundle"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", img_scale=img_scale, keep_ratio=False),
    dict(type="Normalize", **img_norm_cfg),
    dict(type="ImageToTensor", keys=["img"]),
    dict(type="Collect", keys=["img"], meta_keys=[]),
]
data_root = "data/synthetic/MOT17/reid/"
data = dict(
    workers_per_gpu=1,
    train=dict(
        data_prefix=data_root + "imgs",
        ann_file=data_root + "meta/train_80.txt",
        pipeline=train_pipeline,
    ),
    val=dict(
        data_prefix=data_root + "imgs",
        ann_file=data_root + "meta/val_20.txt",
        pipeline=test_pipeline,
    ),
    test=dict(
        data_prefix=data_root + "imgs",
        ann_file=data_root + "meta/val_20.txt",
        pipeline=test_pipeline,
    ),
)
optimizer = dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.01)
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.01,
)
total_epochs = 1
