"""Anchors and windows of SiameseRPN against hand numbers and numpy."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from mmtrack.core.anchor import SiameseRPNAnchorGenerator

RATIOS = [0.33, 0.5, 1, 2, 3]


@pytest.mark.parametrize("scale_major", [True, False])
def test_sides_are_cut_before_they_are_scaled(scale_major):
    scales = [8, 3]
    generator = SiameseRPNAnchorGenerator([8], RATIOS, scales, scale_major=scale_major)
    want = [
        (int(math.sqrt(64 / r)) * s, int(math.sqrt(64 * r)) * s) for r in RATIOS for s in scales
    ]
    if not scale_major:
        want = want[::2] + want[1::2]
    x1, y1, x2, y2 = generator.base_anchors[0].T
    assert torch.stack([x2 - x1, y2 - y1], 1).tolist() == [list(map(float, w)) for w in want]
    assert (x1 + x2).abs().max() == (y1 + y2).abs().max() == 0


def test_center_shifts_the_anchors():
    anchors = SiameseRPNAnchorGenerator([8], [1], [2], centers=[(3.0, 5.0)]).base_anchors[0]
    assert anchors.tolist() == [[3 - 8, 5 - 8, 3 + 8, 5 + 8]]


def test_windows_follow_the_order_of_the_anchors():
    generator = SiameseRPNAnchorGenerator([8], RATIOS, [8])
    window = generator.gen_2d_hanning_windows([(5, 9)], device="cpu")[0].view(5, 9, 5)
    want = np.outer(np.hanning(5), np.hanning(9))
    for anchor in range(5):
        np.testing.assert_allclose(window[..., anchor], want, atol=1e-6)


def test_number_of_levels_is_checked():
    with pytest.raises(ValueError, match="2 feature maps for an anchor generator of 1"):
        SiameseRPNAnchorGenerator([8], [1], [8]).gen_2d_hanning_windows([(5, 5)] * 2, "cpu")


def test_mmdet_knows_the_anchors_after_import_mmtrack():
    code = (
        "import mmtrack, sys; assert 'mmdet' not in sys.modules\n"
        "from mmdet.core.anchor import build_prior_generator as build\n"
        "build(dict(type='SiameseRPNAnchorGenerator', strides=[8], ratios=[1], scales=[8]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
