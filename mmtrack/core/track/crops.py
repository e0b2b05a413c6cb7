"""Crops of many boxes from one image in one pass."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def clip_to_pixels(bboxes: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Whole pixels that boxes cover, at least one in each direction and inside the image.

    Args:
        bboxes: ``(N, 4)`` or wider, x1y1x2y2 in pixels first.
        height: Height of the image.
        width: Width of the image.

    Returns:
        ``(N, 4)`` int64, x1y1x2y2 with exclusive ends.
    """
    pixels = bboxes[:, :4].to(torch.int64)
    limits = pixels.new_tensor([width, height])
    starts = torch.minimum(pixels[:, :2].clamp(min=0), limits - 1)
    ends = torch.maximum(torch.minimum(pixels[:, 2:], limits), starts + 1)
    return torch.cat((starts, ends), dim=1)


def crop_resize(img: torch.Tensor, regions: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Cut regions out of an image and resize each bilinearly, all at once.

    Equal to ``F.interpolate(crop, size, mode="bilinear", align_corners=False)`` of every crop on
    its own: samples stay within their region.

    Args:
        img: ``(1, C, H, W)``, any type; the arithmetic is float32.
        regions: ``(N, 4)`` integers, x1y1x2y2 in pixels with exclusive ends, inside the image.
        size: Height and width of the crops.

    Returns:
        ``(N, C, *size)``, of the type of the image if that is a float type, else float32.
    """
    dtype = img.dtype if img.is_floating_point() else torch.float32
    rows = _sample_places(regions[:, 1], regions[:, 3], size[0], img.shape[2])
    cols = _sample_places(regions[:, 0], regions[:, 2], size[1], img.shape[3])
    grid = torch.stack(
        (cols[:, None, :].expand(-1, size[0], -1), rows[:, :, None].expand(-1, -1, size[1])), dim=-1
    )
    # All crops are sampled as one tall image, so that the frame is not repeated in memory.
    tall = grid.reshape(1, -1, size[1], 2)
    crops = F.grid_sample(
        img.float(), tall, mode="bilinear", padding_mode="border", align_corners=True
    )
    return crops.view(img.shape[1], -1, *size).transpose(0, 1).to(dtype)


def _sample_places(
    starts: torch.Tensor, ends: torch.Tensor, count: int, length: int
) -> torch.Tensor:
    """Sample places ``(N, count)`` between starts and ends, -1 and 1 being the outermost pixels."""
    starts, ends = starts[:, None].float(), ends[:, None].float()
    steps = torch.arange(count, device=starts.device) + 0.5
    places = starts + steps * (ends - starts) / count - 0.5
    places = torch.minimum(torch.maximum(places, starts), ends - 1)
    return 2 * places / max(length - 1, 1) - 1
