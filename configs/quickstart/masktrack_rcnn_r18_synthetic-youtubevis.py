# MaskTrack R-CNN with the small Mask R-CNN of mask-rcnn_r18_synthetic-youtubevis.py, as the
# published ones start from a detector. Minutes on two CPU cores, after the commands of that config:
#   CONFIG=configs/quickstart/masktrack_rcnn_r18_synthetic-youtubevis.py
#   RUN=work_dirs/quickstart/masktrack_rcnn_r18_synthetic-youtubevis
#   python tools/train.py $CONFIG --work-dir $RUN --seed 0
#   python tools/test.py $CONFIG --checkpoint $RUN/latest.pth --eval track_segm
#   python tools/test.py $CONFIG --checkpoint $RUN/latest.pth --format-only \
#       --eval-options resfile_path=$RUN/submission
#   python demo/demo_mot_vis.py $CONFIG --checkpoint $RUN/latest.pth --score-thr 0.3 --fps 5 \
#       --input data/synthetic/youtube_vis_2019/valid/JPEGImages/valid-0001 \
#       --output $RUN/instances.mp4 --out-json $RUN/instances.json
# The detector takes five minutes to train, this step three; AP of tracks on held-out scenes: 24.9,
# AP at an overlap of 0.5: 58.6.
_base_ = [
    "../_base_/models/mask_rcnn_r18_fpn.py",
    "../_base_/datasets/youtube_vis.py",
    "../_base_/default_runtime.py",
]
model = dict(
    type="MaskTrackRCNN",
    detector=dict(
        init_cfg=dict(
            type="Pretrained",
            checkpoint="work_dirs/quickstart/mask-rcnn_r18_synthetic-youtubevis/latest.pth",
        )
    ),
    track_head=dict(
        type="RoITrackHead",
        roi_extractor=dict(
            type="SingleRoIExtractor",
            roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=1),
            out_channels=48,
            featmap_strides=[4, 8, 16, 32],
        ),
        embed_head=dict(
            type="RoIEmbedHead", num_fcs=2, roi_feat_size=7, in_channels=48, fc_out_channels=128
        ),
        train_cfg=dict(
            assigner=dict(
                type="MaxIoUAssigner",
                pos_iou_thr=0.5,
                neg_iou_thr=0.5,
                min_pos_iou=0.5,
                match_low_quality=True,
                ignore_iof_thr=-1,
            ),
            sampler=dict(type="RandomSampler", num=32, pos_fraction=0.75),
        ),
    ),
    # Two detections of one object must not both carry its identity.
    tracker=dict(type="MaskTrackRCNNTracker", num_frames_retain=20, unique_ids=True),
)
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (256, 160)  # width, height
classes = ("person", "sedan", "dog", "horse", "giraffe", "truck", "zebra")
train_pipeline = [
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_mask=True, with_track=True),
    dict(type="SeqResize", share_params=True, img_scale=img_scale, keep_ratio=True),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size_divisor=32),
    dict(
        type="VideoCollect", keys=["img", "gt_bboxes", "gt_labels", "gt_masks", "gt_instance_ids"]
    ),
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
data_root = "data/synthetic/youtube_vis_2019/"
held_out = dict(
    classes=classes,
    ann_file=data_root + "annotations/youtube_vis_2019_valid.json",
    img_prefix=data_root + "valid/JPEGImages",
    pipeline=test_pipeline,
)
data = dict(
    samples_per_gpu=4,
    workers_per_gpu=1,
    train=dict(
        classes=classes,
        ann_file=data_root + "annotations/youtube_vis_2019_train.json",
        img_prefix=data_root + "train/JPEGImages",
        pipeline=train_pipeline,
    ),
    val=held_out,
    test=held_out,
)
total_epochs = 2
optimizer = dict(_delete_=True, type="AdamW", lr=5e-4, weight_decay=0.02)
optimizer_config = dict(_delete_=True, grad_clip=dict(max_norm=10.0))
lr_config = dict(
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr_ratio=0.02,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.1,
)
evaluation = dict(metric=["track_segm"], interval=total_epochs)
log_config = dict(interval=20)
