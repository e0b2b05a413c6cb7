"""The protocol of VOT: a tracker that is started again after it lost its object."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmtrack.core.bbox.region import region_overlaps
from mmtrack.core.evaluation.mot_errors import CORRECT, FIRST_ERROR, NOT_COUNTED
from mmtrack.core.evaluation.sot import eval_sot_accuracy_robustness
from mmtrack.core.evaluation.sot.vot import FAILED
from mmtrack.core.visualization.report import BoxColumns, Column, Report, ScoreTable, Video
from mmtrack.datasets.sot_results import video_names
from mmtrack.datasets.sot_scoring import results_by_video
from mmtrack.datasets.vot_dataset import VOTDataset

from .single_object import KINDS, LOST, LOW, LOW_OVERLAP, OVERALL

COLUMNS = (
    Column("accuracy", "mean overlap while tracking", 3),
    Column("robustness", "failures per 100 frames", 2, better="low"),
    Column("num_fails", "failures", 0, better="low"),
    Column("frames", "frames of the video", 0, better=""),
)
EAO = Column("eao", "expected average overlap", 3)
NOTE = (
    "A frame in which the tracker failed is marked with the object's place. Between a failure and "
    "the next start there are no results."
)


def restart_report(
    base: Report, dataset: VOTDataset, results: dict[str, Any], scores: Mapping[str, float]
) -> Report:
    """Fill a report with results of the VOT protocol.

    Args:
        base: Title and facts of the report.
        dataset: The data set.
        results: Of a test run.
        scores: What ``dataset.evaluate`` says.
    """
    per_video = results_by_video(results, dataset.num_frames_per_video, str(dataset.ann_file))
    names = video_names(dataset)
    videos, rows = [], {}
    for v, found in enumerate(per_video):
        found = [np.asarray(row, np.float64).ravel() for row in found]
        truth = dataset.get_ann_infos_from_video(v)["bboxes"]
        size = dataset.video_size(v)
        videos.append(_video(dataset, v, names[v], found, truth))
        own = eval_sot_accuracy_robustness([_protocol(found)], [list(truth)], videos_wh=[size])
        rows[names[v]] = [*(own[c.name] for c in COLUMNS[:3]), len(found)]
    total = sum(dataset.num_frames_per_video)
    rows[OVERALL] = [*(scores[c.name] for c in COLUMNS[:3]), total]
    places = {name: v for v, name in enumerate(names)}
    return replace(
        base,
        task="SOT",
        classes=("object",),
        kinds=KINDS,
        headline=[(EAO, scores["eao"]), *((c, scores[c.name]) for c in COLUMNS[:3])],
        tables=[ScoreTable("Scores", COLUMNS, rows, places, OVERALL)],
        videos=videos,
        notes=[*base.notes, NOTE],
    )


def _protocol(found: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Regions x, y, width, height, or states, as the evaluation takes them."""
    return [
        row[:1] if len(row) == 2 else np.concatenate((row[:2], row[2:4] - row[:2])) for row in found
    ]


def _video(
    dataset: VOTDataset, number: int, name: str, found: Sequence[np.ndarray], truth: np.ndarray
) -> Video:
    """Boxes of the tracked frames; a failure is shown where the object is."""
    width, height = dataset.video_size(number)
    tracked = np.array([f for f, row in enumerate(found) if len(row) > 2], np.int64)
    failed = [f for f, row in enumerate(found) if len(row) == 2 and int(row[0]) == FAILED]
    failed = np.array(failed, np.int64)
    rows = np.array([found[f] for f in tracked], np.float64).reshape(-1, 5)
    overlaps = np.full(len(found), np.nan)
    if len(tracked):
        regions = np.concatenate((rows[:, :2], rows[:, 2:4] - rows[:, :2]), axis=1)
        overlaps[tracked] = region_overlaps(regions, truth[tracked], (width, height))
    states = np.where(overlaps[tracked] <= LOW_OVERLAP, FIRST_ERROR + LOW, CORRECT)
    around = _around(truth)
    frames = np.concatenate((tracked, failed))
    return Video(
        name=name,
        size=(width, height),
        frame_numbers=np.arange(len(found)) + 1,
        results=BoxColumns.make(
            frames,
            np.concatenate((rows[:, :4], around[failed])),
            ids=np.zeros(len(frames), np.int64),
            scores=np.concatenate((rows[:, 4], np.ones(len(failed)))),
            states=np.concatenate((states, np.full(len(failed), FIRST_ERROR + LOST))).astype(
                np.uint8
            ),
        ),
        truth=BoxColumns.make(
            np.arange(len(truth)),
            around,
            ids=np.zeros(len(truth), np.int64),
            states=np.where(np.isnan(overlaps), NOT_COUNTED, CORRECT).astype(np.uint8),
            polygons=truth,
        ),
        over_time={"overlap": overlaps},
        picture_paths=[
            osp.join(dataset.img_prefix, dataset.frame_name(number, f)) for f in range(len(found))
        ],
    )


def _around(polygons: np.ndarray) -> np.ndarray:
    """x1, y1, x2, y2 around polygons ``(N, 8)``."""
    points = polygons.reshape(len(polygons), -1, 2)
    return np.concatenate((points.min(axis=1), points.max(axis=1)), axis=1)
