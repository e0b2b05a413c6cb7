"""TAO annotations: LVIS categories in videos, most of them not annotated in most videos.

Reference: Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object", ECCV 2020.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import check_objects, read_json, read_json_object, reading

# Official file of each split, and the folder that names of images begin with.
SPLITS = {
    "train": ("train.json", "train/"),
    "validation": ("validation.json", "val/"),
    "test": ("test_without_annotations.json", "test/"),
}
TEST_CATEGORIES = "test_categories.json"
CLASSES_FILE = "tao_classes.txt"
_LISTS = ("videos", "images", "categories")
_VIDEO_KEYS = ("neg_category_ids", "not_exhaustive_category_ids")
_FIELDS = {
    "categories": {"id": (int,), "name": (str,)},
    "videos": {"id": (int,), "name": (str,), **dict.fromkeys(_VIDEO_KEYS, (list,))},
    "images": {"id": (int,), "video_id": (int,), "frame_index": (int,), "file_name": (str,)},
    "annotations": {
        **dict.fromkeys(("id", "image_id", "track_id", "category_id"), (int,)),
        "bbox": (list,),
    },
    "tracks": {"category_id": (int,)},
}


def read_tao(path: str | os.PathLike) -> dict:
    """Content of an annotation file of TAO.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: lists or keys are missing; the message names file, object and key.
    """
    data = read_json_object(path)
    for key in _LISTS:
        if key not in data:
            raise ValueError(f"{os.fspath(path)} has no list {key!r}; is it a json of TAO?")
    data.setdefault("annotations", [])
    for kind, fields in _FIELDS.items():
        check_objects(data.get(kind, []), fields, f"{os.fspath(path)}: {kind}")
    return data


def classes_of_tao(files: Collection[dict], test_categories: list | dict | None) -> set[int]:
    """Ids of the categories that occur in TAO: annotated ones, and those judged on the test set.

    Args:
        files: Contents of annotation files.
        test_categories: Content of ``test_categories.json``, or None without it.
    """
    found = {ann["category_id"] for data in files for ann in data["annotations"]}
    if isinstance(test_categories, dict):
        test_categories = test_categories["categories"]
    for category in test_categories or ():
        found.add(category["id"] if isinstance(category, dict) else category)
    return found


def convert_tao(data: dict, folder: str, classes: Collection[int] | None = None) -> dict:
    """CocoVID content of an annotation file of TAO.

    Images get their place in the video (``frame_id``) and what is annotated in it; annotations
    get ``instance_id``; videos get ``frame_range``, the step between annotated frames. Names of
    images lose the folder of the split, which belongs to ``img_prefix``.

    Args:
        data: As of :func:`read_tao`; it is left alone.
        folder: Folder of the split, ``'train/'``, ``'val/'`` or ``'test/'``.
        classes: Ids of the categories to keep; None for all.

    Raises:
        ValueError: an image or annotation belongs to something that is not there.
    """
    frames = defaultdict(list)
    for image in data["images"]:
        frames[image["video_id"]].append(image)
    videos = {video["id"]: video for video in data["videos"]}
    unknown = sorted(set(frames) - set(videos))
    if unknown:
        raise ValueError(f"images belong to video {unknown[0]}, which is not in 'videos'")
    converted = {**data, "videos": [], "images": []}
    for video_id, video in videos.items():
        own = sorted(frames[video_id], key=lambda image: image["frame_index"])
        steps = [image["frame_index"] for image in own[:2]]
        converted["videos"].append({**video, "frame_range": steps[-1] - steps[0] if steps else 0})
        known = {key: video[key] for key in _VIDEO_KEYS}
        for frame_id, image in enumerate(own):
            name = image["file_name"].removeprefix(folder)
            converted["images"].append({**image, **known, "frame_id": frame_id, "file_name": name})
    video_of = {image["id"]: image["video_id"] for image in data["images"]}
    for ann in data["annotations"]:
        if ann["image_id"] not in video_of:
            raise ValueError(
                f"annotation {ann['id']} is of image {ann['image_id']}, not in 'images'"
            )
    converted["annotations"] = [
        {**ann, "instance_id": ann["track_id"], "video_id": video_of[ann["image_id"]]}
        for ann in data["annotations"]
    ]
    return converted if classes is None else _keep_classes(converted, classes)


def _keep_classes(data: dict, classes: Collection[int]) -> dict:
    """Content without other categories, their annotations and tracks."""
    kept = {**data, "categories": [c for c in data["categories"] if c["id"] in classes]}
    for key in ("annotations", "tracks"):
        if key in data:
            kept[key] = [entry for entry in data[key] if entry["category_id"] in classes]
    return kept


def convert_tao_folder(folder: str | os.PathLike, *, filter_classes: bool) -> list[str]:
    """Convert every split that is there, into the same folder.

    Args:
        folder: With the official files.
        filter_classes: Keep the categories that occur in TAO; the files are called
            ``<split>_482_classes.json`` then (as many as in the real data), else
            ``<split>_classes.json``.

    Returns:
        What was written, a line for each file.

    Raises:
        FileNotFoundError: there is none of the official files.
        ValueError: a file is malformed.
    """
    folder = Path(folder)
    files = {
        split: read_tao(folder / name)
        for split, (name, _) in SPLITS.items()
        if (folder / name).is_file()
    }
    if not files:
        names = ", ".join(name for name, _ in SPLITS.values())
        raise FileNotFoundError(f"{folder} has none of {names}")
    first = next(iter(files.values()))
    classes = {category["id"] for category in first["categories"]}
    if filter_classes:
        path = folder / TEST_CATEGORIES
        with reading(path):
            tested = read_json(path) if path.is_file() else None
            classes &= classes_of_tao(files.values(), tested)
    names = [category["name"] for category in first["categories"] if category["id"] in classes]
    lines = []
    for split, data in files.items():
        official, images = SPLITS[split]
        with reading(folder / official, problem=""):
            converted = convert_tao(data, images, classes)
        path = folder / f"{split}_{'482_' if filter_classes else ''}classes.json"
        with atomic_write(path) as file:
            json.dump(converted, file)
        counts = [len(converted[key]) for key in ("videos", "images", "annotations")]
        lines.append("{}: {} videos, {} images, {} boxes".format(path, *counts))
    with atomic_write(folder / CLASSES_FILE) as file:
        file.writelines(f"{name}\n" for name in names)
    return [*lines, f"{folder / CLASSES_FILE}: {len(names)} classes"]
