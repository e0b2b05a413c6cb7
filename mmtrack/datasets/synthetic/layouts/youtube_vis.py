"""YouTube-VIS layout: videos whose objects have a mask in every frame that shows them.

Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019, section 3.1.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.datasets.converters.youtube_vis import annotation_file
from mmtrack.datasets.youtube_vis_classes import CLASSES_OF_VERSION

from ..casting import SceneSpec
from ..menagerie import annotated_rows, menagerie_scene
from .base import CAMERAS, Progress, RenderOptions, option, write_image

# What the two editions call a passenger car.
_CAR = {"2019": "sedan", "2021": "car"}
_FRAME_STEP = 5  # the benchmark keeps every fifth frame of its videos, and the number of it


@dataclass(frozen=True)
class YouTubeVISOptions(RenderOptions):
    """Options of YouTube-VIS."""

    videos: int = option(12, "number of training videos")
    valid_videos: int = option(4, "number of validation videos")
    test_videos: int = option(2, "number of test videos")
    frames: int = option(20, "frames of each video")
    fps: int = option(10, "frames per second; fewer means larger steps between frames")
    objects: int = option(4, "objects of each video")
    valid_gt: bool = option(
        False, "annotate the validation videos too, which the benchmark keeps to itself"
    )
    polygons: bool = option(False, "write masks as polygons instead of run lengths")


def write_youtube_vis(
    version: str, folder: Path, options: YouTubeVISOptions, progress: Progress
) -> None:
    """Write <split>/JPEGImages/ and the annotation file of train, valid and test."""
    counts = {
        "train": options.videos,
        "valid": options.valid_videos,
        "test": options.test_videos,
    }
    for split, count in counts.items():
        videos, annotations = [], []
        for number in range(1, count + 1):
            spec = SceneSpec(
                f"{split}-{number:04d}",
                options.seed,
                options.size,
                options.frames,
                options.fps,
                options.objects,
                CAMERAS[(number - 1) % len(CAMERAS)],
            )
            videos.append(_video(spec, number))
            found = _record(spec, version, folder / split / "JPEGImages", options, progress)
            annotations += [{"video_id": number, "iscrowd": 0, **entry} for entry in found]
        categories = enumerate(CLASSES_OF_VERSION[version], 1)
        content = {
            "info": {"description": f"synthetic YouTube-VIS {version}", "version": version},
            "videos": videos,
            "categories": [
                {"supercategory": "object", "id": i, "name": name} for i, name in categories
            ],
        }
        if split == "train" or (split == "valid" and options.valid_gt):
            content["annotations"] = [{"id": i, **entry} for i, entry in enumerate(annotations, 1)]
        path = annotation_file(folder, version, split)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def _file_names(spec: SceneSpec) -> list[str]:
    return [f"{spec.name}/{_FRAME_STEP * index:05d}.jpg" for index in range(spec.length)]


def _video(spec: SceneSpec, number: int) -> dict:
    """Entry of ``videos``."""
    return {
        "id": number,
        "width": spec.size[0],
        "height": spec.size[1],
        "length": spec.length,
        "file_names": _file_names(spec),
    }


def _record(
    spec: SceneSpec, version: str, images: Path, options: YouTubeVISOptions, progress: Progress
) -> list[dict]:
    """Render a video; entries of ``annotations``, without those objects that are never seen."""
    (images / spec.name).mkdir(parents=True)
    objects: dict[int, dict] = {}
    for index, frame in enumerate(menagerie_scene(spec)):
        write_image(images / _file_names(spec)[index], frame.image)
        for row, kind in annotated_rows(frame):
            name = _CAR[version] if kind == "car" else kind
            own = objects.setdefault(int(frame.ids[row]), _object(spec, version, name))
            _add_mask(own, index, frame.mask(row), polygons=options.polygons)
        progress()
    return [objects[number] for number in sorted(objects)]


def _object(spec: SceneSpec, version: str, name: str) -> dict:
    """An entry of ``annotations`` without any mask yet."""
    return {
        "category_id": CLASSES_OF_VERSION[version].index(name) + 1,
        "width": spec.size[0],
        "height": spec.size[1],
        "length": spec.length,
        **{key: [None] * spec.length for key in ("segmentations", "bboxes", "areas")},
    }


def _add_mask(own: dict, index: int, mask: np.ndarray, *, polygons: bool) -> None:
    """Enter mask, box and area of a frame, as the pixels that the file will tell."""
    height, width = mask.shape
    segmentation = outlines(mask) if polygons else _run_lengths(mask)
    code = coco_mask.frPyObjects(segmentation, height, width)
    code = coco_mask.merge(code) if polygons else code
    own["segmentations"][index] = segmentation
    own["bboxes"][index] = coco_mask.toBbox(code).tolist()
    own["areas"][index] = int(coco_mask.area(code))


def _run_lengths(mask: np.ndarray) -> dict:
    """Numbers of pixels outside and inside by turns, column by column, as the benchmark does."""
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
    counts = np.diff(np.concatenate(([0], changes, [pixels.size]))).tolist()
    return {"counts": [0, *counts] if pixels[0] else counts, "size": list(mask.shape)}


def outlines(mask: np.ndarray) -> list[list[float]]:
    """Outer outlines of the parts of a mask, through the corners of its pixels."""
    # At twice the resolution the outlines of parts of one pixel have an area, too.
    large = cv2.resize(mask.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [((outline.reshape(-1) + 0.5) / 2).tolist() for outline in found]


def count_youtube_vis(options: YouTubeVISOptions) -> int:
    """Frames that will be rendered."""
    return (options.videos + options.valid_videos + options.test_videos) * options.frames
