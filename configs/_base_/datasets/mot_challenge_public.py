# Testing with the detections that come with MOT17; the detector only scores and refines them.
_base_ = "./mot_challenge.py"
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
data_root = "data/MOT17/"
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadDetections"),
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
            dict(type="VideoCollect", keys=["img", "public_bboxes"]),
        ],
    ),
]
data = dict(
    val=dict(
        detection_file=data_root + "annotations/half-val_detections.pkl", pipeline=test_pipeline
    ),
    test=dict(
        detection_file=data_root + "annotations/half-val_detections.pkl", pipeline=test_pipeline
    ),
)
