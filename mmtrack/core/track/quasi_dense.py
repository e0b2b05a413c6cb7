"""Nearest neighbour search among embeddings: similarity both ways, duplicates, claims."""

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


def bisoftmax(similarities: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
    """Mean of the softmax over the columns and the softmax over the rows.

    High values need both: the column is the best of the row, and the row the best of the column.

    Args:
        similarities: ``(N, M)``.
        allowed: Pairs that take part, ``(N, M)`` bool; the others get 0. All by default.

    Returns:
        ``(N, M)`` within [0, 1].

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, equation 6.
    """
    forth, back = (softmax(similarities, axis=axis, allowed=allowed) for axis in (1, 0))
    forth += back
    forth *= 0.5
    return forth


def softmax(values: np.ndarray, *, axis: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """Softmax of a table along an axis.

    Args:
        values: ``(N, M)``.
        axis: Sums along it are 1, or 0 where nothing is allowed.
        allowed: Entries that take part, ``(N, M)`` bool; the others get 0. All by default.
    """
    if not values.size:
        return np.zeros_like(values)
    if allowed is not None:
        values = np.where(allowed, values, -np.inf)
    highest = values.max(axis=axis, keepdims=True)
    highest[np.isneginf(highest)] = 0  # nothing allowed: exp(-inf) gives the zeros
    parts = np.subtract(values, highest)
    np.exp(parts, out=parts)
    total = parts.sum(axis=axis, keepdims=True)
    total[total == 0] = 1
    parts /= total
    return parts


def cosine_similarity(embeds: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosines between ``(N, C)`` and ``(M, C)`` embeddings, ``(N, M)``; 0 for zero vectors."""
    return _unit(embeds) @ _unit(others).T


def _unit(embeds: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.einsum("nc,nc->n", embeds, embeds))[:, None]
    return embeds / np.maximum(lengths, np.finfo(embeds.dtype).tiny)


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


def claim_in_order(scores: np.ndarray, threshold: float, may_claim: np.ndarray) -> Claims:
    """Row after row takes its best column, which is gone for the rows below.

    The result is that of a loop over the rows. Here, all rows choose at once, and a choice is final
    unless a row above could still claim the column; the others choose again. Conflicts are rare, so
    two or three rounds do.

    Args:
        scores: ``(N, M)``.
        threshold: Only pairs that score above it are looked at.
        may_claim: Pairs that take the column away from others, ``(N, M)`` bool. A row whose best
            column is none of these has chosen all the same.

    Returns:
        The choices.
    """
    num_rows, num_cols = scores.shape
    cols_of_row = np.full(num_rows, -1)
    claimed = np.zeros(num_rows, dtype=bool)
    found = np.zeros(num_rows, dtype=scores.dtype)
    rows, cols = np.nonzero(scores > threshold)
    order = np.lexsort((-scores[rows, cols], rows))  # best first within a row
    rows, cols = rows[order], cols[order]
    claims = may_claim[rows, cols]
    claimer = np.full(num_cols, num_rows)
    while len(rows):
        top = np.flatnonzero(np.diff(rows, prepend=-1))
        earliest = np.full(num_cols, num_rows)
        np.minimum.at(earliest, cols[claims], rows[claims])
        top = top[rows[top] <= earliest[cols[top]]]
        cols_of_row[rows[top]] = cols[top]
        claimed[rows[top]] = claims[top]
        settled = np.zeros(num_rows, dtype=bool)
        settled[rows[top]] = True
        claimer[cols[top[claims[top]]]] = rows[top[claims[top]]]
        left = ~settled[rows] & (rows < claimer[cols])  # a column is gone for the rows below only
        rows, cols, claims = rows[left], cols[left], claims[left]
    chosen = np.flatnonzero(cols_of_row >= 0)
    found[chosen] = scores[chosen, cols_of_row[chosen]]
    return Claims(cols_of_row, claimed, found)
