"""A data set of three short videos, and configs of models so small that a frame takes milliseconds.

Imported by the conftest files of tests that run scripts as a user does.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 96)  # height, width
LENGTHS = (5, 4, 3)
EPOCHS = 3  # of the run that tests train
ITERATIONS = 6  # in an epoch: 12 training images in batches of 2

DETECTOR = """
detector = dict(
    type='YOLOX', input_size=(64, 96), random_size_range=(2, 2), random_size_interval=10,
    backbone=dict(type='CSPDarknet', deepen_factor=0.33, widen_factor=0.125),
    neck=dict(type='YOLOXPAFPN', in_channels=[32, 64, 128], out_channels=32, num_csp_blocks=1),
    bbox_head=dict(type='YOLOXHead', num_classes=1, in_channels=32, feat_channels=32),
    train_cfg=dict(assigner=dict(type='SimOTAAssigner', center_radius=2.5)),
    test_cfg=dict(score_thr=0.01, nms=dict(type='nms', iou_threshold=0.7)))
"""

PIPELINES = """
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiScaleFlipAug', img_scale=(96, 64), flip=False, transforms=[
        dict(type='Resize', keep_ratio=True),
        dict(type='RandomFlip'),
        dict(type='Normalize', mean=[0., 0., 0.], std=[1., 1., 1.], to_rgb=False),
        dict(type='Pad', size_divisor=32, pad_val=dict(img=(114.0, 114.0, 114.0))),
        dict(type='ImageToTensor', keys=['img']),
        dict(type='VideoCollect', keys=['img'])])]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', img_scale=(96, 64), keep_ratio=True),
    dict(type='RandomFlip', flip_ratio=0.5),
    dict(type='Pad', size_divisor=32, pad_val=dict(img=(114.0, 114.0, 114.0))),
    dict(type='DefaultFormatBundle'),
    dict(type='Collect', keys=['img', 'gt_bboxes', 'gt_labels'])]
"""

RUNTIME = """
optimizer = dict(type='SGD', lr=0.002, momentum=0.9)
optimizer_config = dict(grad_clip=None)
lr_config = dict(policy='step', step=[100])
checkpoint_config = dict(interval=1)
log_config = dict(interval=1, hooks=[dict(type='TextLoggerHook')])
dist_params = dict(backend='nccl')
log_level = 'INFO'
load_from = None
resume_from = None
workflow = [('train', 1)]
total_epochs = 2
"""

DETECTOR_DATA = """
data = dict(
    samples_per_gpu=2, workers_per_gpu=0,
    train=dict(type='CocoVideoDataset', load_as_video=False, classes=('box',),
               ann_file='{root}/train.json', img_prefix='{root}', pipeline=train_pipeline,
               ref_img_sampler=None),
    val=dict(type='CocoVideoDataset', classes=('box',), ann_file='{root}/test.json',
             img_prefix='{root}', pipeline=test_pipeline, ref_img_sampler=None,
             load_as_video=False),
    test=dict(type='CocoVideoDataset', classes=('box',), ann_file='{root}/test.json',
              img_prefix='{root}', pipeline=test_pipeline, ref_img_sampler=None,
              load_as_video=False))
evaluation = dict(metric=['bbox'], interval=1)
"""

TRACKER_DATA = """
data = dict(
    samples_per_gpu=2, workers_per_gpu=0,
    train=dict(type='CocoVideoDataset', load_as_video=False, classes=('box',),
               ann_file='{root}/train.json', img_prefix='{root}', pipeline=train_pipeline,
               ref_img_sampler=None),
    val=dict(type='CocoVideoDataset', classes=('box',), ann_file='{root}/test.json',
             img_prefix='{root}', pipeline=test_pipeline, ref_img_sampler=None),
    test=dict(type='CocoVideoDataset', classes=('box',), ann_file='{root}/test.json',
              img_prefix='{root}', pipeline=test_pipeline, ref_img_sampler=None))
evaluation = dict(metric=['bbox', 'track'], interval=1)
"""

TRACKER = """
model = dict(
    type='ByteTrack', detector=detector, motion=dict(type='KalmanFilter'),
    tracker=dict(type='ByteTracker', obj_score_thrs=dict(high=0.26, low=0.25),
                 init_track_thr=0.26, weight_iou_with_det_scores=False,
                 match_iou_thrs=dict(high=0.1, low=0.5, tentative=0.3), num_frames_retain=30))
"""


REID = """
TRAIN_REID = True
model = dict(reid=dict(
    type='BaseReID',
    backbone=dict(type='ResNet', depth=18, base_channels=8, num_stages=4, out_indices=(3,)),
    neck=dict(type='GlobalAveragePooling', kernel_size=(2, 1), stride=1),
    head=dict(type='LinearReIDHead', num_fcs=1, in_channels=64, fc_channels=32, out_channels=16,
              num_classes=6, loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
              loss_pairwise=dict(type='TripletLoss', margin=0.3, loss_weight=1.0),
              norm_cfg=dict(type='BN1d'), act_cfg=dict(type='ReLU'))))
norm = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_pipeline = [
    dict(type='LoadMultiImagesFromFile', to_float32=True),
    dict(type='SeqResize', img_scale=(32, 64), share_params=False, keep_ratio=False,
         bbox_clip_border=False, override=False),
    dict(type='SeqRandomFlip', share_params=False, flip_ratio=0.5, direction='horizontal'),
    dict(type='SeqNormalize', **norm),
    dict(type='VideoCollect', keys=['img', 'gt_label']),
    dict(type='ReIDFormatBundle')]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', img_scale=(32, 64), keep_ratio=False),
    dict(type='Normalize', **norm),
    dict(type='ImageToTensor', keys=['img']),
    dict(type='Collect', keys=['img'], meta_keys=[])]
"""

REID_DATA = """
crops = dict(type='ReIDDataset', data_prefix='{root}/crops', ann_file='{root}/crops.txt')
data = dict(
    samples_per_gpu=1, workers_per_gpu=0,
    train=dict(triplet_sampler=dict(num_ids=4, ins_per_id=2), pipeline=train_pipeline, **crops),
    val=dict(triplet_sampler=None, pipeline=test_pipeline, **crops),
    test=dict(triplet_sampler=None, pipeline=test_pipeline, **crops))
evaluation = dict(interval=1, metric='mAP')
"""


def make_project(folder: Path) -> Path:
    """Write frames, annotations and configs for a detector, tracker and ReID."""
    root = folder / "data"
    rng = np.random.default_rng(0)
    for name in ("train", "test"):
        write_videos(root, name, rng)
    configs = {
        "detector.py": f"USE_MMDET = True\n{DETECTOR}model = dict(detector=detector)\n"
        f"{PIPELINES}{DETECTOR_DATA.format(root=root)}{RUNTIME}",
        "tracker.py": f"{DETECTOR}{TRACKER}{PIPELINES}{TRACKER_DATA.format(root=root)}{RUNTIME}",
    }
    write_crops(root)
    configs["reid.py"] = f"{REID}{REID_DATA.format(root=root)}{RUNTIME}total_epochs = 1\n"
    for name, text in configs.items():
        (folder / name).write_text(text)
    return folder


def write_videos(root: Path, split: str, rng: np.random.Generator) -> None:
    """Videos of two bright boxes that move over noise, with CocoVID annotations."""
    data = {key: [] for key in ("videos", "images", "annotations")}
    data["categories"] = [{"id": 1, "name": "box"}]
    for video, length in enumerate(LENGTHS, 1):
        name = f"{split}/video_{video}"
        (root / name).mkdir(parents=True)
        data["videos"].append({"id": video, "name": name})
        start = rng.uniform(5, 25, (2, 2))
        for frame in range(length):
            image = rng.integers(0, 80, (*SIZE, 3), np.uint8)
            info = {
                "id": len(data["images"]) + 1,
                "video_id": video,
                "frame_id": frame,
                "file_name": f"{name}/{frame + 1:06d}.png",
                "width": 96,
                "height": 64,
            }
            for instance, (x, y) in enumerate(start + frame * np.array([[3, 1], [6, 2]])):
                box = [float(round(x)), float(round(y)), 24.0, 20.0]
                x1, y1 = int(box[0]), int(box[1])
                image[y1 : y1 + 20, x1 : x1 + 24] = (60, 160 + 60 * instance, 250)
                data["annotations"].append(
                    {
                        "id": len(data["annotations"]) + 1,
                        "image_id": info["id"],
                        "video_id": video,
                        "category_id": 1,
                        "instance_id": instance + 1,
                        "bbox": box,
                        "area": 480.0,
                        "iscrowd": 0,
                        "ignore": False,
                    }
                )
            data["images"].append(info)
            cv2.imwrite(str(root / info["file_name"]), image)
    (root / f"{split}.json").write_text(json.dumps(data))


def write_crops(root: Path) -> None:
    """Crops of the six training identities in ``crops/``, listed in ``crops.txt``."""
    data = json.loads((root / "train.json").read_text())
    images = {info["id"]: info for info in data["images"]}
    lines = []
    for note in data["annotations"]:
        identity = 2 * (note["video_id"] - 1) + note["instance_id"] - 1
        x, y, w, h = (int(value) for value in note["bbox"])
        image = cv2.imread(str(root / images[note["image_id"]]["file_name"]))
        name = f"{identity:03d}/{note['id']:06d}.jpg"
        (root / "crops" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "crops" / name), image[y : y + h, x : x + w])
        lines.append(f"{name} {identity}\n")
    (root / "crops.txt").write_text("".join(lines))


def save_random_weights(config: Path, target: Path, seed: int = 0) -> Path:
    """A checkpoint of the config's model, which finds boxes that depend on a seed."""
    import mmcv
    import torch

    from mmtrack.apis.task import build_task_model

    torch.manual_seed(seed)
    model = build_task_model(mmcv.Config.fromfile(str(config)))
    model.init_weights()
    head = getattr(model, "detector", model).bbox_head
    for conv in (*head.multi_level_conv_cls, *head.multi_level_conv_obj):
        torch.nn.init.normal_(conv.weight, std=500.0)  # features of random layers are tiny
        torch.nn.init.zeros_(conv.bias)  # scores around a quarter instead of almost zero
    torch.save({"meta": {"CLASSES": ("box",)}, "state_dict": model.state_dict()}, target)
    return target


def read_rows(work_dir):
    """Entries of all logs of a run, oldest first."""
    rows = []
    for path in sorted(work_dir.glob("*.log.json")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "mode" in row:
                rows.append(row)
    return rows
