"""Tracks of data sets in the CocoVID format, scored per class by CLEAR MOT and identity scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmtrack.core.evaluation.hota import hota_counts, hota_curves
from mmtrack.core.evaluation.mot import ScoredVideos, pair_videos, score_groups
from mmtrack.core.evaluation.mot_errors import NO_ID, NOT_COUNTED, judge_boxes
from mmtrack.core.visualization.report import BoxColumns, Column, Report, ScoreTable, Video
from mmtrack.datasets import CocoVideoDataset
from mmtrack.datasets.tao_results import TRACK_WIDTH, stack_results

from .frames import Frames, frames_of_dataset
from .mot import COLUMNS, KINDS, NOTE_ERRORS, count, hota_chart

OVERALL = "OVERALL"
_DIFFERENT = {
    "MOTP": Column("MOTP", "mean IoU of the matches", digits=3),
    "IDSw": count("IDSw", "identity switches"),
}
_NAMES = ("IDF1", "MOTA", "MOTP", "Rcll", "Prcn", "FP", "FN", "IDSw", "FM", "MT", "PT", "ML")
TRACK_COLUMNS = tuple(
    _DIFFERENT.get(name) or next(c for c in COLUMNS if c.name == name) for name in _NAMES
)
HEADLINE = ("MOTA", "IDF1", "FP", "FN", "IDSw")


@dataclass
class VideoBoxes:
    """Boxes of one video and what is said of them; rows in the order of images and classes."""

    frames: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    states: np.ndarray
    partners: np.ndarray

    @classmethod
    def make(cls, frames, boxes, ids, labels, scores=None) -> VideoBoxes:  # noqa: ANN001
        """Boxes of which nothing is said yet."""
        scores = np.ones(len(frames)) if scores is None else scores
        states = np.full(len(frames), NOT_COUNTED, np.uint8)
        return cls(frames, boxes, ids, labels, scores, states, np.full(len(frames), NO_ID))

    def columns(self) -> BoxColumns:
        """The boxes as a report takes them."""
        return BoxColumns.make(**vars(self))


def result_boxes(per_image: Sequence[Sequence[np.ndarray]], width: int = TRACK_WIDTH) -> VideoBoxes:
    """Tracks or detections of a video.

    Args:
        per_image: One list over classes of arrays for each image.
        width: 6 for rows of id, x1, y1, x2, y2, score; 5 without the id.
    """
    rows, frames, labels = stack_results(per_image, width)
    ids = rows[:, 0].astype(np.int64) if width == TRACK_WIDTH else np.full(len(rows), NO_ID)
    return VideoBoxes.make(frames, rows[:, -5:-1], ids, labels, rows[:, -1])


def object_boxes(annotations: Sequence[Mapping[str, Any]]) -> VideoBoxes:
    """Objects of a video.

    Args:
        annotations: Of each image, as `get_ann_info` returns them.
    """
    counts = [len(image["bboxes"]) for image in annotations]
    ids = [image.get("instance_ids", np.full(len(image["bboxes"]), NO_ID)) for image in annotations]
    return VideoBoxes.make(
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate([np.zeros((0, 4)), *(image["bboxes"] for image in annotations)]),
        np.concatenate([np.zeros(0, np.int64), *ids]),
        np.concatenate([np.zeros(0, np.int64), *(image["labels"] for image in annotations)]),
    )


def track_report(
    base: Report,
    dataset: CocoVideoDataset,
    results: dict,
    options: Mapping[str, Any],
    *,
    judge: bool = True,
) -> Report:
    """Fill a report with tracks.

    Args:
        base: Title, facts and classes of the report.
        dataset: The data set.
        results: Of a test run, with ``track_bboxes``.
        options: ``track_kwargs`` of the evaluation.
        judge: Whether `eval_mot` scores the data set; False shows tracks and objects alone.
    """
    frames = frames_of_dataset(dataset)
    inputs = dataset.track_inputs(results)
    found = [result_boxes(video) for video in inputs["results"]]
    objects = [object_boxes(video) for video in inputs["annotations"]]
    if not judge:
        return replace(base, task="MOT", videos=_videos(frames, found, objects))
    options = {key: value for key, value in options.items() if key != "nproc"}
    iou_thr = options.get("iou_thr", 0.5)
    scored = pair_videos(**inputs, **options)
    _enter_judgement(scored, iou_thr, found, objects)
    curves = [_curves(scored, scored.videos == v) for v in range(len(frames))]
    videos = _videos(frames, found, objects)
    for v, curve in enumerate(curves):
        videos[v] = replace(videos[v], charts=[hota_chart(curve, frames[v].name)])
    rows = _table_rows(scored, [own.name for own in frames], iou_thr)
    places = {own.name: v for v, own in enumerate(frames)}
    table = ScoreTable("Scores of tracks", TRACK_COLUMNS, rows, places, OVERALL)
    overall = dict(zip(_NAMES, rows[OVERALL], strict=True))
    return replace(
        base,
        task="MOT",
        kinds=KINDS,
        headline=[(c, overall[c.name]) for c in TRACK_COLUMNS if c.name in HEADLINE],
        tables=[table],
        charts=[hota_chart(_curves(scored, slice(None)), "all videos")],
        videos=videos,
        notes=[*base.notes, NOTE_ERRORS],
    )


def _videos(
    frames: Sequence[Frames], found: Sequence[VideoBoxes], objects: Sequence[VideoBoxes] | None
) -> list[Video]:
    return [
        Video(
            name=own.name,
            size=own.size,
            frame_numbers=own.numbers,
            results=found[v].columns(),
            truth=None if objects is None else objects[v].columns(),
            picture_paths=own.pictures,
        )
        for v, own in enumerate(frames)
    ]


def unscored_report(base: Report, dataset: CocoVideoDataset, per_image: list, width: int) -> Report:
    """Fill a report with results alone, where there is no ground truth.

    Args:
        base: Title, facts and classes of the report.
        dataset: The data set.
        per_image: Results of each image, one array per class.
        width: See :func:`result_boxes`.
    """
    groups = dataset.positions_of_videos()
    found = [result_boxes([per_image[i] for i in group], width) for group in groups]
    return replace(base, videos=_videos(frames_of_dataset(dataset), found, None))


def _enter_judgement(
    scored: ScoredVideos, iou_thr: float, found: Sequence[VideoBoxes], objects: Sequence[VideoBoxes]
) -> None:
    """Write the state and partner of every box; each class of a video was judged by itself."""
    judged = judge_boxes(scored.pairs, scored.gts, scored.results, iou_thr)
    for part, video, label in zip(judged, scored.videos, scored.labels, strict=True):
        own, truth = found[video], objects[video]
        rows = np.flatnonzero(own.labels == label)
        gt_rows = np.flatnonzero(truth.labels == label)
        own.states[rows], truth.states[gt_rows] = part.results, part.objects
        matched = part.partners >= 0
        rows, gt_rows = rows[matched], gt_rows[part.partners[matched]]
        own.partners[rows], truth.partners[gt_rows] = truth.ids[gt_rows], own.ids[rows]


def _curves(scored: ScoredVideos, part: np.ndarray | slice) -> dict[str, np.ndarray]:
    """HOTA curves of some of the sequences together."""
    return hota_curves(hota_counts(scored.pairs).total(part))


def _table_rows(scored: ScoredVideos, names: Sequence[str], iou_thr: float) -> dict[str, list]:
    groups = {name: scored.videos == v for v, name in enumerate(names)}
    if len(scored.names) > 1:
        groups.update({f"class {n}": scored.labels == c for c, n in enumerate(scored.names)})
    groups[OVERALL] = np.ones(len(scored.videos), bool)
    rows = score_groups(scored, groups, iou_thr)
    return {name: [row[column] for column in _NAMES] for name, row in rows.items()}
