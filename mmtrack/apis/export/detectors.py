"""Graphs of detectors: from a normalised image to the boxes that survive suppression.

Those with one stage are in ``one_stage``.

The networks are those of the detector. What follows them in mmdet branches on the number of boxes,
which no exporter can follow, so it is written here without branches; the results are those of
``detect_objects``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.core.bbox.coder import DeltaXYWHBBoxCoder
from mmdet.models.dense_heads import RPNHead, YOLOXHead
from mmdet.models.roi_heads import SingleRoIExtractor, StandardRoIHead
from torch import nn
from torchvision.ops import roi_align

from .boxes import (
    NO_SCORE,
    best_first,
    clip_to_image,
    decode_boxes,
    nms_settings,
    rows_of,
)
from .known_parts import require_coder, require_kind
from .one_stage import AnchorGraph, YOLOXGraph
from .operators import suppress


def detector_graph(detector: nn.Module) -> nn.Module:
    """The graph of a detector.

    Raises:
        ValueError: there is none for this kind of detector; the message names what is missing.
    """
    head = getattr(detector, "bbox_head", None)
    if isinstance(head, YOLOXHead):
        return YOLOXGraph(detector)
    if head is not None:
        return AnchorGraph(detector)
    if getattr(detector, "roi_head", None) is not None:
        return TwoStageGraph(detector)
    raise ValueError(
        f"there is no graph for {type(detector).__name__}: YOLOX, RetinaNet, and two-stage "
        "detectors with RPNHead and StandardRoIHead can be exported"
    )


class TwoStageGraph(nn.Module):
    """Faster R-CNN, and the boxes of Mask R-CNN.

    Args:
        detector: A detector of mmdet with two stages.

    Raises:
        ValueError: a part is of another kind than those this graph knows.
    """

    def __init__(self, detector: nn.Module):
        super().__init__()
        _check_two_stage(detector)
        self.detector = detector
        coders = (detector.rpn_head.bbox_coder, detector.roi_head.bbox_head.bbox_coder)
        # whether boxes end at the border of the image, without its padding
        self.clips = any(coder.clip_border for coder in coders)
        self.rpn_cfg = detector.rpn_head.test_cfg
        self.rcnn_cfg = detector.roi_head.test_cfg
        self.rpn_iou_threshold, _ = nms_settings(self.rpn_cfg["nms"])
        self.iou_threshold, self.per_class = nms_settings(self.rcnn_cfg["nms"])

    def forward(
        self, image: torch.Tensor, img_shape: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes and labels as of :class:`YOLOXGraph`.

        Args:
            image: ``(1, 3, H, W)``, padded.
            img_shape: ``(2,)`` float, height and width without padding: boxes end there. Needed
                where ``clips`` is set.
        """
        feats = self.detector.extract_feat(image)
        limits = None if img_shape is None else img_shape.flip(0).repeat(2)
        return self._second_stage(feats, self._proposals(feats, limits), limits)

    def _proposals(
        self, feats: Sequence[torch.Tensor], limits: torch.Tensor | None
    ) -> torch.Tensor:
        """Boxes of the first stage ``(P, 4)``, suppressed level by level."""
        head, cfg = self.detector.rpn_head, self.rpn_cfg
        score_maps, delta_maps = head(feats)
        anchors = head.prior_generator.grid_priors(
            [m.shape[-2:] for m in score_maps], score_maps[0].dtype, score_maps[0].device
        )
        bboxes, scores = [], []
        for score_map, delta_map, places in zip(score_maps, delta_maps, anchors, strict=True):
            values, order = _objectness(head, score_map).sort(descending=True)
            if cfg.get("nms_pre", -1) > 0:
                values, order = values[: cfg["nms_pre"]], order[: cfg["nms_pre"]]
            found = decode_boxes(head.bbox_coder, places[order], rows_of([delta_map], 4)[order])
            found = clip_to_image(head.bbox_coder, found, limits)
            if cfg["min_bbox_size"] >= 0:
                large = ((found[:, 2:] - found[:, :2]) > cfg["min_bbox_size"]).all(dim=1)
                values = torch.where(large, values, torch.full_like(values, NO_SCORE))
            kept = suppress(found[None], values[None], self.rpn_iou_threshold, NO_SCORE / 2)[:, 1]
            bboxes.append(found[kept])
            scores.append(values[kept])
        order = torch.cat(scores).argsort(descending=True)
        return torch.cat(bboxes)[order[: cfg["max_per_img"]]]

    def _second_stage(
        self, feats: Sequence[torch.Tensor], proposals: torch.Tensor, limits: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        roi_head, cfg = self.detector.roi_head, self.rcnn_cfg
        head = roi_head.bbox_head
        rois = torch.cat((torch.zeros_like(proposals[:, :1]), proposals), dim=1)
        extracted = roi_features(roi_head.bbox_roi_extractor, feats, rois)
        if roi_head.with_shared_head:
            extracted = roi_head.shared_head(extracted)
        class_scores, deltas = head(extracted)
        classes = head.num_classes
        scores = class_scores.softmax(dim=-1)[:, :classes].T
        shared = head.reg_class_agnostic
        bboxes = clip_to_image(
            head.bbox_coder, decode_boxes(head.bbox_coder, proposals, deltas), limits
        )
        bboxes = bboxes.unflatten(1, (1 if shared else classes, 4)).transpose(0, 1)
        bboxes = bboxes.expand(classes, -1, -1)
        labels = torch.arange(classes, device=scores.device)[:, None].expand_as(scores)
        if not self.per_class:
            bboxes, scores, labels = (
                x.reshape(1, -1, *x.shape[2:]) for x in (bboxes, scores, labels)
            )
        group, row = suppress(bboxes, scores, self.iou_threshold, cfg["score_thr"]).unbind(1)
        limit = cfg.get("max_per_img", -1)
        return best_first(
            bboxes[group, row], scores[group, row], labels[group, row],
            limit=limit if limit > 0 else None,
        )  # fmt: skip


def roi_features(
    extractor: SingleRoIExtractor, feats: Sequence[torch.Tensor], rois: torch.Tensor
) -> torch.Tensor:
    """Features of regions, each from its level of the pyramid.

    Args:
        extractor: Has a RoI layer per level.
        feats: Feature maps, one per level, at least as many as layers.
        rois: ``(R, 5)``: 0, x1, y1, x2, y2 in pixels.

    Returns:
        ``(R, C, h, w)``.
    """
    layers = extractor.roi_layers
    levels = extractor.map_roi_levels(rois, len(layers))
    rows, parts = [], []
    for level, (layer, feat) in enumerate(zip(layers, feats, strict=False)):
        own = (levels == level).nonzero()[:, 0]
        rows.append(own)
        parts.append(
            roi_align(
                feat, rois[own], layer.output_size, layer.spatial_scale, layer.sampling_ratio,
                layer.aligned,
            )
        )  # fmt: skip
    return torch.cat(parts)[torch.cat(rows).argsort()]


def _objectness(head: RPNHead, score_map: torch.Tensor) -> torch.Tensor:
    """Scores of the anchors of a level, ``(N,)``."""
    if head.use_sigmoid_cls:
        return rows_of([score_map], 1)[:, 0].sigmoid()
    return rows_of([score_map], 2).softmax(dim=1)[:, 0]


def _check_two_stage(detector: nn.Module) -> None:
    """Refuse parts that compute something else than :class:`TwoStageGraph` does."""
    roi_head = detector.roi_head
    found = [
        (detector.rpn_head, RPNHead, "rpn_head"),
        (roi_head, StandardRoIHead, "roi_head"),
        (roi_head.bbox_roi_extractor, SingleRoIExtractor, "roi_head.bbox_roi_extractor"),
        (detector.rpn_head.bbox_coder, DeltaXYWHBBoxCoder, "rpn_head.bbox_coder"),
        (roi_head.bbox_head.bbox_coder, DeltaXYWHBBoxCoder, "roi_head.bbox_head.bbox_coder"),
    ]
    for part, kind, name in found:
        require_kind(part, kind, name)
    if roi_head.bbox_head.custom_cls_channels:
        raise ValueError("there is no graph for a bbox_head with custom_cls_channels")
    for coder in (detector.rpn_head.bbox_coder, roi_head.bbox_head.bbox_coder):
        require_coder(coder)
    for layer in roi_head.bbox_roi_extractor.roi_layers:
        if type(layer).__name__ != "RoIAlign" or layer.pool_mode != "avg":
            raise ValueError(
                f"there is no graph for roi_layer {layer}; RoIAlign with pool_mode='avg' can be "
                "exported"
            )
