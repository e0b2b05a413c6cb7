"""Square crops around a target, with zeros where they leave the frame."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

# From here on a crop has more pixels than bilinear interpolation reads: two per axis.
DENSE_LIMIT = 2


class TargetCrop(NamedTuple):
    """Part of a frame, resized to a square.

    Attributes:
        img: ``(1, C, S, S)``, float.
        resize_factor: Pixels of the crop for one pixel of the frame.
        mask: ``(1, S, S)`` bool, true where the crop shows padding.
    """

    img: torch.Tensor
    resize_factor: float
    mask: torch.Tensor


def crop_target(
    img: torch.Tensor, bbox: tuple[float, float, float, float], area_factor: float, output_size: int
) -> TargetCrop:
    """Cut a square around a box out of a frame and resize it bilinearly.

    The frame is cut before anything is computed, and of a large crop only the pixels that the
    result needs are read, so that the cost does not depend on the size of the frame, and a frame
    of bytes need not be converted.

    Args:
        img: The frame, ``(1, C, H, W)``, of any type.
        bbox: Centre x, centre y, width and height in pixels.
        area_factor: Side of the square over the side of a square of the area of the box.
        output_size: Side of the result in pixels.

    Raises:
        ValueError: the box has no area, or a coordinate is not finite.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 3.2: regions of 2x2 and 5x5 times the area of the target.
    """
    cx, cy, width, height = bbox
    if not (all(map(math.isfinite, bbox)) and width > 0 and height > 0):
        raise ValueError(
            f"cannot crop around the box with centre ({cx}, {cy}), width {width} and height "
            f"{height}: all must be finite, width and height positive"
        )
    side = math.ceil(math.sqrt(width * height) * area_factor)
    cols = _cut(round(cx - side / 2), side, img.shape[3])
    rows = _cut(round(cy - side / 2), side, img.shape[2])
    patch = img[:, :, rows.start : rows.end, cols.start : cols.end]
    if side > DENSE_LIMIT * output_size and patch.numel():
        patch = _read_few(patch, rows, cols, output_size)
    else:
        patch = F.pad(patch, (cols.before, cols.after, rows.before, rows.after))
        patch = patch if patch.is_floating_point() else patch.float()
        size = (output_size, output_size)
        patch = F.interpolate(patch, size, mode="bilinear", align_corners=False)
    mask = (
        _padded(rows, output_size, img.device)[:, None]
        | _padded(cols, output_size, img.device)[None]
    )
    return TargetCrop(patch, output_size / side, mask[None])


class _Cut(NamedTuple):
    """Pixels of a crop along one axis: those inside the frame, and how many before and after."""

    start: int
    end: int
    before: int
    after: int


def _cut(start: int, side: int, length: int) -> _Cut:
    # A crop that reaches the far border loses the last pixel of the frame to the padding, as in
    # the training of the published weights.
    last = length - 1 if start + side >= length else length
    inside = min(max(start, 0), last)
    end = min(max(start + side, 0), last)
    before = min(max(-start, 0), side)
    return _Cut(inside, end, before, side - before - (end - inside))


def _padded(cut: _Cut, size: int, device: torch.device) -> torch.Tensor:
    """Which places of the resized crop along one axis take anything from the padding, ``(size,)``.

    The inside is a rectangle, so a place is clean exactly if it is clean along both axes.
    """
    padding = torch.ones(cut.before + cut.end - cut.start + cut.after, device=device)
    padding[cut.before : cut.before + cut.end - cut.start] = 0
    return F.interpolate(padding[None, None], size, mode="linear", align_corners=False)[0, 0] > 0


def _read_few(patch: torch.Tensor, rows: _Cut, cols: _Cut, size: int) -> torch.Tensor:
    """Bilinear interpolation of a padded patch, as :func:`torch.nn.functional.interpolate` does it.

    Args:
        patch: Inside of the crop, ``(1, C, h, w)``.
        rows: Where it lies in the crop.
        cols: The same for columns.
        size: Side of the result.

    Returns:
        ``(1, C, size, size)``, float.
    """
    (row_places, row_weights), (col_places, col_weights) = (
        _taps(cut, size, patch.device) for cut in (rows, cols)
    )
    # channels last: the pixels of a picture that was read from a file lie like that in memory
    pixels = patch[0].permute(1, 2, 0)
    pixels = pixels.index_select(0, row_places).index_select(1, col_places)
    pixels = pixels if pixels.is_floating_point() else pixels.float()
    above, below = pixels.view(2, size, 2 * size, -1)
    pixels = above * row_weights[0, :, None, None] + below * row_weights[1, :, None, None]
    left, right = pixels.view(size, 2, size, -1).unbind(1)
    pixels = left * col_weights[0, :, None] + right * col_weights[1, :, None]
    return pixels.permute(2, 0, 1).contiguous()[None]


def _taps(cut: _Cut, size: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The two pixels that each place of the result reads along one axis, and their weights.

    Returns:
        Indices into the inside of the crop, ``(2 * size,)``, and weights, ``(2, size)``. Padding
        weighs nothing.
    """
    inside = cut.end - cut.start
    side = cut.before + inside + cut.after
    places = ((torch.arange(size, device=device) + 0.5) * (side / size) - 0.5).clamp(min=0)
    first = places.floor()
    share = places - first
    indices = torch.stack((first, (first + 1).clamp(max=side - 1))).long() - cut.before
    weights = torch.stack((1 - share, share)) * ((indices >= 0) & (indices < inside))
    return indices.clamp(0, inside - 1).flatten(), weights
