"""YouTube-VIS annotations: per object a list with the mask of each frame.

Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019, section 3.1.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pycocotools.mask as coco_mask

from mmtrack.core.mask import check_segmentation, check_size, to_rle
from mmtrack.utils.reading import check_objects, read_json_object, reading

from ..youtube_vis_classes import CLASSES_OF_VERSION
from .coco_vid import CocoVidWriter

SPLITS = ("train", "valid", "test")
_FILES = {"2019": "{split}.json", "2021": "{split}/instances.json"}
_FIELDS = {
    "categories": {"id": (int,), "name": (str,)},
    "videos": {"id": (int,), "width": (int,), "height": (int,), "file_names": (list,)},
    "annotations": {
        **dict.fromkeys(("id", "video_id", "category_id"), (int,)), "segmentations": (list,),
    },
}  # fmt: skip


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
    with reading(path, problem=""):
        return _convert(_read(path, version), path)


def _convert(data: dict, path: str | os.PathLike) -> CocoVidWriter:
    by_video = defaultdict(list)
    for instance_id, entry in enumerate(data.get("annotations") or (), 1):
        by_video[entry["video_id"]].append((instance_id, entry))
    videos = [video["id"] for video in data["videos"]]
    unknown = sorted(set(by_video) - set(videos))
    if unknown:
        raise ValueError(f"{path}: objects belong to video {unknown[0]}, which is not in 'videos'")
    names = tuple(category["name"] for category in data["categories"])
    writer = CocoVidWriter(names)
    known = {category["id"] for category in data["categories"]}
    for video in data["videos"]:
        _add_video(writer, path, video, by_video[video["id"]], known)
    writer.extra["categories"] = [{"id": c["id"], "name": c["name"]} for c in data["categories"]]
    return writer


def _read(path: str | os.PathLike, version: str) -> dict:
    """Content of an annotation file."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no annotation file {os.fspath(path)}")
    data = read_json_object(path)
    missing = [key for key in ("videos", "categories") if key not in data]
    if missing:
        raise ValueError(f"{path} has no list {missing[0]!r}; is it a file of YouTube-VIS?")
    for key, fields in _FIELDS.items():
        check_objects(data.get(key) or [], fields, f"{path}: {key}")
    names = tuple(category["name"] for category in data["categories"])
    for other, classes in CLASSES_OF_VERSION.items():
        if other != version and names == classes:
            raise ValueError(f"{path} has the categories of YouTube-VIS {other}: use --version")
    return data


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
    check_size(**size)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"'file_names' of video {video['id']} are no names")
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
