"""Trackers that detect objects frame by frame and link the boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ...core.track import outs2results
from ..builder import build_detector, build_motion, build_tracker
from .base import BaseMultiObjectTracker
from .detections import Detections, detect_objects


class TrackingByDetection(BaseMultiObjectTracker):
    """A detector finds boxes, a tracker with a motion model links them.

    Args:
        detector: Config of the detector, any of mmdet's.
        tracker: Config of the tracker.
        motion: Config of the motion model, which the tracker reads as ``model.motion``.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self,
        detector: dict | None = None,
        tracker: dict | None = None,
        motion: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if detector is not None:
            self.detector = build_detector(detector)
        if motion is not None:
            self.motion = build_motion(motion)
        if tracker is not None:
            self.tracker = build_tracker(tracker)

    def forward_train(self, *args: Any, **kwargs: Any) -> dict:
        """Losses of the detector, the only part with something to learn."""
        return self.detector.forward_train(*args, **kwargs)

    def simple_test(
        self, img: torch.Tensor, img_metas: list[dict], rescale: bool = False, **kwargs: Any
    ) -> dict[str, list[np.ndarray]]:
        """Detect objects in the next frame of a video and continue the tracks.

        Args:
            img: The frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            rescale: Boxes in pixels of the original image instead of ``img``.
            **kwargs: For the tracker.

        Returns:
            ``det_bboxes``: per class ``(n, 5)`` rows of ``x1, y1, x2, y2, score``, and
            ``track_bboxes``: per class ``(n, 6)`` rows of ``id, x1, y1, x2, y2, score``.
        """
        detections = self.detect(img, img_metas, rescale=rescale)
        return self.link(img, img_metas, detections, rescale=rescale, **kwargs)

    def detect(self, img: torch.Tensor, img_metas: list[dict], *, rescale: bool) -> Detections:
        """Detect the objects of a frame, class by class.

        The boxes leave the device here and only here: trackers work on the CPU.
        """
        found = detect_objects(self.detector, img, img_metas, rescale=rescale)
        return found.by_class()

    def link(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        detections: Detections,
        *,
        rescale: bool,
        **kwargs: Any,
    ) -> dict[str, list[np.ndarray]]:
        """Continue the tracks with the detections of a frame; returns as :meth:`simple_test`."""
        frame_id = frame_id_of(img_metas)
        if frame_id == 0:
            self.tracker.reset()
        tracked = detections.with_area()
        bboxes, labels, ids = self.tracker.track(
            img=img,
            img_metas=img_metas,
            model=self,
            bboxes=tracked.bboxes,
            labels=tracked.labels,
            frame_id=frame_id,
            rescale=rescale,
            **kwargs,
        )
        return {
            "det_bboxes": per_class_bboxes(detections.num_classes, *detections[:2]),
            "track_bboxes": per_class_bboxes(detections.num_classes, bboxes, labels, ids),
        }


def frame_id_of(img_metas: list[dict]) -> int:
    """Number of the frame in its video, from 0.

    Raises:
        KeyError: the meta data do not say.
    """
    if "frame_id" not in img_metas[0]:
        raise KeyError(
            "img_metas has no 'frame_id', which tells a tracker where a video starts: "
            "collect the frames with VideoCollect"
        )
    return int(img_metas[0]["frame_id"])


def per_class_bboxes(
    num_classes: int, bboxes: torch.Tensor, labels: torch.Tensor, ids: torch.Tensor | None = None
) -> list[np.ndarray]:
    """Rows of each class as in the result of a model, with ``ids`` in front if given."""
    return outs2results(bboxes=bboxes, labels=labels, ids=ids, num_classes=num_classes)[
        "bbox_results"
    ]
