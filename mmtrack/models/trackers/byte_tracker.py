"""ByteTrack: weak detections continue tracks, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..builder import TRACKERS
from .motion_tracker import NO_ID, Detections, MotionTracker


@TRACKERS.register_module()
class ByteTracker(MotionTracker):
    def __init__(
        self,
        obj_score_thrs: Mapping[str, float] = {"high": 0.6, "low": 0.1},
        init_track_thr: float = 0.7,
        weight_iou_with_det_scores: bool = True,
        match_iou_thrs: Mapping[str, float] = {"high": 0.1, "low": 0.5, "tentative": 0.3},
        num_tentatives: int = 3,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(num_tentatives=num_tentatives, init_cfg=init_cfg, **kwargs)
        self.obj_score_thrs = dict(obj_score_thrs)
        self.init_track_thr = init_track_thr
        self.weight_iou_with_det_scores = weight_iou_with_det_scores
        self.match_iou_thrs = dict(match_iou_thrs)

    @property
    def lowest_score(self) -> float:
        return self.obj_score_thrs["low"]

    def starts_track(self, dets: Detections) -> np.ndarray:
        return dets.scores > (self.obj_score_thrs["high"] if len(self.table) else self.init_track_thr)

    def associate(self, dets: Detections, **inputs: Any) -> np.ndarray:
        ids = np.full(len(dets.scores), NO_ID)
        strong = dets.scores > self.obj_score_thrs["high"]
        tentative = self.table["tentative"]
        seen = self.table["frame_ids"] == self.frame_id - 1
        free = np.ones(len(self.table), dtype=bool)
        for rows, cols, weighted, thr in (
            (~tentative, strong, self.weight_iou_with_det_scores, "high"),
            (tentative, strong, self.weight_iou_with_det_scores, "tentative"),
            (~tentative & seen, ~strong, False, "low"),
        ):
            r = np.flatnonzero(rows & free)
            c = np.flatnonzero(cols & (ids == NO_ID))
            from mmtrack.core.bbox import sparse_bbox_iou
            from mmtrack.core.track import match_within
            p = sparse_bbox_iou(self.predicted_bboxes(r), dets.bboxes[c])
            sim = p.ious * (dets.scores[c][p.cols] if weighted else 1)
            same = self.table["labels"][r][p.rows] == dets.labels[c][p.cols]
            m = match_within(p.rows[same], p.cols[same], 1 - sim[same], 1 - self.match_iou_thrs[thr])
            ids[c[m.cols]] = self.table["ids"][r[m.rows]]
            free[r[m.rows]] = False
        return ids
