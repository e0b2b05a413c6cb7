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

_LONGEST_SIDE = 1 << 17
# pycocotools walks along the edges pixel by pixel, also far outside of the image.
_OUTSIDE = 10  # times the longer side of the image
_FEWEST_COORDINATES = 6  # a polygon has three corners
# The text form writes 6 bits a character from "0" on; the 6th says that the number goes on.
_ALPHABET = bytes(range(48, 48 + 64))
_GOES_ON = 48 + 32
_LONGEST_NUMBER = 7  # characters: 35 bits, where 32 are enough


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
    check_size(height, width)
    if isinstance(segmentation, dict):
        _check_run_lengths(segmentation, height, width)
    elif isinstance(segmentation, (list, tuple)) and segmentation:
        for number, polygon in enumerate(segmentation):
            _check_polygon(polygon, number, max(height, width))
    else:
        kind = "an empty list" if segmentation == [] else type(segmentation).__name__
        raise ValueError(f"a mask is run lengths (a dict) or a list of polygons, not {kind}")


def check_size(height: int, width: int) -> None:
    """Raise an error unless an image may have this size.

    pycocotools counts pixels in 32 bits and trusts what it gets.

    Raises:
        ValueError: a side is no whole number, not above zero, or larger than any image.
    """
    for side in (height, width):
        if (
            not isinstance(side, Integral)
            or isinstance(side, bool)
            or not 1 <= side <= _LONGEST_SIDE
        ):
            raise ValueError(
                f"an image of height {height!r:.30} and width {width!r:.30} is no image; sides "
                f"have 1 to {_LONGEST_SIDE} pixels"
            )
    if height * width >= 1 << 31:
        raise ValueError(f"an image of {height} x {width} pixels is too large for masks")


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
    if not isinstance(rle["size"], (list, tuple)) or list(rle["size"]) != [height, width]:
        raise ValueError(
            f"the mask has height and width {rle['size']!r:.60}, the image [{height}, {width}]"
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
    runs = _runs_of_text(text)
    if runs is None or (runs < 0).any():
        raise ValueError("'counts' has runs of negative or endless length; it is damaged")
    if runs.sum() != pixels:
        kind = "more" if runs.sum() > pixels else "fewer"
        raise ValueError(f"'counts' covers {kind} pixels than the image has; it is damaged")


def _runs_of_text(text: bytes) -> np.ndarray | None:
    """Run lengths ``(n,)`` of a text; None where a number in it is too long to be one.

    A number has five bits a character, the lowest first, and the sign in the highest bit. From the
    fourth on, numbers are differences to the number two places before.
    """
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - _ALPHABET[0]
    ends = np.flatnonzero(codes < 32)
    lengths = np.diff(ends, prepend=-1)
    if lengths.max() > _LONGEST_NUMBER:
        return None
    place = np.arange(len(codes)) - np.repeat(ends - lengths + 1, lengths)
    runs = np.add.reduceat((codes & 31) << 5 * place, ends - lengths + 1)
    runs -= np.where(codes[ends] & 16, 1 << 5 * lengths, 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def _check_polygon(polygon: Sequence[float], number: int, side: int) -> None:
    if not isinstance(polygon, (list, tuple)):
        raise ValueError(f"polygon {number} is no list of coordinates, but {polygon!r}")
    if len(polygon) < _FEWEST_COORDINATES or len(polygon) % 2:
        raise ValueError(
            f"polygon {number} has {len(polygon)} coordinates; it needs an even number, six or more"
        )
    try:
        inside = (np.abs(np.asarray(polygon, np.float64)) <= _OUTSIDE * side).all()
    except (TypeError, ValueError, OverflowError):
        inside = False
    if not inside:
        raise ValueError(
            f"polygon {number} has coordinates that are no finite numbers, or far outside of the "
            "image"
        )
