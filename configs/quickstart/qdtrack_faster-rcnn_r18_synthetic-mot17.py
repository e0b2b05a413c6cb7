# QDTrack with the small Faster R-CNN of faster-rcnn_r18_synthetic-mot17.py, as the published ones
# start from a detector of people. Minutes on two CPU cores, after the commands of that config:
#   python tools/train.py configs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17.py --seed 0 \
#       --work-dir work_dirs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17
#   python tools/test.py configs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17.py --eval bbox \
#       track --checkpoint work_dirs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17/latest.pth
#   python demo/demo_mot_vis.py configs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17.py \
#       --checkpoint work_dirs/quickstart/qdtrack_faster-rcnn_r18_synthetic-mot17/latest.pth \
#       --input data/synthetic/MOT17/test/MOT17-01-FRCNN/img1 --fps 15 --output qdtrack.mp4
_base_ = [
    "../_base_/models/qdtrack_faster_rcnn_r50_fpn.py",
    "../_base_/datasets/mot_challenge.py",
    "../_base_/default_runtime.py",
]
channels = 48
model = dict(
    detector=dict(
        backbone=dict(
            depth=18,
            base_channels=16,
            frozen_stages=-1,
            norm_cfg=dict(requires_grad=True),
            norm_eval=False,
            style="pytorch",
            init_cfg=None,
        ),
        neck=dict(in_channels=[16, 32, 64, 128], out_channels=channels),
        rpn_head=dict(
            in_channels=channels,
            feat_channels=channels,
            anchor_generator=dict(scales=[4], ratios=[1.5, 3.0]),  # people in small frames
        ),
        roi_head=dict(
            bbox_roi_extractor=dict(out_channels=channels),
            bbox_head=dict(in_channels=channels, fc_out_channels=128),
        ),
        train_cfg=dict(
            rpn_proposal=dict(nms_pre=300, max_per_img=150),
            rcnn=dict(sampler=dict(num=64)),
        ),
        test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=100)),
        init_cfg=dict(checkpoint="work_dirs/quickstart/faster-rcnn_r18_synthetic-mot17/latest.pth"),
    ),
    track_head=dict(
        roi_extractor=dict(out_channels=channels),
        embed_head=dict(
            num_convs=1,
            in_channels=channels,
            conv_out_channels=channels,
            fc_out_channels=128,
            embed_channels=64,
            norm_cfg=dict(num_groups=8),
        ),
        train_cfg=dict(sampler=dict(num=96)),
    ),
)
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (320, 192)  # width, height
train_pipeline = [
    dict(type="LoadMultiImagesFromFile"),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_track=True),
    dict(
        type="SeqResize",
        img_scale=img_scale,
        share_params=False,
        ratio_range=(0.8, 1.25),
        keep_ratio=True,
        bbox_clip_border=False,
    ),
    dict(
        type="SeqRandomCrop", share_params=False, crop_size=img_scale[::-1], bbox_clip_border=False
    ),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size=img_scale[::-1]),
    dict(type="MatchInstances", skip_nomatch=True),
    dict(type="VideoCollect", keys=["img", "gt_bboxes", "gt_labels", "gt_match_indices"]),
    dict(type="SeqDefaultFormatBundle", ref_prefix="ref"),
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
            dict(type="VideoCollect", keys=["img"]),
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
    samples_per_gpu=4,
    workers_per_gpu=1,
    train=dict(
        _delete_=True,
        type="ConcatDataset",
        datasets=[
            dict(
                type="MOTChallengeDataset",
                ann_file=data_root + "annotations/train_cocoformat.json",
                img_prefix=data_root + "train",
                ref_img_sampler=dict(num_ref_imgs=1, frame_range=10, method="uniform"),
                pipeline=train_pipeline,
            ),
            # images, each paired with itself
            dict(
                type="CocoVideoDataset",
                load_as_video=False,
                classes=("pedestrian",),
                ann_file=crowd_root + "annotations/crowdhuman_train.json",
                img_prefix=crowd_root + "train",
                ref_img_sampler=dict(num_ref_imgs=1, frame_range=0, method="uniform"),
                pipeline=train_pipeline,
            ),
        ],
        separate_eval=False,
    ),
    val=held_out,
    test=held_out,
)
optimizer = dict(_delete_=True, type="AdamW", lr=5e-4, weight_decay=0.02)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10.0))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.01,
)
total_epochs = 4
checkpoint_config = dict(interval=2, max_keep_ckpts=2)
evaluation = dict(metric=["bbox", "track"], interval=4)
log_config = dict(interval=10)
