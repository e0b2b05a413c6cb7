# Rendered videos of animals in the layout of ImageNet VID and DET; frames of 240x160 pixels.
_base_ = "./imagenet_vid_fgfa_style.py"
classes = ("cattle", "horse", "lion", "tiger", "zebra")
data_root = "data/synthetic/ILSVRC/"
img_norm_cfg = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
img_scale = (240, 160)  # width, height
train_pipeline = [
    dict(type="LoadMultiImagesFromFile"),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_track=True),
    dict(type="SeqResize", img_scale=img_scale, keep_ratio=True),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size_divisor=16),
    dict(type="VideoCollect", keys=["img", "gt_bboxes", "gt_labels", "gt_instance_ids"]),
    dict(type="ConcatVideoReferences"),
    dict(type="SeqDefaultFormatBundle", ref_prefix="ref"),
]
test_pipeline = [
    dict(type="LoadMultiImagesFromFile"),
    dict(type="SeqResize", img_scale=img_scale, keep_ratio=True),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.0),
    dict(type="SeqNormalize", **img_norm_cfg),
    dict(type="SeqPad", size_divisor=16),
    dict(type="VideoCollect", keys=["img"], meta_keys=("num_left_ref_imgs", "frame_stride")),
    dict(type="ConcatVideoReferences"),
    dict(type="MultiImagesToTensor", ref_prefix="ref"),
    dict(type="ToList"),
]
held_out = dict(
    classes=classes,
    ann_file=data_root + "annotations/imagenet_vid_val.json",
    img_prefix=data_root + "Data/VID",
    pipeline=test_pipeline,
)
data = dict(
    workers_per_gpu=1,
    val=held_out,
    test=held_out,
)
del held_out
