"""Corners against sums over all places, scores against plain matrix products."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmtrack.models.track_heads import CornerPredictorHead
from mmtrack.models.track_heads.score_head import ScoreHead


@pytest.fixture(scope="module")
def head():
    torch.manual_seed(0)
    return CornerPredictorHead(inplanes=6, channel=16, feat_size=5, stride=8).eval()


def expected_place(scores, stride):
    """Mean place, one place after the other."""
    total = x = y = 0.0
    for row, col in np.ndindex(scores.shape):
        weight = math.exp(scores[row, col])
        total += weight
        x += weight * col * stride
        y += weight * row * stride
    return x / total, y / total


def test_soft_argmax_is_the_expected_place(head):
    scores = torch.randn(3, 1, 5, 5, generator=torch.Generator().manual_seed(1)) * 3
    xs, ys = head.soft_argmax(scores)
    assert xs.shape == ys.shape == (3, 1)
    for i in range(3):
        x, y = expected_place(scores[i, 0].double().numpy(), 8)
        assert (float(xs[i]), float(ys[i])) == pytest.approx((x, y), rel=1e-5)


def test_one_certain_place(head):
    scores = torch.full((1, 1, 5, 5), -50.0)
    scores[0, 0, 3, 1] = 50
    x, y = head.soft_argmax(scores)
    assert (float(x), float(y)) == (8.0, 24.0)


def test_large_scores_stay_finite(head):
    x, y = head.soft_argmax(torch.full((1, 1, 5, 5), 1e4))
    assert (float(x), float(y)) == pytest.approx((16.0, 16.0))


def test_box_is_made_of_both_corners(head):
    feats = torch.randn(2, 6, 5, 5, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        top_left, bottom_right = head.get_score_map(feats)
        bboxes = head(feats)
    assert top_left.shape == (2, 1, 5, 5)
    for i in range(2):
        want = [
            *expected_place(top_left[i, 0].double().numpy(), 8),
            *expected_place(bottom_right[i, 0].double().numpy(), 8),
        ]
        assert bboxes[i].tolist() == pytest.approx(want, rel=1e-5)


def test_score_branch_is_a_stack_of_convolutions(head):
    feats = torch.randn(1, 6, 5, 5, generator=torch.Generator().manual_seed(4))
    want = feats
    with torch.no_grad():
        for layer in list(head.tl_corner_pred)[:-1]:
            want = torch.conv2d(want, layer.conv.weight, layer.conv.bias, padding=1)
            norm = layer.bn
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            want = (want - norm.running_mean[:, None, None]) * scale[:, None, None]
            want = (want + norm.bias[:, None, None]).clamp(min=0)
        last = head.tl_corner_pred[-1]
        want = torch.conv2d(want, last.weight, last.bias)
        torch.testing.assert_close(head.get_score_map(feats)[0], want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("use_bn", [False, True])
def test_score_head_is_a_perceptron(use_bn):
    torch.manual_seed(3)
    head = ScoreHead(input_dim=4, hidden_dim=6, output_dim=2, num_layers=3, use_bn=use_bn)
    x = torch.randn(5, 1, 4)
    for norm in head.norms or ():
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    head.eval()
    want = x.reshape(5, 4).double().numpy()
    for i, layer in enumerate(head.layers):
        want = want @ layer.weight.detach().double().numpy().T + layer.bias.detach().numpy()
        if i == 2:
            break
        if use_bn:
            norm = head.norms[i]
            want = (want - norm.running_mean.numpy()) / np.sqrt(norm.running_var.numpy() + norm.eps)
        want = np.maximum(want, 0)
    with torch.no_grad():
        found = head(x)
    assert found.shape == (5, 1, 2)
    np.testing.assert_allclose(found.numpy().reshape(5, 2), want, atol=1e-5)
