"""Average precision and recall in the COCO protocol."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .coco_api import coco_eval_classes

AP_NAMES = ("mAP", "mAP_50", "mAP_75", "mAP_s", "mAP_m", "mAP_l")
_AREAS = {"s": 1, "m": 2, "l": 3}
MAP_DETECTIONS = 100  # mAP counts at most so many detections per image, whatever max_dets is


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
    evaluation = evaluate_coco(
        ground_truth, detections, iou_type=iou_type, cat_ids=cat_ids, max_dets=max_dets,
        iou_thrs=iou_thrs,
    )  # fmt: skip
    return summarize_coco(evaluation, cat_ids)


def evaluate_coco(
    ground_truth: dict[str, list[dict]],
    detections: list[dict],
    *,
    iou_type: str,
    cat_ids: Sequence[int],
    max_dets: Sequence[int],
    iou_thrs: Sequence[float] | None = None,
    area_groups: int | None = None,
) -> Any:
    """Match detections with objects and accumulate the precision.

    Args:
        ground_truth: As of ``coco_average_precision``.
        detections: As there.
        iou_type: As there.
        cat_ids: As there.
        max_dets: As there.
        iou_thrs: As there.
        area_groups: ``G``: the ``area`` of objects is the number of a group from 1 to ``G``,
            instead of pixels, and these groups are evaluated in the place of small, medium and
            large ones. Objects of other groups are ignored, and so are detections that match
            them; a detection that matches nothing is wrong in every group.

    Returns:
        The ``COCOeval`` after ``accumulate``: ``eval['precision']`` is ``(thresholds, recalls,
        categories, areas, max_dets)``.
    """
    coco_class, eval_class = coco_eval_classes()
    # both libraries mark objects without a match with id 0, so ids of annotations start at 1
    annotations = [{**ann, "id": i} for i, ann in enumerate(ground_truth["annotations"], 1)]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        target = coco_from_dict(coco_class, {**ground_truth, "annotations": annotations})
        if detections:
            found = target.loadRes(detections)
        else:
            found = coco_from_dict(coco_class, {**ground_truth, "annotations": []})
        evaluation = eval_class(target, found, iou_type)
        evaluation.params.catIds = sorted(cat_ids)
        evaluation.params.imgIds = sorted(img["id"] for img in ground_truth["images"])
        evaluation.params.maxDets = sorted(max_dets)
        if iou_thrs is not None:
            evaluation.params.iouThrs = np.asarray(iou_thrs, np.float64)
        if area_groups is not None:
            evaluation.params.areaRng = [[g - 0.5, g + 0.5] for g in range(1, area_groups + 1)]
            evaluation.params.areaRngLbl = [str(g) for g in range(1, area_groups + 1)]
            for detection in found.dataset["annotations"]:
                detection["area"] = math.nan  # outside of no range: it belongs to every group
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def coco_from_dict(coco_class: type, content: dict) -> Any:
    """An object of a ``COCO`` class with the given content."""
    coco = coco_class()
    coco.dataset = content
    coco.createIndex()
    return coco


def summarize_coco(evaluation: Any, cat_ids: Sequence[int]) -> CocoScores:
    """Scores of a ``COCOeval`` after ``accumulate``.

    The libraries disagree in their own summaries about which detections count for mAP; this is
    the definition of pycocotools.
    """
    # (thresholds, recalls, categories, areas, max_dets) and the same without recalls
    precision = np.asarray(evaluation.eval["precision"])
    recall = np.asarray(evaluation.eval["recall"])
    iou_thrs, max_dets = evaluation.params.iouThrs, list(evaluation.params.maxDets)
    map_index = max_dets.index(MAP_DETECTIONS) if MAP_DETECTIONS in max_dets else -1
    scores = {"mAP": mean_of_existing(precision[..., 0, map_index])}
    for name, threshold in (("mAP_50", 0.5), ("mAP_75", 0.75)):
        scores[name] = mean_of_existing(precision[np.isclose(iou_thrs, threshold)][..., 0, -1])
    for area, index in _AREAS.items():
        scores[f"mAP_{area}"] = mean_of_existing(precision[..., index, -1])
    for i, count in enumerate(max_dets):
        scores[f"AR@{count}"] = mean_of_existing(recall[..., 0, i])
    for area, index in _AREAS.items():
        scores[f"AR_{area}@{max_dets[-1]}"] = mean_of_existing(recall[..., index, -1])
    order = np.argsort(np.argsort(cat_ids))
    aps = [mean_of_existing(precision[:, :, i, 0, -1]) for i in order]
    return CocoScores(scores, np.array([np.nan if ap < 0 else ap for ap in aps]))


def mean_of_existing(values: np.ndarray) -> float:
    """Mean of the values that exist; -1 if there are none."""
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0
