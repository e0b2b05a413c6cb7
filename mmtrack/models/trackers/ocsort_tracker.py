"""OC-SORT: trust observations more than the filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mmtrack.core.bbox import SparseIoU, bbox_iou, bbox_xyxy_to_cxcyah, sparse_bbox_iou
from mmtrack.core.motion import directions, turning_cost, virtual_bboxes
from mmtrack.core.track import match_within

from ..builder import TRACKERS
from .sort_tracker import SortTracker
from .table_tracker import NO_ID, Detections

# Before any frame that is looked back to, also from the first frames of a video.
NO_FRAME = np.iinfo(np.int64).min


@TRACKERS.register_module()
class OCSORTTracker(SortTracker):
    """OC-SORT.

    Confirmed tracks are matched by the overlap of their predicted box with the detections and by
    how well a match keeps their direction; then tentative tracks in the same way; then the tracks
    that are left by the overlap of their last observation. A track that was lost is filtered again
    along a straight way from its last observation to the new one.

    Args:
        obj_score_thr: Detections must score above it.
        init_track_thr: Score above which a detection starts a track when there are no tracks.
        weight_iou_with_det_scores: Multiply overlaps by the score of the detection.
        match_iou_thr: Smallest overlap, weighted or not, of a match.
        num_tentatives: A track is confirmed when it has been detected so many times.
        vel_consist_weight: Weight of the turning cost, which lies within -0.5 and 0.5.
        vel_delta_t: Number of frames over which directions are measured.
        init_cfg: Not used; trackers have no weights.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object
    Tracking", CVPR 2023.
    """

    trust_first_frame = True
    predicts_tentative = False

    def __init__(
        self,
        obj_score_thr: float = 0.3,
        init_track_thr: float = 0.7,
        weight_iou_with_det_scores: bool = True,
        match_iou_thr: float = 0.3,
        num_tentatives: int = 3,
        vel_consist_weight: float = 0.2,
        vel_delta_t: int = 3,
        init_cfg: dict | None = None,
        **kwargs: Any,
    ):
        self.vel_delta_t = vel_delta_t
        super().__init__(
            obj_score_thr=obj_score_thr,
            reid=None,
            match_iou_thr=match_iou_thr,
            num_tentatives=num_tentatives,
            init_cfg=init_cfg,
            **kwargs,
        )
        self.init_track_thr = init_track_thr
        self.weight_iou_with_det_scores = weight_iou_with_det_scores
        self.vel_consist_weight = vel_consist_weight

    def _columns(self) -> dict[str, tuple]:
        ring = self.vel_delta_t + 1
        return {
            **super()._columns(),
            "headings": ((2,), np.float64),
            "recent_bboxes": ((ring, 4), np.float64),
            "recent_frames": ((ring,), np.int64),
            "seen_means": ((8,), np.float64),
            "seen_covs": ((3, 4), np.float64),
        }

    @property
    def growing_frames(self) -> int:
        """Number of frames after its last detection in which a box may grow or shrink."""
        return self.vel_delta_t

    def starts_track(self, dets: Detections) -> np.ndarray:
        """Any detection may, but the first tracks take a high score; ``(n,)`` bool."""
        return dets.scores > (self.obj_score_thr if len(self.table) else self.init_track_thr)

    def associate(self, dets: Detections) -> np.ndarray:
        """By overlap and direction, then by last observations; see the class."""
        table = self.table
        ids = np.full(len(dets.scores), NO_ID)
        bboxes = np.column_stack((dets.bboxes, dets.scores))
        settings = (self.weight_iou_with_det_scores, self.match_iou_thr)
        for stage in (~table["tentative"], table["tentative"]):
            tracks = table["ids"][stage]
            left = np.flatnonzero(ids == NO_ID)
            matched = self.ocm_assign_ids(tracks, bboxes[left], *settings)[1]
            self.give_ids(ids, left, tracks, matched)
        tracks = table["ids"][~np.isin(table["ids"], ids)]
        left = np.flatnonzero(ids == NO_ID)
        observed = table["bboxes"][table.rows_of(tracks)]
        matched = self.ocr_assign_ids(observed, bboxes[left], *settings)[1]
        self.give_ids(ids, left, tracks, matched)
        return ids

    def ocm_assign_ids(
        self,
        ids: Sequence[int],
        det_bboxes: np.ndarray | torch.Tensor,
        weight_iou_with_det_scores: bool = False,
        match_iou_thr: float = 0.5,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Assign detections to tracks by predicted boxes and direction ("OCM").

        Args:
            ids: Tracks.
            det_bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
            weight_iou_with_det_scores: Multiply overlaps by the score.
            match_iou_thr: Smallest overlap of a match that needs no turn.

        Returns:
            Detection of each track ``(len(ids),)`` and track, as position in ``ids``, of each
            detection ``(n,)``; -1 for none.
        """
        det_bboxes = np.asarray(det_bboxes, dtype=np.float64)
        rows = self.table.rows_of(ids)
        predicted = self.predicted_bboxes(rows)
        # Straight on earns half the weight. Only if that exceeds the overlap a match needs can
        # boxes match that do not meet.
        meets_only = 0.5 * self.vel_consist_weight <= match_iou_thr
        pairs = (sparse_bbox_iou if meets_only else _all_pairs)(predicted, det_bboxes)
        weighted = weight_iou_with_det_scores
        costs = 1 - (pairs.weighted(det_bboxes[:, 4]) if weighted else pairs.ious)
        courses = directions(self._k_step_bboxes(rows)[pairs.rows], det_bboxes[pairs.cols])
        turns = turning_cost(self.table["headings"][rows[pairs.rows]], courses)
        costs += self.vel_consist_weight * turns
        matches = match_within(pairs.rows, pairs.cols, costs, 1 - match_iou_thr)
        return matches.as_vectors(len(rows), len(det_bboxes))

    def ocr_assign_ids(
        self,
        track_obs: np.ndarray | torch.Tensor,
        det_bboxes: np.ndarray | torch.Tensor,
        weight_iou_with_det_scores: bool = False,
        match_iou_thr: float = 0.5,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Assign detections to tracks by last observations ("OCR").

        Args:
            track_obs: Last observed box of each track, ``(m, 4)`` or wider.
            det_bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
            weight_iou_with_det_scores: Multiply overlaps by the score.
            match_iou_thr: Smallest overlap of a match.

        Returns:
            Detection of each track ``(m,)`` and track of each detection ``(n,)``; -1 for none.
        """
        det_bboxes = np.asarray(det_bboxes, dtype=np.float64)
        pairs = sparse_bbox_iou(np.asarray(track_obs), det_bboxes)
        weighted = weight_iou_with_det_scores
        costs = 1 - (pairs.weighted(det_bboxes[:, 4]) if weighted else pairs.ious)
        matches = match_within(pairs.rows, pairs.cols, costs, 1 - match_iou_thr)
        return matches.as_vectors(len(track_obs), len(det_bboxes))

    def last_obs(self, track: Any) -> torch.Tensor:
        """Last observed box of a track of ``self.tracks``, ``(4,)``."""
        return torch.from_numpy(self.table["bboxes"][self.table.rows_of([track.id])[0]].copy())

    def k_step_observation(self, track: Any) -> torch.Tensor:
        """Box that a track of ``self.tracks`` had ``vel_delta_t`` frames before the last frame.

        Its last observed box if it was not seen then; ``(4,)``.
        """
        return torch.from_numpy(self._k_step_bboxes(self.table.rows_of([track.id]))[0])

    def vel_direction(
        self, bbox1: np.ndarray | torch.Tensor, bbox2: np.ndarray | torch.Tensor
    ) -> torch.Tensor:
        """Unit vector from the centre of one box to that of another, x and y, ``(2,)``."""
        return torch.from_numpy(directions(np.asarray(bbox1), np.asarray(bbox2)))

    def vel_direction_batch(
        self, bboxes1: np.ndarray | torch.Tensor, bboxes2: np.ndarray | torch.Tensor
    ) -> torch.Tensor:
        """Unit vectors from each box of one set to each of another, ``(N, M, 2)``."""
        first, second = np.asarray(bboxes1), np.asarray(bboxes2)
        return torch.from_numpy(directions(first[:, None], second[None]))

    def online_smooth(self, track: Any, obj: Sequence) -> None:
        """Filter a track of ``self.tracks`` again, along the way to a new box.

        Args:
            track: The track.
            obj: Values of a detection in the order of ``self.memo_items``, the box first.
        """
        bboxes = np.asarray(obj[0], dtype=np.float64).reshape(1, -1)[:, :4]
        self._smooth(self.table.rows_of([track.id]), bboxes)

    def _k_step_bboxes(self, rows: np.ndarray) -> np.ndarray:
        """Boxes observed ``vel_delta_t`` frames before the last frame, or else the last ones."""
        wanted = self.frame_id - 1 - self.vel_delta_t
        slot = wanted % (self.vel_delta_t + 1)
        seen = self.table["recent_frames"][rows, slot] == wanted
        return np.where(
            seen[:, None], self.table["recent_bboxes"][rows, slot], self.table["bboxes"][rows]
        )

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        table, frame = self.table, self.frame_id
        wanted = frame - self.vel_delta_t
        slot = wanted % (self.vel_delta_t + 1)
        seen = table["recent_frames"][rows, slot] == wanted
        headings = directions(table["recent_bboxes"][rows, slot], dets.bboxes)
        table["headings"][rows] = np.where(seen[:, None], headings, 0)
        self._smooth(rows, dets.bboxes)
        super()._continue_tracks(rows, dets)
        self._observe(rows)

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        super()._start_tracks(ids, dets)
        rows = np.arange(len(self.table) - len(ids), len(self.table))
        self.table["recent_frames"][rows] = NO_FRAME
        self._observe(rows)

    def _observe(self, rows: np.ndarray) -> None:
        """Keep what the next frames need to know about this one."""
        table = self.table
        slot = self.frame_id % (self.vel_delta_t + 1)
        table["recent_bboxes"][rows, slot] = table["bboxes"][rows]
        table["recent_frames"][rows, slot] = self.frame_id
        table["seen_means"][rows] = table["means"][rows]
        table["seen_covs"][rows] = table["covs"][rows]

    def _smooth(self, rows: np.ndarray, bboxes: np.ndarray) -> None:
        """Filter tracks that were lost again, along the way to their new boxes ("ORU").

        Unlike in the paper no time passes between the boxes on the way: they draw the state that
        the track had when it was last seen towards the new box. The reference values ask for this.
        """
        table = self.table
        gaps = self.frame_id - table["frame_ids"][rows]
        lost = gaps > 1
        rows, bboxes, gaps = rows[lost], bboxes[lost], gaps[lost]
        means, covs = table["seen_means"][rows], table["seen_covs"][rows]
        for step in range(gaps.max(initial=1) + 1):
            on = gaps >= step
            virtual = virtual_bboxes(table["bboxes"][rows[on]], bboxes[on], gaps[on], step)
            means[on], covs[on] = self.motion.update_all(
                means[on], covs[on], bbox_xyxy_to_cxcyah(virtual)
            )
        table["means"][rows], table["covs"][rows] = means, covs


def _all_pairs(bboxes1: np.ndarray, bboxes2: np.ndarray) -> SparseIoU:
    ious = bbox_iou(bboxes1, bboxes2)
    rows, cols = np.indices(ious.shape).reshape(2, -1)
    return SparseIoU(rows, cols, ious.ravel())
