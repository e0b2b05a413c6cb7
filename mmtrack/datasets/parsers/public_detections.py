"""Public detections: files that hold the boxes of many images, read without running code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from mmtrack.utils.array_files import UnsafePickleError, load_array_pickle, load_npz
from mmtrack.utils.reading import read_json, reading

__all__ = ["UnsafePickleError", "load_arrays", "load_public_detections"]

# one array (n, 5) x1y1x2y2-score per class
ClassArrays: TypeAlias = list[np.ndarray]
PublicDetections: TypeAlias = "dict[str, ClassArrays] | list[ClassArrays]"

DETECTIONS_KEY = "det_bboxes"


def _load_npz(path: str) -> dict[str, ClassArrays]:
    return {name: [array] for name, array in load_npz(path).items()}


LOADERS = {
    ".pkl": load_array_pickle,
    ".pickle": load_array_pickle,
    ".json": read_json,
    ".npz": _load_npz,
}


def load_arrays(path: str) -> Any:
    """Lists, dicts and arrays of a file, read without running code.

    Args:
        path: ``.pkl``, ``.pickle``, ``.json`` or ``.npz``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another kind of file, or a pickle that holds more than arrays.
    """
    extension = os.path.splitext(path)[1]
    if extension not in LOADERS:
        raise ValueError(f"{path}: expected one of {', '.join(LOADERS)}")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path} does not exist")
    return LOADERS[extension](path)


def _check_boxes(boxes: Any, where: str) -> np.ndarray:
    """Boxes of one class as float32 ``(n, 5)``, or an error that names the image."""
    try:
        boxes = np.asarray(boxes, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: the boxes are no table of numbers") from error
    if boxes.size == 0:
        return np.zeros((0, 5), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(f"{where}: boxes have shape {boxes.shape}, expected (n, 5) for each class")
    if not np.isfinite(boxes).all():
        row = int(np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0])
        raise ValueError(f"{where}: box {row} is not finite: {boxes[row].tolist()}")
    flat = (boxes[:, 2:4] <= boxes[:, :2]).any(axis=1)
    if flat.any():
        row = int(np.argmax(flat))
        raise ValueError(f"{where}: box {row} has no area: {boxes[row].tolist()}")
    return boxes


def _check_entry(entry: Any, where: str) -> ClassArrays:
    if not isinstance(entry, Sequence) or isinstance(entry, str):
        raise ValueError(f"{where}: expected a list with one array per class, got {type(entry)}")
    return [_check_boxes(boxes, f"{where}, class {label}") for label, boxes in enumerate(entry)]


def load_public_detections(path: str | os.PathLike) -> PublicDetections:
    """Read detections of many images.

    Layouts are a list with one entry per image, a dict of image name (``file_name``) to entry, or a
    dict with the key ``det_bboxes`` that holds either. An entry is a list with one array ``(n, 5)``
    x1, y1, x2, y2, score per class. In an ``.npz`` each array belongs to the image of its name and
    to the only class.

    Args:
        path: A ``.pkl``, ``.json`` or ``.npz`` file. Pickles may contain arrays and containers
            only; one that would call anything else is refused before it does.

    Returns:
        The list or dict of entries, arrays as float32.

    Raises:
        FileNotFoundError: There is no such file.
        UnsafePickleError: The pickle asks for anything but arrays.
        ValueError: The ending is unknown, the file is damaged or holds neither list nor dict, or
            boxes have wrong columns, are not finite or have no area; the message names file and
            image.
    """
    path = os.fspath(path)
    ending = os.path.splitext(path)[1].lower()
    if ending not in LOADERS:
        raise ValueError(f"detections {path}: expected a file ending in {', '.join(LOADERS)}")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"detections {path} do not exist")
    entries = LOADERS[ending](path)
    with reading(path):
        return _check_entries(entries, path)


def _check_entries(entries: Any, path: str) -> PublicDetections:
    """Content of a file, with checked arrays."""
    if isinstance(entries, dict) and DETECTIONS_KEY in entries:
        entries = entries[DETECTIONS_KEY]
    if isinstance(entries, dict):
        names = [name for name in entries if not isinstance(name, str)]
        if names:
            raise ValueError(f"{path}: {names[0]!r:.60} is no name of an image")
        return {name: _check_entry(e, f"{path}, {name}") for name, e in entries.items()}
    if isinstance(entries, list):
        return [_check_entry(e, f"{path}, image {i}") for i, e in enumerate(entries)]
    raise ValueError(
        f"{path}: expected a list with one entry per image or a dict of file_name to entry, got "
        f"{type(entries)}"
    )
