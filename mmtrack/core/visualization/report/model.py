"""What a results report shows: scores, charts and the boxes of every frame.

Plain data without any knowledge of data sets, so that every task fills the same few tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# An error of the k-th kind of a report has the code FIRST_ERROR + k.
from mmtrack.core.evaluation.mot_errors import CORRECT, FIRST_ERROR, NO_ID, NOT_COUNTED


@dataclass(frozen=True)
class BoxColumns:
    """Boxes of one video as columns, ``N`` rows ordered by frame.

    Attributes:
        frames: Index of the frame, from 0, ``(N,)`` int64.
        boxes: ``(N, 4)`` float64, x1, y1, x2, y2 in pixels, the first pixel being 0.
        ids: Track or object, ``(N,)`` int64, -1 for detections without identity.
        labels: Class, ``(N,)`` int64.
        scores: Confidence, ``(N,)`` float64.
        states: ``(N,)`` uint8: 0 not counted, 1 correct, 2 and up the kinds of errors.
        partners: Id of the box of the other side that it is matched to, ``(N,)`` int64, -1 for
            none.
        found_scores: Of objects: the score of what found them, ``(N,)`` float64, NaN where nothing
            did; None where a score threshold does not change what is found.
        masks: Run lengths of pycocotools as text, one per row (empty for none), or None.
        mask_size: Height and width of all masks; they may be smaller than the frame.
        polygons: ``(N, 8)`` x and y of four corners that are drawn instead of the box, or None.
    """

    frames: np.ndarray
    boxes: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    states: np.ndarray
    partners: np.ndarray
    found_scores: np.ndarray | None = None
    masks: Sequence[str] | None = None
    mask_size: tuple[int, int] | None = None
    polygons: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def make(cls, frames: np.ndarray, boxes: np.ndarray, **columns: Any) -> BoxColumns:
        """Sort by frame (equal frames keep their order) and fill in what is not given.

        Args:
            frames: ``(N,)``.
            boxes: ``(N, 4)``.
            **columns: Further attributes; without them ids and partners are -1, labels 0, scores 1,
                and no box is counted.
        """
        count = len(frames)
        order = np.argsort(frames, kind="stable")
        defaults = {
            "ids": np.full(count, NO_ID),
            "labels": np.zeros(count, np.int64),
            "scores": np.ones(count),
            "states": np.full(count, NOT_COUNTED, np.uint8),
            "partners": np.full(count, NO_ID),
        }
        table = {"frames": np.asarray(frames, np.int64), "boxes": np.asarray(boxes, np.float64)}
        mask_size = columns.pop("mask_size", None)
        table.update({**defaults, **{k: v for k, v in columns.items() if v is not None}})
        masks = table.pop("masks", None)
        return cls(
            **{name: np.asarray(column)[order] for name, column in table.items()},
            masks=None if masks is None else [masks[row] for row in order],
            mask_size=mask_size,
        )


@dataclass(frozen=True)
class Column:
    """A column of a score table.

    Attributes:
        name: Heading.
        help: What the number means, in a sentence.
        digits: Digits behind the point.
        percent: The value is a fraction that is written in percent.
        better: ``'high'``, ``'low'`` or ``''`` where neither is better.
    """

    name: str
    help: str = ""
    digits: int = 1
    percent: bool = False
    better: str = "high"


@dataclass(frozen=True)
class ScoreTable:
    """Scores of videos or classes.

    Attributes:
        title: Heading.
        columns: The columns.
        rows: Name of the row to its values; None or NaN for what is undefined.
        videos: Index of the video that a row is about, for rows that are about one.
        total: Name of the row that sums up the others, or None.
    """

    title: str
    columns: Sequence[Column]
    rows: Mapping[str, Sequence[float | None]]
    videos: Mapping[str, int] = field(default_factory=dict)
    total: str | None = None


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis, or bars.

    Attributes:
        title: Heading.
        x_label: What is on the horizontal axis.
        y_label: What is on the vertical axis.
        x: Positions ``(P,)`` of lines, or names of the groups of bars.
        lines: Name to values ``(P,)``; NaN leaves a gap.
        kind: ``'lines'`` or ``'bars'``.
        y_range: Limits of the vertical axis; None to fit.
    """

    title: str
    x_label: str
    y_label: str
    x: np.ndarray | Sequence[str]
    lines: Mapping[str, np.ndarray]
    kind: str = "lines"
    y_range: tuple[float, float] | None = (0.0, 1.0)


@dataclass(frozen=True)
class Video:
    """A video.

    Attributes:
        name: Name.
        size: Width and height of the frames in pixels.
        frame_numbers: Number of each frame as files and benchmarks count, ``(F,)`` int64.
        results: Boxes of the results.
        truth: Annotated boxes; None without ground truth.
        charts: Charts of this video.
        over_time: Name to one value per frame ``(F,)``, such as the overlap; NaN for none.
        picture_paths: Image file of each frame; None without pictures.
    """

    name: str
    size: tuple[int, int]
    frame_numbers: np.ndarray
    results: BoxColumns
    truth: BoxColumns | None = None
    charts: Sequence[Chart] = ()
    over_time: Mapping[str, np.ndarray] = field(default_factory=dict)
    picture_paths: Sequence[str] | None = None


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error.

    Attributes:
        key: Short name that is written beside the box.
        name: What it means.
        color: BGR.
        of_truth: Whether an object has the error (it is missed) instead of a result.
    """

    key: str
    name: str
    color: tuple[int, int, int]
    of_truth: bool = False


@dataclass(frozen=True)
class Report:
    """All of a test run.

    Attributes:
        title: Heading.
        task: ``'MOT'``, ``'VID'``, ``'SOT'`` or ``'VIS'``.
        facts: Where the numbers come from, by name: results, config, ...
        classes: Names of the classes.
        kinds: Kinds of errors in the order of their codes.
        headline: The scores to see first, values of `tables`.
        tables: Score tables.
        charts: Charts of all videos together.
        videos: The videos.
        notes: Sentences that the reader should know.
        least_score: Results with less are hidden at first; None to show all.
    """

    title: str
    task: str
    facts: Mapping[str, str]
    classes: Sequence[str]
    kinds: Sequence[ErrorKind]
    headline: Sequence[tuple[Column, float]]
    tables: Sequence[ScoreTable]
    charts: Sequence[Chart]
    videos: Sequence[Video]
    notes: Sequence[str] = ()
    least_score: float | None = None


__all__ = [
    "CORRECT",
    "FIRST_ERROR",
    "NOT_COUNTED",
    "NO_ID",
    "BoxColumns",
    "Chart",
    "Column",
    "ErrorKind",
    "Report",
    "ScoreTable",
    "Video",
]
