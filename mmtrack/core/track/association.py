"""Exact assignment of tracks to detections from the few pairs that may match.

Every function takes the candidate pairs as three arrays ``rows``, ``cols``, ``costs`` of equal
length; a pair that is not listed cannot be matched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment


class Matches(NamedTuple):
    """Matched pairs and what each costs; a row or a column occurs once at most."""

    rows: np.ndarray
    cols: np.ndarray
    costs: np.ndarray

    def up_to(self, cost: float) -> Matches:
        """The matches that cost no more than that."""
        cheap = self.costs <= cost
        return Matches(self.rows[cheap], self.cols[cheap], self.costs[cheap])

    def as_vectors(self, num_rows: int, num_cols: int) -> tuple[np.ndarray, np.ndarray]:
        """Column of each row, ``(num_rows,)``, and row of each column; -1 for none."""
        col_of_row = np.full(num_rows, -1)
        row_of_col = np.full(num_cols, -1)
        col_of_row[self.rows] = self.cols
        row_of_col[self.cols] = self.rows
        return col_of_row, row_of_col


def match_within(rows: np.ndarray, cols: np.ndarray, costs: np.ndarray, limit: float) -> Matches:
    """Cheapest assignment where a row and a column left alone cost ``limit`` together.

    The sum of ``cost - limit`` over the matched pairs is minimal, so no pair of ``limit`` or above
    is matched. Pairs that are in every optimal solution are settled at once and the rest, mostly
    little, is solved exactly.

    A pair is settled when it is cheapest in its row and its column, and ``cost + limit`` is below
    the sum of the second cheapest of the two: whatever partners the two have in a solution without
    the pair, giving them up for the pair costs less, even if both partners then stay alone.

    Args:
        rows: Row of each candidate pair, ``(K,)``.
        cols: Column of each candidate pair, ``(K,)``.
        costs: Finite cost of each candidate pair, ``(K,)``.
        limit: Pairs below it are worth matching.

    Returns:
        The matched pairs.
    """
    allowed = np.flatnonzero(costs < limit)
    rows, cols, costs = rows[allowed], cols[allowed], costs[allowed]
    done = []
    while len(rows):
        settled = _settled(rows, cols, costs, limit)
        if not len(settled):
            done.append(_solve(rows, cols, costs, limit))
            break
        done.append((rows[settled], cols[settled], costs[settled]))
        free = ~(_contains(rows, rows[settled]) | _contains(cols, cols[settled]))
        rows, cols, costs = rows[free], cols[free], costs[free]
    if not done:
        return Matches(rows, cols, costs)
    return Matches(*map(np.concatenate, zip(*done, strict=True)))


def match_most(rows: np.ndarray, cols: np.ndarray, costs: np.ndarray) -> Matches:
    """Among the assignments that match the most pairs, the cheapest.

    Args:
        rows: Row of each candidate pair, ``(K,)``.
        cols: Column of each candidate pair, ``(K,)``.
        costs: Finite cost of each candidate pair, ``(K,)``.

    Returns:
        The matched pairs.
    """
    if not len(rows):
        return Matches(rows, cols, costs)
    # One more pair outweighs any change of cost among all others.
    spread = costs.max() - costs.min() + 1
    pairs = min(len(np.unique(rows)), len(np.unique(cols)))
    lowest = costs.min()
    matches = match_within(rows, cols, costs - lowest, spread * (pairs + 1))
    return matches._replace(costs=matches.costs + lowest)


def _contains(values: np.ndarray, members: np.ndarray) -> np.ndarray:
    table = np.zeros(values.max() + 1, dtype=bool)
    table[members] = True
    return table[values]


def _best_two(groups: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and second lowest cost of each group, infinite where there is none."""
    size = groups.max() + 1
    best = np.full(size, np.inf)
    np.minimum.at(best, groups, costs)
    is_best = costs == best[groups]
    second = np.full(size, np.inf)
    np.minimum.at(second, groups[~is_best], costs[~is_best])
    tied = np.bincount(groups[is_best], minlength=size) > 1
    second[tied] = best[tied]
    return best, second


def _settled(rows: np.ndarray, cols: np.ndarray, costs: np.ndarray, limit: float) -> np.ndarray:
    row_best, row_second = _best_two(rows, costs)
    col_best, col_second = _best_two(cols, costs)
    mutual = (costs == row_best[rows]) & (costs == col_best[cols])
    return np.flatnonzero(mutual & (costs + limit < row_second[rows] + col_second[cols]))


def _solve(
    rows: np.ndarray, cols: np.ndarray, costs: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row_names, at_row = np.unique(rows, return_inverse=True)
    col_names, at_col = np.unique(cols, return_inverse=True)
    # A pair at the limit is worth as much as its two ends left alone.
    table = np.full((len(row_names), len(col_names)), float(limit))
    table[at_row, at_col] = costs
    found_rows, found_cols = linear_sum_assignment(table)
    found_costs = table[found_rows, found_cols]
    real = found_costs < limit
    return row_names[found_rows[real]], col_names[found_cols[real]], found_costs[real]
