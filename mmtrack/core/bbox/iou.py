"""Intersection over union of boxes in arrays: all pairs, row by row, or only pairs that meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class SparseIoU(NamedTuple):
    """Overlaps of pairs of boxes: row, column and intersection over union of each, ``(K,)``."""

    rows: np.ndarray
    cols: np.ndarray
    ious: np.ndarray

    def weighted(self, weights: np.ndarray) -> np.ndarray:
        """Overlaps times a weight of each column, such as the score of a detection."""
        return self.ious * weights[self.cols]


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

    In a crowd a box meets a few others. With the second set sorted by its left edge, those that can
    meet a box in x lie in one range, which two binary searches find.

    Args:
        bboxes1: ``(N, 4)`` or wider, x1y1x2y2 in pixels first.
        bboxes2: ``(M, 4)`` or wider.

    Returns:
        Rows, columns and their intersection over union, each ``(K,)``, all above zero and sorted by
        row.
    """
    first = np.asarray(bboxes1, dtype=np.float64)[:, :4]
    second = np.asarray(bboxes2, dtype=np.float64)[:, :4]
    if not len(first) or not len(second):
        none = np.zeros(0, dtype=np.intp)
        return SparseIoU(none, none, np.zeros(0))
    order = np.argsort(second[:, 0])
    left = second[order, 0]
    widest = np.max(second[:, 2] - second[:, 0])
    start = np.searchsorted(left, first[:, 0] - widest)
    counts = np.maximum(np.searchsorted(left, first[:, 2]) - start, 0)
    rows = np.repeat(np.arange(len(first)), counts)
    ranges = np.repeat(start - np.cumsum(counts) + counts, counts)
    cols = order[np.arange(len(rows)) + ranges]
    inter = _intersection(first[rows].T, second[cols].T)
    meets = np.flatnonzero(inter)
    rows, cols, inter = rows[meets], cols[meets], inter[meets]
    union = _area(first.T)[rows] + _area(second.T)[cols] - inter
    return SparseIoU(rows, cols, inter / union)


def _area(corners: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = corners
    return (x2 - x1) * (y2 - y1)


def _intersection(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0])
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1])
    return np.maximum(width, 0) * np.maximum(height, 0)
