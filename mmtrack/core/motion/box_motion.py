"""Velocities of boxes and motion of the camera."""

from __future__ import annotations

import numpy as np


def mean_velocities(
    recent_bboxes: np.ndarray, counts: np.ndarray, *, of_center: bool = False
) -> np.ndarray:
    """Mean velocity of tracks over their last boxes, in pixels a frame.

    Args:
        recent_bboxes: Last boxes of each track, oldest first, ``(N, S, 4)``, x1y1x2y2; of a track
            with fewer boxes only the last entries count.
        counts: Number of boxes of each track, ``(N,)``; may exceed ``S``.
        of_center: The size stays, and all edges move as the centre does.

    Returns:
        ``(N, 4)``, velocity of the four coordinates; zero for tracks of one box.
    """
    length = recent_bboxes.shape[1]
    counts = np.minimum(counts, length)
    first = recent_bboxes[np.arange(len(counts)), length - counts]
    velocities = (recent_bboxes[:, -1] - first) / np.maximum(counts - 1, 1)[:, None]
    if of_center:
        centers = (velocities[:, :2] + velocities[:, 2:]) / 2
        velocities = np.tile(centers, 2)
    return velocities


def rescale_warp(matrix: np.ndarray, scale_factor: np.ndarray) -> np.ndarray:
    """Motion of places in an image, from the motion of places in its resized version.

    Args:
        matrix: Affine matrix ``(2, 3)`` in pixels of the resized image.
        scale_factor: Width and height of the resized image over those of the original, ``(2,)`` or
            longer.

    Returns:
        Affine matrix ``(2, 3)`` in pixels of the original.
    """
    scale = np.asarray(scale_factor, dtype=np.float64)[:2]
    return matrix * np.append(scale, 1) / scale[:, None]
