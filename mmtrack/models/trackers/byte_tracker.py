"""ByteTrack: weak detections continue tracks, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mmtrack.core.bbox import sparse_bbox_iou
from mmtrack.core.track import match_within

from ..builder import TRACKERS
from .motion_tracker import MotionTracker
from .table_tracker import NO_ID, Detections


@TRACKERS.register_module()
class ByteTracker(MotionTracker):
    """ByteTrack, class by class.

    Strong detections are matched with the confirmed tracks, those that are left with the tentative
    ones; weak detections then continue confirmed tracks that were seen in the last frame. A track
    and a detection match within a class only.

    Args:
        obj_score_thrs: Detections above ``high`` are strong, others above ``low`` are weak.
        init_track_thr: Score above which a detection starts a track when there are no tracks;
            otherwise a strong detection that is left starts one.
        weight_iou_with_det_scores: Multiply overlaps with strong detections by their scores.
        match_iou_thrs: Smallest overlap of a match of ``high`` detections with confirmed tracks, of
            ``low`` ones, and of ``tentative`` tracks.
        num_tentatives: A track is confirmed when it has been detected so many times.
        init_cfg: Not used; trackers have no weights.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box",
    ECCV 2022, algorithm 1.
    """

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
        """Detections must score above it to be looked at."""
        return self.obj_score_thrs["low"]

    def starts_track(self, dets: Detections) -> np.ndarray:
        """Strong detections do; the first tracks take a higher score; ``(n,)`` bool."""
        strong = dets.scores > self.obj_score_thrs["high"]
        return strong if len(self.table) else strong & (dets.scores > self.init_track_thr)

    def associate(self, dets: Detections) -> np.ndarray:
        """Strong detections first, then weak ones; see the class."""
        table = self.table
        ids = np.full(len(dets.scores), NO_ID)
        bboxes = np.column_stack((dets.bboxes, dets.scores))
        strong = dets.scores > self.obj_score_thrs["high"]
        confirmed = ~table["tentative"]
        recent = confirmed & (table["frame_ids"] == self.frame_id - 1)
        weigh = self.weight_iou_with_det_scores
        for tracks, chosen, weighted, stage in (
            (confirmed, strong, weigh, "high"),
            (~confirmed, strong, weigh, "tentative"),
            (recent, ~strong, False, "low"),
        ):
            free = table["ids"][tracks & ~np.isin(table["ids"], ids)]
            cols = np.flatnonzero(chosen & (ids == NO_ID))
            _, track_of_det = self.assign_ids(
                free, bboxes[cols], dets.labels[cols], weighted, self.match_iou_thrs[stage]
            )
            self.give_ids(ids, cols, free, track_of_det)
        return ids

    def assign_ids(
        self,
        ids: Sequence[int],
        det_bboxes: np.ndarray | torch.Tensor,
        det_labels: np.ndarray | torch.Tensor,
        weight_iou_with_det_scores: bool = False,
        match_iou_thr: float = 0.5,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Assign detections to tracks by the overlap with their predicted boxes.

        Args:
            ids: Tracks.
            det_bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
            det_labels: ``(n,)``.
            weight_iou_with_det_scores: Multiply overlaps by the score.
            match_iou_thr: Smallest overlap of a match.

        Returns:
            Detection of each track ``(len(ids),)`` and track, as position in ``ids``, of each
            detection ``(n,)``; -1 for none.
        """
        det_bboxes, det_labels = np.asarray(det_bboxes, dtype=np.float64), np.asarray(det_labels)
        rows = self.table.rows_of(ids)
        pairs = sparse_bbox_iou(self.predicted_bboxes(rows), det_bboxes)
        overlaps = pairs.weighted(det_bboxes[:, 4]) if weight_iou_with_det_scores else pairs.ious
        alike = np.flatnonzero(self.table["labels"][rows[pairs.rows]] == det_labels[pairs.cols])
        matches = match_within(
            pairs.rows[alike], pairs.cols[alike], 1 - overlaps[alike], 1 - match_iou_thr
        )
        return matches.as_vectors(len(rows), len(det_bboxes))
