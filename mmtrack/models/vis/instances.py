"""What a tracker of instances gets from its detector."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmdet.core import bbox2roi
from mmdet.models.roi_heads import StandardRoIHead
from torch import nn

from ...core.track import results2outs


class Instances(NamedTuple):
    """Instances of one frame, on the device of the model.

    Attributes:
        bboxes: ``(n, 5)``, ``x1, y1, x2, y2, score`` in pixels.
        labels: ``(n,)`` int64.
        masks: Probabilities within the box, ``(n, S, S)``, or masks of the image, ``(n, H, W)``
            bool.
        num_classes: Number of classes of the detector.
        mask_threshold: Probability from which on a pixel belongs to the mask.
    """

    bboxes: torch.Tensor
    labels: torch.Tensor
    masks: torch.Tensor
    num_classes: int
    mask_threshold: float


def detect_instances(
    detector: nn.Module, feats: list[torch.Tensor], img_metas: list[dict], *, rescale: bool
) -> Instances:
    """Segment the objects of one frame, best scores first.

    Masks stay on the device and small: whoever keeps an instance pastes its mask into the image.

    Args:
        detector: A two-stage detector of mmdet with masks.
        feats: Features of the frame, of ``detector.extract_feat``.
        img_metas: Its meta data.
        rescale: Boxes in pixels of the original image instead of the input.
    """
    head = detector.roi_head
    proposals = detector.rpn_head.simple_test_rpn(feats, img_metas)
    if type(head).simple_test is not StandardRoIHead.simple_test:
        return _of_result(detector, feats, proposals, img_metas, rescale=rescale)
    bboxes, labels = head.simple_test_bboxes(
        feats, img_metas, proposals, head.test_cfg, rescale=rescale
    )
    bboxes, labels = bboxes[0], labels[0]
    if not len(bboxes):  # (0, 4) where there are no proposals
        bboxes = bboxes.new_zeros(0, 5)
    # clipping to the image leaves some boxes without area
    sound = (bboxes[:, 2:4] > bboxes[:, :2]).all(dim=1)
    bboxes, labels = bboxes[sound], labels[sound]
    places = bboxes[:, :4]
    if rescale:
        places = places * places.new_tensor(img_metas[0]["scale_factor"])
    masks = _box_masks(head, feats, places, labels)
    num_classes = head.bbox_head.num_classes
    return Instances(bboxes, labels, masks, num_classes, head.test_cfg.mask_thr_binary)


def _box_masks(
    head: StandardRoIHead, feats: list[torch.Tensor], bboxes: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """Probabilities ``(n, S, S)`` of the class of each box within the box."""
    if not len(bboxes):
        return bboxes.new_zeros(0, 1, 1)
    extractor = head.mask_roi_extractor
    x = extractor(feats[: extractor.num_inputs], bbox2roi([bboxes]))
    if head.with_shared_head:
        x = head.shared_head(x)
    logits = head.mask_head(x)
    channels = torch.zeros_like(labels) if head.mask_head.class_agnostic else labels
    return logits[torch.arange(len(labels), device=labels.device), channels].sigmoid()


def _of_result(
    detector: nn.Module,
    feats: list[torch.Tensor],
    proposals: list[torch.Tensor],
    img_metas: list[dict],
    *,
    rescale: bool,
) -> Instances:
    """Instances of a detector that gives only finished masks, such as Cascade Mask R-CNN."""
    bboxes, masks = detector.roi_head.simple_test(feats, proposals, img_metas, rescale=rescale)[0]
    shape = img_metas[0]["ori_shape" if rescale else "img_shape"][:2]
    outs = results2outs(bbox_results=bboxes, mask_results=masks, mask_shape=shape)
    device = feats[0].device
    found = [torch.from_numpy(outs[name]).to(device) for name in ("bboxes", "labels", "masks")]
    order = found[0][:, 4].argsort(descending=True, stable=True)
    return Instances(*(part[order] for part in found), len(bboxes), 0.5)
