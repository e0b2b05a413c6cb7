"""Paste sprites into a frame from far to near and keep account of what stays visible."""

from __future__ import annotations

import cv2
import numpy as np

from .sprite import Sprite

OPAQUE = 128  # a pixel belongs to a figure where its opacity is at least one half
_SHADOW_DEPTH = 0.5


def _shadow_profile(size: int = 64) -> np.ndarray:
    """Darkening of a soft round shadow, ``(size, size)`` float32 in [0, 1]."""
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    radius = np.hypot(grid[:, None], grid[None])
    return np.clip(1 - radius, 0, 1).astype(np.float32) ** 0.7 * _SHADOW_DEPTH


_SHADOW = _shadow_profile()


class Canvas:
    """A frame being painted.

    Args:
        image: ``(H, W, 3)`` uint8 background, painted over in place.
    """

    def __init__(self, image: np.ndarray):
        self.image = image
        self.labels = np.zeros(image.shape[:2], np.uint16)

    def _clip(self, x: int, y: int, width: int, height: int) -> tuple[slice, slice] | None:
        """Rows and columns of the frame that a patch covers; None if it lies outside."""
        left, top = max(x, 0), max(y, 0)
        right = min(x + width, self.image.shape[1])
        bottom = min(y + height, self.image.shape[0])
        if left >= right or top >= bottom:
            return None
        return slice(top, bottom), slice(left, right)

    def shade(self, x: float, y: float, width: float, height: float) -> None:
        """Darken an ellipse around a point of the ground, all in pixels."""
        columns, rows = max(int(round(width)), 2), max(int(round(height)), 2)
        first_x, first_y = int(round(x - columns / 2)), int(round(y - rows / 2))
        target = self._clip(first_x, first_y, columns, rows)
        if target is None:
            return
        profile = cv2.resize(_SHADOW, (columns, rows), interpolation=cv2.INTER_LINEAR)
        source = _relative(target, first_x, first_y)
        region = self.image[target]
        self.image[target] = region * (1 - profile[source][..., None])

    def paste(
        self, sprite: Sprite, x: float, y: float, resolution: float, label: int
    ) -> tuple[tuple[int, int, int, int], int]:
        """Paint a figure that stands at a point and mark its pixels.

        Args:
            sprite: The figure.
            x: Ground point in the frame in pixels.
            y: Same, downwards.
            resolution: Pixels per metre at that point.
            label: Value written to the label map, from 1.

        Returns:
            Extent x, y, width, height of the whole silhouette, also where it leaves the frame,
            and its number of pixels.
        """
        patch, (first_x, first_y) = sprite.render(x, y, resolution)
        mask = (patch[..., 3] >= OPAQUE).view(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        extent = (first_x + left, first_y + top, width, height)
        area = cv2.countNonZero(mask)
        target = self._clip(first_x, first_y, patch.shape[1], patch.shape[0])
        if target is not None:
            source = _relative(target, first_x, first_y)
            _blend(self.image[target], patch[source])
            self.labels[target][mask[source].view(bool)] = label
        return extent, area

    def visible_areas(self, count: int) -> np.ndarray:
        """Pixels of each label 1..count that no nearer figure covers, ``(count,)``."""
        counts = cv2.calcHist([self.labels], [0], None, [count + 1], [0, count + 1])
        return counts.ravel()[1:].astype(np.int64)  # OpenCV 4 returns a column, 5 a row


def _relative(target: tuple[slice, slice], first_x: int, first_y: int) -> tuple[slice, slice]:
    """The same pixels counted from the corner of the patch."""
    rows, columns = target
    return (
        slice(rows.start - first_y, rows.stop - first_y),
        slice(columns.start - first_x, columns.stop - first_x),
    )


def _blend(region: np.ndarray, patch: np.ndarray) -> None:
    """Lay a premultiplied patch ``(h, w, 4)`` over a region ``(h, w, 3)`` in place."""
    clear = cv2.cvtColor(cv2.bitwise_not(patch[..., 3]), cv2.COLOR_GRAY2BGR)
    below = cv2.multiply(region, clear, scale=1 / 255)
    cv2.add(below, cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), dst=below)
    region[:] = below
