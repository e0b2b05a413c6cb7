"""Conversions between box formats, for tensors and arrays of any leading shape."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch

Boxes = TypeVar("Boxes", torch.Tensor, np.ndarray)


def _stack(parts: list[Boxes]) -> Boxes:
    if isinstance(parts[0], torch.Tensor):
        return torch.stack(parts, dim=-1)
    return np.stack(parts, axis=-1)


def _columns(boxes: Boxes, count: int, name: str) -> list[Boxes]:
    if boxes.shape[-1] != count:
        raise ValueError(
            f"{name}: the last dimension must hold {count} numbers, "
            f"found the shape {tuple(boxes.shape)}"
        )
    return [boxes[..., i] for i in range(count)]


def bbox_xyxy_to_x1y1wh(bbox: Boxes) -> Boxes:
    """Convert corners to the top-left corner and the size.

    Args:
        bbox: ``(..., 4)``, x1y1x2y2 in pixels.

    Returns:
        ``(..., 4)``, x1, y1, width, height.
    """
    x1, y1, x2, y2 = _columns(bbox, 4, "bbox_xyxy_to_x1y1wh")
    return _stack([x1, y1, x2 - x1, y2 - y1])


def bbox_cxcywh_to_x1y1wh(bbox: Boxes) -> Boxes:
    """Convert the centre and the size to the top-left corner and the size.

    Args:
        bbox: ``(..., 4)``, centre x, centre y, width, height in pixels.

    Returns:
        ``(..., 4)``, x1, y1, width, height.
    """
    cx, cy, w, h = _columns(bbox, 4, "bbox_cxcywh_to_x1y1wh")
    return _stack([cx - w / 2, cy - h / 2, w, h])


def bbox_xyxy_to_cxcyah(bboxes: Boxes) -> Boxes:
    """Convert corners to centre, aspect ratio and height, the measurement of the Kalman filter.

    Args:
        bboxes: ``(..., 4)``, x1y1x2y2 in pixels, of positive height.

    Returns:
        ``(..., 4)``, centre x, centre y, width / height, height.
    """
    x1, y1, x2, y2 = _columns(bboxes, 4, "bbox_xyxy_to_cxcyah")
    w, h = x2 - x1, y2 - y1
    return _stack([x1 + w / 2, y1 + h / 2, w / h, h])


def bbox_cxcyah_to_xyxy(bboxes: Boxes) -> Boxes:
    """Convert centre, aspect ratio and height to corners.

    Args:
        bboxes: ``(..., 4)``, centre x, centre y, width / height, height.

    Returns:
        ``(..., 4)``, x1y1x2y2 in pixels.
    """
    cx, cy, ratio, h = _columns(bboxes, 4, "bbox_cxcyah_to_xyxy")
    w = ratio * h
    return _stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])


def quad2bbox(quad: Boxes) -> Boxes:
    """Axis-aligned box about the centre of a quadrangle, scaled to the quadrangle's area.

    The VOT toolkit initialises trackers that know only axis-aligned boxes in this way: the mean of
    the corners is the centre, and the enclosing box is shrunk by the square root of the ratio of
    the areas.

    Args:
        quad: ``(..., 8)``, four corners x1y1...x4y4 in order around the quadrangle, or an x1y1x2y2
            box, ``(..., 4)``.

    Returns:
        ``(..., 4)``, centre x, centre y, width, height in pixels.

    Raises:
        ValueError: the last dimension is neither 4 nor 8.

    Reference: Kristan et al., "The Visual Object Tracking VOT2015 challenge results", section 3.
    """
    if quad.shape[-1] == 4:
        x1, y1, x2, y2 = _columns(quad, 4, "quad2bbox")
        return _stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
    _columns(quad, 8, "quad2bbox")
    xs, ys = quad[..., 0::2], quad[..., 1::2]
    sides = torch.hypot if isinstance(quad, torch.Tensor) else np.hypot
    first = sides(xs[..., 0] - xs[..., 1], ys[..., 0] - ys[..., 1])
    second = sides(xs[..., 1] - xs[..., 2], ys[..., 1] - ys[..., 2])
    low_x, high_x, low_y, high_y = _extent(xs) + _extent(ys)
    enclosing = (high_x - low_x) * (high_y - low_y)
    # A quadrangle that is only a line encloses nothing: its box has no extent to shrink.
    shrink = (first * second / (enclosing + (enclosing == 0))) ** 0.5
    return _stack([xs.mean(-1), ys.mean(-1), shrink * (high_x - low_x), shrink * (high_y - low_y)])


def _extent(values: Boxes) -> tuple[Boxes, Boxes]:
    if isinstance(values, torch.Tensor):
        return values.amin(-1), values.amax(-1)
    return values.min(-1), values.max(-1)
