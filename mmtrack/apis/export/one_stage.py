"""Graphs of detectors with one stage."""

from __future__ import annotations

import numpy as np
import torch
from mmdet.core.bbox.coder import DeltaXYWHBBoxCoder
from mmdet.models.dense_heads import AnchorHead
from torch import nn

from .boxes import (
    NO_SCORE,
    best_first,
    clip_to_image,
    decode_boxes,
    nms_settings,
    rows_of,
    suppress_classes,
)
from .known_parts import require_coder, require_kind


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
        self.iou_threshold, self.per_class = nms_settings(cfg["nms"])
        # The detector keeps scores equal to the threshold, the operator those above. The step is
        # one of float32, as the scores; below zero no step is left once it is rounded.
        below = np.nextafter(np.float32(cfg["score_thr"]), np.float32(-1))
        self.score_threshold = float(below) if cfg["score_thr"] > 0 else NO_SCORE / 2

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes ``(K, 5)``, x1y1x2y2 and score, and labels ``(K,)`` of ``image (1, 3, H, W)``."""
        head = self.detector.bbox_head
        class_maps, box_maps, object_maps = head(self.detector.extract_feat(image))
        priors = head.prior_generator.grid_priors(
            [m.shape[-2:] for m in class_maps], image.dtype, image.device, with_stride=True
        )
        bboxes = head._bbox_decode(torch.cat(priors), rows_of(box_maps, 4)[None])[0]
        scores, labels = rows_of(class_maps, head.cls_out_channels).sigmoid().max(dim=1)
        scores = scores * rows_of(object_maps, 1)[:, 0].sigmoid()
        classes = head.cls_out_channels if self.per_class else 1
        kept = suppress_classes(
            bboxes, scores, labels, classes, self.iou_threshold, self.score_threshold
        )
        return best_first(bboxes[kept], scores[kept], labels[kept], limit=None)


class AnchorGraph(nn.Module):
    """RetinaNet, and other detectors whose head predicts classes and boxes of anchors.

    Args:
        detector: A detector of mmdet with an ``AnchorHead``.

    Raises:
        ValueError: a part is of another kind than those this graph knows.
    """

    def __init__(self, detector: nn.Module):
        super().__init__()
        head = detector.bbox_head
        require_kind(head, AnchorHead, "bbox_head")
        require_kind(head.bbox_coder, DeltaXYWHBBoxCoder, "bbox_head.bbox_coder")
        require_coder(head.bbox_coder)
        self.detector = detector
        self.clips = head.bbox_coder.clip_border
        self.cfg = head.test_cfg
        self.iou_threshold, self.per_class = nms_settings(self.cfg["nms"])
        self.most = self.cfg.get("nms_pre", -1)
        if self.most <= 0:
            raise ValueError(
                "model.detector.test_cfg has no nms_pre: set how many boxes of a level are kept, "
                "for example 1000"
            )

    def forward(
        self, image: torch.Tensor, img_shape: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes and labels as of :class:`YOLOXGraph`, inputs as of ``TwoStageGraph``."""
        head = self.detector.bbox_head
        class_maps, delta_maps = head(self.detector.extract_feat(image))
        priors = head.prior_generator.grid_priors(
            [m.shape[-2:] for m in class_maps], class_maps[0].dtype, image.device
        )
        levels = zip(class_maps, delta_maps, priors, strict=True)
        found = zip(*(self._best_of_level(*level) for level in levels), strict=True)
        places, deltas, scores, labels = map(torch.cat, found)
        limits = None if img_shape is None else img_shape.flip(0).repeat(2)
        bboxes = decode_boxes(head.bbox_coder, places, deltas)
        bboxes = clip_to_image(head.bbox_coder, bboxes, limits)
        classes = head.num_classes if self.per_class else 1
        kept = suppress_classes(
            bboxes, scores, labels, classes, self.iou_threshold, self.cfg["score_thr"]
        )
        return best_first(bboxes[kept], scores[kept], labels[kept], limit=self.cfg["max_per_img"])

    def _best_of_level(
        self, class_map: torch.Tensor, delta_map: torch.Tensor, priors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Anchors ``(K, 4)``, their deltas, scores and labels ``(K,)``, K of ``nms_pre``.

        An anchor may be there several times, with different labels.
        """
        head = self.detector.bbox_head
        scores = rows_of([class_map], head.cls_out_channels)
        scores = scores.sigmoid() if head.use_sigmoid_cls else scores.softmax(dim=1)[:, :-1]
        # Padded, so that there are enough on small maps too; what has no score is dropped later.
        padded = nn.functional.pad(scores.flatten(), (0, self.most), value=NO_SCORE)
        values, order = padded.topk(self.most)
        # shape[0], since len() is a constant to the exporter
        place = (order // head.num_classes).clamp(max=priors.shape[0] - 1)
        return (
            priors[place], rows_of([delta_map], 4)[place], values, order % head.num_classes,
        )  # fmt: skip
