"""Exact pooling against densely sampled pooling of torchvision, mmcv's operator and by hand."""

from __future__ import annotations

import pytest
import torch
from mmcv.ops import prroi_pool
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.ops import roi_align

from mmtrack.core.track import precise_roi_pool

BBOXES = torch.tensor([[0.6, 1.2, 5.3, 6.9], [2.0, 0.0, 3.0, 7.0], [1.1, 3.3, 1.6, 3.5]])


def features(dtype=torch.float32):
    make = torch.Generator().manual_seed(0)
    return torch.randn(3, 5, 8, 9, generator=make).to(dtype)


def with_index(bboxes):
    return torch.cat((torch.arange(len(bboxes))[:, None], bboxes), dim=1)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_equals_the_mean_of_many_samples(size):
    found = precise_roi_pool(features(), BBOXES, size)
    # "aligned" puts the value of pixel i at i + 0.5
    rois = with_index(BBOXES + 0.5)
    dense = roi_align(features(), rois, size, sampling_ratio=64, aligned=True)
    torch.testing.assert_close(found, dense, atol=3e-3, rtol=0)


def test_equals_the_operator_of_mmcv():
    bboxes = BBOXES + torch.tensor([-3.0, 2.0, 1.0, 4.0])  # out of the map, where it is zero
    found = precise_roi_pool(features(), bboxes, 3)
    want = prroi_pool(features(), with_index(bboxes), (3, 3), 1.0)
    torch.testing.assert_close(found, want)


def test_plane_by_hand():
    """The mean of a plane over a bin is its value in the middle."""
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    plane = (3 * x - 2 * y + 1)[None, None]
    found = precise_roi_pool(plane, torch.tensor([[1.0, 2.0, 5.0, 4.0]]), 2)[0, 0]
    want = [[3 * cx - 2 * cy + 1 for cx in (2.0, 4.0)] for cy in (2.5, 3.5)]
    torch.testing.assert_close(found, torch.tensor(want))


@pytest.mark.parametrize("bbox", [[3.0, 3, 3, 6], [5.0, 2, 1, 6], [20.0, 20, 30, 30]])
def test_boxes_without_an_area_and_outside(bbox):
    bboxes = torch.tensor([bbox])
    assert not precise_roi_pool(features()[:1], bboxes, 4).any()


def test_slopes():
    feats, bboxes = features(torch.float64).requires_grad_(), BBOXES.clone()
    assert torch.autograd.gradcheck(lambda f: precise_roi_pool(f, bboxes, 2), feats)
    bboxes.requires_grad_()
    precise_roi_pool(features(), bboxes, 2).square().sum().backward()
    step = 1e-2
    for i in range(4):
        moved = [BBOXES.clone().double() for _ in range(2)]
        moved[0][0, i] += step
        moved[1][0, i] -= step
        ends = [precise_roi_pool(features(), m, 2).square().sum() for m in moved]
        slope = float(ends[0] - ends[1]) / (2 * step)
        assert float(bboxes.grad[0, i]) == pytest.approx(slope, rel=0.02, abs=0.02)


def test_half_precision_keeps_the_places():
    found = precise_roi_pool(features(torch.bfloat16), BBOXES, 4)
    assert found.dtype == torch.bfloat16
    want = precise_roi_pool(features(), BBOXES, 4)
    torch.testing.assert_close(found.float(), want, atol=0.03, rtol=0)


def test_does_not_wait_for_the_device():
    class Waits(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            name = func.overloadpacket.__name__
            self.count += name in ("_local_scalar_dense", "nonzero", "masked_select", "equal")
            return func(*args, **(kwargs or {}))

    feats = features()
    with Waits() as waits:
        precise_roi_pool(feats, BBOXES, 4)
    assert waits.count == 0
