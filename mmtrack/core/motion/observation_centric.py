"""What OC-SORT derives from observations instead of from the filter.

Reference: Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object Tracking",
CVPR 2023, section 4.
"""

from __future__ import annotations

import numpy as np

# Added to lengths, so that a box that stays where it was has the direction (0, 0).
_EPS = 1e-6


def directions(bboxes1: np.ndarray, bboxes2: np.ndarray) -> np.ndarray:
    """Unit vectors from the centres of boxes to the centres of others.

    Args:
        bboxes1: ``(..., 4)`` or wider, x1y1x2y2 in pixels first.
        bboxes2: The same, of a shape that broadcasts.

    Returns:
        ``(..., 2)``, x and y; zeros where the centres agree.
    """
    offset = (bboxes2[..., :2] + bboxes2[..., 2:4] - bboxes1[..., :2] - bboxes1[..., 2:4]) / 2
    return offset / (np.hypot(offset[..., 0], offset[..., 1])[..., None] + _EPS)


def turning_cost(headings: np.ndarray, courses: np.ndarray) -> np.ndarray:
    """How much tracks must turn: -0.5 straight on, 0 at a right angle, 0.5 for going back.

    Args:
        headings: Direction in which each track has moved, ``(..., 2)``; zeros where there is none,
            which costs 0.
        courses: Direction to a detection, ``(..., 2)``.

    Returns:
        ``(...)``: angle between the two, over pi, less a half.
    """
    cosine = np.clip(np.sum(headings * courses, axis=-1), -1, 1)
    return np.arccos(cosine) / np.pi - 0.5


def virtual_bboxes(
    last_bboxes: np.ndarray, new_bboxes: np.ndarray, gaps: np.ndarray, step: int
) -> np.ndarray:
    """Boxes on the straight way from the last to the new observation.

    Args:
        last_bboxes: ``(N, 4)``.
        new_bboxes: ``(N, 4)``.
        gaps: Number of frames between the two, ``(N,)``.
        step: Number of frames after the last observation.

    Returns:
        ``(N, 4)``.
    """
    return last_bboxes + (new_bboxes - last_bboxes) * (step / gaps)[:, None]
