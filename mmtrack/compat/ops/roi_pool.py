"""RoI pooling variants of mmcv that torchvision does not have, in plain torch.

``roi_pool`` takes the maximum of the pixels a bin touches (Girshick, Fast R-CNN, 2015).
torchvision's operator of that name rounds the RoI to pixels first and gives other values.
``prroi_pool`` averages the bilinear surface over each bin exactly (Jiang et al., Acquisition of
Localization Confidence for Accurate Object Detection, 2018). ``deform_roi_pool`` shifts each bin
by a learnt offset (Dai et al., Deformable Convolutional Networks, 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._tensors import finite_rois, gradients, widen, without_autocast
from .sampling import RoIGrid, bilinear_sample, equal_groups


def _pixel_ranges(rois: Tensor, bins: int, axis: int, scale: float, size: int) -> Tensor:
    """(n, bins, 2) first pixel and end of each bin along an axis (0: y, 1: x)."""
    start = rois[:, 2 - axis] * scale
    extent = (rois[:, 4 - axis] + 1) * scale - start
    index = torch.arange(bins, device=rois.device, dtype=rois.dtype)
    step = (extent / bins)[:, None]
    first = (index * step + start[:, None]).floor()
    end = ((index + 1) * step + start[:, None]).ceil()
    ranges = torch.stack((first, end), dim=-1).clamp(0, size).long()
    return ranges.masked_fill((extent <= 0)[:, None, None], 0)  # malformed RoIs pool nothing


def roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Fill ``output`` with the maxima and ``argmax`` with their pixels.

    Args:
        input: (b, c, h, w) features.
        rois: (n, 5) index of the image, x1, y1, x2, y2 in pixels of the image.
        output: (n, c, pooled_height, pooled_width), overwritten; 0 for bins without pixels.
        argmax: Like output, int32: row * w + column of the maximum, -1 for none.
        pooled_height: Rows of bins.
        pooled_width: Columns of bins.
        spatial_scale: Feature pixels per image pixel.
    """
    features, boxes = widen(input, finite_rois(rois))
    height, width = features.shape[2:]
    channels_last = features.permute(0, 2, 3, 1)
    y_range = _pixel_ranges(boxes, pooled_height, 0, spatial_scale, height)
    x_range = _pixel_ranges(boxes, pooled_width, 1, spatial_scale, width)
    batch = boxes[:, 0].long()
    output.zero_()
    argmax.fill_(-1)
    counts = torch.stack([(r[..., 1] - r[..., 0]).amax(1) for r in (y_range, x_range)], dim=1)
    per_point = features.size(1) * pooled_height * pooled_width
    for rows, columns, part in equal_groups(counts, per_point):
        y = y_range[part, :, :1] + torch.arange(rows, device=y_range.device)
        x = x_range[part, :, :1] + torch.arange(columns, device=x_range.device)
        inside_y, inside_x = y < y_range[part, :, 1:], x < x_range[part, :, 1:]
        y, x = y.clamp(max=height - 1), x.clamp(max=width - 1)
        # (n, ph, pw, rows, columns), row-major inside of a bin: ties go to the first pixel
        y, inside_y = y[:, :, None, :, None], inside_y[:, :, None, :, None]
        x, inside_x = x[:, None, :, None, :], inside_x[:, None, :, None, :]
        inside = (inside_y & inside_x).flatten(3)
        pixel = (y * width + x).flatten(3)
        values = channels_last[batch[part, None, None, None, None], y, x].flatten(3, 4)
        values = values.masked_fill(~inside[..., None], -torch.inf)
        best, index = values.max(dim=3)  # (n, ph, pw, c)
        filled = inside.any(dim=3)[..., None]
        peak = pixel.gather(3, index).masked_fill(~filled, -1)
        output[part] = best.masked_fill(~filled, 0).permute(0, 3, 1, 2).to(output.dtype)
        argmax[part] = peak.permute(0, 3, 1, 2).to(argmax.dtype)


def roi_pool_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax: Tensor,
    grad_input: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Fill ``grad_input`` (b, c, h, w): each bin's gradient goes to its maximum."""
    (grad,) = widen(grad_output)
    total = grad.new_zeros(grad_input.shape)
    channels, height, width = grad_input.shape[1:]
    channel = torch.arange(channels, device=grad.device)[:, None, None]
    plane = (rois[:, 0].long()[:, None, None, None] * channels + channel) * (height * width)
    grad = grad.masked_fill(argmax < 0, 0)
    index = plane + argmax.long().clamp(min=0)
    total.view(-1).index_add_(0, index.flatten(), grad.flatten())
    grad_input.copy_(total)


def _hat_integral(position: Tensor) -> Tensor:
    """Integral of the hat function max(0, 1 - abs(t)) from minus infinity."""
    t = position.clamp(-1, 1)
    return 0.5 + t - 0.5 * t * t.abs()


def pixel_weights(start: Tensor, extent: Tensor, bins: int, size: int) -> Tensor:
    """(n, bins, size) mean over each bin of each pixel's linear interpolation weight.

    Args:
        start: (n,) where the bins of an RoI begin along one axis, in pixels; pixel i is at i.
        extent: (n,) length of the RoI; without one its weights are 0.
        bins: Count of bins of equal length.
        size: Count of pixels.
    """
    options = {"device": start.device, "dtype": start.dtype}
    step = (extent / bins)[:, None, None]
    first = start[:, None, None] + step * torch.arange(bins, **options)[:, None]
    pixel = torch.arange(size, **options)
    integral = _hat_integral(first + step - pixel) - _hat_integral(first - pixel)
    empty = step <= 0
    return torch.where(empty, torch.zeros_like(integral), integral / step.masked_fill(empty, 1))


@without_autocast
def _precise_pool(features: Tensor, rois: Tensor, bins: tuple[int, int], scale: float) -> Tensor:
    """Mean of the bilinear surface over the bins: (n, c, *bins)."""
    corner = rois[:, 1:] * scale
    extent = (corner[:, 2:] - corner[:, :2]).clamp(min=0)
    rows = pixel_weights(corner[:, 1], extent[:, 1], bins[0], features.size(2))
    columns = pixel_weights(corner[:, 0], extent[:, 0], bins[1], features.size(3))
    result = features.new_zeros((len(rois), features.size(1), *bins))
    batch = rois[:, 0].long()
    for image in torch.unique(batch).tolist():  # no copy of the features for each RoI
        members = torch.nonzero(batch == image)[:, 0]
        pooled = torch.einsum("nih,chw->ncwi", rows[members], features[image])
        pooled = torch.einsum("ncwi,njw->ncij", pooled, columns[members])
        result = result.index_copy(0, members, pooled)
    return result


def prroi_pool_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Fill ``output`` (n, c, pooled_height, pooled_width); features are zero outside."""
    features, boxes = widen(input, finite_rois(rois))
    output.copy_(_precise_pool(features, boxes, (pooled_height, pooled_width), spatial_scale))


def prroi_pool_backward(
    grad_output: Tensor,
    rois: Tensor,
    grad_input: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Fill ``grad_input`` (b, c, h, w)."""
    grad, boxes = widen(grad_output, finite_rois(rois))
    bins = (pooled_height, pooled_width)
    (by_input,) = gradients(
        # the result is linear in the features: their values do not matter for the gradient
        lambda features: _precise_pool(features, boxes, bins, spatial_scale),
        (grad.new_zeros(grad_input.shape),),
        grad,
    )
    grad_input.copy_(by_input)


def prroi_pool_coor_backward(
    output: Tensor,
    grad_output: Tensor,
    input: Tensor,
    rois: Tensor,
    grad_rois: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Fill ``grad_rois`` (n, 5); the index of the image has no gradient."""
    grad, features, boxes = widen(grad_output, input, finite_rois(rois))
    bins = (pooled_height, pooled_width)
    (by_rois,) = gradients(
        lambda boxes: _precise_pool(features, boxes, bins, spatial_scale), (boxes,), grad
    )
    grad_rois.copy_(by_rois)


def _deformed_pool(
    features: Tensor, rois: Tensor, offset: Tensor, grid: RoIGrid, gamma: float
) -> Tensor:
    """Average of the sampling points of each shifted bin: (n, c, *bins).

    ``offset`` is (n, 2, rows, columns) as x, y in units of gamma times the RoI, or empty.
    """
    height, width = grid.bins
    result = features.new_zeros((len(rois), features.size(1), height, width))
    batch = rois[:, 0].long()
    per_point = features.size(1) * height * width
    for rows, columns, part in equal_groups(grid.samples, per_point):
        y = grid.axis_positions(part, 0, rows)[:, :, None, :, None]
        x = grid.axis_positions(part, 1, columns)[:, None, :, None, :]
        if offset.numel():
            shift = gamma * offset[part][..., None, None]
            size = grid.size[part][:, :, None, None, None, None]
            x = x + shift[:, 0] * size[:, 1]
            y = y + shift[:, 1] * size[:, 0]
        y, x = torch.broadcast_tensors(y, x)  # (n, ph, pw, rows, columns)
        values = bilinear_sample(
            features, batch[part], y.flatten(3).flatten(1, 2), x.flatten(3).flatten(1, 2)
        )
        pooled = values.mean(dim=-1).unflatten(-1, (height, width))
        result = result.index_copy(0, part, pooled)
    return result


def deform_roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    output: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    gamma: float,
) -> None:
    """Fill ``output`` (n, c, pooled_height, pooled_width)."""
    features, boxes, shift = widen(input, finite_rois(rois), offset)
    bins = (pooled_height, pooled_width)
    grid = RoIGrid.of(boxes, bins, spatial_scale, sampling_ratio, aligned=True)
    output.copy_(_deformed_pool(features, boxes, shift, grid, gamma))


def deform_roi_pool_backward(
    grad_output: Tensor,
    input: Tensor,
    rois: Tensor,
    offset: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    gamma: float,
) -> None:
    """Fill ``grad_input`` and, where there are offsets, ``grad_offset``."""
    grad, features, boxes, shift = widen(grad_output, input, finite_rois(rois), offset)
    bins = (pooled_height, pooled_width)
    grid = RoIGrid.of(boxes, bins, spatial_scale, sampling_ratio, aligned=True)
    by_input, by_offset = gradients(
        lambda features, shift: _deformed_pool(features, boxes, shift, grid, gamma),
        (features, shift),
        grad,
    )
    grad_input.copy_(by_input)
    grad_offset.copy_(by_offset)
