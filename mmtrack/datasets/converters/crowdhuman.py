"""CrowdHuman annotations: one JSON object per line.

Reference: Shao et al., "CrowdHuman: A Benchmark for Detecting Human in a Crowd", 2018.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mmtrack.utils.reading import check_object, is_number, reading

from .coco_vid import CocoVidWriter
from .images import image_size

_RECORD = {"ID": (str,), "gtboxes": (list,)}
_THREADS = 8  # reading headers waits for the disk


def read_odgt(path: str | os.PathLike) -> Iterator[dict]:
    """Objects of an .odgt file in order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is no JSON object with ``ID`` and ``gtboxes``; its number is named.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no annotation file {os.fspath(path)}")
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            where = f"{os.fspath(path)}, line {number}"
            with reading(where, problem="is no record of CrowdHuman"):
                record = json.loads(line)
            if not isinstance(record, dict) or not {"ID", "gtboxes"} <= record.keys():
                raise ValueError(f"{where}: no 'ID' and 'gtboxes'")
            check_object(record, _RECORD, where)
            for box in record["gtboxes"]:
                _check_box(box, f"{where}: a box of image {record['ID']}")
            yield record


def _check_box(box: object, where: str) -> None:
    """Raise an error unless a box has both kinds of coordinates."""
    if not isinstance(box, dict) or not {"fbox", "vbox"} <= box.keys():
        raise ValueError(f"{where} has no 'fbox' and 'vbox'")
    for key in ("fbox", "vbox"):
        if not is_number(box[key], 4):
            raise ValueError(f"{where}: {key!r} is {box[key]!r:.60}, expected four numbers")
    if not isinstance(box.get("extra", {}), dict):
        raise ValueError(f"{where}: 'extra' is {box['extra']!r:.60}, expected an object")


def convert_crowdhuman(root: str | os.PathLike, subset: str) -> CocoVidWriter:
    """Make a COCO file of a subset: full boxes as ``bbox``, visible ones as ``vis_bbox``.

    Boxes to be ignored become ``iscrowd``.

    Args:
        root: Folder with ``annotation_<subset>.odgt`` and ``<subset>/Images``.
        subset: ``'train'`` or ``'val'``.

    Raises:
        FileNotFoundError: the annotations or an image are missing.
        ValueError: a line is malformed, or an image is unreadable.
    """
    path = Path(root) / f"annotation_{subset}.odgt"
    records = list(read_odgt(path))
    names = [f"Images/{record['ID']}.jpg" for record in records]
    with ThreadPoolExecutor(_THREADS) as pool:
        sizes = list(pool.map(image_size, (Path(root) / subset / name for name in names)))
    writer = CocoVidWriter(("pedestrian",), with_videos=False)
    for record, name, (width, height) in zip(records, names, sizes, strict=True):
        image_id = writer.add_image(name, width, height)
        for box in record["gtboxes"]:
            ignored = box.get("extra", {}).get("ignore", 0) == 1
            writer.add_annotation(image_id, 1, box["fbox"], vis_bbox=box["vbox"], iscrowd=ignored)
    return writer
