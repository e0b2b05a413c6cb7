"""Scores of pairs against the equations of the paper, one pair at a time; the choice by loops."""

import math

import pytest
import torch

from mmtrack.core.track.instance_matching import (
    choose_instances,
    identity_targets,
    match_logits,
    match_scores,
)

WEIGHTS = {"det_score": 1.0, "iou": 2.0, "det_label": 10.0}


def test_logits_are_products_beside_a_column_of_zeros():
    a, b = torch.randn(3, 5), torch.randn(2, 5)
    found = match_logits(a, b)
    assert found[:, 0].tolist() == [0, 0, 0]
    for row in range(3):
        for col in range(2):
            want = sum(x * y for x, y in zip(a[row].tolist(), b[col].tolist(), strict=True))
            assert float(found[row, col + 1]) == pytest.approx(want, abs=1e-5)
    assert match_logits(a, b[:0]).tolist() == [[0.0]] * 3
    assert match_logits(a[:0], b).shape == (0, 3)


@pytest.mark.parametrize(
    ("ids", "refs", "want"),
    [
        ([5, 6, 7, 8], [6, 7, 8, 9, 10], [0, 1, 2, 3]),
        ([3, 3, 1], [1, 3], [2, 2, 1]),
        ([0], [0], [1]),  # an identity of 0 is one like all others
        ([4, 2], [], [0, 0]),
        ([], [1], []),
    ],
)
def test_targets(ids, refs, want):
    found = identity_targets(
        torch.tensor(ids, dtype=torch.int64), torch.tensor(refs, dtype=torch.int64)
    )
    assert found.tolist() == want
    assert found.dtype == torch.int64


def test_scores_follow_equation_2():
    gen = torch.Generator().manual_seed(1)
    logits = match_logits(torch.randn(4, 6, generator=gen), torch.randn(3, 6, generator=gen))
    scores = torch.rand(4, generator=gen)
    ious = torch.rand(4, 3, generator=gen)
    same = torch.rand(4, 3, generator=gen) > 0.5
    found = match_scores(logits, scores, ious, same, WEIGHTS)
    for row in range(4):
        total = sum(math.exp(v) for v in logits[row].tolist())
        for col in range(4):
            want = math.log(math.exp(float(logits[row, col])) / total) + math.log(scores[row])
            if col == 0:
                want += 10.0  # a new instance has the class of its detection
            else:
                want += 2.0 * float(ious[row, col - 1]) + 10.0 * bool(same[row, col - 1])
            assert float(found[row, col]) == pytest.approx(want, abs=1e-4)


def choose_by_loops(scores, unique):
    columns, holder = [], {}
    for row, values in enumerate(scores.tolist()):
        col = values.index(max(values))
        if col == 0:
            columns.append(0)
        elif col in holder and values[col] <= scores[holder[col], col]:
            columns.append(-1)
        else:
            if col in holder and unique:
                columns[holder[col]] = -1
            holder[col] = row
            columns.append(col)
    return columns


@pytest.mark.parametrize("unique", [False, True])
def test_choice_equals_one_detection_after_the_other(unique):
    gen = torch.Generator().manual_seed(0)
    shared = 0
    for _ in range(300):
        rows, cols = torch.randint(0, 9, (2,), generator=gen).tolist()
        # few values, so that ties are frequent
        scores = torch.randint(0, 6, (rows, cols + 1), generator=gen).float()
        want = choose_by_loops(scores, unique)
        assert choose_instances(scores, unique=unique).tolist() == want
        taken = [c for c in want if c > 0]
        shared += len(taken) - len(set(taken))
    assert (shared == 0) == unique


def test_the_best_of_two_keeps_an_instance():
    scores = torch.tensor([[0.0, 5.0], [0.0, 7.0], [0.0, 6.0], [1.0, 0.0]])
    assert choose_instances(scores, unique=True).tolist() == [-1, 1, -1, 0]
    # as in the published models: the earlier one is not taken back
    assert choose_instances(scores).tolist() == [1, 1, -1, 0]
