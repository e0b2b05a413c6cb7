"""What a tracker gets from its detector."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from mmdet.models.roi_heads import StandardRoIHead
from torch import nn

from ...core.track import results2outs


class Detections(NamedTuple):
    """Boxes of one frame, on the CPU.

    Attributes:
        bboxes: ``(n, 5)``, ``x1, y1, x2, y2, score`` in pixels.
        labels: ``(n,)`` int64.
        num_classes: Number of classes of the detector.
    """

    bboxes: torch.Tensor
    labels: torch.Tensor
    num_classes: int

    def by_class(self) -> Detections:
        """The same boxes class by class, in their order within each class."""
        order = self.labels.argsort(stable=True)
        return Detections(self.bboxes[order], self.labels[order], self.num_classes)

    def with_area(self) -> Detections:
        """The boxes with an area; clipping to the image leaves some without."""
        keep = (self.bboxes[:, 2:4] > self.bboxes[:, :2]).all(dim=1)
        return Detections(self.bboxes[keep], self.labels[keep], self.num_classes)


def detect_objects(
    detector: nn.Module,
    img: torch.Tensor,
    img_metas: list[dict],
    *,
    rescale: bool,
    proposals: list[torch.Tensor] | None = None,
    feats: tuple[torch.Tensor, ...] | None = None,
) -> Detections:
    """Detect the objects of one frame, in the order of the detector.

    The heads for boxes are asked directly where they can be: masks are not computed, the order is
    that of the scores also between classes, and the boxes leave the device in one transfer. Other
    detectors give their result class by class.

    Args:
        detector: Any detector of mmdet, or one with the same methods.
        img: The frame, ``(1, C, H, W)``, normalised.
        img_metas: Its meta data.
        rescale: Boxes in pixels of the original image instead of ``img``.
        proposals: Boxes ``(n, 4)``, ``x1, y1, x2, y2`` in pixels of ``img``, which the second stage
            of the detector scores and refines, instead of those of its first stage.
        feats: Feature maps of the frame, where they are known already.

    Raises:
        ValueError: there are proposals, but no second stage.
    """
    roi_head = getattr(detector, "roi_head", None)
    if proposals is not None and roi_head is None:
        raise ValueError(
            f"public detections need a two-stage detector, and {type(detector).__name__} "
            "has no roi_head: take LoadDetections out of the pipeline"
        )
    if answers_boxes_alone(roi_head):
        feats = detector.extract_feat(img) if feats is None else feats
        return _from_roi_head(detector, feats, img_metas, proposals, rescale=rescale)
    if getattr(detector, "bbox_head", None) is not None:
        return _from_bbox_head(detector, img, img_metas, rescale=rescale)
    given = {} if proposals is None else {"proposals": proposals}
    return _of_result(detector.simple_test(img, img_metas, rescale=rescale, **given)[0])


def answers_boxes_alone(roi_head: nn.Module | None) -> bool:
    """Whether a second stage can be asked for boxes alone, with ``simple_test_bboxes``."""
    # Heads with stages (Cascade, HTC, Sparse R-CNN) inherit simple_test_bboxes, but cannot do it.
    return getattr(type(roi_head), "simple_test", None) is StandardRoIHead.simple_test


def _from_roi_head(
    detector: nn.Module,
    feats: tuple[torch.Tensor, ...],
    img_metas: list[dict],
    proposals: list[torch.Tensor] | None,
    *,
    rescale: bool,
) -> Detections:
    head = detector.roi_head
    if proposals is None:
        proposals = detector.rpn_head.simple_test_rpn(feats, img_metas)
    bboxes, labels = head.simple_test_bboxes(
        feats, img_metas, proposals, head.test_cfg, rescale=rescale
    )
    return _to_cpu(bboxes[0], labels[0], head.bbox_head.num_classes)


def _from_bbox_head(
    detector: nn.Module, img: torch.Tensor, img_metas: list[dict], *, rescale: bool
) -> Detections:
    head = detector.bbox_head
    feats = detector.extract_feat(img)
    # mmdet's heads know what their forward wants (transformers need the meta data); a custom head
    # needs forward and get_bboxes only.
    if hasattr(head, "simple_test_bboxes"):
        results = head.simple_test_bboxes(feats, img_metas, rescale=rescale)
    else:
        results = head.get_bboxes(*head(feats), img_metas=img_metas, rescale=rescale)
    return _to_cpu(*results[0][:2], head.num_classes)


def public_proposals(
    public_bboxes: list[torch.Tensor] | None, img: torch.Tensor
) -> list[torch.Tensor] | None:
    """Detections given by the benchmark as proposals on the device of the frame.

    Args:
        public_bboxes: One entry: boxes ``(n, 4)``, with the batch dimension or the list that the
            data loader puts around them.
        img: The frame.
    """
    if public_bboxes is None:
        return None
    return [_boxes_of_frame(given).to(img) for given in public_bboxes]


def _boxes_of_frame(given: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
    boxes = torch.as_tensor(given[0] if isinstance(given, list | tuple) else given)
    return boxes[0] if boxes.dim() == 3 else boxes


def _to_cpu(bboxes: torch.Tensor, labels: torch.Tensor, num_classes: int) -> Detections:
    # without detections, the second stage answers with (0, 4) boxes where there are no proposals
    if not len(bboxes):
        return Detections(torch.zeros(0, 5), torch.zeros(0, dtype=torch.long), num_classes)
    # labels travel beside the boxes: one transfer
    table = torch.cat((bboxes.float(), labels[:, None].float()), dim=1).detach().cpu()
    return Detections(table[:, :5].contiguous(), table[:, 5].long(), num_classes)


def _of_result(result: list[np.ndarray] | tuple[list[np.ndarray], Any]) -> Detections:
    """Boxes of the result of a detector for one image, without its masks."""
    per_class = result[0] if isinstance(result, tuple) else result
    found = results2outs(bbox_results=per_class)
    return Detections(
        torch.from_numpy(found["bboxes"]), torch.from_numpy(found["labels"]), len(per_class)
    )
