"""Bilinear sampling at the regular points inside RoIs, as RoIAlign defines them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# Values gathered at once: about 64 MB of float32 for each of the four neighbours.
_CHUNK_ELEMENTS = 1 << 24


def corners(size: int, position: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Neighbouring pixels of positions along one axis, and their weights.

    Positions up to one pixel outside take the border's value; those farther away count as zero.

    Args:
        size: Pixels along the axis.
        position: (...) positions in pixels.

    Returns:
        Lower index, upper index, weight of the lower, weight of the upper; each (...).
    """
    inside = (position >= -1.0) & (position <= size)
    # Positions without meaning (NaN) are not inside either, and must not become an index.
    position = torch.where(inside, position, torch.zeros_like(position)).clamp(min=0)
    low = position.detach().floor().clamp(max=size - 1)
    high = (low + 1).clamp(max=size - 1)
    fraction = torch.where(low >= size - 1, torch.zeros_like(position), position - low)
    weight = inside.to(position.dtype)
    return low.long(), high.long(), (1 - fraction) * weight, fraction * weight


def bilinear_sample(features: Tensor, batch: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Interpolated features; y and x broadcast to (n, a, b).

    Args:
        features: (images, c, h, w).
        batch: (n,) index of the image of each RoI.
        y: Rows in pixels.
        x: Columns in pixels.

    Returns:
        (n, c, a, b) values.
    """
    top, bottom, weight_top, weight_bottom = corners(features.size(2), y)
    left, right, weight_left, weight_right = corners(features.size(3), x)
    batch = batch[:, None, None]
    channels_last = features.permute(0, 2, 3, 1)
    value = 0
    for row, weight_row in ((top, weight_top), (bottom, weight_bottom)):
        for column, weight_column in ((left, weight_left), (right, weight_right)):
            weight = (weight_row * weight_column)[..., None]
            value = value + weight * channels_last[batch, row, column]
    return value.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class RoIGrid:
    """Geometry of RoIs on the feature map; all (n, 2) as y, x in feature pixels.

    Attributes:
        start: Upper left corner.
        size: Height and width.
        bin_size: Size of a bin.
        samples: Number of sampling points per bin and axis, int64.
        bins: Number of rows and columns of bins.
    """

    start: Tensor
    size: Tensor
    bin_size: Tensor
    samples: Tensor
    bins: tuple[int, int]

    @classmethod
    def of(
        cls, rois: Tensor, bins: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool
    ) -> RoIGrid:
        """Geometry of ``rois`` (n, 5): index of the image, x1, y1, x2, y2 in image pixels."""
        shift = 0.5 if aligned else 0.0
        start = rois[:, [2, 1]] * scale - shift
        size = rois[:, [4, 3]] * scale - shift - start
        if not aligned:
            size = size.clamp(min=1.0)
        bin_size = size / size.new_tensor(bins)
        if sampling_ratio > 0:
            samples = torch.full_like(size, sampling_ratio, dtype=torch.long)
        else:
            samples = bin_size.ceil().long()
        return cls(start, size, bin_size, samples, bins)

    def axis_positions(self, members: Tensor, axis: int, samples: int) -> Tensor:
        """(members, bins, samples) sampling positions along an axis (0: y, 1: x)."""
        start = self.start[members, axis, None, None]
        bin_size = self.bin_size[members, axis, None, None]
        options = {"device": start.device, "dtype": start.dtype}
        index = torch.arange(self.bins[axis], **options)[:, None]
        offset = torch.arange(samples, **options) + 0.5
        return start + index * bin_size + offset * bin_size / samples


def equal_groups(counts: Tensor, elements_per_point: int) -> Iterator[tuple[int, int, Tensor]]:
    """Members with equal counts (rows, columns), in chunks of bounded memory.

    Args:
        counts: (n, 2) int64 number of points per bin along y and x.
        elements_per_point: Values gathered for each point.

    Yields:
        Rows, columns and (m,) indices of the members; groups without points are left out.
    """
    for rows, columns in torch.unique(counts, dim=0).tolist():
        if rows <= 0 or columns <= 0:
            continue
        members = torch.nonzero((counts[:, 0] == rows) & (counts[:, 1] == columns))[:, 0]
        chunk = max(1, _CHUNK_ELEMENTS // max(1, rows * columns * elements_per_point))
        for part in members.split(chunk):
            yield rows, columns, part
