"""Masks of annotation and result files as compressed run lengths.

Files hold a mask as polygons, as run lengths in numbers, or as run lengths in the text form of
pycocotools. Everything here checks before it hands a mask to pycocotools, which trusts its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pycocotools.mask as coco_mask

_FEWEST_COORDINATES = 6  # a polygon has three corners
# The text form writes 6 bits a character from "0" on; the 6th says that the number goes on.
_ALPHABET = bytes(range(48, 48 + 64))
_GOES_ON = 48 + 32


def check_segmentation(segmentation: Any, height: int, width: int) -> None:
    """Raise an error unless a value of a file is a mask of an image.

    Args:
        segmentation: Run lengths, ``dict(size=[height, width], counts=...)`` with numbers, text or
            bytes as ``counts``; or a list of polygons ``[x1, y1, x2, y2, ...]`` in pixels.
        height: Of the image.
        width: Of the image.

    Raises:
        ValueError: it is none; the message says why. Where the mask lies is for the caller to add.
    """
    if isinstance(segmentation, dict):
        _check_run_lengths(segmentation, height, width)
    elif isinstance(segmentation, (list, tuple)) and segmentation:
        for number, polygon in enumerate(segmentation):
            _check_polygon(polygon, number)
    else:
        kind = "an empty list" if segmentation == [] else type(segmentation).__name__
        raise ValueError(f"a mask is run lengths (a dict) or a list of polygons, not {kind}")


def to_rle(segmentation: Any, height: int, width: int) -> dict:
    """A mask of a file in the compressed form of pycocotools.

    Args:
        segmentation: See :func:`check_segmentation`.
        height: Of the image.
        width: Of the image.

    Returns:
        ``size`` ``[height, width]`` and ``counts``, bytes or text.

    Raises:
        ValueError: it is no mask of such an image.
    """
    check_segmentation(segmentation, height, width)
    if not isinstance(segmentation, dict):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    if isinstance(segmentation["counts"], (str, bytes)):
        return segmentation
    return coco_mask.frPyObjects(segmentation, height, width)


def _check_run_lengths(rle: dict, height: int, width: int) -> None:
    if "size" not in rle or "counts" not in rle:
        raise ValueError(f"run lengths need 'size' and 'counts', found {sorted(map(str, rle))}")
    if list(rle["size"]) != [height, width]:
        raise ValueError(
            f"the mask has height and width {list(rle['size'])}, the image [{height}, {width}]"
        )
    counts = rle["counts"]
    if isinstance(counts, (str, bytes)):
        _check_text(rle, height * width)
    elif not isinstance(counts, (list, tuple)):
        raise ValueError(f"'counts' must be numbers or text, not {type(counts).__name__}")
    elif not all(isinstance(count, Integral) and count >= 0 for count in counts):
        raise ValueError("'counts' must be whole numbers from 0 on")
    elif sum(counts) != height * width:
        raise ValueError(f"'counts' add up to {sum(counts)} pixels, the image has {height * width}")


def _check_text(rle: dict, pixels: int) -> None:
    counts = rle["counts"]
    text = counts if isinstance(counts, bytes) else counts.encode()
    if not text or text.translate(None, _ALPHABET) or text[-1] >= _GOES_ON:
        raise ValueError("'counts' is no text of run lengths; it is damaged or cut off")
    if coco_mask.area(rle) > pixels:
        raise ValueError("'counts' covers more pixels than the image has; it is damaged")


def _check_polygon(polygon: Sequence[float], number: int) -> None:
    if not isinstance(polygon, (list, tuple)):
        raise ValueError(f"polygon {number} is no list of coordinates, but {polygon!r}")
    if len(polygon) < _FEWEST_COORDINATES or len(polygon) % 2:
        raise ValueError(
            f"polygon {number} has {len(polygon)} coordinates; it needs an even number, six or more"
        )
    try:
        finite = np.isfinite(np.asarray(polygon, np.float64)).all()
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise ValueError(f"polygon {number} has coordinates that are no finite numbers")
