"""Average precision of slow, medium and fast objects in videos.

Reference: Zhu et al., "Flow-Guided Feature Aggregation for Video Object Detection", ICCV 2017,
section 5.1: objects are grouped by their motion IoU, the overlap of an object with itself in the
neighbouring frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from terminaltables import AsciiTable

from mmtrack.core.bbox import bbox_iou

from .coco_ap import MAP_DETECTIONS, evaluate_coco, mean_of_existing

SPEEDS = ("slow", "medium", "fast")
_SLOW_ABOVE, _FAST_BELOW = 0.9, 0.7
_NEIGHBOURS = 10  # frames before and after


@dataclass(frozen=True)
class SpeedScores:
    """Scores by speed; -1 where no object of the kind is annotated.

    Attributes:
        scores: ``mAP_slow``, ``mAP_medium``, ``mAP_fast`` and, where 0.5 is one of the IoU
            thresholds, ``mAP_50_slow``, ``mAP_50_medium``, ``mAP_50_fast``.
        class_aps: AP of each category and speed, ``(C, 3)``; NaN where nothing is annotated.
        counts: Number of objects of each category and speed, ``(C, 3)``.
    """

    scores: dict[str, float]
    class_aps: np.ndarray
    counts: np.ndarray


def motion_ious(bboxes: np.ndarray, tracks: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Mean overlap of each box with the boxes of the same object up to 10 frames away.

    Args:
        bboxes: ``(N, 4)`` x, y, width, height.
        tracks: Object of each box, ``(N,)`` int, different in different videos.
        frames: Frame of each box, ``(N,)`` int.

    Returns:
        ``(N,)`` in [0, 1]; NaN for a box without any such neighbour.

    Example:
        >>> motion_ious(np.array([[0, 0, 2, 2], [1, 0, 2, 2]]), np.array([5, 5]), np.array([0, 3]))
        array([0.33333333, 0.33333333])
    """
    order = np.lexsort((frames, tracks))
    tracks, frames = np.asarray(tracks)[order], np.asarray(frames)[order]
    corners = np.array(bboxes, np.float64).reshape(-1, 4)[order]
    corners[:, 2:] += corners[:, :2]
    total, count = np.zeros(len(order)), np.zeros(len(order))
    # rows of an object are neighbours in order of frames: pair each row with the k-th after it
    for k in range(1, len(order)):
        near = tracks[k:] == tracks[:-k]
        near &= frames[k:] - frames[:-k] <= _NEIGHBOURS
        if not near.any():
            break
        # an object that is annotated twice in a frame is no neighbour of itself
        first = np.flatnonzero(near & (frames[k:] > frames[:-k]))
        ious = bbox_iou(corners[first], corners[first + k], aligned=True)
        for rows in (first, first + k):
            total[rows] += ious
            count[rows] += 1
    means = np.full(len(order), np.nan)
    means[order] = np.divide(total, count, out=np.full(len(order), np.nan), where=count > 0)
    return means


def speed_groups(motion: np.ndarray) -> np.ndarray:
    """Group of each object: 1 slow (above 0.9), 2 medium, 3 fast (below 0.7), 0 unknown.

    Args:
        motion: Motion IoUs ``(N,)``; NaN where unknown.
    """
    groups = np.where(motion > _SLOW_ABOVE, 1, np.where(motion < _FAST_BELOW, 3, 2))
    return np.where(np.isnan(motion), 0, groups)


def speed_average_precision(
    ground_truth: dict[str, list[dict]],
    motion: np.ndarray,
    detections: list[dict],
    *,
    cat_ids: Sequence[int],
    iou_thrs: Sequence[float] | None = None,
) -> SpeedScores:
    """Evaluate boxes in the COCO protocol for each speed of objects.

    For one speed, objects of the others (and those whose speed is unknown, because they are seen
    in a single frame) are ignored with the detections that match them. Detections that match
    nothing are wrong for every speed, so that the scores are comparable to the mAP of a data
    set with objects of this speed alone.

    Args:
        ground_truth: As of ``coco_average_precision``.
        motion: Motion IoU of each annotation, ``(N,)``.
        detections: As of ``coco_average_precision``.
        cat_ids: Categories to evaluate.
        iou_thrs: IoU thresholds; None takes 0.5, 0.55, ..., 0.95.
    """
    annotations = ground_truth["annotations"]
    crowd = np.array([bool(ann.get("iscrowd", False)) for ann in annotations], bool)
    groups = np.where(crowd, 0, speed_groups(motion))
    coded = [{**ann, "area": int(group)} for ann, group in zip(annotations, groups, strict=True)]
    evaluation = evaluate_coco(
        {**ground_truth, "annotations": coded}, detections, iou_type="bbox", cat_ids=cat_ids,
        max_dets=(MAP_DETECTIONS,), iou_thrs=iou_thrs, area_groups=len(SPEEDS),
    )  # fmt: skip
    # (thresholds, recalls, categories, speeds)
    precision = np.asarray(evaluation.eval["precision"])[..., -1]
    half = np.isclose(evaluation.params.iouThrs, 0.5)
    scores = {f"mAP_{s}": mean_of_existing(precision[..., i]) for i, s in enumerate(SPEEDS)}
    if half.any():
        for i, speed in enumerate(SPEEDS):
            scores[f"mAP_50_{speed}"] = mean_of_existing(precision[half][..., i])
    order = np.argsort(np.argsort(cat_ids))
    aps = [[mean_of_existing(precision[:, :, c, i]) for i in range(len(SPEEDS))] for c in order]
    aps = np.array(aps, np.float64).reshape(-1, len(SPEEDS))
    labels = np.array([ann["category_id"] for ann in annotations], np.int64)
    counts = [
        [np.count_nonzero((labels == c) & (groups == g + 1)) for g in range(len(SPEEDS))]
        for c in cat_ids
    ]
    return SpeedScores(scores, np.where(aps < 0, np.nan, aps), np.array(counts).reshape(-1, 3))


def speed_table(found: SpeedScores, classes: Sequence[str] | None = None) -> str:
    """Scores by speed as a text table.

    Args:
        found: The scores.
        classes: Names of the categories for a row each; None shows the means alone.
    """
    rows = [["", *SPEEDS]]
    for index, name in enumerate(classes or ()):
        rows.append([f"AP {name}", *(f"{ap:.3f}" for ap in found.class_aps[index])])
    for prefix in ("mAP", "mAP_50"):
        if f"{prefix}_{SPEEDS[0]}" in found.scores:
            rows.append([prefix, *(f"{found.scores[f'{prefix}_{s}']:.4f}" for s in SPEEDS)])
    rows.append(["objects", *found.counts.sum(axis=0).tolist()])
    return AsciiTable(rows).table
