"""Which detections an evaluation in the COCO protocol took for right, one by one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .coco_ap import MAP_DETECTIONS, coco_from_dict
from .mot_errors import CORRECT, FALSE_POSITIVE, FIRST_ERROR, MISS, NO_ID, NOT_COUNTED


@dataclass(frozen=True)
class CocoMatches:
    """Matches at one IoU threshold; D detections and G objects in the order of their lists.

    Attributes:
        detections: ``(D,)`` uint8: 0 not counted (on a crowd, or beyond the 100 best of an image),
            1 matched, 2 false positive.
        objects: ``(G,)`` uint8: 0 not counted (a crowd, or of another category), 1 found, 3 missed
            by all detections.
        partners: Object of each detection, ``(D,)`` int64, -1 for none.
        found_scores: Score of the detection that found an object, ``(G,)``, NaN where none did.
            Detections are matched in the order of their scores: with a higher score threshold
            exactly the objects with a lower value are missed too.
    """

    detections: np.ndarray
    objects: np.ndarray
    partners: np.ndarray
    found_scores: np.ndarray


def match_detections(
    ground_truth: dict[str, list[dict]],
    detections: list[dict],
    *,
    cat_ids: Sequence[int],
    iou_thr: float = 0.5,
) -> CocoMatches:
    """Match boxes as the evaluation of ``coco_average_precision`` does at one threshold.

    pycocotools is used, also where a faster library computes the scores: only it tells what it
    matched.

    Args:
        ground_truth: As of ``coco_average_precision``.
        detections: As there.
        cat_ids: As there.
        iou_thr: Least IoU of a match.
    """
    annotations = [{**ann, "id": i} for i, ann in enumerate(ground_truth["annotations"], 1)]
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        target = coco_from_dict(COCO, {**ground_truth, "annotations": annotations})
        if detections:
            found = target.loadRes(detections)
        else:
            found = coco_from_dict(COCO, {**ground_truth, "annotations": []})
        evaluation = COCOeval(target, found, "bbox")
        params = evaluation.params
        params.catIds, params.maxDets = sorted(cat_ids), [MAP_DETECTIONS]
        params.imgIds = sorted(img["id"] for img in ground_truth["images"])
        params.iouThrs = np.array([iou_thr])
        params.areaRng, params.areaRngLbl = params.areaRng[:1], params.areaRngLbl[:1]
        evaluation.evaluate()
    scores = np.array([detection["score"] for detection in detections], np.float64)
    return read_matches(evaluation, len(annotations), scores)


def read_matches(evaluation: Any, num_objects: int, scores: np.ndarray) -> CocoMatches:
    """Matches of a pycocotools ``COCOeval`` after ``evaluate``, at its first threshold.

    Args:
        evaluation: Its objects and detections have the ids 1, 2, 3, ...
        num_objects: ``G``.
        scores: Score of each detection, ``(D,)``.
    """
    found = np.full(len(scores), NOT_COUNTED, np.uint8)
    objects = np.full(num_objects, NOT_COUNTED, np.uint8)
    partners = np.full(len(scores), NO_ID)
    found_scores = np.full(num_objects, np.nan)
    whole_range = evaluation.params.areaRng[0]
    for part in evaluation.evalImgs:
        if part is None or list(part["aRng"]) != list(whole_range):
            continue
        rows = np.array(part["dtIds"], np.int64) - 1
        matched = part["dtMatches"][0].astype(np.int64) - 1
        counted = ~part["dtIgnore"][0].astype(bool)
        right = counted & (matched >= 0)
        found[rows[counted & (matched < 0)]] = FIRST_ERROR + FALSE_POSITIVE
        found[rows[right]] = CORRECT
        partners[rows[right]] = matched[right]
        wanted = np.array(part["gtIds"], np.int64)[~part["gtIgnore"].astype(bool)] - 1
        objects[wanted] = FIRST_ERROR + MISS
        objects[matched[right]] = CORRECT
        found_scores[matched[right]] = scores[rows[right]]
    return CocoMatches(found, objects, partners, found_scores)
