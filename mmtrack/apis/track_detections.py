"""Tracking of detections that exist already: no images, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmcv import Config

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.models import build_motion, build_tracker

from .replay import VideoDetections, VideoTracks, replay


def build_detections_tracker(cfg: Config) -> tuple[torch.nn.Module, SimpleNamespace]:
    """The tracker of a MOT config and what it needs of the model around it.

    Appearance is left out, since there are no images to take it from.

    Args:
        cfg: A config whose ``model`` has ``tracker`` and ``motion``.

    Returns:
        The tracker, and a stand-in for the model with its motion part alone.

    Raises:
        ValueError: The config has no tracker or motion, or its tracker matches image features.
    """
    model = cfg.get("model", {})
    missing = [part for part in ("tracker", "motion") if not model.get(part)]
    if missing:
        raise ValueError(
            f"{cfg.filename}: model has no {' and no '.join(missing)}; detections are tracked by "
            "SORT, ByteTrack and OC-SORT configs"
        )
    tracker = build_blind_tracker(model.tracker)
    stub = SimpleNamespace(motion=build_motion(model.motion), with_motion=True, with_reid=False)
    return tracker, stub


def build_blind_tracker(tracker: Mapping[str, Any]) -> torch.nn.Module:
    """A tracker without its ReID settings.

    Raises:
        ValueError: it looks at more than detections.
    """
    blind = {**tracker, "reid": None} if tracker.get("reid") else dict(tracker)
    built = build_tracker(blind)
    if getattr(built, "reads_frames", True):
        raise ValueError(
            f"{tracker['type']} looks at features of the frames, not only at detections: run "
            "tools/test.py with its config"
        )
    return built


def track_detections(
    cfg: Config,
    detections: MOTTable,
    *,
    length: int | None = None,
    on_frame: Callable[[], None] | None = None,
) -> MOTTable:
    """Run the tracker of a config over the detections of one video.

    Frames without detections advance the tracks as well.

    Args:
        cfg: A MOT config, see :func:`build_detections_tracker`.
        detections: Rows with frame, box and score; classes count from 1, -1 means the first.
        length: Number of frames of the video; the last frame with a detection by default.
        on_frame: Called after every frame (progress).

    Returns:
        Rows with the ids that the tracker gave, counted from 1, sorted by frame.
    """
    tracker, model = build_detections_tracker(cfg)
    video = video_of_table(detections, length)
    return table_of_tracks(replay(tracker, model.motion, video, on_frame))


def video_of_table(detections: MOTTable, length: int | None = None) -> VideoDetections:
    """Detections of a file as trackers take them.

    Args:
        detections: Rows with frame, box and score; classes count from 1, -1 means the first.
        length: Number of frames of the video; the last frame with a detection by default.
    """
    length = max(int(detections.frames.max(initial=0)), length or 0)
    order = np.argsort(detections.frames, kind="stable")
    x1y1, wh = detections.boxes[order, :2], detections.boxes[order, 2:]
    return VideoDetections(
        counts=np.bincount(detections.frames, minlength=length + 1)[1:],
        bboxes=np.concatenate((x1y1, x1y1 + wh, detections.scores[order, None]), axis=1),
        labels=np.maximum(detections.classes[order] - 1, 0),
        embeds=np.zeros((len(order), 0)),
    )


def table_of_tracks(tracks: VideoTracks) -> MOTTable:
    """Tracks as rows of a result file: frames, ids and classes count from 1."""
    corner, end = tracks.bboxes[:, :2], tracks.bboxes[:, 2:4]
    return MOTTable.from_columns(
        np.repeat(np.arange(len(tracks.counts)) + 1, tracks.counts),
        tracks.ids + 1,
        np.concatenate((corner, end - corner), axis=1),
        scores=tracks.bboxes[:, 4],
        classes=tracks.labels + 1,
    )
