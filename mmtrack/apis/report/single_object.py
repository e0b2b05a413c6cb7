"""Single object tracking: one box per frame, scored by overlap and distance, or as VOT does."""

from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmtrack.core.bbox import bbox_iou
from mmtrack.core.evaluation.mot_errors import CORRECT, FIRST_ERROR, NOT_COUNTED
from mmtrack.core.evaluation.sot import OPECurves, ope_curves
from mmtrack.core.evaluation.sot.ope import (
    NORM_PRECISION_THRESHOLDS,
    PRECISION_THRESHOLDS,
    SUCCESS_THRESHOLDS,
)
from mmtrack.core.visualization import read_image
from mmtrack.core.visualization.report import (
    BoxColumns,
    Chart,
    Column,
    ErrorKind,
    Report,
    ScoreTable,
    Video,
)
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from mmtrack.datasets.sot_results import video_names

OVERALL = "OVERALL"
LOW_OVERLAP = 0.5
LOST, LOW = range(2)
KINDS = (
    ErrorKind("LOST", "no overlap with the object", (0, 0, 230)),
    ErrorKind("LOW", f"overlap of at most {LOW_OVERLAP:g}", (0, 215, 255)),
)
COLUMNS = (
    Column("success", "area under the success curve", percent=True),
    Column("norm_precision", "frames within 0.2 sizes of the box", percent=True),
    Column("precision", "frames within 20 pixels", percent=True),
    Column("frames", "frames of the video", digits=0, better=""),
    Column("lost", "frames without overlap", digits=0, better="low"),
)
NOTE = "Frames in which the object is not visible or has no box count in the scores as misses; "
NOTE += "they are not marked as errors here."


def sot_report(
    base: Report, dataset: BaseSOTDataset, boxes: Sequence[np.ndarray], *, truth: bool = True
) -> Report:
    """Fill a report with results of the one-pass evaluation.

    Args:
        base: Title and facts of the report.
        dataset: The data set.
        boxes: Results of each video, ``(N, 4)`` or ``(N, 5)`` with the score, x1y1x2y2.
        truth: Whether the boxes of all frames are annotated; False shows results alone.
    """
    infos = [dataset.get_ann_infos_from_video(i) for i in range(len(boxes))] if truth else []
    names = video_names(dataset)
    videos = [
        _video(dataset, v, names[v], rows, infos[v] if infos else None)
        for v, rows in enumerate(boxes)
    ]
    base = replace(base, task="SOT", classes=("object",), videos=videos)
    if not truth:
        return base
    visible = [info["visible"] for info in infos] if dataset.only_eval_visible else None
    found = [np.asarray(rows)[:, :4] for rows in boxes]
    curves = ope_curves(found, [info["bboxes"] for info in infos], visible)
    videos = [
        replace(video, charts=_charts(curves, slice(v, v + 1), video.name))
        for v, video in enumerate(videos)
    ]
    rows = {video.name: _row(curves, slice(v, v + 1), [video]) for v, video in enumerate(videos)}
    rows[OVERALL] = _row(curves, slice(None), videos)
    return replace(
        base,
        kinds=KINDS,
        headline=list(zip(COLUMNS[:3], rows[OVERALL][:3], strict=True)),
        tables=[
            ScoreTable("Scores", COLUMNS, rows, {v.name: i for i, v in enumerate(videos)}, OVERALL)
        ],
        charts=_charts(curves, slice(None), "all videos"),
        videos=videos,
        notes=[*base.notes, NOTE],
    )


def _row(curves: OPECurves, part: slice, videos: Sequence[Video]) -> list[float]:
    own = OPECurves(curves.success[part], curves.norm_precision[part], curves.precision[part])
    scores = own.scores()
    lost = sum(int((v.results.states == FIRST_ERROR + LOST).sum()) for v in videos)
    length = sum(len(video.frame_numbers) for video in videos)
    return [*(scores[c.name] / 100 for c in COLUMNS[:3]), length, lost]


def _charts(curves: OPECurves, part: slice, what: str) -> list[Chart]:
    """Success and both precisions of some videos."""
    shown = (
        ("Success", "overlap above", SUCCESS_THRESHOLDS, curves.success),
        ("Precision", "distance within, pixels", PRECISION_THRESHOLDS, curves.precision),
        ("Normalised precision", "distance within, box sizes", NORM_PRECISION_THRESHOLDS,
         curves.norm_precision),
    )  # fmt: skip
    return [
        Chart(f"{title}, {what}", axis, "share of frames", x, {title: rates[part].mean(axis=0)})
        for title, axis, x, rates in shown
    ]


def _video(
    dataset: BaseSOTDataset,
    number: int,
    name: str,
    rows: np.ndarray,
    info: dict[str, np.ndarray] | None,
) -> Video:
    """Boxes of one video; the truth and overlaps where it is annotated."""
    rows = np.asarray(rows, np.float64)
    count = len(rows)
    scores = rows[:, 4] if rows.shape[1] > 4 else np.ones(count)
    paths = [osp.join(dataset.img_prefix, dataset.frame_name(number, f)) for f in range(count)]
    states, over_time, truth = np.full(count, NOT_COUNTED, np.uint8), {}, None
    if info is not None:
        overlaps = overlap_of_frames(rows[:, :4], info)
        states = _states(overlaps)
        over_time = {"overlap": overlaps}
        truth = _truth(info["bboxes"], states)
    frames = np.arange(count)
    return Video(
        name=name,
        size=_size(paths, rows, info),
        frame_numbers=frames + 1,
        results=BoxColumns.make(
            frames,
            rows[:, :4],
            ids=np.zeros(count, np.int64),
            scores=scores,
            states=states,
            partners=np.where(states == NOT_COUNTED, -1, 0),
        ),
        truth=truth,
        over_time=over_time,
        picture_paths=paths,
    )


def overlap_of_frames(boxes: np.ndarray, info: dict[str, np.ndarray]) -> np.ndarray:
    """IoU of each frame, ``(N,)``; NaN where the object is not visible or has no box.

    Args:
        boxes: Results, ``(N, 4)``.
        info: Annotations of the video.
    """
    judged = info["bboxes_isvalid"] & info["visible"]
    overlaps = np.full(len(boxes), np.nan)
    overlaps[judged] = bbox_iou(boxes[judged], info["bboxes"][judged], aligned=True)
    return overlaps


def _states(overlaps: np.ndarray) -> np.ndarray:
    states = np.full(len(overlaps), NOT_COUNTED, np.uint8)
    states[overlaps > LOW_OVERLAP] = CORRECT
    states[overlaps <= LOW_OVERLAP] = FIRST_ERROR + LOW
    states[overlaps == 0] = FIRST_ERROR + LOST
    return states


def _truth(boxes: np.ndarray, states: np.ndarray) -> BoxColumns:
    """The object in the frames where it has a box."""
    rows = np.flatnonzero(
        np.isfinite(boxes).all(axis=1) & (boxes[:, 2:4] > boxes[:, :2]).all(axis=1)
    )
    seen = states[rows] != NOT_COUNTED
    return BoxColumns.make(
        rows,
        boxes[rows, :4],
        ids=np.zeros(len(rows), np.int64),
        states=np.where(seen, CORRECT, NOT_COUNTED).astype(np.uint8),
        partners=np.where(states[rows] == CORRECT, 0, -1),
    )


def _size(
    paths: Sequence[str], rows: np.ndarray, info: dict[str, np.ndarray] | None
) -> tuple[int, int]:
    """Width and height of the first frame; just around all boxes where it is missing."""
    if osp.isfile(paths[0]):
        height, width = read_image(paths[0]).shape[:2]
        return width, height
    ends = [rows[:, 2:4]] if info is None else [rows[:, 2:4], info["bboxes"][:, 2:4]]
    width, height = np.ceil(np.nanmax(np.concatenate(ends), axis=0)).astype(int)
    return max(1, int(width)), max(1, int(height))


def read_scored_boxes(dataset: BaseSOTDataset, results: dict[str, Any]) -> list[np.ndarray]:
    """Boxes with scores ``(N, 5)`` of each video from raw results.

    Raises:
        ValueError: results of other videos, or no boxes.
    """
    boxes = dataset.boxes_by_video(results)
    scores = np.array([row[-1] for row in results["track_bboxes"]], np.float64)
    cuts = np.cumsum([len(video) for video in boxes])[:-1]
    return [
        np.concatenate((video, own[:, None]), axis=1)
        for video, own in zip(boxes, np.split(scores, cuts), strict=True)
    ]
