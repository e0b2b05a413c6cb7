"""Exact assignment against lap and scipy on the full matrix."""

import lap
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mmtrack.core.track import match_most, match_within

FORBIDDEN = 1e4


def problem(rng):
    rows, cols = rng.integers(1, 30, 2)
    costs = rng.uniform(0, 1, (rows, cols))
    allowed = rng.uniform(size=costs.shape) < rng.uniform(0.02, 1)
    return costs, allowed


def col_of_row(matches, shape):
    return matches.as_vectors(*shape)[0]


@pytest.mark.parametrize("seed", range(5))
def test_gated_matches_equal_lapjv(seed):
    rng = np.random.default_rng(seed)
    for _ in range(200):
        costs, allowed = problem(rng)
        limit = rng.uniform(0.1, 1.1)
        rows, cols = np.nonzero(allowed)
        found = match_within(rows, cols, costs[allowed], limit)
        _, want, _ = lap.lapjv(
            np.where(allowed, costs, FORBIDDEN), extend_cost=True, cost_limit=limit
        )
        np.testing.assert_array_equal(col_of_row(found, costs.shape), want)
        np.testing.assert_array_equal(found.costs, costs[found.rows, found.cols])


@pytest.mark.parametrize("seed", range(3))
def test_most_matches_then_lowest_cost(seed):
    rng = np.random.default_rng(seed)
    for _ in range(200):
        costs, allowed = problem(rng)
        rows, cols = np.nonzero(allowed)
        found = match_most(rows, cols, costs[allowed])
        table = np.where(allowed, costs, FORBIDDEN)
        want_rows, want_cols = linear_sum_assignment(table)
        real = allowed[want_rows, want_cols]
        assert len(found.rows) == real.sum()
        want = table[want_rows[real], want_cols[real]].sum()
        assert found.costs.sum() == pytest.approx(want)


def test_ties_are_solved_with_the_lowest_sum():
    rows, cols = np.indices((3, 3)).reshape(2, -1)
    costs = np.array([[0.1, 0.1, 0.9], [0.1, 0.1, 0.9], [0.5, 0.1, 0.2]]).ravel()
    found = match_within(rows, cols, costs, 1.0)
    assert len(set(found.rows)) == len(set(found.cols)) == 3
    assert found.costs.sum() == pytest.approx(0.4)


def test_greedy_choice_that_would_cost_more_is_not_taken():
    # row 0 prefers col 0, but then row 1 has nothing
    found = match_within(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.1, 0.2, 0.15]), 1.0)
    assert dict(zip(found.rows, found.cols, strict=True)) == {0: 1, 1: 0}


def test_no_candidates():
    none = np.zeros(0, dtype=int)
    for found in (match_within(none, none, np.zeros(0), 1), match_most(none, none, np.zeros(0))):
        assert len(found.rows) == 0
        assert [len(v) for v in found.as_vectors(2, 3)] == [2, 3]
