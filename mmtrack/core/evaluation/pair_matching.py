"""One-to-one matching of the overlapping boxes of many frames at once."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def best_matching(
    frames: np.ndarray, rows: np.ndarray, cols: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Pairs that make up the one-to-one matching of the largest total weight in every frame.

    A pair that outweighs the best alternatives of both its boxes together belongs to every best
    matching: exchanging it for those two would lose. Such pairs are taken for all frames in
    a few array operations; what is left, a few crossings, goes through the Hungarian algorithm.

    Args:
        frames: Frame of each pair, ``(P,)``, ascending.
        rows: Box of one side, ``(P,)``; numbered over all frames.
        cols: Box of the other side, ``(P,)``; numbered over all frames.
        weights: Positive weight of each pair, ``(P,)``. Boxes not listed as a pair do not match.

    Returns:
        Indices of the chosen pairs, ``(M,)``, ascending.
    """
    chosen, left = [], np.arange(len(weights))
    while len(left):
        sure = _undisputed(rows[left], cols[left], weights[left])
        if not sure.any():
            break
        taken = left[sure]
        chosen.append(taken)
        free_row = np.ones(rows[left].max() + 1, bool)
        free_col = np.ones(cols[left].max() + 1, bool)
        free_row[rows[taken]] = False
        free_col[cols[taken]] = False
        left = left[free_row[rows[left]] & free_col[cols[left]]]
    if len(left):
        cuts = np.flatnonzero(np.diff(frames[left])) + 1
        for part in np.split(left, cuts):
            chosen.append(part[assign(rows[part], cols[part], weights[part])])
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.int64)


def largest_matching(
    frames: np.ndarray, rows: np.ndarray, cols: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Like `best_matching`, but the number of pairs counts first and their weight second.

    This is what motmetrics does by giving forbidden pairs a cost above any sum of allowed ones.

    Args:
        frames: Frame of each pair, ``(P,)``, ascending.
        rows: Box of one side, ``(P,)``; numbered over all frames.
        cols: Box of the other side, ``(P,)``; numbered over all frames.
        weights: Weight of each pair within [0, 1], ``(P,)``.

    Returns:
        Indices of the chosen pairs, ``(M,)``, ascending.
    """
    if len(weights) == 0:
        return np.empty(0, np.int64)
    # One pair more is worth more than all weights of a frame together.
    bonus = float(np.bincount(frames - frames[0]).max() + 1)
    return best_matching(frames, rows, cols, weights + bonus)


def assign(rows: np.ndarray, cols: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Best matching of one frame by the Hungarian algorithm.

    Args:
        rows: Box of one side, ``(P,)``.
        cols: Box of the other side, ``(P,)``.
        weights: Positive weight of each pair, ``(P,)``.

    Returns:
        Indices of the chosen pairs, ``(M,)``.
    """
    row_names, i = np.unique(rows, return_inverse=True)
    col_names, j = np.unique(cols, return_inverse=True)
    pair_of = np.full((len(row_names), len(col_names)), -1)
    pair_of[i, j] = np.arange(len(weights))
    table = np.zeros(pair_of.shape)
    table[i, j] = weights
    found = pair_of[linear_sum_assignment(table, maximize=True)]
    return found[found >= 0]


def _undisputed(rows: np.ndarray, cols: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Pairs heavier than the best alternatives of their row and column together."""
    best_row, other_row = _best_two(rows, weights)
    best_col, other_col = _best_two(cols, weights)
    top = (weights == best_row[rows]) & (weights == best_col[cols])
    return top & (weights > other_row[rows] + other_col[cols])


def _best_two(groups: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest and second largest weight of each group; the same twice on a tie, 0 for none."""
    size = groups.max() + 1
    best, second = np.zeros(size), np.zeros(size)
    np.maximum.at(best, groups, weights)
    top = weights == best[groups]
    np.maximum.at(second, groups[~top], weights[~top])
    tied = np.bincount(groups[top], minlength=size) > 1
    second[tied] = best[tied]
    return best, second
