# MOT17 as in mot_challenge.py, normalised for detectors whose weights come from Caffe.
_base_ = "./mot_challenge.py"
img_norm_cfg = dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], to_rgb=False)
train_pipeline = [
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_track=True),
    dict(
        type="SeqResize",
        img_scale=(1088, 1088),
        share_params=True,
        ratio_range=(0.8, 1.2),
        keep_ratio=True,
        bbox_clip_border=False,
    ),
    dict(type="SeqPhotoMetricDistortion", share_params=True),
    dict(type="SeqRandomCrop", share_params=False, crop_size=(1088, 1088), bbox_clip_border=False),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size_divisor=32),
    dict(type="MatchInstances", skip_nomatch=True),
    dict(
        type="VideoCollect",
        keys=["img", "gt_bboxes", "gt_labels", "gt_match_indices", "gt_instance_ids"],
    ),
    dict(type="SeqDefaultFormatBundle", ref_prefix="ref"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="MultiScaleFlipAug",
        img_scale=(1088, 1088),
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
data = dict(
    train=dict(pipeline=train_pipeline),
    val=dict(pipeline=test_pipeline),
    test=dict(pipeline=test_pipeline),
)
