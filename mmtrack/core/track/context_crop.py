"""Square crops around an object and its surroundings, as SiamFC and its successors cut them."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def context_crop(
    img: torch.Tensor,
    center: tuple[float, float],
    crop_size: float,
    out_size: int,
    fill: torch.Tensor,
) -> torch.Tensor:
    """Cut a square out of an image and resize it.

    The square is cut first, so that a frame of bytes is converted to floats only where it is
    looked at. Edges are rounded towards zero; inside the image, the pixel that holds the upper edge
    belongs to the crop, beyond it only whole columns and rows do.

    Args:
        img: ``(1, C, H, W)``, uint8 or float, in any memory layout.
        center: x, y of the centre in pixels.
        crop_size: Side of the square in pixels.
        out_size: Side of the result in pixels.
        fill: ``(C,)``, colour outside of the image, on the device of ``img``.

    Returns:
        ``(1, C, out_size, out_size)``, of the type of the image if that is a float type, else
        float32.

    Reference: Bertinetto et al., "Fully-Convolutional Siamese Networks for Object Tracking",
    ECCV 2016 workshops, section 2.4.
    """
    height, width = img.shape[-2:]
    x1, y1, x2, y2 = crop_window(center, crop_size, (width, height))
    left, right = max(x1, 0), min(x2, width)
    top, bottom = max(y1, 0), min(y2, height)
    dtype = img.dtype if img.is_floating_point() else torch.float32
    inside = img[..., top : max(bottom, top), left : max(right, left)].to(dtype)
    if (left, top, right, bottom) == (x1, y1, x2, y2):
        patch = inside
    else:
        patch = fill.to(dtype)[None, :, None, None].repeat(1, 1, y2 - y1, x2 - x1)
        if inside.numel():
            patch[..., top - y1 : bottom - y1, left - x1 : right - x1] = inside
    return F.interpolate(patch, (out_size, out_size), mode="bilinear", align_corners=False)


def crop_window(
    center: tuple[float, float], crop_size: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Pixels that :func:`context_crop` cuts out; equal windows give equal crops.

    Args:
        center: x, y of the centre in pixels.
        crop_size: Side of the square in pixels.
        size: Width and height of the image.

    Returns:
        x1, y1, x2, y2; the last two are the first pixels after the crop. They may lie outside.
    """
    x1, x2 = _covered(center[0], crop_size, size[0])
    y1, y2 = _covered(center[1], crop_size, size[1])
    return x1, y1, x2, y2


def _covered(center: float, size: float, length: int) -> tuple[int, int]:
    """First pixel of a side, and the pixel after its last one."""
    end = int(center + size / 2)
    return int(center - size / 2), end if end >= length else end + 1
