"""RoIAlign (He et al., Mask R-CNN, 2017): average on torchvision's kernel, maximum in torch.

mmcv and torchvision share the definition of the average. The maximum over the sampling points of
a bin exists in mmcv only.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import roi_align

from ._tensors import finite_rois, widen
from .sampling import RoIGrid, bilinear_sample, corners, equal_groups

_POOL_MAX = 0


def _ordered(rois: Tensor, sampling_ratio: int) -> Tensor:
    """RoIs of negative size without area: no sampling points, as in mmcv on CUDA.

    torchvision asks for a negative amount of memory there.
    """
    if sampling_ratio > 0:
        return rois
    return torch.cat((rois[:, :3], torch.maximum(rois[:, 3:], rois[:, 1:3])), dim=1)


def _max_of_bins(
    features: Tensor, batch: Tensor, y: Tensor, x: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Largest sample of each bin and its position; rows y (n, ph, gh), columns x (n, pw, gw)."""
    count, height, grid_h = y.shape
    width, grid_w = x.shape[1:]
    values = bilinear_sample(features, batch, y.flatten(1)[:, :, None], x.flatten(1)[:, None])
    values = values.reshape(count, -1, height, grid_h, width, grid_w)
    best, index = values.transpose(3, 4).flatten(4).max(dim=-1)  # (n, c, ph, pw)
    index_y = index.div(grid_w, rounding_mode="floor")
    rows = y[:, None, :, None].expand(*best.shape, grid_h)
    columns = x[:, None, None].expand(*best.shape, grid_w)
    best_y = rows.gather(-1, index_y[..., None])[..., 0]
    best_x = columns.gather(-1, (index - index_y * grid_w)[..., None])[..., 0]
    return best, best_y, best_x


def _max_forward(
    features: Tensor, rois: Tensor, grid: RoIGrid, targets: tuple[Tensor, Tensor, Tensor]
) -> None:
    """Fill output and the positions of the maxima; RoIs with equal grids are handled together."""
    output, argmax_y, argmax_x = targets
    output.zero_()  # RoIs without area have no sampling points: zero, no gradient
    argmax_y.fill_(-1)
    argmax_x.fill_(-1)
    batch = rois[:, 0].long()
    per_point = features.size(1) * grid.bins[0] * grid.bins[1]
    for rows, columns, part in equal_groups(grid.samples, per_point):
        y = grid.axis_positions(part, 0, rows)
        x = grid.axis_positions(part, 1, columns)
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
    features, boxes = widen(input, finite_rois(rois))
    bins = (aligned_height, aligned_width)
    if pool_mode == _POOL_MAX:
        grid = RoIGrid.of(boxes, bins, spatial_scale, sampling_ratio, aligned)
        _max_forward(features, boxes, grid, (output, argmax_y, argmax_x))
        return
    boxes = _ordered(boxes, sampling_ratio)
    output.copy_(roi_align(features, boxes, bins, spatial_scale, sampling_ratio, aligned))


def _max_backward(
    grad: Tensor, batch: Tensor, argmax_y: Tensor, argmax_x: Tensor, shape: torch.Size
) -> Tensor:
    """Distribute the gradient of each bin to the four pixels around its maximum."""
    total = grad.new_zeros(shape)
    channels, height, width = shape[1:]
    top, bottom, weight_top, weight_bottom = corners(height, argmax_y)
    left, right, weight_left, weight_right = corners(width, argmax_x)
    channel = torch.arange(channels, device=grad.device)[:, None, None]
    plane = (batch[:, None, None, None] * channels + channel) * height
    # Bins without sampling points are marked by -1, -1: no gradient.
    grad = grad.masked_fill((argmax_y == -1) & (argmax_x == -1), 0)
    for row, weight_row in ((top, weight_top), (bottom, weight_bottom)):
        for column, weight_column in ((left, weight_left), (right, weight_right)):
            index = (plane + row) * width + column
            share = grad * weight_row * weight_column
            total.view(-1).index_add_(0, index.flatten(), share.flatten())
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
    grad, boxes, peak_y, peak_x = widen(grad_output, finite_rois(rois), argmax_y, argmax_x)
    if pool_mode == _POOL_MAX:
        result = _max_backward(grad, boxes[:, 0].long(), peak_y, peak_x, grad_input.shape)
    else:
        result = torch.ops.torchvision._roi_align_backward(
            grad,
            _ordered(boxes, sampling_ratio),
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    grad_input.copy_(result)
