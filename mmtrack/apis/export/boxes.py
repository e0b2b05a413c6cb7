"""What graphs of detectors do with boxes, without branches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from mmdet.core.bbox.coder import DeltaXYWHBBoxCoder

from .operators import suppress

NO_SCORE = -1.0  # of boxes that do not take part; scores are not below zero
SMALLEST_RATIO = 16 / 1000  # mmdet's limit of the change of a side, wh_ratio_clip


def decode_boxes(
    coder: DeltaXYWHBBoxCoder, bboxes: torch.Tensor, deltas: torch.Tensor
) -> torch.Tensor:
    """Boxes that a network predicts relative to others, any number of them, not clipped.

    Args:
        coder: Holds means and standard deviations of the predictions.
        bboxes: ``(N, 4)``, x1y1x2y2.
        deltas: ``(N, C * 4)``: shift of the centre in sides, logarithm of the change of the sides.

    Returns:
        ``(N, C * 4)``, x1y1x2y2.

    Reference: Girshick et al., "Rich feature hierarchies for accurate object detection", CVPR 2014,
    appendix C.
    """
    deltas = deltas.unflatten(1, (-1, 4))
    deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
    centers = (bboxes[:, :2] + bboxes[:, 2:])[:, None] / 2
    sides = (bboxes[:, 2:] - bboxes[:, :2])[:, None]
    most = abs(math.log(SMALLEST_RATIO))
    centers = centers + sides * deltas[..., :2]
    halves = sides * deltas[..., 2:].clamp(-most, most).exp() / 2
    return torch.cat((centers - halves, centers + halves), dim=-1).flatten(1)


def clip_to_image(
    coder: DeltaXYWHBBoxCoder, bboxes: torch.Tensor, limits: torch.Tensor | None
) -> torch.Tensor:
    """Boxes ``(N, C * 4)`` cut at the border; ``limits``: width, height, width, height."""
    if not coder.clip_border:
        return bboxes
    boxes = bboxes.unflatten(1, (-1, 4))
    return torch.minimum(boxes.clamp(min=0), limits).flatten(1)


def rows_of(maps: Sequence[torch.Tensor], channels: int) -> torch.Tensor:
    """Values of all places and anchors of the maps ``(1, A * channels, H, W)``, one row each."""
    return torch.cat([m[0].permute(1, 2, 0).reshape(-1, channels) for m in maps])


def suppress_classes(
    bboxes: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    classes: int,
    iou_threshold: float,
    score_threshold: float,
) -> torch.Tensor:
    """Suppression of boxes that have one class each, within the classes.

    Args:
        bboxes: ``(N, 4)``, x1y1x2y2.
        scores: ``(N,)``.
        labels: ``(N,)``.
        classes: Number of classes; 1 for suppression across all of them.
        iou_threshold: Boxes that overlap a better one of their class by more are dropped.
        score_threshold: Boxes that do not score above are dropped.

    Returns:
        Rows that are kept, ``(K,)``.
    """
    # Each class sees its own boxes alone: a box of another class scores nothing there.
    groups = torch.arange(classes, device=bboxes.device)
    own = (labels == groups[:, None]) | (classes == 1)
    return suppress(
        bboxes.expand(classes, -1, -1),
        torch.where(own, scores, torch.full_like(scores, NO_SCORE)),
        iou_threshold,
        score_threshold,
    )[:, 1]


def best_first(
    bboxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, *, limit: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes with their scores ``(K, 5)``, and labels ``(K,)``, at most ``limit`` of them."""
    order = scores.argsort(descending=True)[:limit]
    return torch.cat((bboxes, scores[:, None]), dim=1)[order], labels[order]


def nms_settings(cfg: Mapping) -> tuple[float, bool]:
    """Threshold, and whether classes are suppressed apart.

    Raises:
        ValueError: another suppression than the greedy one.
    """
    if cfg.get("type", "nms") != "nms" or cfg.get("offset", 0) or cfg.get("max_num", -1) > 0:
        raise ValueError(
            f"test_cfg has nms={dict(cfg)}, but ONNX knows type='nms' with offset=0 and without "
            "max_num only"
        )
    return float(cfg["iou_threshold"]), not cfg.get("class_agnostic", False)
