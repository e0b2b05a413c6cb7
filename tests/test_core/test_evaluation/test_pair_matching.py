"""One-to-one matching of many frames, against the Hungarian algorithm and brute force."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from mmtrack.core.evaluation.pair_matching import best_matching, largest_matching


def random_problem(seed, frames=12, rows=5, cols=6, density=0.5, ties=False):
    """Sparse pairs of several frames and the dense weights of each frame."""
    rng = np.random.default_rng(seed)
    dense, parts = [], []
    for frame in range(frames):
        weights = rng.random((rows, cols)) * (rng.random((rows, cols)) < density)
        if ties:
            weights = np.ceil(weights * 3) / 3
        i, j = np.nonzero(weights)
        dense.append(weights)
        parts.append((np.full(len(i), frame), frame * rows + i, frame * cols + j, weights[i, j]))
    return dense, [np.concatenate(p) for p in zip(*parts, strict=True)]


def check_one_to_one(rows, cols, chosen):
    assert len(np.unique(rows[chosen])) == len(chosen)
    assert len(np.unique(cols[chosen])) == len(chosen)
    assert np.all(np.diff(chosen) > 0)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", range(10))
def test_best_matching_has_the_largest_weight(seed, ties):
    dense, (frames, rows, cols, weights) = random_problem(seed, ties=ties)
    chosen = best_matching(frames, rows, cols, weights)
    check_one_to_one(rows, cols, chosen)
    for frame, table in enumerate(dense):
        want = table[linear_sum_assignment(table, maximize=True)].sum()
        assert weights[chosen][frames[chosen] == frame].sum() == pytest.approx(want)


def test_a_heavy_pair_yields_to_two_lighter_ones():
    # 10 is the largest weight, but 9 + 9 is more than 10 + nothing
    rows, cols, weights = np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([10.0, 9, 9])
    assert best_matching(np.zeros(3, int), rows, cols, weights).tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_largest_matching_counts_pairs_first(seed):
    dense, (frames, rows, cols, weights) = random_problem(seed, frames=4, rows=4, cols=4)
    chosen = largest_matching(frames, rows, cols, weights)
    check_one_to_one(rows, cols, chosen)
    for frame, table in enumerate(dense):
        options = []
        for columns in itertools.permutations(range(4)):
            used = table[range(4), columns]
            options.append((np.count_nonzero(used), used.sum()))
        count, total = max(options)
        mine = weights[chosen][frames[chosen] == frame]
        assert len(mine) == count
        assert mine.sum() == pytest.approx(total)


@pytest.mark.parametrize("match", [best_matching, largest_matching])
def test_nothing_to_match(match):
    empty = np.empty(0, np.int64)
    assert match(empty, empty, empty, np.empty(0)).tolist() == []
