"""Graphs of detectors: from a normalised image to the boxes that survive suppression.

The networks are those of the detector. What follows them in mmdet branches on the number of boxes,
which no exporter can follow, so it is written here without branches; the results are those of
``detect_objects``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from mmdet.core.bbox.coder import DeltaXYWHBBoxCoder
from mmdet.models.dense_heads import RPNHead, YOLOXHead
from mmdet.models.roi_heads import SingleRoIExtractor, StandardRoIHead
from torch import nn
from torchvision.ops import roi_align

from .operators import suppress

SMALLEST_RATIO = 16 / 1000  # mmdet's limit of the change of a side, wh_ratio_clip


def detector_graph(detector: nn.Module) -> nn.Module:
    """The graph of a detector.

    Raises:
        ValueError: there is none for this kind of detector; the message names what is missing.
    """
    if isinstance(getattr(detector, "bbox_head", None), YOLOXHead):
        return YOLOXGraph(detector)
    if getattr(detector, "roi_head", None) is not None:
        return TwoStageGraph(detector)
    raise ValueError(
        f"there is no graph for {type(detector).__name__}: YOLOX and two-stage detectors with "
        "RPNHead and StandardRoIHead can be exported"
    )


class YOLOXGraph(nn.Module):
    """YOLOX.

    Args:
        detector: A YOLOX of mmdet.
    """

    clips = False  # boxes may leave the image

    def __init__(self, detector: nn.Module):
        super().__init__()
        self.detector = detector
        cfg = detector.bbox_head.test_cfg
        self.iou_threshold, self.per_class = _nms_settings(cfg["nms"])
        # the detector keeps scores equal to the threshold, the operator those above
        self.score_threshold = math.nextafter(cfg["score_thr"], -math.inf)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes ``(K, 5)``, x1y1x2y2 and score, and labels ``(K,)`` of ``image (1, 3, H, W)``."""
        head = self.detector.bbox_head
        class_maps, box_maps, object_maps = head(self.detector.extract_feat(image))
        priors = head.prior_generator.grid_priors(
            [m.shape[-2:] for m in class_maps], image.dtype, image.device, with_stride=True
        )
        bboxes = head._bbox_decode(torch.cat(priors), _rows(box_maps, 4)[None])[0]
        scores, labels = _rows(class_maps, head.cls_out_channels).sigmoid().max(dim=1)
        scores = scores * _rows(object_maps, 1)[:, 0].sigmoid()
        # Each class sees its own boxes alone: a box of another class scores nothing there.
        groups = torch.arange(head.cls_out_channels if self.per_class else 1, device=image.device)
        own = (labels == groups[:, None]) | (not self.per_class)
        kept = suppress(
            bboxes.expand(len(groups), -1, -1),
            torch.where(own, scores, torch.full_like(scores, -1.0)),
            self.iou_threshold,
            self.score_threshold,
        )[:, 1]
        return _best_first(bboxes[kept], scores[kept], labels[kept], limit=None)


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
        self.rpn_iou_threshold, _ = _nms_settings(self.rpn_cfg["nms"])
        self.iou_threshold, self.per_class = _nms_settings(self.rcnn_cfg["nms"])

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
            found = decode_boxes(head.bbox_coder, places[order], _rows([delta_map], 4)[order])
            found = _clip(head.bbox_coder, found, limits)
            if cfg["min_bbox_size"] >= 0:
                large = ((found[:, 2:] - found[:, :2]) > cfg["min_bbox_size"]).all(dim=1)
                values = torch.where(large, values, torch.full_like(values, -1.0))
            kept = suppress(found[None], values[None], self.rpn_iou_threshold, 0.0)[:, 1]
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
        bboxes = _clip(head.bbox_coder, decode_boxes(head.bbox_coder, proposals, deltas), limits)
        bboxes = bboxes.unflatten(1, (1 if shared else classes, 4)).transpose(0, 1)
        bboxes = bboxes.expand(classes, -1, -1)
        labels = torch.arange(classes, device=scores.device)[:, None].expand_as(scores)
        if not self.per_class:
            bboxes, scores, labels = (
                x.reshape(1, -1, *x.shape[2:]) for x in (bboxes, scores, labels)
            )
        group, row = suppress(bboxes, scores, self.iou_threshold, cfg["score_thr"]).unbind(1)
        limit = cfg.get("max_per_img", -1)
        return _best_first(
            bboxes[group, row], scores[group, row], labels[group, row],
            limit=limit if limit > 0 else None,
        )  # fmt: skip


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
        return _rows([score_map], 1)[:, 0].sigmoid()
    return _rows([score_map], 2).softmax(dim=1)[:, 0]


def _rows(maps: Sequence[torch.Tensor], channels: int) -> torch.Tensor:
    """Values of all places and anchors of the maps ``(1, A * channels, H, W)``, one row each."""
    return torch.cat([m[0].permute(1, 2, 0).reshape(-1, channels) for m in maps])


def _clip(
    coder: DeltaXYWHBBoxCoder, bboxes: torch.Tensor, limits: torch.Tensor | None
) -> torch.Tensor:
    """Boxes ``(N, C * 4)`` cut at the border; ``limits``: width, height, width, height."""
    if not coder.clip_border:
        return bboxes
    boxes = bboxes.unflatten(1, (-1, 4))
    return torch.minimum(boxes.clamp(min=0), limits).flatten(1)


def _best_first(
    bboxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, *, limit: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    order = scores.argsort(descending=True)[:limit]
    return torch.cat((bboxes, scores[:, None]), dim=1)[order], labels[order]


def _nms_settings(cfg: Mapping) -> tuple[float, bool]:
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
        same = [getattr(type(part), f, None) is getattr(kind, f, None) for f in _METHODS[kind]]
        if not isinstance(part, kind) or not all(same):
            raise ValueError(
                f"there is no graph for a detector whose {name} is {type(part).__name__}; "
                f"{kind.__name__} can be exported"
            )
    if roi_head.bbox_head.custom_cls_channels:
        raise ValueError("there is no graph for a bbox_head with custom_cls_channels")
    for coder in (detector.rpn_head.bbox_coder, roi_head.bbox_head.bbox_coder):
        if coder.add_ctr_clamp:
            raise ValueError("there is no graph for a bbox_coder with add_ctr_clamp=True")
    for layer in roi_head.bbox_roi_extractor.roi_layers:
        if type(layer).__name__ != "RoIAlign" or layer.pool_mode != "avg":
            raise ValueError(
                f"there is no graph for roi_layer {layer}; RoIAlign with pool_mode='avg' can be "
                "exported"
            )


# What a subclass must not have changed.
_METHODS = {
    RPNHead: ("_get_bboxes_single", "_bbox_post_process"),
    StandardRoIHead: ("simple_test", "simple_test_bboxes", "_bbox_forward"),
    SingleRoIExtractor: ("map_roi_levels",),
    DeltaXYWHBBoxCoder: ("decode",),
}
