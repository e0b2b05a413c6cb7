"""Results of a tracker or detector as tables and files of MOTChallenge."""

from __future__ import annotations

import numpy as np

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.core.track import interpolate_tracks

# Boxes of gt.txt and of result files count pixels from 1. Converters keep them as they are, so that
# this is also the origin of the boxes in an annotation file that does not say otherwise.
FILE_ORIGIN = 1
ORIGIN_KEY = "bbox_origin"
TRACK_WIDTH, DETECTION_WIDTH = 6, 5


def _frame_numbers(infos: list[dict]) -> np.ndarray:
    """Frame numbers of the benchmark, from 1."""
    return np.array([info.get("mot_frame_id", info["frame_id"] + 1) for info in infos], np.int64)


def _stack_frames(per_frame: list, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of all frames and classes in one table.

    Args:
        per_frame: One list over classes of arrays ``(n, columns)`` for each frame.
        columns: Width of the arrays.

    Returns:
        Rows ``(N, columns)`` float64 and the index of their frame ``(N,)``.
    """
    arrays = [np.asarray(boxes).reshape(-1, columns) for frame in per_frame for boxes in frame]
    counts = [sum(len(boxes) for boxes in frame) for frame in per_frame]
    rows = np.concatenate([np.zeros((0, columns)), *arrays])
    return rows, np.repeat(np.arange(len(per_frame)), counts)


def _to_table(rows: np.ndarray, frames: np.ndarray, ids: np.ndarray, origin: int) -> MOTTable:
    """Boxes ``(N, 5)`` x1y1x2y2-score as a table in the origin of the result files."""
    boxes = rows[:, :4].copy()
    boxes[:, 2:] -= boxes[:, :2]
    boxes[:, :2] += FILE_ORIGIN - origin
    return MOTTable.from_columns(frames, ids, boxes, scores=rows[:, 4])


def track_table(
    results: list, infos: list[dict], origin: int = FILE_ORIGIN, interpolate: dict | None = None
) -> MOTTable:
    """Tracks of one video.

    Args:
        results: One list over classes of arrays ``(n, 6)`` id-x1y1x2y2-score per frame.
        infos: The images of the frames.
        origin: Coordinate of the first pixel in the boxes of `results`.
        interpolate: Arguments of `interpolate_tracks`; None to leave gaps.

    Returns:
        Rows by frame, pixels counted from 1.
    """
    rows, at = _stack_frames(results, TRACK_WIDTH)
    tracks = np.concatenate((_frame_numbers(infos)[at, None], rows), axis=1)
    if interpolate is not None:
        tracks = interpolate_tracks(tracks, **interpolate)
    tracks = tracks[np.argsort(tracks[:, 0], kind="stable")]
    return _to_table(tracks[:, 2:], tracks[:, 0], tracks[:, 1], origin)


def detection_table(results: list, infos: list[dict], origin: int = FILE_ORIGIN) -> MOTTable:
    """Detections of one video, all with id -1.

    Args:
        results: One list over classes of arrays ``(n, 5)`` x1y1x2y2-score per frame.
        infos: The images of the frames.
        origin: Coordinate of the first pixel in the boxes of `results`.
    """
    rows, at = _stack_frames(results, DETECTION_WIDTH)
    return _to_table(rows, _frame_numbers(infos)[at], np.full(len(rows), -1), origin)
