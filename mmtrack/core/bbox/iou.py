"""Intersection over union of boxes in arrays: all pairs, row by row, or only pairs that meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np



class SparseIoU(NamedTuple):
    """Overlaps of the pairs of boxes that meet, sorted by row, then column."""

    rows: np.ndarray
    cols: np.ndarray
    ious: np.ndarray


def bbox_iou(
    bboxes1: np.ndarray, bboxes2: np.ndarray, *, mode: str = "iou", aligned: bool = False
) -> np.ndarray:
    """Overlap of boxes.

    Args:
        bboxes1: ``(N, 4)`` or wider, x1y1x2y2 in pixels first.
        bboxes2: ``(M, 4)`` or wider; ``M`` equals ``N`` when aligned.
        mode: ``'iou'``, intersection over union, or ``'iof'``, over the area of the first box.
        aligned: Pair the boxes row by row instead of each with each.

    Returns:
        ``(N, M)`` float64, or ``(N,)`` when aligned. Boxes without area overlap nothing.

    Raises:
        ValueError: the mode is unknown.
    """
    if mode not in ("iou", "iof"):
        raise ValueError(f"mode must be 'iou' or 'iof', found {mode!r}")
    first = np.asarray(bboxes1, dtype=np.float64)[:, :4].T
    second = np.asarray(bboxes2, dtype=np.float64)[:, :4].T
    if not aligned:
        first, second = first[:, :, None], second[:, None, :]
    inter = _intersection(first, second)
    base = _area(first) + np.zeros_like(inter)
    if mode == "iou":
        base = base + _area(second) - inter
    return np.divide(inter, base, out=np.zeros_like(inter), where=base > 0)


def sparse_bbox_iou(bboxes1: np.ndarray, bboxes2: np.ndarray) -> SparseIoU:
    """Overlap of the pairs of boxes that meet; all other pairs have none.

    In a crowd a box meets a few others, so the pairs that share an interval in x and in y are
    selected by comparisons before anything is computed.

    Args:
        bboxes1: ``(N, 4)`` or wider, x1y1x2y2 in pixels first.
        bboxes2: ``(M, 4)`` or wider.

    Returns:
        Rows, columns and their intersection over union, each ``(K,)``, all above zero.
    """
    first = np.asarray(bboxes1, dtype=np.float64)[:, :4].T
    second = np.asarray(bboxes2, dtype=np.float64)[:, :4].T
    x1, y1, x2, y2 = second
    meets = first[0][:, None] < x2
    meets &= first[2][:, None] > x1
    meets &= first[1][:, None] < y2
    meets &= first[3][:, None] > y1
    rows, cols = np.divmod(np.flatnonzero(meets), max(second.shape[1], 1))
    first, second = first[:, rows], second[:, cols]
    inter = _intersection(first, second)
    return SparseIoU(rows, cols, inter / (_area(first) + _area(second) - inter))


def _area(corners: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = corners
    return (x2 - x1) * (y2 - y1)


def _intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0])
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1])
    return np.maximum(width, 0) * np.maximum(height, 0)
