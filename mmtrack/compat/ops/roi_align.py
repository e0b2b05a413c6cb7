"""RoIAlign (He et al., Mask R-CNN, 2017): average on torchvision's kernel, maximum in torch.

mmcv and torchvision share the average version bit for bit. The maximum over the sampling points
of a bin exists in mmcv only.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import roi_align

from ._tensors import compute_dtype, widen

_POOL_MAX = 0
# Sampling points handled at once by the maximum version, times channels: about 64 MB of float32.
_CHUNK_ELEMENTS = 1 << 24


def _corners(size: int, position: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Neighbouring pixels of sampling positions along one axis, and their weights.

    Positions up to one pixel outside take the border's value; those farther away count as zero.

    Args:
        size: Pixels along the axis.
        position: (...) positions in pixels.

    Returns:
        Lower index, upper index, weight of the lower, weight of the upper; each (...).
    """
    inside = (position >= -1.0) & (position <= size)
    position = position.clamp(min=0)
    low = position.floor().clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    fraction = torch.where(low >= size - 1, torch.zeros_like(position), position - low)
    weight = inside.to(position.dtype)
    return low.long(), high.long(), (1 - fraction) * weight, fraction * weight


def _sampling_points(
    rois: Tensor, output_size: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Start of each RoI, size of its bins, both (n, 2) as y, x in pixels of the feature map."""
    shift = 0.5 if aligned else 0.0
    start = rois[:, [2, 1]] * scale - shift
    size = rois[:, [4, 3]] * scale - shift - start
    if not aligned:
        size = size.clamp(min=1.0)
    bins = size.new_tensor(output_size)
    if sampling_ratio > 0:
        grid = torch.full_like(size, sampling_ratio, dtype=torch.long)
    else:
        grid = (size / bins).ceil().long()
    return start, size / bins, grid, bins


def _axis_positions(start: Tensor, bin_size: Tensor, bins: int, grid: int) -> Tensor:
    """(n, bins, grid) sampling positions along one axis."""
    bin_index = torch.arange(bins, device=start.device, dtype=start.dtype)
    sample = torch.arange(grid, device=start.device, dtype=start.dtype) + 0.5
    start, bin_size = start[:, None, None], bin_size[:, None, None]
    return start + bin_index[:, None] * bin_size + sample * bin_size / grid


def _sample(features: Tensor, batch: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Bilinear values at the crossings of rows y (n, a) and columns x (n, b): (n, c, a, b)."""
    top, bottom, weight_top, weight_bottom = _corners(features.size(2), y)
    left, right, weight_left, weight_right = _corners(features.size(3), x)
    batch = batch[:, None, None]
    channels_last = features.permute(0, 2, 3, 1)
    value = 0
    for row, weight_row in ((top, weight_top), (bottom, weight_bottom)):
        for column, weight_column in ((left, weight_left), (right, weight_right)):
            weight = weight_row[:, :, None] * weight_column[:, None, :]
            pixel = channels_last[batch, row[:, :, None], column[:, None, :]]
            value = value + weight[..., None] * pixel
    return value.permute(0, 3, 1, 2)


def _max_of_bins(
    features: Tensor, batch: Tensor, y: Tensor, x: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Largest sample of each bin and its position; rows y (n, ph, gh), columns x (n, pw, gw)."""
    count, height, grid_h = y.shape
    width, grid_w = x.shape[1:]
    values = _sample(features, batch, y.flatten(1), x.flatten(1))
    values = values.reshape(count, -1, height, grid_h, width, grid_w)
    best, index = values.transpose(3, 4).flatten(4).max(dim=-1)  # (n, c, ph, pw)
    index_y = index.div(grid_w, rounding_mode="floor")
    rows = y[:, None, :, None].expand(*best.shape, grid_h)
    columns = x[:, None, None].expand(*best.shape, grid_w)
    best_y = rows.gather(-1, index_y[..., None])[..., 0]
    best_x = columns.gather(-1, (index - index_y * grid_w)[..., None])[..., 0]
    return best, best_y, best_x


def _max_forward(
    features: Tensor,
    rois: Tensor,
    targets: tuple[Tensor, Tensor, Tensor],
    output_size: tuple[int, int],
    scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> None:
    """Fill output and the positions of the maxima; RoIs with equal grids are handled together."""
    start, bin_size, grids, _ = _sampling_points(rois, output_size, scale, sampling_ratio, aligned)
    output, argmax_y, argmax_x = targets
    output.zero_()
    argmax_y.fill_(-1)
    argmax_x.fill_(-1)
    batch = rois[:, 0].long()
    for grid_h, grid_w in torch.unique(grids, dim=0).tolist():
        if grid_h * grid_w <= 0:  # an RoI without area has no sampling points
            continue
        members = torch.nonzero((grids[:, 0] == grid_h) & (grids[:, 1] == grid_w))[:, 0]
        points = output_size[0] * output_size[1] * grid_h * grid_w * features.size(1)
        for part in members.split(max(1, _CHUNK_ELEMENTS // max(points, 1))):
            y = _axis_positions(start[part, 0], bin_size[part, 0], output_size[0], grid_h)
            x = _axis_positions(start[part, 1], bin_size[part, 1], output_size[1], grid_w)
            best, best_y, best_x = _max_of_bins(features, batch[part], y, x)
            output[part] = best.to(output.dtype)
            argmax_y[part] = best_y.to(argmax_y.dtype)
            argmax_x[part] = best_x.to(argmax_x.dtype)


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``output`` and, for the maximum, the positions it was taken from.

    Args:
        input: (b, c, h, w) features.
        rois: (n, 5) index of the image, x1, y1, x2, y2 in pixels of the image.
        output: (n, c, aligned_height, aligned_width), overwritten.
        argmax_y: Like output for the maximum, else empty.
        argmax_x: Like output for the maximum, else empty.
        aligned_height: Rows of bins.
        aligned_width: Columns of bins.
        spatial_scale: Feature pixels per image pixel.
        sampling_ratio: Sampling points per bin and axis; 0 for as many as the bin has pixels.
        pool_mode: 0 maximum, 1 average.
        aligned: Shift by half a pixel so that pixel centres lie at integers.
    """
    features, boxes = widen(input, rois)
    size = (aligned_height, aligned_width)
    if pool_mode == _POOL_MAX:
        targets = (output, argmax_y, argmax_x)
        _max_forward(features, boxes, targets, size, spatial_scale, sampling_ratio, aligned)
        return
    output.copy_(roi_align(features, boxes, size, spatial_scale, sampling_ratio, aligned))


def _max_backward(
    grad: Tensor, batch: Tensor, argmax_y: Tensor, argmax_x: Tensor, like: Tensor
) -> Tensor:
    """Distribute the gradient of each bin to the four pixels around its maximum."""
    total = torch.zeros(like.shape, dtype=grad.dtype, device=grad.device)
    channels, height, width = like.shape[1:]
    top, bottom, weight_top, weight_bottom = _corners(height, argmax_y)
    left, right, weight_left, weight_right = _corners(width, argmax_x)
    channel = torch.arange(channels, device=grad.device)[:, None, None]
    plane = (batch[:, None, None, None] * channels + channel) * height
    # Bins without sampling points are marked by -1, -1: no gradient.
    grad = grad.masked_fill((argmax_y == -1) & (argmax_x == -1), 0)
    for row, weight_row in ((top, weight_top), (bottom, weight_bottom)):
        for column, weight_column in ((left, weight_left), (right, weight_right)):
            index = (plane + row) * width + column
            total.view(-1).index_add_(
                0, index.flatten(), (grad * weight_row * weight_column).flatten()
            )
    return total


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Fill ``grad_input`` with the gradient by the features; arguments as in the forward."""
    grad, boxes = widen(grad_output, rois)
    if pool_mode == _POOL_MAX:
        position_y, position_x = (position.to(grad.dtype) for position in (argmax_y, argmax_x))
        result = _max_backward(grad, boxes[:, 0].long(), position_y, position_x, grad_input)
    else:
        result = torch.ops.torchvision._roi_align_backward(
            grad,
            boxes,
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    grad_input.copy_(result.to(compute_dtype(grad_input)))
