"""RoIAlign, RoIPool and relatives against pixel loops written from their definitions."""

import math

import numpy as np
import pytest
import torch
from mmcv import ops


def bilinear(plane, y, x):
    """Value of a (h, w) array at a position: 0 beyond one pixel outside, borders repeated."""
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    fy, fx = y - top, x - left
    upper = plane[top, left] * (1 - fx) + plane[top, right] * fx
    lower = plane[bottom, left] * (1 - fx) + plane[bottom, right] * fx
    return upper * (1 - fy) + lower * fy


def brute_roi_align(features, rois, size, scale, ratio, mode, aligned, offset=None, gamma=0.1):
    shift = 0.5 if aligned else 0.0
    output = np.zeros((len(rois), features.shape[1], *size))
    for n, roi in enumerate(rois):
        x1, y1, x2, y2 = (roi[1:].astype(np.float64) * scale - shift).tolist()
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1.0), max(height, 1.0)
        bin_h, bin_w = height / size[0], width / size[1]
        grid_h = ratio if ratio > 0 else math.ceil(bin_h)
        grid_w = ratio if ratio > 0 else math.ceil(bin_w)
        for c in range(features.shape[1]):
            for ph in range(size[0]):
                for pw in range(size[1]):
                    dx = 0 if offset is None else gamma * width * offset[n, 0, ph, pw]
                    dy = 0 if offset is None else gamma * height * offset[n, 1, ph, pw]
                    values = [
                        bilinear(
                            features[int(roi[0]), c],
                            y1 + dy + ph * bin_h + (i + 0.5) * bin_h / grid_h,
                            x1 + dx + pw * bin_w + (j + 0.5) * bin_w / grid_w,
                        )
                        for i in range(grid_h)
                        for j in range(grid_w)
                    ]
                    if values:
                        output[n, c, ph, pw] = max(values) if mode == "max" else np.mean(values)
    return output


def brute_roi_pool(features, rois, size, scale):
    output = np.zeros((len(rois), features.shape[1], *size))
    height, width = features.shape[2:]
    for n, roi in enumerate(rois):
        x1, y1 = roi[1] * scale, roi[2] * scale
        bin_w = ((roi[3] + 1) * scale - x1) / size[1]
        bin_h = ((roi[4] + 1) * scale - y1) / size[0]
        if bin_w <= 0 or bin_h <= 0:
            continue
        for ph in range(size[0]):
            for pw in range(size[1]):
                top, bottom = math.floor(ph * bin_h + y1), math.ceil((ph + 1) * bin_h + y1)
                left, right = math.floor(pw * bin_w + x1), math.ceil((pw + 1) * bin_w + x1)
                region = features[
                    int(roi[0]),
                    :,
                    min(max(top, 0), height) : min(max(bottom, 0), height),
                    min(max(left, 0), width) : min(max(right, 0), width),
                ]
                if region[0].size:
                    output[n, :, ph, pw] = region.max((1, 2))
    return output


def brute_precise_pool(features, rois, size, scale, steps=200):
    """Mean over a fine grid of midpoints of the bilinear surface, zero outside the image."""
    padded = np.pad(features, ((0, 0), (0, 0), (40, 40), (40, 40)))
    output = np.zeros((len(rois), features.shape[1], *size))
    for n, roi in enumerate(rois):
        x1, y1, x2, y2 = roi[1:] * scale
        for ph in range(size[0]):
            for pw in range(size[1]):
                y = y1 + (y2 - y1) * (ph + (np.arange(steps) + 0.5) / steps) / size[0] + 40
                x = x1 + (x2 - x1) * (pw + (np.arange(steps) + 0.5) / steps) / size[1] + 40
                top, left = np.floor(y).astype(int), np.floor(x).astype(int)
                fy, fx = (y - top)[:, None], (x - left)[None]
                plane = padded[int(roi[0])]
                grid = (
                    plane[:, top][:, :, left] * (1 - fy) * (1 - fx)
                    + plane[:, top][:, :, left + 1] * (1 - fy) * fx
                    + plane[:, top + 1][:, :, left] * fy * (1 - fx)
                    + plane[:, top + 1][:, :, left + 1] * fy * fx
                )
                output[n, :, ph, pw] = grid.mean((1, 2))
    return output


@pytest.fixture
def scene(rng):
    """Features of two images and RoIs: inside, across borders, far outside, tiny, long."""
    features = rng.normal(size=(2, 3, 9, 12))
    rois = np.array(
        [
            [0, 4.3, 2.1, 30.7, 25.2],
            [1, -9.0, -7.0, 12.0, 40.0],
            [1, 40.0, 30.0, 60.0, 44.0],
            [0, 90.0, 90.0, 120.0, 130.0],
            [0, 10.0, 10.0, 10.5, 10.4],
            [1, 0.0, 16.0, 47.0, 17.0],
        ]
    )
    return features, rois


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_roi_align(scene, device, mode, aligned, ratio, scale):
    features, rois = scene
    expected = brute_roi_align(features, rois, (2, 3), scale, ratio, mode, aligned)
    result = ops.roi_align(
        torch.tensor(features, device=device, dtype=torch.float32),
        torch.tensor(rois, device=device, dtype=torch.float32),
        (2, 3),
        scale,
        ratio,
        mode,
        aligned,
    )
    np.testing.assert_allclose(result.cpu().numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 2])
def test_roi_align_gradient(scene, device, mode, ratio):
    features, rois = scene
    image = torch.tensor(features[:, :1], device=device, requires_grad=True)
    boxes = torch.tensor(rois, device=device)
    assert torch.autograd.gradcheck(
        lambda image: ops.roi_align(image, boxes, (2, 2), 0.25, ratio, mode, True), (image,)
    )


@pytest.mark.parametrize("mode", ["avg", "max"])
def test_roi_align_without_area_is_zero_and_without_gradient(device, mode, ours_only):
    image = torch.ones(1, 2, 8, 8, device=device, requires_grad=True)
    rois = torch.tensor([[0, 3.0, 3.0, 3.0, 3.0]], device=device)
    result = ops.roi_align(image, rois, (2, 2), 1.0, 0, mode, True)
    assert result.shape == (1, 2, 2, 2)
    assert result.abs().sum() == 0
    result.sum().backward()
    assert image.grad.abs().sum() == 0


@pytest.mark.parametrize("mode", ["avg", "max"])
def test_roi_align_without_rois(device, mode):
    image = torch.rand(1, 2, 8, 8, device=device, requires_grad=True)
    result = ops.roi_align(image, torch.zeros(0, 5, device=device), (7, 7), 1.0, 0, mode, True)
    assert result.shape == (0, 2, 7, 7)
    result.sum().backward()
    assert image.grad.shape == image.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_roi_align_in_half_precision(scene, device, dtype, mode, ours_only):
    features, rois = (torch.tensor(array, device=device).to(dtype) for array in scene)
    exact = ops.roi_align(features.double(), rois.double(), (2, 2), 0.25, 0, mode, True)
    features.requires_grad_()
    result = ops.roi_align(features, rois, (2, 2), 0.25, 0, mode, True)
    assert result.dtype == dtype
    torch.testing.assert_close(result, exact.to(dtype), atol=1e-2, rtol=1e-2)
    result.sum().backward()
    assert features.grad.dtype == dtype


def test_roi_align_max_in_chunks(scene, device, monkeypatch, ours_only):
    """Chunks that bound the memory do not change the values."""
    from mmtrack.compat.ops import sampling

    features, rois = (torch.tensor(array, device=device) for array in scene)
    whole = ops.roi_align(features, rois, (2, 2), 0.25, 2, "max", True)
    monkeypatch.setattr(sampling, "_CHUNK_ELEMENTS", 1)
    assert torch.equal(ops.roi_align(features, rois, (2, 2), 0.25, 2, "max", True), whole)


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_roi_pool(scene, device, scale):
    features, rois = scene
    rois = np.concatenate([rois, [[0, 20.0, 20.0, 10.0, 10.0]]])  # malformed: pools nothing
    result = ops.roi_pool(
        torch.tensor(features, device=device), torch.tensor(rois, device=device), (2, 3), scale
    )
    np.testing.assert_allclose(result.cpu().numpy(), brute_roi_pool(features, rois, (2, 3), scale))


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_roi_pool_gradient(scene, device):
    features, rois = scene
    boxes = torch.tensor(rois, device=device)
    image = torch.tensor(features[:, :1], device=device, requires_grad=True)
    assert torch.autograd.gradcheck(lambda image: ops.roi_pool(image, boxes, 2, 0.25), (image,))


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_roi_pool_without_rois(device):
    image = torch.rand(1, 2, 8, 8, device=device, requires_grad=True)
    result = ops.RoIPool(7, 1.0)(image, torch.zeros(0, 5, device=device))
    assert result.shape == (0, 2, 7, 7)
    result.sum().backward()


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_precise_roi_pool(scene, device):
    features, rois = scene
    rois = rois[:4]
    result = ops.prroi_pool(
        torch.tensor(features, device=device, dtype=torch.float32),
        torch.tensor(rois, device=device, dtype=torch.float32),
        (2, 3),
        0.25,
    )
    expected = brute_precise_pool(features, rois, (2, 3), 0.25)
    np.testing.assert_allclose(result.cpu().numpy(), expected, atol=2e-3)


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_precise_roi_pool_gradients(scene, device):
    """By features and by the RoIs' coordinates, against finite differences in float32."""
    features, rois = (torch.tensor(array, device=device, dtype=torch.float32) for array in scene)
    rois = rois[:3]
    weight = torch.randn(3, 3, 2, 2, generator=torch.Generator().manual_seed(0)).to(device)
    features.requires_grad_()
    rois.requires_grad_()

    def loss(features, rois):
        return (ops.prroi_pool(features, rois, (2, 2), 0.25) * weight).sum()

    by_features, by_rois = torch.autograd.grad(loss(features, rois), (features, rois))
    assert by_rois[:, 0].abs().sum() == 0
    with torch.no_grad():
        for index in [(0, 0, 2, 3), (1, 2, 4, 1)]:
            step = torch.zeros_like(features)
            step[index] = 1.0
            slope = (loss(features + step, rois) - loss(features - step, rois)) / 2
            assert by_features[index].item() == pytest.approx(slope.item(), abs=1e-3)
        for index in [(0, 1), (0, 4), (2, 2)]:
            step = torch.zeros_like(rois)
            step[index] = 0.05
            slope = (loss(features, rois + step) - loss(features, rois - step)) / 0.1
            assert by_rois[index].item() == pytest.approx(slope.item(), abs=5e-3)


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("with_offset", [True, False])
def test_deform_roi_pool(scene, rng, device, ratio, with_offset):
    features, rois = scene
    offset = rng.normal(size=(len(rois), 2, 2, 3)) if with_offset else None
    expected = brute_roi_align(features, rois, (2, 3), 0.25, ratio, "avg", True, offset, gamma=0.1)
    result = ops.deform_roi_pool(
        torch.tensor(features, device=device),
        torch.tensor(rois, device=device),
        None if offset is None else torch.tensor(offset, device=device),
        (2, 3),
        0.25,
        ratio,
        0.1,
    )
    np.testing.assert_allclose(result.cpu().numpy(), expected, atol=1e-9)


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_deform_roi_pool_gradient(scene, rng, device):
    features, rois = (torch.tensor(array, device=device) for array in scene)
    rois = rois[[0, 4]]
    offset = torch.tensor(rng.normal(size=(2, 2, 2, 2)), device=device, requires_grad=True)
    features.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda features, offset: ops.deform_roi_pool(features, rois, offset, 2, 0.25, 2, 0.1),
        (features, offset),
    )


@pytest.mark.usefixtures("ours_only")
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("operator", ["avg", "max", "pool", "precise", "deform"])
def test_undefined_rois_do_not_crash(scene, device, value, operator):
    features, rois = scene
    image = torch.tensor(features, device=device, dtype=torch.float32, requires_grad=True)
    good = torch.tensor(rois, device=device, dtype=torch.float32)
    bad = good.clone()
    bad[1, 1:] = value
    bad[2, 3] = value

    def pool(boxes):
        if operator in ("avg", "max"):
            return ops.roi_align(image, boxes, 2, 0.25, 0, operator, True)
        if operator == "pool":
            return ops.roi_pool(image, boxes, 2, 0.25)
        if operator == "precise":
            return ops.prroi_pool(image, boxes, (2, 2), 0.25)
        return ops.deform_roi_pool(image, boxes, None, 2, 0.25, 2, 0.1)

    result = pool(bad)
    untouched = [0, 3, 4, 5]
    assert torch.equal(result[untouched], pool(good)[untouched])
    result.sum().backward()
    assert image.grad.isfinite().all()


@pytest.mark.usefixtures("ours_only")
def test_undefined_offsets_of_deformed_pooling_count_as_outside(scene, device):
    image, rois = (torch.tensor(array, device=device) for array in scene)
    offset = torch.zeros(len(rois), 2, 2, 2, device=device, dtype=torch.float64)
    outside = offset.clone()
    offset[0, 0, 1, 1], outside[0, 0, 1, 1] = torch.nan, 1e5
    expected = ops.deform_roi_pool(image, rois, outside, 2, 0.25, 2, 0.1)
    assert torch.equal(ops.deform_roi_pool(image, rois, offset, 2, 0.25, 2, 0.1), expected)


@pytest.mark.usefixtures("ours_only")
@pytest.mark.parametrize("mode", ["avg", "max"])
def test_rois_of_negative_size_are_zero(scene, device, mode):
    image = torch.tensor(scene[0], device=device, requires_grad=True)
    rois = torch.tensor([[0, 30.0, 20.0, 10.0, 28.0]], device=device, dtype=torch.float64)
    result = ops.roi_align(image, rois, 2, 0.25, 0, mode, True)
    assert result.abs().sum() == 0
    result.sum().backward()
    assert image.grad.abs().sum() == 0
