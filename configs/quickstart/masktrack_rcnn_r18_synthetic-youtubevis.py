# MaskTrack R-CNN with a small ResNet-18, trained from nothing on rendered scenes in minutes on two
# CPU cores:
#   python tools/synthesize.py youtube-vis-2019 --out data/synthetic/youtube_vis_2019 \
#       --size 320x192 --videos 120 --valid-videos 10 --test-videos 2 --frames 8 --valid-gt
#   python tools/convert_datasets/youtubevis/youtubevis2coco.py \
#       -i data/synthetic/youtube_vis_2019 -o data/synthetic/youtube_vis_2019/annotations \
#       --version 2019
#   CONFIG=configs/quickstart/masktrack_rcnn_r18_synthetic-youtubevis.py
#   RUN=work_dirs/quickstart/masktrack_rcnn_r18
#   python tools/train.py $CONFIG --work-dir $RUN --seed 0
#   python tools/test.py $CONFIG --checkpoint $RUN/latest.pth --eval track_segm
#   python tools/test.py $CONFIG --checkpoint $RUN/latest.pth --format-only \
#       --eval-options resfile_path=$RUN/submission
#   python demo/demo_mot_vis.py $CONFIG --checkpoint $RUN/latest.pth --score-thr 0.3 \
#       --input data/synthetic/youtube_vis_2019/valid/JPEGImages/valid-0001 \
#       --output $RUN/instances.mp4 --out-json $RUN/instances.json
_base_ = ["../vis/masktrack_rcnn/masktrack_rcnn_r50_fpn_12e_youtubevis2019.py"]
img_scale = (320, 192)  # width, height
data_root = "data/synthetic/youtube_vis_2019/"
# Those of the 40 classes that the scenes show.
classes = ("person", "sedan", "dog", "horse", "giraffe", "truck", "zebra")
strides = [8, 16, 32]
channels = 64
roi_extractor = dict(
    roi_layer=dict(sampling_ratio=1), out_channels=channels, featmap_strides=strides
)
model = dict(
    detector=dict(
        backbone=dict(
            depth=18,
            base_channels=20,
            out_indices=(1, 2, 3),
            frozen_stages=-1,
            norm_eval=False,
            init_cfg=None,
        ),
        neck=dict(in_channels=[40, 80, 160], out_channels=channels, num_outs=3),
        rpn_head=dict(
            in_channels=channels,
            feat_channels=channels,
            anchor_generator=dict(strides=strides, scales=[4]),
        ),
        roi_head=dict(
            bbox_roi_extractor=roi_extractor,
            bbox_head=dict(in_channels=channels, fc_out_channels=256, num_classes=len(classes)),
            mask_roi_extractor=roi_extractor,
            mask_head=dict(
                num_convs=2,
                in_channels=channels,
                conv_out_channels=32,
                num_classes=len(classes),
            ),
        ),
        train_cfg=dict(rcnn=dict(sampler=dict(num=64))),
        test_cfg=dict(rpn=dict(nms_pre=100, max_per_img=50), rcnn=dict(max_per_img=20)),
        init_cfg=None,
    ),
    track_head=dict(
        roi_extractor=roi_extractor,
        embed_head=dict(in_channels=channels, fc_out_channels=256),
        train_cfg=dict(sampler=dict(num=32, pos_fraction=0.75)),
    ),
    # Two detections of one object must not both carry its identity.
    tracker=dict(unique_ids=True),
)
del strides, channels, roi_extractor
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
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
total_epochs = 5
optimizer = dict(_delete_=True, type="AdamW", lr=1.5e-3, weight_decay=0.02)
lr_config = dict(
    _delete_=True,
    policy="CosineAnnealing",
    by_epoch=False,
    min_lr=0,
    warmup="linear",
    warmup_iters=50,
    warmup_ratio=0.1,
)
evaluation = dict(interval=total_epochs)
log_config = dict(interval=20)
