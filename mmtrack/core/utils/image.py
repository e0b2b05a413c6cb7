"""Geometric operations on images."""

from __future__ import annotations

import cv2
import numpy as np


def crop_image(
    image: np.ndarray,
    crop_region: np.ndarray,
    crop_size: int,
    padding: tuple[float, float, float] | np.ndarray = (0, 0, 0),
) -> np.ndarray:
    """Cut a region out of an image and resize it to a square.

    Column ``j`` of the crop is read at ``x1 + j * (x2 - x1) / crop_size``, rows likewise, so that
    a region of ``crop_size`` pixels at whole numbers is copied unchanged. The crops of the
    template and of the search region of a Siamese tracker are made like this (Bertinetto et al.,
    "Fully-Convolutional Siamese Networks for Object Tracking", ECCVW 2016, section 3.3).

    Args:
        image: ``(H, W, 3)``.
        crop_region: x1, y1, x2, y2 in pixels; may reach beyond the image.
        crop_size: Side of the crop in pixels.
        padding: Value of each channel outside the image.

    Returns:
        The crop, ``(crop_size, crop_size, 3)``, type of ``image``.

    Raises:
        ValueError: the region has no area.
    """
    x1, y1, x2, y2 = (float(v) for v in crop_region)
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"crop_region needs x2 > x1 and y2 > y1, but is {(x1, y1, x2, y2)}")
    scale_x = crop_size / (x2 - x1)
    scale_y = crop_size / (y2 - y1)
    mapping = np.array([[scale_x, 0, -scale_x * x1], [0, scale_y, -scale_y * y1]], np.float64)
    return cv2.warpAffine(
        image,
        mapping,
        (crop_size, crop_size),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=tuple(float(v) for v in padding),
    )
