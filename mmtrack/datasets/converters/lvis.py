"""Add the objects of COCO to those of LVIS, which annotates the same images.

Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking", CVPR 2021,
    section 4.1: training for TAO.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.core.mask import to_rle
from mmtrack.utils.reading import check_objects, read_json_object, reading

_FIELDS = {
    "images": {"id": (int,), "width": (int,), "height": (int,)},
    "categories": {"id": (int,)},
    "annotations": dict.fromkeys(("id", "image_id", "category_id"), (int,)),
}


def merge_files(
    lvis: str | os.PathLike,
    coco: str | os.PathLike,
    mapping: str | os.PathLike,
    iou_thr: float,
    progress: Callable[[int], Callable[[], None]] = lambda total: lambda: None,
) -> tuple[dict, dict, dict]:
    """Read the files, check them and merge them.

    Args:
        lvis: File of LVIS.
        coco: File of COCO.
        mapping: File with ``synset`` for each name of COCO.
        iou_thr: See :func:`merge_coco_with_lvis`.
        progress: Gets the number of images, gives a function to call after each.

    Returns:
        The content of LVIS, of COCO, and of both.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file is malformed, or they do not belong together; the message names them.
    """
    contents = [read_json_object(path) for path in (lvis, coco, mapping)]
    for path, content in zip((lvis, coco), contents, strict=False):
        for key, fields in _FIELDS.items():
            check_objects(content.get(key), fields, f"{os.fspath(path)}: {key}")
    with reading(f"{os.fspath(lvis)} or {os.fspath(coco)} (mapping {os.fspath(mapping)})"):
        step = progress(len(contents[0]["images"]))
        return contents[0], contents[1], merge_coco_with_lvis(*contents, iou_thr, step)


def category_mapping(
    lvis_categories: list[dict], coco_categories: list[dict], synsets: dict[str, dict]
) -> dict[int, int]:
    """Category id of LVIS for each one of COCO.

    Args:
        lvis_categories: With ``id`` and ``synset``.
        coco_categories: With ``id`` and ``name``.
        synsets: For each name of COCO a dict with its ``synset``.

    Raises:
        ValueError: a category of COCO has no synset, or LVIS does not have that synset.
    """
    ids = {category["synset"]: category["id"] for category in lvis_categories}
    found = {}
    for category in coco_categories:
        entry = synsets.get(category["name"], {})
        if "synset" not in entry:
            raise ValueError(f"the mapping has no 'synset' for {category['name']!r} of COCO")
        if entry["synset"] not in ids:
            raise ValueError(
                f"the mapping gives {category['name']!r} the synset {entry['synset']!r}, which is "
                f"none of the {len(ids)} of the LVIS file; are they of the same version?"
            )
        found[category["id"]] = ids[entry["synset"]]
    return found


def merge_coco_with_lvis(
    lvis: dict,
    coco: dict,
    synsets: dict[str, dict],
    iou_thr: float,
    progress: Callable[[], None] = lambda: None,
) -> dict:
    """LVIS content with the objects of COCO that it does not have yet.

    Args:
        lvis: Content of an LVIS file.
        coco: Content of the COCO file of these images.
        synsets: See :func:`category_mapping`.
        iou_thr: An object of COCO is left out where its mask overlaps one of LVIS by more.
        progress: Called after each image.

    Returns:
        The content of ``lvis`` with more annotations, which have new ids.

    Raises:
        ValueError: categories do not fit, or a mask is malformed.
    """
    mapping = category_mapping(lvis["categories"], coco["categories"], synsets)
    by_image = {"LVIS": defaultdict(list), "COCO": defaultdict(list)}
    for name, data in (("LVIS", lvis), ("COCO", coco)):
        for ann in data["annotations"]:
            by_image[name][ann["image_id"]].append(ann)
    next_id = max((ann["id"] for ann in lvis["annotations"]), default=0) + 1
    added = []
    for image in lvis["images"]:
        anns = {name: groups[image["id"]] for name, groups in by_image.items()}
        if anns["COCO"]:
            masks = {name: _masks(group, image, name) for name, group in anns.items()}
            for ann, new in zip(anns["COCO"], _is_new(masks, iou_thr), strict=True):
                if new:
                    category = mapping[ann["category_id"]]
                    added.append({**ann, "id": next_id + len(added), "category_id": category})
        progress()
    return {**lvis, "annotations": [*lvis["annotations"], *added]}


def _masks(anns: list[dict], image: dict, name: str) -> list[dict]:
    masks = []
    for ann in anns:
        try:
            masks.append(to_rle(ann.get("segmentation"), image["height"], image["width"]))
        except ValueError as error:
            raise ValueError(f"annotation {ann['id']} of {name}: {error}") from error
    return masks


def _is_new(masks: dict[str, list[dict]], iou_thr: float) -> np.ndarray:
    """Objects of COCO that overlap none of LVIS by more than a threshold, ``(n,)`` bool."""
    if not masks["LVIS"]:
        return np.ones(len(masks["COCO"]), bool)
    overlaps = coco_mask.iou(masks["COCO"], masks["LVIS"], [0] * len(masks["LVIS"]))
    return overlaps.max(axis=1) <= iou_thr
