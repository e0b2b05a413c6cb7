"""Test runs of every task for the results report: rendered videos, and results that err on purpose.

The results are the ground truth with misses, noise, exchanged ids and clutter, so that no training
is needed. Each function writes a config and a file of raw results into a folder.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.core.visualization.report import Report
from mmtrack.datasets import build_dataset
from mmtrack.datasets.converters import convert_mot_subset, find_sequences, ilsvrc
from mmtrack.datasets.converters.tao import convert_tao_folder
from mmtrack.datasets.converters.youtube_vis import annotation_file, convert_youtube_vis
from mmtrack.datasets.synthetic.layouts import LAYOUTS


class Run(NamedTuple):
    """A finished test."""

    config: Path
    results: Path
    dataset: object
    raw: dict


def empty_report(title: str = "title") -> Report:
    """A report before anything is known."""
    return Report(title, "", {}, (), (), (), (), (), ())


def finish(folder: Path, test: dict, make_results) -> Run:
    """Write the config and the results that a function makes of the data set."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.py").write_text(f"data = dict(test={test!r})\n")
    dataset = build_dataset(dict(test), {"test_mode": True})
    raw = make_results(dataset, np.random.default_rng(0))
    (folder / "results.pkl").write_bytes(pickle.dumps(raw))
    return Run(folder / "config.py", folder / "results.pkl", dataset, raw)


def render(layout: str, folder: Path, **options) -> Path:
    layout = LAYOUTS[layout]
    folder.mkdir(parents=True)
    layout.write(folder, replace(layout.options, **options), lambda: None)
    return folder


def erring_boxes(annotation: dict, frame: int, rng, classes: int, *, ids: bool) -> list[np.ndarray]:
    """Objects of a frame with misses, noise, other ids from the tenth frame on, and clutter."""
    rows = [[] for _ in range(classes)]
    known = annotation.get("instance_ids", np.arange(len(annotation["bboxes"])))
    for box, label, ident in zip(annotation["bboxes"], annotation["labels"], known, strict=True):
        if rng.uniform() < 0.12:
            continue
        box = box + rng.normal(0, 0.03, 4) * np.tile(box[2:] - box[:2], 2)
        ident = int(ident) + (100 if frame >= 10 and ident % 3 == 0 else 0)
        rows[int(label)].append([ident, *box, rng.uniform(0.5, 1)])
    if rng.uniform() < 0.3:
        x, y = rng.uniform(0, 60, 2)
        rows[int(rng.integers(classes))].append([500 + frame, x, y, x + 30, y + 40, 0.4])
    width = 6 if ids else 5
    return [np.array(own, np.float32).reshape(-1, 6)[:, -width:] for own in rows]


def erring_results(dataset, rng, key: str, *, ids: bool) -> dict:
    classes = len(dataset.CLASSES)
    frames = [
        erring_boxes(dataset.get_ann_info(info), info["frame_id"], rng, classes, ids=ids)
        for info in dataset.data_infos
    ]
    return {key: frames}


def mot_run(folder: Path, **options) -> Run:
    """Multiple people, in the layout of MOT17."""
    defaults = {"test_sequences": 0, "sequences": 2, "frames": 16, "people": 4, "size": (160, 96)}
    root = render("mot17", folder / "MOT17", **{**defaults, **options}) / "train"
    convert_mot_subset(find_sequences(root)).write(folder / "train.json")
    test = {
        "type": "MOTChallengeDataset", "ann_file": str(folder / "train.json"),
        "img_prefix": str(root), "ref_img_sampler": None, "pipeline": [],
    }  # fmt: skip
    return finish(folder, test, lambda d, rng: erring_results(d, rng, "track_bboxes", ids=True))


def video_track_run(folder: Path, mot: Run) -> Run:
    """The same people as a data set in the CocoVID format, scored by eval_mot."""
    test = {
        "type": "CocoVideoDataset", "ann_file": mot.dataset.ann_file,
        "img_prefix": mot.dataset.img_prefix, "ref_img_sampler": None, "pipeline": [],
        "classes": ("pedestrian",),
    }  # fmt: skip
    return finish(folder, test, lambda dataset, rng: mot.raw)


def vid_run(folder: Path, **options) -> Run:
    """Animals, in the layout of ImageNet VID."""
    defaults = {
        "videos": 0,
        "val_videos": 2,
        "frames": 8,
        "images": 0,
        "other_images": 0,
        "size": (160, 96),
    }  # noqa: E501
    root = render("ilsvrc", folder / "ILSVRC", **{**defaults, **options})
    ann_file = folder / "val.json"
    ilsvrc.convert_vid(root, ilsvrc.vid_validation_videos(root)).write(ann_file)
    test = {
        "type": "ImagenetVIDDataset", "ann_file": str(ann_file),
        "img_prefix": str(root / "Data" / "VID"), "ref_img_sampler": None, "pipeline": [],
    }  # fmt: skip
    return finish(folder, test, lambda d, rng: erring_results(d, rng, "det_bboxes", ids=False))


def vis_results(dataset, rng) -> dict:
    """Tracks with shifted masks; every fourth object is missed, and a false track is added."""
    boxes, masks = [], []
    for info in dataset.data_infos:
        annotation = dataset.get_ann_info(info)
        rows = [[] for _ in dataset.CLASSES]
        own = [[] for _ in dataset.CLASSES]
        parts = (annotation["bboxes"], annotation["labels"], annotation["instance_ids"])
        for box, label, ident, segm in zip(*parts, annotation["masks"], strict=True):
            if ident % 4 == 3 or rng.uniform() < 0.1:
                continue
            mask = coco_mask.decode(coco_mask.frPyObjects(segm, info["height"], info["width"]))
            shifted = np.roll(mask, tuple(rng.integers(-2, 3, 2)), (0, 1))
            rows[label].append([ident, *box, 0.9 - 0.05 * (ident % 5)])
            own[label].append(coco_mask.encode(np.asfortranarray(shifted)))
        false = np.zeros((info["height"], info["width"]), np.uint8, order="F")
        false[5:25, 5 : 25 + info["frame_id"] % 5] = 1
        rows[0].append([900, 5, 5, 25 + info["frame_id"] % 5, 25, 0.35])
        own[0].append(coco_mask.encode(false))
        boxes.append([np.array(r, np.float32).reshape(-1, 6) for r in rows])
        masks.append(own)
    return {"track_bboxes": boxes, "track_masks": masks}


def vis_run(folder: Path, **options) -> Run:
    """People, vehicles and animals with masks, in the layout of YouTube-VIS 2019."""
    defaults = {
        "videos": 0,
        "valid_videos": 2,
        "test_videos": 0,
        "frames": 6,
        "valid_gt": True,
        "size": (160, 96),
    }  # noqa: E501
    root = render("youtube-vis-2019", folder / "YouTubeVIS", **{**defaults, **options})
    ann_file = folder / "valid.json"
    convert_youtube_vis(annotation_file(root, "2019", "valid"), "2019").write(ann_file)
    test = {
        "type": "YouTubeVISDataset", "dataset_version": "2019", "ann_file": str(ann_file),
        "img_prefix": str(root / "valid" / "JPEGImages"), "ref_img_sampler": None, "pipeline": [],
    }  # fmt: skip
    return finish(folder, test, vis_results)


def drifting_boxes(dataset, rng) -> dict:
    """Boxes that drift away from the object, and come back after two thirds of the video."""
    rows = []
    for v in range(len(dataset.data_infos)):
        truth = np.nan_to_num(dataset.get_ann_infos_from_video(v)["bboxes"])
        count = len(truth)
        drift = np.linspace(0, 1.6, count)
        drift[2 * count // 3 :] = 0.1
        shift = drift[:, None] * (truth[:, 2:] - truth[:, :2]) * (1, 0.3)
        boxes = truth + np.tile(shift, 2) + rng.normal(0, 0.4, truth.shape)
        rows += list(np.column_stack((boxes, rng.uniform(0.3, 1, count))).astype(np.float32))
    return {"track_bboxes": rows}


def sot_run(folder: Path, root: Path, ann_file: Path) -> Run:
    """One object per video, in the layout of LaSOT that lies at `root`."""
    test = {
        "type": "LaSOTDataset", "ann_file": str(ann_file), "img_prefix": str(root),
        "pipeline": [], "split": "test", "test_mode": True, "only_eval_visible": True,
    }  # fmt: skip
    return finish(folder, test, drifting_boxes)


def tao_run(folder: Path) -> Run:
    """Any objects, in the layout of TAO."""
    root = render(
        "tao", folder / "tao", videos=0, val_videos=2, test_videos=0, frames=4, size=(160, 96)
    )
    convert_tao_folder(root / "annotations", filter_classes=True)
    test = {
        "type": "TaoDataset", "classes": str(root / "annotations" / "tao_classes.txt"),
        "ann_file": str(root / "annotations" / "validation_482_classes.json"),
        "img_prefix": str(root / "val"), "ref_img_sampler": None, "pipeline": [],
    }  # fmt: skip
    return finish(folder, test, lambda d, rng: erring_results(d, rng, "track_bboxes", ids=True))
