"""Losses against brute force over pairs and triplets."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmdet.models import build_loss

from mmtrack.models.losses import L2Loss, MultiPosCrossEntropyLoss, TripletLoss


def embeddings(n=9, c=5, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(n, c)).astype(np.float32))


def triplets(x, y):
    """Every anchor with another sample of its identity and a sample of another identity."""
    n = range(len(y))
    for a, p, q in itertools.product(n, n, n):
        if a != p and y[a] == y[p] and y[a] != y[q]:
            yield a, math.dist(x[a], x[p]) - math.dist(x[a], x[q])


IDENTITIES = {
    "three each": [0, 0, 0, 1, 1, 1, 2, 2, 2],
    "mixed": [4, 7, 4, 4, 7, 9, 9, 4, 7],
}


@pytest.mark.parametrize("labels", IDENTITIES.values(), ids=IDENTITIES)
@pytest.mark.parametrize("margin", [0.3, 2.0])
def test_triplet_loss_takes_the_hardest(labels, margin):
    x, y = embeddings().double(), torch.tensor(labels)
    worst = {}
    for anchor, gap in triplets(x.tolist(), labels):
        worst[anchor] = max(worst.get(anchor, -math.inf), gap)
    want = np.mean([max(gap + margin, 0) for gap in worst.values()])
    loss = build_loss(dict(type="TripletLoss", margin=margin, loss_weight=1.5))
    assert float(loss(x, y)) == pytest.approx(1.5 * want, rel=1e-9)


@pytest.mark.parametrize("labels", IDENTITIES.values(), ids=IDENTITIES)
def test_triplet_loss_of_all_triplets(labels):
    x, y = embeddings().double(), torch.tensor(labels)
    want = np.mean([max(gap + 0.5, 0) for _, gap in triplets(x.tolist(), labels)])
    found = TripletLoss(margin=0.5, hard_mining=False)(x, y)
    assert float(found) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("hard_mining", [True, False])
@pytest.mark.parametrize("labels", [[3, 3, 3, 3], [0], []], ids=["one identity", "one", "none"])
def test_triplet_loss_without_triplets_is_zero(labels, hard_mining):
    x = embeddings(len(labels)).requires_grad_()
    loss = TripletLoss(hard_mining=hard_mining)(x, torch.tensor(labels, dtype=torch.long))
    loss.backward()
    assert float(loss) == 0
    assert torch.isfinite(x.grad).all()


def test_triplet_loss_of_equal_samples_has_finite_gradients():
    x = torch.ones(4, 3, requires_grad=True)
    TripletLoss()(x, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(x.grad).all()


def brute_force_multipos(scores, labels):
    """Equation 4 of the paper, row by row."""
    rows = []
    for score, label in zip(scores.tolist(), labels.tolist(), strict=True):
        positives = [s for s, m in zip(score, label, strict=True) if m == 1]
        negatives = [s for s, m in zip(score, label, strict=True) if m == 0]
        rows.append(math.log1p(sum(math.exp(n - p) for p in positives for n in negatives)))
    return np.array(rows)


def test_multipos_cross_entropy_is_the_double_sum():
    scores = 3 * embeddings(6, 7).double()
    labels = torch.from_numpy(np.random.default_rng(1).integers(0, 2, (6, 7)))
    labels[2], labels[4] = 0, 1  # no positives, no negatives
    want = brute_force_multipos(scores, labels)
    loss = MultiPosCrossEntropyLoss(loss_weight=0.25)
    assert float(loss(scores, labels)) == pytest.approx(0.25 * want.mean())
    none = loss(scores, labels, reduction_override="none")
    np.testing.assert_allclose(none, 0.25 * want, rtol=1e-9)
    assert float(none[2]) == float(none[4]) == 0
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0, 1.0, 0.5])
    found = loss(scores, labels, weight, avg_factor=2.5)
    assert float(found) == pytest.approx(0.25 * (want * weight.numpy()).sum() / 2.5)


def test_multipos_cross_entropy_with_one_positive_is_cross_entropy():
    scores, target = 4 * embeddings(5, 6), torch.tensor([0, 3, 5, 1, 1])
    found = MultiPosCrossEntropyLoss()(scores, F.one_hot(target, 6))
    torch.testing.assert_close(found, F.cross_entropy(scores, target))


def test_multipos_cross_entropy_stays_finite():
    scores = torch.tensor([[300.0, -300.0], [5.0, 1.0]], requires_grad=True)
    loss = MultiPosCrossEntropyLoss()(scores, torch.tensor([[0, 1], [1, 1]]))
    loss.backward()
    assert float(loss) == pytest.approx(300.0)
    assert torch.isfinite(scores.grad).all()


def brute_force_l2(pred, target, margin_pos=0.0, margin_neg=0.0, negatives=None):
    """Mean squared error; ``negatives`` of the largest errors count, all if None."""
    pos = [
        (min(max(p - margin_pos, 0), 1) - 1) ** 2 for p, t in zip(pred, target, strict=True) if t
    ]
    neg = [min(max(p - margin_neg, 0), 1) ** 2 for p, t in zip(pred, target, strict=True) if not t]
    return np.mean(pos + sorted(neg, reverse=True)[:negatives])


L2_CASES = {
    "plain": ({}, {}),
    "margins": (dict(pos_margin=0.1, neg_margin=0.2), dict(margin_pos=0.1, margin_neg=0.2)),
    "hardest": (dict(neg_pos_ub=2, hard_mining=True), dict(negatives=6)),
    "few negatives": (dict(neg_pos_ub=50, hard_mining=True), {}),
}


@pytest.fixture
def similarities():
    rng = np.random.default_rng(3)
    pred = torch.from_numpy(rng.uniform(-0.4, 1.4, (4, 8)))
    target = torch.zeros(4, 8, dtype=torch.long)
    target[0, 1] = target[2, 2] = target[3, 7] = 1
    return pred, target


@pytest.mark.parametrize(("settings", "expected"), L2_CASES.values(), ids=L2_CASES)
def test_l2_loss(similarities, settings, expected):
    pred, target = similarities
    before = pred.clone(), target.clone()
    found = build_loss(dict(type="L2Loss", loss_weight=2.0, **settings))(pred, target)
    want = brute_force_l2(pred.flatten().tolist(), target.flatten().tolist(), **expected)
    assert float(found) == pytest.approx(2 * want, rel=1e-12)
    assert torch.equal(before[0], pred), "the input was changed"
    assert torch.equal(before[1], target), "the target was changed"


def test_l2_loss_draws_random_negatives(similarities):
    pred, target = similarities
    loss = L2Loss(neg_pos_ub=2)
    _, weight, count = loss.update_weight(pred, target, None, None)
    assert int(count) == 3 + 6
    assert weight[target == 1].sum() == 3
    assert weight[target == 0].sum() == 6
    draws = {tuple(loss.update_weight(pred, target, None, None)[1].flatten().tolist())
             for _ in range(20)}  # fmt: skip
    assert len(draws) > 1


def test_l2_loss_leaves_out_entries_without_weight(similarities):
    pred, target = similarities
    weight = torch.ones_like(pred)
    weight[1:] = 0
    found = L2Loss()(pred, target, weight)
    assert float(found) == pytest.approx(brute_force_l2(pred[0].tolist(), target[0].tolist()))
    assert float(L2Loss(reduction="sum")(pred, target, weight)) == pytest.approx(8 * float(found))


def test_mmdet_knows_the_losses_after_import_mmtrack():
    code = (
        "import mmtrack, sys; assert 'mmdet' not in sys.modules\n"
        "from mmdet.models import build_loss\n"
        "build_loss(dict(type='L2Loss')), build_loss(dict(type='MultiPosCrossEntropyLoss'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
