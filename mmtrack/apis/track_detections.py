"""Tracking of detections that exist already: no images, no network."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import torch
from mmcv import Config

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.models import build_motion, build_tracker


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
    settings = model.tracker.copy()
    if settings.get("reid"):
        settings.reid = None
    tracker = build_tracker(settings)
    stub = SimpleNamespace(motion=build_motion(model.motion), with_motion=True, with_reid=False)
    return tracker, stub


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
    last = int(detections.frames.max(initial=0))
    length = max(last, length or 0)
    order = np.argsort(detections.frames, kind="stable")
    x1y1, wh = detections.boxes[order, :2], detections.boxes[order, 2:]
    rows = np.concatenate((x1y1, x1y1 + wh, detections.scores[order, None]), axis=1)
    bboxes = torch.from_numpy(rows)
    labels = torch.from_numpy(np.maximum(detections.classes[order] - 1, 0))
    # rows of frame f are starts[f - 1]:starts[f]
    starts = np.searchsorted(detections.frames[order], np.arange(1, length + 2))
    frames, found_bboxes, found_labels, found_ids = [], [], [], []
    for frame_id in range(length):
        now = slice(int(starts[frame_id]), int(starts[frame_id + 1]))
        boxes, classes, ids = tracker.track(
            img=None,
            img_metas=[{}],
            model=model,
            bboxes=bboxes[now],
            labels=labels[now],
            frame_id=frame_id,
        )
        frames.append(np.full(len(ids), frame_id + 1))
        found_bboxes.append(boxes.numpy())
        found_labels.append(classes.numpy())
        found_ids.append(ids.numpy())
        if on_frame is not None:
            on_frame()
    return _as_table(frames, found_bboxes, found_labels, found_ids)


def _as_table(
    frames: list[np.ndarray],
    bboxes: list[np.ndarray],
    labels: list[np.ndarray],
    ids: list[np.ndarray],
) -> MOTTable:
    """Join the frames of a video; boxes come as x1, y1, x2, y2, score."""
    if not frames:
        return MOTTable.from_columns([], [], np.zeros((0, 4)))
    rows = np.concatenate(bboxes)
    boxes = np.concatenate((rows[:, :2], rows[:, 2:4] - rows[:, :2]), axis=1)
    return MOTTable.from_columns(
        np.concatenate(frames),
        np.concatenate(ids) + 1,
        boxes,
        scores=rows[:, 4],
        classes=np.concatenate(labels) + 1,
    )
