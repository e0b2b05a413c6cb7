"""Masks of boxes put into the image."""

from __future__ import annotations

import torch

# Largest block of float pixels that is computed at once, about 256 MB.
MAX_PIXELS = 2**26


def paste_masks(
    masks: torch.Tensor, bboxes: torch.Tensor, size: tuple[int, int], threshold: float = 0.5
) -> torch.Tensor:
    """Stretch the mask of each box over its box and cut it at a threshold.

    Bilinear interpolation along an axis is a matrix with two entries per row, so a mask of the
    image is ``rows @ mask @ cols``: no grid of coordinates is needed. Outside of the mask is zero.

    Args:
        masks: Probabilities, ``(N, S, S)``.
        bboxes: ``(N, 4)`` or wider, x1y1x2y2 in pixels first; they may reach out of the image.
        size: Height and width of the image.
        threshold: A pixel belongs to the mask from this probability on.

    Returns:
        ``(N, height, width)`` bool. Columns lie one after the other in memory, as run-length
        encoding wants them. Boxes without area have empty masks.
    """
    height, width = size
    # transposed: (N, width, height)
    pasted = torch.zeros((len(masks), width, height), dtype=torch.bool, device=masks.device)
    if len(masks):
        paste = _paste_one_by_one if masks.device.type == "cpu" else _paste_together
        paste(masks.float().transpose(1, 2), bboxes[:, :4].float(), pasted, threshold)
    return pasted.transpose(1, 2)


def _paste_one_by_one(
    masks: torch.Tensor, bboxes: torch.Tensor, pasted: torch.Tensor, threshold: float
) -> None:
    """Only the pixels around each box: what a CPU computes fastest."""
    width, height = pasted.shape[1:]
    cells = masks.shape[-1]
    # the mask fades out within half a cell outside of its box
    margin = (bboxes[:, 2:] - bboxes[:, :2]) / (2 * cells) + 1
    low = (bboxes[:, :2] - margin).floor().clamp(min=0)
    high = (bboxes[:, 2:] + margin).ceil()
    limit = high.new_tensor([width, height])
    edges = torch.cat((low.minimum(limit), high.minimum(limit).clamp(min=0)), dim=1)
    for row, (x1, y1, x2, y2) in enumerate(edges.int().tolist()):
        if x1 >= x2 or y1 >= y2:
            continue
        box = bboxes[row : row + 1]
        cols = _interpolation(box[:, 0], box[:, 2], x1, x2, cells)[0]
        rows = _interpolation(box[:, 1], box[:, 3], y1, y2, cells)[0]
        pasted[row, x1:x2, y1:y2] = cols @ masks[row] @ rows.t() >= threshold


def _paste_together(
    masks: torch.Tensor, bboxes: torch.Tensor, pasted: torch.Tensor, threshold: float
) -> None:
    """All pixels of many masks at once, without waiting for the device."""
    count, width, height = pasted.shape
    cells = masks.shape[-1]
    step = max(1, MAX_PIXELS // (width * height))
    for start in range(0, count, step):
        part = slice(start, start + step)
        cols = _interpolation(bboxes[part, 0], bboxes[part, 2], 0, width, cells)
        rows = _interpolation(bboxes[part, 1], bboxes[part, 3], 0, height, cells)
        pasted[part] = cols @ masks[part] @ rows.transpose(1, 2) >= threshold


def _interpolation(
    start: torch.Tensor, end: torch.Tensor, first: int, last: int, cells: int
) -> torch.Tensor:
    """Weights of the cells of masks at the centres of pixels ``first`` to ``last - 1``.

    Args:
        start: Where each mask begins along the axis, ``(N,)``, pixels.
        end: Where it ends.
        first: First pixel.
        last: Behind the last pixel.
        cells: Number of cells along the axis.

    Returns:
        ``(N, last - first, cells)``.
    """
    pixels = torch.arange(first, last, device=start.device) + 0.5
    length = (end - start)[:, None]
    # in cells, 0 at the centre of the first one
    places = (pixels - start[:, None]) / length * cells - 0.5
    places = torch.where(length > 0, places, torch.full_like(places, -2.0))
    centres = torch.arange(cells, device=start.device, dtype=places.dtype)
    return (1 - (places[:, :, None] - centres).abs()).clamp(min=0)
