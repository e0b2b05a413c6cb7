"""SORT and DeepSORT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmtrack.core.bbox import bbox_xyxy_to_cxcyah, sparse_bbox_iou
from mmtrack.core.track import match_within

from ..builder import TRACKERS
from .appearance import AppearanceTracker
from .motion_tracker import MotionTracker
from .table_tracker import NO_ID, Detections


@TRACKERS.register_module()
class SortTracker(AppearanceTracker, MotionTracker):
    """SORT, and with a ReID model DeepSORT.

    With ReID, confirmed tracks are first matched by appearance among the detections that lie where
    the Kalman filter allows them, however long ago they were seen. Then all tracks that were seen
    in the last frame are matched by the overlap of their last box with the detections.

    Args:
        obj_score_thr: Detections must score above it.
        reid: Settings of ReID, ``None`` for SORT; see :class:`AppearanceTracker`.
        match_iou_thr: Smallest overlap of a match.
        num_tentatives: A track is confirmed when it has been detected so many times.
        init_cfg: Not used; trackers have no weights.
        **kwargs: Of :class:`BaseTracker`.

    References:
        Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016.
        Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric",
        ICIP 2017.
    """

    trust_first_frame = False
    predicts_tentative = True

    def __init__(
        self,
        obj_score_thr: float = 0.3,
        reid: Mapping[str, Any] | None = {
            "num_samples": 10,
            "img_scale": (256, 128),
            "img_norm_cfg": None,
            "match_score_thr": 2.0,
        },
        match_iou_thr: float = 0.7,
        num_tentatives: int = 3,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(num_tentatives=num_tentatives, init_cfg=init_cfg, **kwargs)
        self.obj_score_thr = obj_score_thr
        self.reid = None if reid is None else dict(reid)
        self.match_iou_thr = match_iou_thr

    @property
    def lowest_score(self) -> float:
        """Detections must score above it to be looked at."""
        return self.obj_score_thr

    def starts_track(self, dets: Detections) -> np.ndarray:
        """Every detection that continues no track starts one, ``(n,)`` bool."""
        return np.ones(len(dets.scores), dtype=bool)

    def associate(self, dets: Detections) -> np.ndarray:
        """First by appearance, then by overlap; see the class."""
        table = self.table
        ids = np.full(len(dets.scores), NO_ID)
        if dets.embeds is not None and "embeds" in table:
            confirmed = np.flatnonzero(~table["tentative"])
            gate = self.motion.gate_all(
                table["means"][confirmed],
                table["covs"][confirmed],
                bbox_xyxy_to_cxcyah(dets.bboxes),
            )
            matches = self.match_by_appearance(confirmed, dets.embeds, gate)
            ids[matches.cols] = table["ids"][confirmed[matches.rows]]
        seen = table["frame_ids"] == self.frame_id - 1
        rows = np.flatnonzero(seen & ~np.isin(table["ids"], ids))
        cols = np.flatnonzero(ids == NO_ID)
        pairs = sparse_bbox_iou(table["bboxes"][rows], dets.bboxes[cols])
        # The best assignment of all is found first, and then its weak pairs are refused.
        matches = match_within(pairs.rows, pairs.cols, 1 - pairs.ious, 1).up_to(
            1 - self.match_iou_thr
        )
        ids[cols[matches.cols]] = table["ids"][rows[matches.rows]]
        return ids
