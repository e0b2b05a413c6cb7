"""Average precision and recall in the COCO protocol."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .coco_api import coco_eval_classes

AP_NAMES = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")
_AREAS = {"s": 1, "m": 2, "l": 3}
_MAP_DETECTIONS = 100  # mAP counts at most so many detections per image, whatever max_dets is


@dataclass(frozen=True)
class CocoScores:
    """Scores of one evaluation; -1 where no object of the kind is annotated.

    Attributes:
        scores: ``mAP``, ``mAP_50``, ``mAP_75``, ``mAP_s``, ``mAP_m``, ``mAP_l``; ``AR@<n>`` for
            each number of detections per image; ``AR_s@<n>``, ``AR_m@<n>``, ``AR_l@<n>`` for the
            largest.
        class_aps: mAP of each category, ``(C,)``; NaN where nothing is annotated.
    """

    scores: dict[str, float]
    class_aps: np.ndarray


def coco_average_precision(
    ground_truth: dict[str, list[dict]],
    detections: list[dict],
    *,
    iou_type: str = "bbox",
    cat_ids: Sequence[int],
    max_dets: Sequence[int] = (100, 300, 1000),
    iou_thrs: Sequence[float] | None = None,
) -> CocoScores:
    """Evaluate detections in the COCO protocol.

    Args:
        ground_truth: ``images``, ``annotations`` and ``categories`` in the COCO format. The dicts
            are written to: hand in copies.
        detections: Dicts of ``image_id``, ``category_id``, ``score``, and ``bbox`` (x, y, w, h)
            or, for masks, ``segmentation`` (compressed RLE). They are written to.
        iou_type: ``'bbox'`` or ``'segm'``.
        cat_ids: Categories to evaluate.
        max_dets: Numbers of detections per image and category that count.
        iou_thrs: IoU thresholds; None takes 0.5, 0.55, ..., 0.95.

    Reference: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the detection
        evaluation of cocodataset.org.
    """
    coco_class, eval_class = coco_eval_classes()
    # both libraries mark objects without a match with id 0, so ids of annotations start at 1
    annotations = [{**ann, "id": i} for i, ann in enumerate(ground_truth["annotations"], 1)]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        target = _coco(coco_class, {**ground_truth, "annotations": annotations})
        if detections:
            found = target.loadRes(detections)
        else:
            found = _coco(coco_class, {**ground_truth, "annotations": []})
        evaluation = eval_class(target, found, iou_type)
        evaluation.params.catIds = sorted(cat_ids)
        evaluation.params.imgIds = sorted(img["id"] for img in ground_truth["images"])
        evaluation.params.maxDets = sorted(max_dets)
        if iou_thrs is not None:
            evaluation.params.iouThrs = np.asarray(iou_thrs, np.float64)
        evaluation.evaluate()
        evaluation.accumulate()
    return _summary(evaluation, cat_ids)


def _coco(coco_class: type, content: dict) -> Any:
    coco = coco_class()
    coco.dataset = content
    coco.createIndex()
    return coco


def _summary(evaluation: Any, cat_ids: Sequence[int]) -> CocoScores:
    """Scores from the arrays of the evaluation.

    The libraries disagree in their own summaries about which detections count for mAP; this is
    the definition of pycocotools.
    """
    # (thresholds, recalls, categories, areas, max_dets) and the same without recalls
    precision = np.asarray(evaluation.eval["precision"])
    recall = np.asarray(evaluation.eval["recall"])
    iou_thrs, max_dets = evaluation.params.iouThrs, list(evaluation.params.maxDets)
    map_index = max_dets.index(_MAP_DETECTIONS) if _MAP_DETECTIONS in max_dets else -1
    scores = {"mAP": _mean(precision[..., 0, map_index])}
    for name, threshold in (("mAP_50", 0.5), ("mAP_75", 0.75)):
        scores[name] = _mean(precision[np.isclose(iou_thrs, threshold)][..., 0, -1])
    for area, index in _AREAS.items():
        scores[f"mAP_{area}"] = _mean(precision[..., index, -1])
    for i, count in enumerate(max_dets):
        scores[f"AR@{count}"] = _mean(recall[..., 0, i])
    for area, index in _AREAS.items():
        scores[f"AR_{area}@{max_dets[-1]}"] = _mean(recall[..., index, -1])
    order = np.argsort(np.argsort(cat_ids))
    aps = [_mean(precision[:, :, i, 0, -1]) for i in order]
    return CocoScores(scores, np.array([np.nan if ap < 0 else ap for ap in aps]))


def _mean(values: np.ndarray) -> float:
    """Mean of the values that exist; -1 if there are none."""
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0
