"""Train and run a detector of single images on features that come from several frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.core import bbox2result
from torch import nn

Levels = list[torch.Tensor] | tuple[torch.Tensor, ...]


def proposal_losses(
    detector: nn.Module,
    x: Levels,
    img_metas: list[dict],
    gt_bboxes: list[torch.Tensor],
    gt_bboxes_ignore: list[torch.Tensor] | None,
    proposals: list[torch.Tensor] | None,
) -> tuple[dict[str, Any], list[torch.Tensor]]:
    """Losses of the first stage, and its proposals.

    Args:
        detector: A detector with two stages.
        x: Features, one tensor ``(N, C, H, W)`` per level.
        img_metas: Meta data of the ``N`` images.
        gt_bboxes: Per image ``(G, 4)``.
        gt_bboxes_ignore: Per image ``(K, 4)``.
        proposals: Proposals that are given from outside, for detectors without a first stage.

    Returns:
        Losses by name, and per image ``(P, 5)``.
    """
    if not detector.with_rpn:
        return {}, proposals
    config = detector.train_cfg.get("rpn_proposal", detector.test_cfg.rpn)
    return detector.rpn_head.forward_train(
        x,
        img_metas,
        gt_bboxes,
        gt_labels=None,
        gt_bboxes_ignore=gt_bboxes_ignore,
        proposal_cfg=config,
    )


def detection_losses(
    detector: nn.Module,
    x: Levels,
    img_metas: list[dict],
    gt_bboxes: list[torch.Tensor],
    gt_labels: list[torch.Tensor],
    gt_bboxes_ignore: list[torch.Tensor] | None = None,
    gt_masks: Any = None,
    proposals: list[torch.Tensor] | None = None,
    **kwargs: Any,
) -> dict[str, Any]:
    """Losses of a detector.

    Args:
        detector: A detector with one stage (``bbox_head``) or two (``roi_head``).
        x: Features, one tensor ``(N, C, H, W)`` per level.
        img_metas: Meta data of the ``N`` images.
        gt_bboxes: Per image ``(G, 4)``, ``x1, y1, x2, y2`` in pixels.
        gt_labels: Per image ``(G,)``.
        gt_bboxes_ignore: Per image boxes that are neither right nor wrong, ``(K, 4)``.
        gt_masks: Masks, for detectors that want them.
        proposals: Proposals that are given from outside.
        **kwargs: For the second stage.

    Returns:
        Losses by name.
    """
    if not has_two_stages(detector):
        return detector.bbox_head.forward_train(
            x, img_metas, gt_bboxes, gt_labels, gt_bboxes_ignore
        )
    losses, proposals = proposal_losses(
        detector, x, img_metas, gt_bboxes, gt_bboxes_ignore, proposals
    )
    second = detector.roi_head.forward_train(
        x, img_metas, proposals, gt_bboxes, gt_labels, gt_bboxes_ignore, gt_masks, **kwargs
    )
    return {**losses, **second}


def detect(
    detector: nn.Module,
    x: Levels,
    img_metas: list[dict],
    proposals: list[torch.Tensor] | None = None,
    rescale: bool = False,
) -> dict[str, list]:
    """Detections of a frame from its features.

    Args:
        detector: A detector with one stage (``bbox_head``) or two (``roi_head``).
        x: Features, one tensor ``(1, C, H, W)`` per level.
        img_metas: Meta data of the frame.
        proposals: Proposals that are given from outside, ``[(P, 4)]`` or ``[(P, 5)]``.
        rescale: Boxes in pixels of the original image.

    Returns:
        See :func:`pack_detections`.
    """
    if not has_two_stages(detector):
        found = detector.bbox_head.simple_test(x, img_metas, rescale=rescale)
        classes = detector.bbox_head.num_classes
        return pack_detections([bbox2result(*image, classes) for image in found])
    if proposals is None:
        proposals = detector.rpn_head.simple_test_rpn(x, img_metas)
    return pack_detections(detector.roi_head.simple_test(x, proposals, img_metas, rescale=rescale))


def pack_detections(found: list) -> dict[str, list[np.ndarray]]:
    """Result of a frame from what a detector returns for a batch of one image.

    Returns:
        ``det_bboxes``: per class ``(n, 5)``, ``x1, y1, x2, y2, score``; with a mask head
        ``det_masks``: per class a list of masks.
    """
    if isinstance(found[0], tuple):
        bboxes, masks = found[0][:2]
        return {"det_bboxes": bboxes, "det_masks": masks}
    return {"det_bboxes": found[0]}


def has_two_stages(detector: nn.Module) -> bool:
    """Whether proposals are made first and classified then."""
    return getattr(detector, "roi_head", None) is not None
