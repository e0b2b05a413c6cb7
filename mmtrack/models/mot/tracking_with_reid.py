"""Trackers put together from a detector and a re-identification model."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..builder import build_reid
from ..pretrains import with_pretrains
from .detections import detect_objects, public_proposals
from .tracking_by_detection import TrackingByDetection


class TrackingWithReID(TrackingByDetection):
    """A detector and, optionally, a re-identification model, both trained on their own.

    See ``configs/det`` and ``configs/reid``.

    Args:
        detector: Config of the detector, any of mmdet's; public detections need one with two
            stages.
        reid: Config of the re-identification model, which the tracker reads as ``model.reid``.
        tracker: Config of the tracker.
        motion: Config of the motion model.
        pretrains: Deprecated: checkpoints of ``detector`` and ``reid`` by these names. Use the
            ``init_cfg`` of the parts.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self,
        detector: dict | None = None,
        reid: dict | None = None,
        tracker: dict | None = None,
        motion: dict | None = None,
        pretrains: dict | None = None,
        init_cfg: dict | None = None,
    ):
        detector, reid = with_pretrains(pretrains, detector=detector, reid=reid)
        super().__init__(detector, tracker, motion, init_cfg)
        if reid is not None:
            self.reid = build_reid(reid)

    def forward_train(self, *args: Any, **kwargs: Any) -> dict:
        """Not available: the parts are trained one by one."""
        raise NotImplementedError(
            f"{type(self).__name__} is put together from trained parts: train the detector with a "
            "config of configs/det and the ReID model with one of configs/reid, then test"
        )

    def simple_test(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        rescale: bool = False,
        public_bboxes: list[torch.Tensor] | None = None,
        **kwargs: Any,
    ) -> dict[str, list[np.ndarray]]:
        """Detect objects in the next frame of a video and continue the tracks.

        Args:
            img: The frame, ``(1, C, H, W)``, normalised.
            img_metas: Its meta data; ``frame_id`` 0 starts a video.
            rescale: Boxes in pixels of the original image instead of ``img``.
            public_bboxes: Detections given by the benchmark, ``(n, 4)``, ``x1, y1, x2, y2`` in
                pixels of ``img``. The second stage of the detector scores and refines them.
            **kwargs: For the tracker.

        Returns:
            See :meth:`TrackingByDetection.simple_test`.
        """
        # Not class by class as in the other models: new tracks are numbered in this order.
        proposals = public_proposals(public_bboxes, img)
        shared = self.shared_features(img)
        detections = detect_objects(
            self.detector, img, img_metas, rescale=rescale, proposals=proposals, **shared
        )
        return self.link(img, img_metas, detections, rescale=rescale, **shared, **kwargs)

    def shared_features(self, img: torch.Tensor) -> dict[str, Any]:
        """What the detector and the tracker both read, ``feats``; nothing by default."""
        return {}
