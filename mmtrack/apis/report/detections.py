"""Detections in videos, scored by average precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmtrack.core.evaluation.coco_ap import coco_average_precision, evaluate_coco, mean_of_existing
from mmtrack.core.evaluation.coco_matches import CocoMatches, match_detections
from mmtrack.core.evaluation.vid_speed import SPEEDS, SpeedScores
from mmtrack.core.visualization.report import (
    BoxColumns,
    Chart,
    Column,
    ErrorKind,
    Report,
    ScoreTable,
    Video,
)
from mmtrack.datasets import CocoVideoDataset
from mmtrack.datasets.tao_results import DETECTION_WIDTH

from .frames import frames_of_dataset
from .least_score import best_least_score, note_on_least_score
from .mot import KINDS as TRACK_KINDS
from .mot import count, partner_ids
from .video_tracks import OVERALL, result_boxes

KINDS: tuple[ErrorKind, ...] = TRACK_KINDS[:2]  # detections have no identity to switch
SHOWN_IOU = 0.5
AP = Column("mAP", "average precision, mean over IoU 0.50 to 0.95 and classes", 3)
AP_50 = Column("mAP_50", "average precision at IoU 0.50", 3)
AP_75 = Column("mAP_75", "average precision at IoU 0.75", 3)
COLUMNS = (AP, AP_50, AP_75, count("objects", "annotated boxes", ""))
NOTE = (
    f"Boxes are right or wrong at IoU {SHOWN_IOU:g} as pycocotools matched them; the least score "
    "decides which detections count, and objects found only by weaker ones are missed. Scores in "
    "the tables use all detections. The score of one video is the mean over the classes that "
    "occur in it."
)
_RECALLS = np.linspace(0, 1, 101)


def detection_report(
    base: Report, dataset: CocoVideoDataset, results: dict | list, options: Mapping[str, Any]
) -> Report:
    """Fill a report with detections.

    Args:
        base: Title, facts and classes of the report.
        dataset: The data set.
        results: Of a test run, with ``det_bboxes``.
        options: ``bbox_kwargs`` of the evaluation; ``iou_thrs`` and ``proposal_nums`` matter.
    """
    truth, detections = dataset.detection_inputs(results)
    settings: dict[str, Any] = {"cat_ids": dataset.cat_ids}
    settings["max_dets"] = tuple(options.get("proposal_nums") or (100, 300, 1000))
    thresholds = options.get("iou_thrs")
    settings["iou_thrs"] = [thresholds] if isinstance(thresholds, float) else thresholds
    overall = coco_average_precision(truth, detections, **settings)
    speeds = None
    if hasattr(dataset, "speed_scores"):
        speeds = dataset.speed_scores(detections, thresholds)
    names = dataset.category_names()
    videos = _videos(dataset, results, truth, detections)
    rows = _video_rows(dataset, videos, truth, detections, settings)
    least_score = best_least_score(videos)
    rows[OVERALL] = _row(overall.scores, len(truth["annotations"]))
    places = {video.name: v for v, video in enumerate(videos)}
    charts = [_precision_recall(truth, detections, dataset.cat_ids)]
    charts.append(class_chart(names, overall.class_aps))
    if speeds is not None:
        by_speed = np.array([speeds.scores[f"mAP_{s}"] for s in SPEEDS])
        charts.append(Chart("AP by speed", "", "mAP", SPEEDS, {"mAP": _defined(by_speed)}, "bars"))
    return replace(
        base,
        task="VID",
        kinds=KINDS,
        headline=[
            *((c, _defined(overall.scores[c.name])) for c in (AP, AP_50, AP_75)),
            *_speed_headline(speeds),
        ],
        tables=[
            ScoreTable("Scores of detections", COLUMNS, rows, places, OVERALL),
            _class_table(names, overall.class_aps, speeds, truth, dataset.cat_ids),
        ],
        charts=charts,
        videos=videos,
        notes=[*base.notes, NOTE, *note_on_least_score(least_score)],
        least_score=least_score,
    )


def class_chart(names: Sequence[str], aps: np.ndarray) -> Chart:
    """AP of the classes that are annotated.

    Args:
        names: Names of the classes.
        aps: AP of each class, ``(C,)``, NaN where nothing is annotated.
    """
    shown = np.flatnonzero(np.isfinite(aps))
    labels = [names[k] for k in shown]
    return Chart("AP of classes", "", "mAP", labels, {"mAP": aps[shown]}, "bars")


def _defined(scores: Any) -> Any:
    """NaN in the place of -1, which means that no such object is annotated."""
    return np.where(np.asarray(scores) < 0, np.nan, scores)[()]


def _row(scores: Mapping[str, float], num_objects: int) -> list[float]:
    return [*(float(_defined(scores[c.name])) for c in (AP, AP_50, AP_75)), num_objects]


def _speed_headline(speeds: SpeedScores | None) -> list[tuple[Column, float]]:
    if speeds is None:
        return []
    return [
        (Column(f"mAP_{s}", f"mAP of {s} objects", 3), float(_defined(speeds.scores[f"mAP_{s}"])))
        for s in SPEEDS
    ]


def _class_table(
    names: Sequence[str],
    aps: np.ndarray,
    speeds: SpeedScores | None,
    truth: dict[str, list[dict]],
    cat_ids: Sequence[int],
) -> ScoreTable:
    """AP of every class, of all objects and by speed."""
    columns = [AP, count("objects", "annotated boxes", "")]
    labels = np.array([ann["category_id"] for ann in truth["annotations"]], np.int64)
    rows = {
        n: [aps[k], int((labels == c).sum())]
        for k, (n, c) in enumerate(zip(names, cat_ids, strict=True))
    }
    if speeds is not None:
        for i, speed in enumerate(SPEEDS):
            columns.append(Column(speed, f"mAP of {speed} objects", 3))
            for k, name in enumerate(names):
                rows[name].append(speeds.class_aps[k, i])
    annotated = {name: row for name, row in rows.items() if row[1]}
    return ScoreTable("Annotated classes", columns, annotated)


def _precision_recall(
    truth: dict[str, list[dict]], detections: list[dict], cat_ids: Sequence[int]
) -> Chart:
    """Precision over recall at IoU 0.5 and 0.75, mean over the classes."""
    lines = {}
    evaluation = evaluate_coco(
        truth, detections, iou_type="bbox", cat_ids=cat_ids, max_dets=(100,), iou_thrs=(0.5, 0.75)
    )
    # (thresholds, recalls, categories, areas, max_dets)
    precision = np.asarray(evaluation.eval["precision"])[..., 0, -1]
    for k, threshold in enumerate((0.5, 0.75)):
        means = [mean_of_existing(precision[k, r]) for r in range(len(_RECALLS))]
        lines[f"IoU {threshold:g}"] = _defined(np.array(means))
    return Chart("Precision and recall", "recall", "precision", _RECALLS, lines)


def _video_rows(
    dataset: CocoVideoDataset,
    videos: Sequence[Video],
    truth: dict[str, list[dict]],
    detections: list[dict],
    settings: Mapping[str, Any],
) -> dict[str, list[float]]:
    """Scores of every video by itself."""
    video_of = {
        dataset.img_ids[i]: v
        for v, group in enumerate(dataset.positions_of_videos())
        for i in group
    }
    parts: list[tuple[list, list, list]] = [([], [], []) for _ in videos]
    lists = (truth["images"], truth["annotations"], detections)
    for k, (entries, key) in enumerate(zip(lists, ("id", "image_id", "image_id"), strict=True)):
        for entry in entries:
            parts[video_of[entry[key]]][k].append(entry)
    rows = {}
    for video, (images, objects, own) in zip(videos, parts, strict=True):
        part = {**truth, "images": images, "annotations": [dict(ann) for ann in objects]}
        found = coco_average_precision(part, [dict(entry) for entry in own], **settings)
        rows[video.name] = _row(found.scores, len(objects))
    return rows


def _videos(
    dataset: CocoVideoDataset,
    results: dict | list,
    truth: dict[str, list[dict]],
    detections: list[dict],
) -> list[Video]:
    """Boxes of every video with what the evaluation matched."""
    matches = match_detections(
        {**truth, "annotations": [dict(ann) for ann in truth["annotations"]]},
        [dict(entry) for entry in detections],
        cat_ids=dataset.cat_ids,
        iou_thr=SHOWN_IOU,
    )
    per_image = results if isinstance(results, list) else results["det_bboxes"]
    anns = dataset.coco.load_anns(dataset.coco.get_ann_ids(img_ids=dataset.img_ids))
    place = {img_id: i for i, img_id in enumerate(dataset.img_ids)}
    gt_images = np.array([place[ann["image_id"]] for ann in truth["annotations"]], np.int64)
    gt_ids = np.array([ann.get("instance_id", -1) for ann in anns], np.int64)
    counts = [sum(len(rows) for rows in image) for image in per_image]
    images = np.repeat(np.arange(len(counts)), counts)
    videos = []
    for frames, group in zip(
        frames_of_dataset(dataset), dataset.positions_of_videos(), strict=True
    ):
        rows = np.flatnonzero(np.isin(images, group))
        gt_rows = np.flatnonzero(np.isin(gt_images, group))
        videos.append(
            Video(
                name=frames.name,
                size=frames.size,
                frame_numbers=frames.numbers,
                results=_found(per_image, group, matches, rows, gt_ids),
                truth=_objects(dataset, truth, gt_rows, gt_images - group[0], matches, gt_ids),
                picture_paths=frames.pictures,
            )
        )
    return videos


def _found(
    per_image: Sequence, group: np.ndarray, matches: CocoMatches, rows: np.ndarray, ids: np.ndarray
) -> BoxColumns:
    boxes = result_boxes([per_image[i] for i in group], DETECTION_WIDTH)
    boxes.states = matches.detections[rows]
    boxes.partners = partner_ids(matches.partners[rows], ids)
    return boxes.columns()


def _objects(
    dataset: CocoVideoDataset,
    truth: dict[str, list[dict]],
    rows: np.ndarray,
    frames: np.ndarray,
    matches: CocoMatches,
    ids: np.ndarray,
) -> BoxColumns:
    """Objects in some rows of the annotations; those of other classes are not shown."""
    categories = np.array([truth["annotations"][row]["category_id"] for row in rows])
    rows = rows[np.isin(categories, dataset.cat_ids)]
    anns = [truth["annotations"][row] for row in rows]
    boxes = np.array([ann["bbox"] for ann in anns], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return BoxColumns.make(
        frames[rows],
        boxes,
        ids=ids[rows],
        labels=np.array([dataset.cat2label[ann["category_id"]] for ann in anns], np.int64),
        states=matches.objects[rows],
        found_scores=matches.found_scores[rows],
    )
