"""Nearest neighbour search among embeddings: similarity both ways, duplicates, claims.

Pairs of detections and tracks are arrays ``rows``, ``cols`` and values of equal length; with many
classes they are a small part of the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..bbox import sparse_bbox_iou


class Claims(NamedTuple):
    """What each row chose, ``(N,)`` each.

    Attributes:
        cols: Best column that no earlier row had claimed, -1 where there is none.
        claimed: Whether the row claimed it, so that no later row could have it.
        scores: Score of the choice, 0 without one.
    """

    cols: np.ndarray
    claimed: np.ndarray
    scores: np.ndarray


def bisoftmax(values: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Mean of the softmax within each row and the softmax within each column.

    High values need both: the column is the best of the row, and the row the best of the column.

    Args:
        values: Similarity of each pair, ``(K,)``.
        rows: Row of each pair, ``(K,)``.
        cols: Column of each pair, ``(K,)``.

    Returns:
        ``(K,)`` within [0, 1].

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, equation 6.
    """
    return (softmax(values, rows) + softmax(values, cols)) / 2


def softmax(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Softmax of ``(K,)`` values within the groups that ``(K,)`` numbers from 0 name.

    The precision is that of the values: thresholds of published settings are reached or missed by
    rounding, for example when two boxes show one object and share its track, at 0.5 both.
    """
    if not len(values):
        return np.zeros_like(values)
    highest = np.full(groups.max() + 1, -np.inf, dtype=values.dtype)
    np.maximum.at(highest, groups, values)
    parts = np.exp(values - highest[groups])
    return parts / np.bincount(groups, parts).astype(values.dtype)[groups]


def overlaps_earlier(
    bboxes: np.ndarray, iou_thrs: np.ndarray, labels: np.ndarray | None = None
) -> np.ndarray:
    """Whether each box overlaps one of an earlier row too much.

    Args:
        bboxes: ``(N, 4)`` or wider, x1y1x2y2 in pixels first.
        iou_thrs: Largest overlap of each box, ``(N,)``.
        labels: With them, only boxes of one class count, ``(N,)``.

    Returns:
        ``(N,)`` bool.
    """
    # no overlap is above 1, so those boxes need no look
    suspects = np.flatnonzero(iou_thrs < 1)
    pairs = sparse_bbox_iou(bboxes[suspects], bboxes)
    rows = suspects[pairs.rows]
    bad = (pairs.cols < rows) & (pairs.ious > iou_thrs[rows])
    if labels is not None:
        bad &= labels[rows] == labels[pairs.cols]
    found = np.zeros(len(bboxes), dtype=bool)
    found[rows[bad]] = True
    return found


def claim_in_order(
    rows: np.ndarray,
    cols: np.ndarray,
    scores: np.ndarray,
    may_claim: np.ndarray,
    *,
    threshold: float,
    num_rows: int,
) -> Claims:
    """Row after row takes its best column, which is gone for the rows below.

    The result is that of a loop over the rows. Here, all rows choose at once, and a choice is final
    unless a row above could still claim the column; the others choose again. Conflicts are rare, so
    two or three rounds do.

    Args:
        rows: Row of each candidate pair, ``(K,)``.
        cols: Column of each candidate pair, ``(K,)``.
        scores: Score of each candidate pair, ``(K,)``.
        may_claim: Whether the pair takes the column away from others, ``(K,)`` bool. A row whose
            best column is none of these has chosen all the same.
        threshold: Only pairs that score above it are looked at.
        num_rows: Number of rows.

    Returns:
        The choices.
    """
    cols_of_row = np.full(num_rows, -1)
    claimed = np.zeros(num_rows, dtype=bool)
    found = np.zeros(num_rows)
    good = np.flatnonzero(scores > threshold)
    # best first within a row, and the first column of equally good ones
    good = good[np.lexsort((cols[good], -scores[good], rows[good]))]
    rows, cols, scores, may_claim = rows[good], cols[good], scores[good], may_claim[good]
    num_cols = cols.max() + 1 if len(cols) else 0
    claimer = np.full(num_cols, num_rows)
    while len(rows):
        earliest = np.full(num_cols, num_rows)
        np.minimum.at(earliest, cols[may_claim], rows[may_claim])
        top = np.flatnonzero(np.diff(rows, prepend=-1))
        top = top[rows[top] <= earliest[cols[top]]]
        cols_of_row[rows[top]] = cols[top]
        claimed[rows[top]] = may_claim[top]
        found[rows[top]] = scores[top]
        settled = np.zeros(num_rows, dtype=bool)
        settled[rows[top]] = True
        claiming = top[may_claim[top]]
        claimer[cols[claiming]] = rows[claiming]
        left = ~settled[rows] & (rows < claimer[cols])  # a column is gone for the rows below only
        rows, cols, scores, may_claim = (a[left] for a in (rows, cols, scores, may_claim))
    return Claims(cols_of_row, claimed, found)
