"""Deformable convolutions, focal losses, CARAFE and others against their definitions."""

import numpy as np
import pytest
import torch
from mmcv import ops
from torch.nn import functional


def sample(plane, y, x):
    """Bilinear value with zeros outside of a (h, w) array."""
    height, width = plane.shape
    top, left = int(np.floor(y)), int(np.floor(x))
    value = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < height and 0 <= column < width:
                value += plane[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return value


def brute_deform_conv(image, offset, weight, stride, padding, dilation, groups, dgroups, mask):
    """Dai et al. 2017 equation 2 (and v2's modulation), one output value at a time."""
    batch, channels, height, width = image.shape
    c_out, c_group, kh, kw = weight.shape
    h_out = (height + 2 * padding - dilation * (kh - 1) - 1) // stride + 1
    w_out = (width + 2 * padding - dilation * (kw - 1) - 1) // stride + 1
    offset = offset.reshape(batch, dgroups, kh, kw, 2, h_out, w_out)
    if mask is not None:
        mask = mask.reshape(batch, dgroups, kh, kw, h_out, w_out)
    output = np.zeros((batch, c_out, h_out, w_out))
    for b, o, y, x in np.ndindex(output.shape):
        first = o // (c_out // groups) * c_group
        for c, i, j in np.ndindex(c_group, kh, kw):
            d = (first + c) // (channels // dgroups)
            dy, dx = offset[b, d, i, j, :, y, x]
            row = y * stride - padding + i * dilation + dy
            column = x * stride - padding + j * dilation + dx
            value = weight[o, c, i, j] * sample(image[b, first + c], row, column)
            output[b, o, y, x] += value * (1 if mask is None else mask[b, d, i, j, y, x])
    return output


LAYOUTS = [(1, 1, 1, 1, 1), (2, 1, 1, 2, 2), (1, 2, 2, 1, 2), (1, 0, 1, 2, 1)]


def deform_inputs(rng, layout, device, modulated):
    stride, padding, dilation, groups, dgroups = layout
    image = rng.normal(size=(2, 4, 6, 7))
    weight = rng.normal(size=(4, 4 // groups, 3, 3))
    h_out, w_out = ((size + 2 * padding - 2 * dilation - 1) // stride + 1 for size in (6, 7))
    offset = rng.uniform(-1.7, 1.7, size=(2, dgroups * 18, h_out, w_out))
    mask = rng.uniform(size=(2, dgroups * 9, h_out, w_out)) if modulated else None
    return image, offset, weight, mask


@pytest.mark.parametrize("layout", LAYOUTS)
def test_deform_conv(rng, layout, device):
    image, offset, weight, _ = deform_inputs(rng, layout, device, modulated=False)
    expected = brute_deform_conv(image, offset, weight, *layout, None)
    tensors = [torch.tensor(array, device=device) for array in (image, offset, weight)]
    result = ops.deform_conv2d(*tensors, *layout)
    np.testing.assert_allclose(result.cpu().numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_deform_conv_gradients(rng, layout, device):
    image, offset, weight, _ = deform_inputs(rng, layout, device, modulated=False)
    tensors = [
        torch.tensor(array, device=device, requires_grad=True)
        for array in (image[:1, :, :4, :4], offset[:1, :, :1, :1], weight)
    ]
    stride, padding, dilation, groups, dgroups = layout
    layout = (4, padding, dilation, groups, dgroups)  # one or few outputs: quick
    if dilation == 2:
        tensors[0] = torch.tensor(image[:1, :, :3, :3], device=device, requires_grad=True)
    out = (tensors[0].size(2) + 2 * padding - 2 * dilation - 1) // 4 + 1
    assert out == 1
    assert torch.autograd.gradcheck(lambda *t: ops.deform_conv2d(*t, *layout), tensors)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("with_bias", [True, False])
def test_modulated_deform_conv(rng, layout, device, with_bias):
    image, offset, weight, mask = deform_inputs(rng, layout, device, modulated=True)
    bias = rng.normal(size=4) if with_bias else None
    expected = brute_deform_conv(image, offset, weight, *layout, mask)
    if with_bias:
        expected += bias[:, None, None]
        bias = torch.tensor(bias, device=device)
    image, offset, mask, weight = (
        torch.tensor(array, device=device) for array in (image, offset, mask, weight)
    )
    result = ops.modulated_deform_conv2d(image, offset, mask, weight, bias, *layout)
    np.testing.assert_allclose(result.cpu().numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("groups", [(1, 1), (2, 2)])
def test_modulated_deform_conv_gradients(rng, groups, device):
    layout = (1, 0, 1, *groups)
    image, offset, weight, mask = deform_inputs(rng, layout, device, modulated=True)
    arrays = image[:1, :, :3, :4], offset[:1, :, :1, :2], mask[:1, :, :1, :2], weight
    tensors = [torch.tensor(array, device=device, requires_grad=True) for array in arrays]
    bias = torch.tensor(rng.normal(size=4), device=device, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda *t: ops.modulated_deform_conv2d(*t, *layout), (*tensors, bias)
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_deform_conv_in_half_precision(rng, device, dtype, ours_only):
    layout = LAYOUTS[0]
    image, offset, weight, _ = deform_inputs(rng, layout, device, modulated=False)
    tensors = [torch.tensor(a, device=device).to(dtype) for a in (image, offset, weight)]
    exact = ops.deform_conv2d(*(tensor.double() for tensor in tensors), *layout)
    for tensor in tensors:
        tensor.requires_grad_()
    result = ops.deform_conv2d(*tensors, *layout)
    assert result.dtype == dtype
    torch.testing.assert_close(result, exact.to(dtype), atol=2e-2, rtol=2e-2)
    result.sum().backward()
    assert all(tensor.grad.dtype == dtype for tensor in tensors)


@pytest.mark.parametrize("modulated", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_deform_conv_at_undefined_positions(rng, device, modulated, value, ours_only):
    """Offsets of a diverged training: mmcv counts such positions as outside of the image."""
    layout = LAYOUTS[0]
    image, offset, weight, mask = deform_inputs(rng, layout, device, modulated)
    outside = offset.copy()
    offset[:, 3, 2:4], outside[:, 3, 2:4] = value, 1e3
    expected = brute_deform_conv(image, outside, weight, *layout, mask)
    image, offset, weight = (
        torch.tensor(array, device=device, requires_grad=True) for array in (image, offset, weight)
    )
    if modulated:
        mask = torch.tensor(mask, device=device)
        result = ops.modulated_deform_conv2d(image, offset, mask, weight, None, *layout)
    else:
        result = ops.deform_conv2d(image, offset, weight, *layout)
    np.testing.assert_allclose(result.detach().cpu().numpy(), expected, atol=1e-9)
    result.sum().backward()
    assert image.grad.isfinite().all()
    assert weight.grad.isfinite().all()


def brute_sigmoid_focal(logits, target, weight, gamma, alpha):
    p = 1 / (1 + np.exp(-logits))
    loss = np.zeros_like(p)
    for n, c in np.ndindex(p.shape):
        if target[n] == c:
            loss[n, c] = -alpha * (1 - p[n, c]) ** gamma * np.log(p[n, c])
        else:
            loss[n, c] = -(1 - alpha) * p[n, c] ** gamma * np.log(1 - p[n, c])
        if weight is not None and target[n] < len(weight):
            loss[n, c] *= weight[target[n]]
    return loss


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_sigmoid_focal_loss(rng, device, weighted, reduction):
    logits = rng.normal(size=(7, 4)) * 3
    target = np.array([0, 1, 2, 3, 0, 1, 2]) if weighted else np.array([0, 1, 2, 3, 4, 1, 4])
    weight = rng.uniform(size=4) if weighted else None
    expected = brute_sigmoid_focal(logits, target, weight, 2.0, 0.25)
    expected = {"none": expected, "sum": expected.sum(), "mean": expected.sum() / 7}[reduction]
    x = torch.tensor(logits, device=device, requires_grad=True)
    labels = torch.tensor(target, device=device)
    w = None if weight is None else torch.tensor(weight, device=device)

    def loss(x):
        return ops.sigmoid_focal_loss(x, labels, 2.0, 0.25, w, reduction)

    np.testing.assert_allclose(loss(x).detach().cpu().numpy(), expected, rtol=1e-9)
    if reduction != "none":
        assert torch.autograd.gradcheck(loss, (x,))


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("gamma", [0.5, 2.0])
@pytest.mark.parametrize("weighted", [True, False])
def test_softmax_focal_loss(rng, device, weighted, gamma):
    logits = rng.normal(size=(6, 4)) * 2
    target = np.array([0, 1, 2, 3, -1 if not weighted else 0, 2])
    weight = rng.uniform(size=4) if weighted else None
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = np.array(
        [
            0.0
            if t < 0
            else -0.25 * (1 - p[n, t]) ** gamma * np.log(p[n, t]) * (weight[t] if weighted else 1)
            for n, t in enumerate(target)
        ]
    )
    x = torch.tensor(logits, device=device, requires_grad=True)
    labels = torch.tensor(target, device=device)
    w = None if weight is None else torch.tensor(weight, device=device)
    result = ops.softmax_focal_loss(x, labels, gamma, 0.25, w, "none")
    np.testing.assert_allclose(result.detach().cpu().numpy(), expected, rtol=1e-9)
    assert torch.autograd.gradcheck(
        lambda x: ops.softmax_focal_loss(x, labels, gamma, 0.25, w, "sum"), (x,)
    )


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_focal_loss_in_half_precision(rng, device, ours_only):
    logits = torch.tensor(rng.normal(size=(50, 4)), device=device).half()
    target = torch.tensor(rng.integers(0, 5, 50), device=device)
    exact = ops.sigmoid_focal_loss(logits.double(), target, 2.0, 0.25, None, "sum")
    logits.requires_grad_()
    result = ops.sigmoid_focal_loss(logits, target, 2.0, 0.25, None, "sum")
    assert result.dtype == torch.float16
    assert result.item() == pytest.approx(exact.item(), rel=5e-3)
    result.backward()
    assert logits.grad.dtype == torch.float16


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_focal_loss_of_extreme_logits_is_finite(device):
    logits = torch.tensor([[80.0, -80.0], [-80.0, 80.0]], device=device, requires_grad=True)
    target = torch.tensor([0, 0], device=device)
    for function in (ops.sigmoid_focal_loss, ops.softmax_focal_loss):
        loss = function(logits, target, 2.0, 0.25, None, "sum")
        (grad,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite()
        assert grad.isfinite().all()


def brute_carafe(features, masks, kernel, groups, scale):
    n, c, h, w = features.shape
    radius = (kernel - 1) // 2
    output = np.zeros((n, c, h * scale, w * scale))
    for b, channel, y, x in np.ndindex(output.shape):
        group = channel // (c // groups)
        for i, j in np.ndindex(kernel, kernel):
            row, column = y // scale + i - radius, x // scale + j - radius
            if 0 <= row < h and 0 <= column < w:
                weight = masks[b, (group * kernel + i) * kernel + j, y, x]
                output[b, channel, y, x] += weight * features[b, channel, row, column]
    return output


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("operator", ["carafe", "carafe_naive"])
@pytest.mark.parametrize(("kernel", "groups", "scale"), [(3, 1, 2), (5, 2, 2), (3, 2, 1)])
def test_carafe(rng, device, operator, kernel, groups, scale):
    features = rng.normal(size=(2, 4, 3, 4))
    masks = rng.uniform(size=(2, kernel * kernel * groups, 3 * scale, 4 * scale))
    expected = brute_carafe(features, masks, kernel, groups, scale)
    image, weights = (
        torch.tensor(array, device=device, requires_grad=True) for array in (features, masks)
    )
    function = ops.carafe if operator == "carafe" else ops.carafe_naive
    result = function(image, weights, kernel, groups, scale)
    np.testing.assert_allclose(result.detach().cpu().numpy(), expected, atol=1e-9)
    if operator == "carafe":  # mmcv's carafe_naive asserts CUDA in its backward
        weight = torch.tensor(rng.normal(size=expected.shape), device=device)
        by_image, by_masks = torch.autograd.grad((result * weight).sum(), (image, weights))
        step = torch.zeros_like(image)
        step[1, 2, 1, 1] = 1
        slope = ((function(image + step, weights, kernel, groups, scale) - result) * weight).sum()
        assert by_image[1, 2, 1, 1].item() == pytest.approx(slope.item())
        step = torch.zeros_like(weights)
        step[0, 4, 1, 2] = 1
        slope = ((function(image, weights + step, kernel, groups, scale) - result) * weight).sum()
        assert by_masks[0, 4, 1, 2].item() == pytest.approx(slope.item())


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_multi_scale_deformable_attention(rng, device):
    shapes = [(4, 5), (2, 3)]
    value = rng.normal(size=(2, 26, 2, 3))
    locations = rng.uniform(-0.1, 1.1, size=(2, 3, 2, 2, 4, 2))
    weights = rng.uniform(size=(2, 3, 2, 2, 4))
    expected = np.zeros((2, 3, 2, 3))
    for b, q, head, level, point in np.ndindex(weights.shape):
        height, width = shapes[level]
        first = 0 if level == 0 else 20
        plane = value[b, first : first + height * width, head].reshape(height, width, 3)
        x, y = locations[b, q, head, level, point]
        for c in range(3):
            expected[b, q, head, c] += weights[b, q, head, level, point] * sample(
                plane[..., c], y * height - 0.5, x * width - 0.5
            )
    tensors = [
        torch.tensor(array, device=device, requires_grad=True)
        for array in (value, locations, weights)
    ]
    sizes = torch.tensor(shapes, device=device)
    starts = torch.tensor([0, 20], device=device)

    def attend(value, locations, weights):
        function = ops.multi_scale_deform_attn.MultiScaleDeformableAttnFunction
        return function.apply(value, sizes, starts, locations, weights, 64)

    result = attend(*tensors)
    np.testing.assert_allclose(result.detach().cpu().numpy(), expected.reshape(2, 3, 6), atol=1e-9)
    assert torch.autograd.gradcheck(attend, tensors)


@pytest.mark.usefixtures("cuda_only_when_compiled")
@pytest.mark.parametrize("padding", [0, 1])
def test_masked_conv(device, padding):
    torch.manual_seed(0)
    layer = ops.MaskedConv2d(3, 5, 3 if padding else 1, padding=padding).to(device)
    image = torch.rand(1, 3, 6, 7, device=device)
    mask = torch.rand(1, 6, 7, device=device) > 0.6
    expected = functional.conv2d(image, layer.weight, layer.bias, padding=padding) * mask
    torch.testing.assert_close(layer(image, mask.float()), expected)
    assert layer(image, torch.zeros_like(mask)).abs().sum() == 0


@pytest.mark.usefixtures("cuda_only_when_compiled")
def test_autocast_does_not_reach_into_the_operators(rng, device):
    """Values of float32 inputs are the same inside of autocast."""
    image = torch.tensor(rng.normal(size=(1, 4, 6, 6)), device=device, dtype=torch.float32)
    masks = torch.tensor(rng.uniform(size=(1, 9, 12, 12)), device=device, dtype=torch.float32)
    rois = torch.tensor([[0, 1.0, 1.0, 4.3, 4.7]], device=device)
    plain = [ops.carafe(image, masks, 3, 1, 2), ops.prroi_pool(image, rois, (2, 2), 1.0)]
    with torch.autocast(device, torch.bfloat16):
        cast = [ops.carafe(image, masks, 3, 1, 2), ops.prroi_pool(image, rois, (2, 2), 1.0)]
    for first, second in zip(plain, cast, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-6)
