"""Protocols that drive a single object tracker through a video: one pass, or VOT with restarts.

They know when a tracker starts and what a frame reports, nothing of how it tracks.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from mmdet.core.bbox.transforms import bbox_cxcywh_to_xyxy

from ...core.bbox import (
    bbox_cxcywh_to_x1y1wh,
    bbox_xyxy_to_x1y1wh,
    calculate_region_overlap,
    quad2bbox,
)

NO_SCORE = -1.0  # score of frames in which nothing is tracked, as the results document it
VOT_WAITING, VOT_STARTED, VOT_FAILED = 0.0, 1.0, 2.0
VOT_SKIPPED_FRAMES = 5


class FrameResult(NamedTuple):
    """What a frame reports, in main memory.

    Attributes:
        values: ``(4,)``, x1y1x2y2 in pixels, or ``(1,)``, a state of the VOT protocol.
        score: Confidence, a tensor without dimensions.
    """

    values: torch.Tensor
    score: torch.Tensor


class FrameTracker(Protocol):
    """What the protocols need of a tracker."""

    def start(self, img: torch.Tensor, bbox: torch.Tensor) -> None:
        """Begin with an object: ``(4,)``, centre x, centre y, width, height, in main memory."""

    def follow(self, img: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Box in this frame, centre x, centre y, width, height, and its score, in main memory."""


def followed(
    tracker: FrameTracker, img: torch.Tensor, frame_id: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Box and score of a frame, as ``follow`` of the tracker returns them.

    Raises:
        ValueError: the box is not finite. The tracker could not go on from it.
    """
    bbox, score = tracker.follow(img)
    if not torch.isfinite(bbox).all():
        raise ValueError(
            f"frame {frame_id}: the tracker's box is not finite, {bbox.tolist()}. Are these the "
            "weights of this config, and did their training converge?"
        )
    return bbox, score


class OnePass:
    """One pass evaluation: the tracker starts in frame 0 and is never helped.

    Args:
        tracker: Starts and follows.
    """

    def __init__(self, tracker: FrameTracker):
        self.tracker = tracker

    def step(self, img: torch.Tensor, frame_id: int, gt_bbox: torch.Tensor | None) -> FrameResult:
        """Track one frame.

        Args:
            img: ``(1, C, H, W)``.
            frame_id: Number of the frame, 0 starts a video.
            gt_bbox: Region of the object, 4 or 8 numbers; used in frame 0 only.
        """
        if frame_id == 0:
            bbox = initial_box(gt_bbox, img)
            self.tracker.start(img, bbox)
            score = bbox.new_tensor(NO_SCORE)
        else:
            bbox, score = followed(self.tracker, img, frame_id)
        return FrameResult(bbox_cxcywh_to_xyxy(bbox), score)


class SupervisedRestarts:
    """Protocol of the VOT challenges up to 2019: a tracker that lost the object starts again.

    Where the box and the ground truth do not overlap the tracker has failed. It waits, and starts
    again from the ground truth five frames after the failure.

    Args:
        tracker: Starts and follows.

    Reference: Kristan et al., "A Novel Performance Evaluation Methodology for Single-Target
    Trackers", TPAMI 2016, section 3.
    """

    def __init__(self, tracker: FrameTracker):
        self.tracker = tracker
        self.start_frame = 0

    def step(
        self,
        img: torch.Tensor,
        frame_id: int,
        gt_bbox: torch.Tensor,
        size: tuple[int, int],
    ) -> FrameResult:
        """Track one frame, or report a state instead.

        Args:
            img: ``(1, C, H, W)``.
            frame_id: Number of the frame, 0 starts a video.
            gt_bbox: Region of the object in this frame: ``(8,)``, corners of a polygon, or
                ``(4,)``, x1y1x2y2.
            size: Width and height of the frame. What lies outside does not count as overlap.
        """
        if frame_id == 0:
            self.start_frame = 0
        if frame_id == self.start_frame:
            self.tracker.start(img, initial_box(gt_bbox, img))
            return _state(VOT_STARTED)
        if frame_id < self.start_frame:
            return _state(VOT_WAITING)
        bbox, score = followed(self.tracker, img, frame_id)
        region = bbox_cxcywh_to_x1y1wh(bbox).numpy()
        if calculate_region_overlap(region, _region(gt_bbox), size) > 0:
            return FrameResult(bbox_cxcywh_to_xyxy(bbox), score)
        self.start_frame = frame_id + VOT_SKIPPED_FRAMES
        return FrameResult(torch.tensor([VOT_FAILED]), score)


def initial_box(region: torch.Tensor, img: torch.Tensor) -> torch.Tensor:
    """Box to start a tracker with.

    Args:
        region: ``(4,)``, x1y1x2y2, or ``(8,)``, corners of a quadrangle, in pixels.
        img: ``(1, C, H, W)``, the frame it belongs to.

    Returns:
        ``(4,)`` in main memory: centre x, centre y, width, height.

    Raises:
        ValueError: it has another count of numbers, is not finite, has no area or lies outside of
            the image; the message has the numbers.
    """
    region = torch.as_tensor(region).detach().cpu()
    if region.shape not in ((4,), (8,)):
        raise ValueError(
            "the box of the first frame must have 4 numbers (x1, y1, x2, y2) or 8 (corners of a "
            f"polygon), but has the shape {tuple(region.shape)}"
        )
    bbox = quad2bbox(region)
    x, y, w, h = bbox.tolist()
    height, width = img.shape[-2:]
    problem = None
    if not torch.isfinite(region).all():
        problem = "has a number that is not finite"
    elif min(w, h) <= 0:
        problem = "has no area (its format is x1, y1, x2, y2)"
    elif x + w / 2 <= 0 or y + h / 2 <= 0 or x - w / 2 >= width or y - h / 2 >= height:
        problem = f"lies outside of the image of {width} x {height} pixels"
    if problem is not None:
        raise ValueError(f"the box of the first frame {region.tolist()} {problem}")
    return bbox


def _state(state: float) -> FrameResult:
    return FrameResult(torch.tensor([state]), torch.tensor(NO_SCORE))


def _region(gt_bbox: torch.Tensor) -> np.ndarray:
    """Ground truth as numbers of a region: x, y, width, height or the corners of a polygon."""
    values = gt_bbox.detach().cpu()
    return (bbox_xyxy_to_x1y1wh(values) if len(values) == 4 else values).numpy()
