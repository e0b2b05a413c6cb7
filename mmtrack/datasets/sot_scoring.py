"""Results of single object trackers: checked, split into videos, scored."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from mmcv.utils import print_log

from mmtrack.core.bbox import bbox_iou

RESULT_WIDTH = 5  # x1, y1, x2, y2, score
RESULT_KEY = "track_bboxes"


def check_metrics(metric: str | Sequence[str]) -> None:
    """Raise an error unless the metric is ``'track'``."""
    unknown = ({metric} if isinstance(metric, str) else set(metric)) - {"track"}
    if unknown:
        raise ValueError(f"there is no metric {sorted(unknown)[0]!r}, only 'track'")


def report_scores(
    scores: dict[str, float], digits: int, logger: logging.Logger | str | None
) -> dict[str, float]:
    """Round scores and print them."""
    scores = {key: round(float(value), digits) for key, value in scores.items()}
    print_log("  ".join(f"{key}: {value}" for key, value in scores.items()), logger=logger)
    return scores


def results_by_video(
    results: dict[str, list], lengths: Sequence[int], name: str
) -> list[list[np.ndarray]]:
    """Split ``track_bboxes`` of a test run into videos.

    Args:
        results: Results of a test run.
        lengths: Frames of each video.
        name: What messages call the data set.

    Raises:
        ValueError: There are no such results, or not one per frame.
    """
    if not isinstance(results, dict) or RESULT_KEY not in results:
        have = sorted(results) if isinstance(results, dict) else type(results).__name__
        raise ValueError(f"{name} needs results with {RESULT_KEY!r}, got {have}")
    rows, ends = results[RESULT_KEY], np.cumsum(lengths)
    if len(rows) != ends[-1]:
        raise ValueError(
            f"the results have {len(rows)} frames, the {len(lengths)} videos of {name} have "
            f"{ends[-1]}: they are results of other videos"
        )
    return [list(rows[end - n : end]) for end, n in zip(ends, lengths, strict=True)]


def boxes_by_video(results: dict[str, list], lengths: Sequence[int], name: str) -> list[np.ndarray]:
    """Boxes ``(N, 4)`` float64 x1y1x2y2 of each video, without scores.

    Args:
        results: Results of a test run.
        lengths: Frames of each video.
        name: What messages call the data set.

    Raises:
        ValueError: See `results_by_video`; or a result is no box.
    """
    videos = []
    for number, rows in enumerate(results_by_video(results, lengths, name)):
        widths = set(map(len, rows))
        if widths != {RESULT_WIDTH}:
            raise ValueError(
                f"results of video {number} of {name} have {sorted(widths)} numbers a frame, "
                f"expected {RESULT_WIDTH}: x1, y1, x2, y2, score (was the model tested in VOT "
                "mode?)"
            )
        boxes = np.concatenate(rows).reshape(-1, RESULT_WIDTH)[:, :4]
        if np.isinf(boxes).any():
            frame = int(np.argmax(np.isinf(boxes).any(axis=1)))
            raise ValueError(
                f"results of video {number} of {name}, frame {frame}: {boxes[frame].tolist()} is "
                "not finite"
            )
        videos.append(boxes.astype(np.float64))
    return videos


def check_starts(boxes: Sequence[np.ndarray], truth: Sequence[np.ndarray], name: str) -> None:
    """Raise an error if no tracker starts at its object.

    Args:
        boxes: Results ``(N, 4)`` x1y1x2y2 of each video.
        truth: Annotated boxes ``(N, 4)`` of each video.
        name: What messages call the data set.

    Raises:
        ValueError: See above: these are results of other videos.
    """
    starts = np.array([video[0] for video in boxes])
    if not bbox_iou(starts, np.array([video[0] for video in truth]), aligned=True).any():
        raise ValueError(
            f"the first result of none of {len(boxes)} videos overlaps the first box of {name}, "
            "where a tracker starts: are these results of other videos, or boxes in another "
            "format than x1, y1, x2, y2?"
        )
