"""YouTube-VIS annotations: per object a list with the mask of each frame.

Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019, section 3.1.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pycocotools.mask as coco_mask

from mmtrack.core.mask import check_segmentation, to_rle

from ..youtube_vis_classes import CLASSES_OF_VERSION
from .coco_vid import CocoVidWriter

SPLITS = ("train", "valid", "test")
_FILES = {"2019": "{split}.json", "2021": "{split}/instances.json"}
_VIDEO_KEYS = ("id", "width", "height", "file_names")
_OBJECT_KEYS = ("id", "video_id", "category_id", "segmentations")


def annotation_file(root: str | os.PathLike, version: str, split: str) -> Path:
    """Where an edition of YouTube-VIS keeps the annotations of a split."""
    return Path(root) / _FILES[version].format(split=split)


def convert_youtube_vis(path: str | os.PathLike, version: str) -> CocoVidWriter:
    """Make a CocoVID file of an annotation file.

    Videos keep their ids; images, annotations and instances are numbered from 1. The valid and
    test sets have no annotations.

    Args:
        path: The json file of a split.
        version: ``'2019'`` or ``'2021'``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, belongs to the other edition, or an object is malformed;
            the message names the object.
    """
    data = _read(path, version)
    by_video = defaultdict(list)
    for instance_id, entry in enumerate(data.get("annotations") or (), 1):
        _require(path, "annotation", entry, _OBJECT_KEYS)
        by_video[entry["video_id"]].append((instance_id, entry))
    videos = [video["id"] for video in data["videos"]]
    unknown = sorted(set(by_video) - set(videos))
    if unknown:
        raise ValueError(f"{path}: objects belong to video {unknown[0]}, which is not in 'videos'")
    names = tuple(category["name"] for category in data["categories"])
    writer = CocoVidWriter(names)
    known = {category["id"] for category in data["categories"]}
    for video in data["videos"]:
        _require(path, "video", video, _VIDEO_KEYS)
        _add_video(writer, path, video, by_video[video["id"]], known)
    writer.extra["categories"] = [{"id": c["id"], "name": c["name"]} for c in data["categories"]]
    return writer


def _read(path: str | os.PathLike, version: str) -> dict:
    """Content of an annotation file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no annotation file {os.fspath(path)}")
    with open(path, encoding="utf-8") as file:
        try:
            data = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is no json file: {error}") from error
    missing = [key for key in ("videos", "categories") if key not in data]
    if missing:
        raise ValueError(f"{path} has no list {missing[0]!r}; is it a file of YouTube-VIS?")
    names = tuple(category["name"] for category in data["categories"])
    for other, classes in CLASSES_OF_VERSION.items():
        if other != version and names == classes:
            raise ValueError(f"{path} has the categories of YouTube-VIS {other}: use --version")
    return data


def _require(path: str | os.PathLike, kind: str, entry: dict, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if key not in entry]
    if missing:
        raise ValueError(f"{path}: {kind} {entry.get('id')} has no {missing[0]!r}")


def _add_video(
    writer: CocoVidWriter,
    path: str | os.PathLike,
    video: dict,
    objects: list[tuple[int, dict]],
    known_categories: set[int],
) -> None:
    """Add a video with its images and the masks of its objects, frame by frame."""
    size = {"width": video["width"], "height": video["height"]}
    names = video["file_names"]
    for _, entry in objects:
        if len(entry["segmentations"]) != len(names):
            raise ValueError(
                f"{path}: annotation {entry['id']} has segmentations for "
                f"{len(entry['segmentations'])} frames, its video {video['id']} has {len(names)}"
            )
        if entry["category_id"] not in known_categories:
            raise ValueError(
                f"{path}: annotation {entry['id']} has category {entry['category_id']}, which is "
                "not in 'categories'"
            )
    folder = names[0].split("/")[0] if names else str(video["id"])
    writer.add_video(folder, **{"id": video["id"]}, **size)
    for frame_id, name in enumerate(names):
        image_id = writer.add_image(name, **size, video_id=video["id"], frame_id=frame_id)
        for instance_id, entry in objects:
            if not entry["segmentations"][frame_id]:
                continue
            try:
                mask = _mask_fields(entry, frame_id, **size)
            except ValueError as error:
                raise ValueError(
                    f"{path}: annotation {entry['id']}, frame {frame_id}: {error}"
                ) from error
            writer.add_annotation(
                image_id,
                entry["category_id"],
                **mask,
                video_id=video["id"],
                instance_id=instance_id,
                iscrowd=entry.get("iscrowd", 0),
            )


def _mask_fields(entry: dict, frame_id: int, width: int, height: int) -> dict:
    """Mask, box and area of an object in a frame; box and area are measured where not given."""
    segmentation = entry["segmentations"][frame_id]
    check_segmentation(segmentation, height, width)
    found = {"segmentation": segmentation}
    for one, many, measure in (("bbox", "bboxes", _box), ("area", "areas", _area)):
        value = entry[many][frame_id] if many in entry else None
        found[one] = measure(to_rle(segmentation, height, width)) if value is None else value
    return found


def _box(rle: dict) -> list[float]:
    return coco_mask.toBbox(rle).tolist()


def _area(rle: dict) -> int:
    return int(coco_mask.area(rle))
