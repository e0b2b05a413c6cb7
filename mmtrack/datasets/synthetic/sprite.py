"""Cut-out pictures with soft edges, kept at several resolutions, and how they are pasted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_LEVELS = 4
_MULTIPLE = 2 ** (_LEVELS - 1)


@dataclass(frozen=True)
class Sprite:
    """A figure in one pose, seen from one side.

    Attributes:
        levels: Pictures of falling resolution, each half of the one before; ``(h, w, 4)`` uint8,
            blue, green, red premultiplied by the last channel, opacity.
        anchor: Point ``(x, y)`` in pixels of the first level that stands on the ground.
        resolution: Pixels per metre of the first level.
        head: Box of the head, x, y, width, height in pixels of the first level; None for
            figures without one.
    """

    levels: tuple[np.ndarray, ...]
    anchor: tuple[float, float]
    resolution: float
    head: tuple[float, float, float, float] | None = None

    @classmethod
    def from_drawing(
        cls,
        colours: np.ndarray,
        opacity: np.ndarray,
        anchor: tuple[float, float],
        resolution: float,
        head: tuple[float, float, float, float] | None = None,
    ) -> Sprite:
        """Trim a drawing to its opaque part and build its smaller versions.

        Args:
            colours: ``(h, w, 3)`` uint8, premultiplied: no channel is above the opacity.
            opacity: ``(h, w)`` uint8.
            anchor: Ground point in the drawing.
            resolution: Pixels per metre of the drawing.
            head: Box of the head in the drawing, or None.
        """
        left, top, width, height = cv2.boundingRect(opacity)
        width = -(-(width + 2) // _MULTIPLE) * _MULTIPLE
        height = -(-(height + 2) // _MULTIPLE) * _MULTIPLE
        picture = np.zeros((height, width, 4), np.uint8)
        left, top = max(left - 1, 0), max(top - 1, 0)
        alpha = opacity[top : top + height, left : left + width]
        part = picture[: alpha.shape[0], : alpha.shape[1]]
        part[..., 3] = alpha
        part[..., :3] = np.minimum(
            colours[top : top + height, left : left + width], alpha[..., None]
        )
        levels = [picture]
        for _ in range(_LEVELS - 1):
            size = (levels[-1].shape[1] // 2, levels[-1].shape[0] // 2)
            levels.append(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA))
        if head is not None:
            head = (head[0] - left, head[1] - top, head[2], head[3])
        return cls(tuple(levels), (anchor[0] - left, anchor[1] - top), resolution, head)

    def mirrored(self) -> Sprite:
        """The same figure seen from the other side."""
        width = self.levels[0].shape[1]
        head = self.head
        if head is not None:
            head = (width - head[0] - head[2], *head[1:])
        levels = tuple(np.ascontiguousarray(level[:, ::-1]) for level in self.levels)
        return Sprite(levels, (width - self.anchor[0], self.anchor[1]), self.resolution, head)

    def render(self, x: float, y: float, resolution: float) -> tuple[np.ndarray, tuple[int, int]]:
        """Picture of the figure standing at a point of the frame.

        Args:
            x: Ground point in the frame, pixels, pixel centres at half.
            y: Same, downwards.
            resolution: Pixels of the frame per metre at that point.

        Returns:
            The premultiplied patch ``(h, w, 4)`` and the frame position of its first pixel,
            which may lie outside of the frame.
        """
        scale = resolution / self.resolution
        level = int(np.clip(np.floor(-np.log2(scale)), 0, _LEVELS - 1))
        picture = self.levels[level]
        left, top = x - self.anchor[0] * scale, y - self.anchor[1] * scale
        first_x, first_y = int(np.floor(left)), int(np.floor(top))
        factor = scale * 2**level
        size = (
            int(np.ceil(left - first_x + picture.shape[1] * factor)),
            int(np.ceil(top - first_y + picture.shape[0] * factor)),
        )
        # Pixel i covers [i, i + 1), so centres map as factor * (i + 0.5) - 0.5.
        matrix = np.array(
            [
                [factor, 0, left - first_x + factor / 2 - 0.5],
                [0, factor, top - first_y + factor / 2 - 0.5],
            ]
        )
        patch = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR)
        return patch, (first_x, first_y)
