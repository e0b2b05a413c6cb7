"""A small MaskTrack R-CNN, and a project with it on a miniature of YouTube-VIS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

NUM_CLASSES = 3


def roi_extractor(size):
    return dict(
        type="SingleRoIExtractor",
        roi_layer=dict(type="RoIAlign", output_size=size, sampling_ratio=0),
        out_channels=16,
        featmap_strides=[8, 16],
    )


def assigner(low):
    return dict(
        type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=low, min_pos_iou=0.3, ignore_iof_thr=-1
    )


def sampler(gt):
    return dict(
        type="RandomSampler", num=32, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=gt
    )


RPN = dict(nms_pre=50, max_per_img=30, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0)
DETECTOR = dict(
    type="MaskRCNN",
    backbone=dict(
        type="ResNet", depth=18, base_channels=8, num_stages=2, strides=(1, 2), dilations=(1, 1),
        out_indices=(0, 1), style="pytorch", norm_cfg=dict(type="BN"), deep_stem=True,
    ),
    neck=dict(type="FPN", in_channels=[8, 16], out_channels=16, num_outs=2),
    rpn_head=dict(
        type="RPNHead", in_channels=16, feat_channels=16,
        anchor_generator=dict(
            type="AnchorGenerator", scales=[4], ratios=[0.5, 1.0, 2.0], strides=[8, 16]
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        loss_bbox=dict(type="L1Loss"),
    ),
    roi_head=dict(
        type="StandardRoIHead",
        bbox_roi_extractor=roi_extractor(7),
        bbox_head=dict(
            type="Shared2FCBBoxHead", in_channels=16, fc_out_channels=32, roi_feat_size=7,
            num_classes=NUM_CLASSES,
            bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[0.1, 0.1, 0.2, 0.2]),
            loss_cls=dict(type="CrossEntropyLoss"), loss_bbox=dict(type="L1Loss"),
        ),
        mask_roi_extractor=roi_extractor(14),
        mask_head=dict(
            type="FCNMaskHead", num_convs=1, in_channels=16, conv_out_channels=16,
            num_classes=NUM_CLASSES, loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=assigner(0.3), sampler=sampler(gt=False), allowed_border=-1, pos_weight=-1
        ),
        rpn_proposal=RPN,
        rcnn=dict(assigner=assigner(0.5), sampler=sampler(gt=True), mask_size=28, pos_weight=-1),
    ),
    test_cfg=dict(
        rpn=RPN,
        rcnn=dict(
            score_thr=0.1, nms=dict(type="nms", iou_threshold=0.5), max_per_img=10,
            mask_thr_binary=0.5,
        ),
    ),
)  # fmt: skip
MODEL = dict(
    type="MaskTrackRCNN",
    detector=DETECTOR,
    track_head=dict(
        type="RoITrackHead",
        roi_extractor=roi_extractor(7),
        embed_head=dict(
            type="RoIEmbedHead", num_fcs=2, roi_feat_size=7, in_channels=16, fc_out_channels=32
        ),
        train_cfg=dict(assigner=assigner(0.5), sampler=sampler(gt=True)),
    ),
    tracker=dict(type="MaskTrackRCNNTracker", num_frames_retain=20),
)

CLASSES = ("person", "sedan", "dog", "horse", "giraffe", "truck", "zebra")
FRAMES = 4
SIZE = (160, 96)  # width, height
CONFIG = """
model = {model!r}
norm = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_pipeline = [
    dict(type="LoadMultiImagesFromFile", to_float32=True),
    dict(type="SeqLoadAnnotations", with_bbox=True, with_mask=True, with_track=True),
    dict(type="SeqResize", share_params=True, img_scale=(160, 96), keep_ratio=True),
    dict(type="SeqRandomFlip", share_params=True, flip_ratio=0.5),
    dict(type="SeqNormalize", **norm),
    dict(type="SeqPad", size_divisor=16),
    dict(type="VideoCollect",
         keys=["img", "gt_bboxes", "gt_labels", "gt_masks", "gt_instance_ids"]),
    dict(type="SeqDefaultFormatBundle", ref_prefix="ref")]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="MultiScaleFlipAug", img_scale=(160, 96), flip=False, transforms=[
        dict(type="Resize", keep_ratio=True), dict(type="RandomFlip"),
        dict(type="Normalize", **norm), dict(type="Pad", size_divisor=16),
        dict(type="ImageToTensor", keys=["img"]), dict(type="VideoCollect", keys=["img"])])]
common = dict(type="YouTubeVISDataset", dataset_version="2019", classes={classes!r})
held_out = dict(common, ann_file="{root}/annotations/youtube_vis_2019_valid.json",
                img_prefix="{root}/valid/JPEGImages", ref_img_sampler=None,
                pipeline=test_pipeline)
data = dict(
    samples_per_gpu=2, workers_per_gpu=0,
    train=dict(common, ann_file="{root}/annotations/youtube_vis_2019_train.json",
               img_prefix="{root}/train/JPEGImages", pipeline=train_pipeline,
               ref_img_sampler=dict(num_ref_imgs=1, frame_range=100, filter_key_img=True,
                                    method="uniform")),
    val=held_out, test=held_out)
optimizer = dict(type="SGD", lr=0.001, momentum=0.9)
optimizer_config = dict(grad_clip=dict(max_norm=35, norm_type=2))
lr_config = dict(policy="step", step=[100])
checkpoint_config = dict(interval=1)
log_config = dict(interval=1, hooks=[dict(type="TextLoggerHook")])
dist_params = dict(backend="nccl")
log_level = "INFO"
load_from = None
resume_from = None
workflow = [("train", 1)]
total_epochs = 1
evaluation = dict(metric=["track_segm"], interval=1)
"""


def write_vis_data(root: Path, size: tuple[int, int] = SIZE) -> Path:
    """A training and an annotated validation video of YouTube-VIS 2019, converted."""
    from mmtrack.datasets.converters.youtube_vis import annotation_file, convert_youtube_vis
    from mmtrack.datasets.synthetic.layouts import LAYOUTS

    layout = LAYOUTS["youtube-vis-2019"]
    options = replace(
        layout.options, size=size, videos=1, valid_videos=1, test_videos=0, frames=FRAMES,
        valid_gt=True,
    )  # fmt: skip
    layout.write(root, options, lambda: None)
    for split in ("train", "valid"):
        target = root / "annotations" / f"youtube_vis_2019_{split}.json"
        convert_youtube_vis(annotation_file(root, "2019", split), "2019").write(target)
    return root


def make_vis_project(folder: Path) -> Path:
    """``folder/config.py``, its data, and ``folder/model.pth`` with random weights."""
    import mmcv
    import torch

    from mmtrack.models import build_model

    root = write_vis_data(folder / "data")
    text = CONFIG.format(model=with_classes(len(CLASSES)), classes=CLASSES, root=root)
    (folder / "config.py").write_text(text)
    torch.manual_seed(0)
    model = build_model(mmcv.Config.fromfile(str(folder / "config.py")).model)
    model.init_weights()
    heads = model.detector.roi_head
    torch.nn.init.normal_(heads.bbox_head.fc_cls.weight, std=0.5)  # some boxes are sure
    torch.nn.init.normal_(heads.mask_head.conv_logits.weight, std=0.5)
    torch.save({"meta": {"CLASSES": CLASSES}, "state_dict": model.state_dict()},
               folder / "model.pth")  # fmt: skip
    return folder


def with_classes(count: int) -> dict:
    """The model for another number of classes."""
    heads = DETECTOR["roi_head"]
    heads = {
        **heads,
        "bbox_head": {**heads["bbox_head"], "num_classes": count},
        "mask_head": {**heads["mask_head"], "num_classes": count},
    }
    return {**MODEL, "detector": {**DETECTOR, "roi_head": heads}}
