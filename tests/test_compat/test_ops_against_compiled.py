"""Where mmcv-full is installed: our operators beside the compiled ones, on larger random input."""

import importlib

import pytest
import torch

from mmtrack.compat import op_backend
from mmtrack.compat.ops import deform_conv, roi_align, suppression

pytestmark = pytest.mark.skipif(
    op_backend() == "torchvision", reason="there are no compiled operators to compare with"
)


@pytest.fixture
def compiled():
    return importlib.import_module("mmcv._ext")


@pytest.fixture
def crowd():
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(500, 2, generator=generator) * 300
    size = torch.rand(500, 2, generator=generator) * 80 + 2
    scores = torch.rand(500, generator=generator)
    return torch.cat((corner, corner + size), 1), scores


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_nms(compiled, crowd, offset, threshold):
    boxes, scores = crowd
    ours = suppression.nms(boxes, scores, threshold, offset)
    theirs = compiled.nms(boxes, scores, iou_threshold=threshold, offset=offset)
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("method", [0, 1, 2])
@pytest.mark.parametrize("tied", [False, True])
def test_soft_nms(compiled, crowd, method, tied):
    boxes, scores = crowd
    if tied:  # the order of equal scores follows from the order of removals
        boxes, scores = boxes.div(16).round() * 16, scores.mul(8).round() / 8
    results = []
    for function in (suppression.softnms, compiled.softnms):
        dets = torch.zeros(500, 5)
        kept = function(
            boxes,
            scores,
            dets,
            iou_threshold=0.3,
            sigma=0.5,
            min_score=0.05,
            method=method,
            offset=0,
        )
        results.append((kept, dets[: len(kept)]))
    (ours, our_dets), (theirs, their_dets) = results
    assert torch.equal(ours, theirs)
    torch.testing.assert_close(our_dets, their_dets, equal_nan=True)


def test_nms_match(compiled, crowd):
    dets = torch.cat((crowd[0], crowd[1][:, None]), 1)
    assert suppression.nms_match(dets, 0.4) == compiled.nms_match(dets, iou_threshold=0.4)


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("aligned", [True, False])
def test_roi_align(compiled, crowd, mode, ratio, aligned):
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(2, 16, 80, 100, generator=generator)
    rois = torch.cat((torch.arange(500)[:, None] % 2, crowd[0]), 1).float()
    options = dict(
        aligned_height=7,
        aligned_width=7,
        spatial_scale=0.25,
        sampling_ratio=ratio,
        pool_mode=mode,
        aligned=aligned,
    )
    outputs, grads = [], []
    for module in (roi_align, compiled):
        output = torch.zeros(500, 16, 7, 7)
        peaks = [torch.zeros_like(output if mode == 0 else output[:0]) for _ in range(2)]
        module.roi_align_forward(image, rois, output, *peaks, **options)
        grad = torch.zeros_like(image)
        module.roi_align_backward(output.clone(), rois, *peaks, grad, **options)
        outputs.append(output)
        grads.append(grad)
    torch.testing.assert_close(*outputs)
    torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-3)


def test_deform_conv(compiled):
    generator = torch.Generator().manual_seed(2)
    image = torch.rand(2, 16, 30, 40, generator=generator)
    offset = torch.randn(2, 2 * 18, 30, 40, generator=generator) * 3
    weight = torch.randn(8, 16, 3, 3, generator=generator)
    options = dict(kW=3, kH=3, dW=1, dH=1, padW=1, padH=1, dilationW=1, dilationH=1)
    options |= dict(group=1, deformable_group=2, im2col_step=2)
    results = []
    for module in (deform_conv, compiled):
        scratch = [torch.zeros(0), torch.zeros(0)]
        output = torch.zeros(2, 8, 30, 40)
        module.deform_conv_forward(image, weight, offset, output, *scratch, **options)
        by_image, by_offset = torch.zeros_like(image), torch.zeros_like(offset)
        by_weight = torch.zeros_like(weight)
        module.deform_conv_backward_input(
            image, offset, output.clone(), by_image, by_offset, weight, scratch[0], **options
        )
        module.deform_conv_backward_parameters(
            image, offset, output.clone(), by_weight, *scratch, scale=1.0, **options
        )
        results.append((output, by_image, by_offset, by_weight))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-2)
