"""Softmax both ways, duplicates and claims against plain loops and torch."""

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from mmtrack.core.track import bisoftmax, claim_in_order, overlaps_earlier, softmax


def all_pairs(shape):
    return np.indices(shape).reshape(2, -1)


def test_bisoftmax_is_the_mean_of_two_softmaxes():
    values = np.random.default_rng(0).normal(0, 5, (7, 11))
    table = torch.from_numpy(values)
    want = (table.softmax(1) + table.softmax(0)) / 2
    found = bisoftmax(values.ravel(), *all_pairs(values.shape))
    np.testing.assert_allclose(found, want.ravel(), rtol=1e-12)


def test_softmax_runs_over_the_given_pairs():
    """Row 1 has one pair, row 2 none; groups need not be sorted."""
    values, groups = np.array([3.0, 7.0, 1.0]), np.array([0, 1, 0])
    e = np.exp([3, 1]) / np.exp([3, 1]).sum()
    np.testing.assert_allclose(softmax(values, groups), [e[0], 1, e[1]], rtol=1e-12)


def test_softmax_of_huge_products_is_finite():
    values = np.array([1e4, -1e4, 0, 9e3], np.float32)
    np.testing.assert_array_equal(bisoftmax(values, *all_pairs((2, 2))), [1, 0, 0, 1])


def test_a_share_below_the_precision_is_nothing():
    """One column, two rows: 1 of the row and 1e-9 of the column are not above 0.5."""
    values = np.array([0.0, 20.0], np.float32)
    found = bisoftmax(values, *all_pairs((2, 1)))
    assert found.dtype == np.float32
    assert found.tolist() == [0.5, 1.0]


def test_softmax_of_nothing():
    none = np.zeros(0, int)
    assert bisoftmax(np.zeros(0), none, none).shape == (0,)


@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("seed", range(4))
def test_duplicates_against_a_loop(seed, classes):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 60, (40, 2))
    bboxes = np.concatenate((corners, corners + rng.uniform(5, 40, (40, 2))), axis=1)
    thrs = rng.choice([0.1, 0.3, 0.7, 1.0, np.inf], 40)
    labels = None if classes is None else rng.integers(0, classes, 40)
    ious = box_iou(*[torch.from_numpy(bboxes)] * 2).numpy()
    want = [
        any(ious[i, j] > thrs[i] and (labels is None or labels[i] == labels[j]) for j in range(i))
        for i in range(40)
    ]
    found = overlaps_earlier(bboxes, thrs, labels)
    assert found.tolist() == want
    assert 0 < sum(want) < 40


def test_duplicates_of_nothing():
    assert overlaps_earlier(np.zeros((0, 4)), np.zeros(0)).shape == (0,)


def claim_in_a_loop(scores, threshold, may_claim):
    left = scores.copy()
    cols, claimed = [], []
    for row in range(len(left)):
        best = int(left[row].argmax())
        if left[row, best] <= threshold:
            best = -1
        cols.append(best)
        claimed.append(best >= 0 and bool(may_claim[row, best]))
        if claimed[-1]:
            left[:, best] = -1
    return cols, claimed


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("threshold", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(12, 9), (5, 30), (40, 3)])
def test_claims_against_a_loop(shape, threshold, levels):
    """Also with many ties, where the first column counts."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.uniform(size=shape)
        if levels is not None:
            scores = np.round(scores * levels) / levels
        may_claim = rng.uniform(size=shape) < rng.choice([0.2, 0.8, 1.0])
        want = claim_in_a_loop(scores, threshold, may_claim)
        order = rng.permutation(scores.size)
        rows, cols = (index[order] for index in all_pairs(shape))
        found = claim_in_order(
            rows, cols, scores[rows, cols], may_claim[rows, cols],
            threshold=threshold, num_rows=shape[0],
        )  # fmt: skip
        assert (found.cols.tolist(), found.claimed.tolist()) == want
        chosen = np.flatnonzero(found.cols >= 0)
        np.testing.assert_array_equal(found.scores[chosen], scores[chosen, found.cols[chosen]])


def test_a_chain_of_conflicts_takes_a_round_per_row():
    """Every row wants the column of the row above first, then its own."""
    scores = np.full((6, 7), 0.0)
    for row in range(6):
        scores[row, row], scores[row, row + 1] = 0.9, 0.8
    scores[:, 0] = 0.95
    rows, cols = all_pairs(scores.shape)
    found = claim_in_order(
        rows, cols, scores.ravel(), np.ones(len(rows), bool), threshold=0.5, num_rows=len(scores)
    )
    assert found.cols.tolist() == [0, 1, 2, 3, 4, 5]


def test_claims_of_nothing():
    none = np.zeros(0, int)
    found = claim_in_order(none, none, np.zeros(0), none > 0, threshold=0.5, num_rows=3)
    assert found.cols.tolist() == [-1, -1, -1]
    assert not found.claimed.any()
