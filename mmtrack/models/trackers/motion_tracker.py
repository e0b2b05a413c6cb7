"""What all trackers have in common that predict boxes with a Kalman filter."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch

from mmtrack.core.bbox import bbox_cxcyah_to_xyxy, bbox_xyxy_to_cxcyah
from mmtrack.core.motion.kalman_filter import expand_covariances

from ..motion import KalmanFilter
from .table_tracker import NO_ID, Detections, TableTracker


class MotionTracker(TableTracker):
    """Tracks in a table, moved by a batched Kalman filter and matched by overlap.

    A tracker says in :meth:`associate` which detection continues which track, and in
    :meth:`starts_track` which of the others start one. Everything else is done here: every frame,
    with detections or without, moves every track; tentative tracks die when they are missed, and
    confirmed ones after ``num_frames_retain`` frames without a detection.

    The ``model`` given to :meth:`track` has ``motion`` with ``initiate_all``, ``predict_all`` and
    ``update_all``, as :class:`mmtrack.models.motion.KalmanFilter`.

    Args:
        num_tentatives: A track is confirmed when it has been detected so many times.
        **kwargs: Of :class:`BaseTracker`.
    """

    reads_frames = False

    def __init__(self, num_tentatives: int = 3, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_tentatives = num_tentatives
        self.motion = KalmanFilter()

    def track(
        self,
        img: torch.Tensor | None,
        img_metas: list[dict] | None,
        model: Any,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        frame_id: int,
        rescale: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Continue the tracks with the detections of the next frame.

        Args:
            img: The frame, ``(1, C, H, W)``; only trackers with ReID look at it.
            img_metas: Meta data of the frame.
            model: The tracking model, for its motion and ReID models.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score; ``n`` may be 0.
            labels: ``(n,)``.
            frame_id: Number of the frame in its video; 0 starts a new video.
            rescale: The boxes lie in the original image and not in ``img``.
            **kwargs: Not used.

        Returns:
            The detections that belong to a track, in their order: bboxes ``(m, 5)`` and labels
            ``(m,)`` as given, and ids ``(m,)`` int64.

        Raises:
            ValueError: the frame comes late, or a box is not finite or has no area.
        """
        chosen, dets = self._read(bboxes, labels, frame_id)
        empty = np.flatnonzero((dets.bboxes[:, 2:] <= dets.bboxes[:, :2]).any(axis=1))
        if len(empty):
            raise ValueError(
                f"frame {frame_id}: detection {chosen[empty[0]]} has no area: "
                f"x1, y1, x2, y2 = {dets.bboxes[empty[0]].tolist()}"
            )
        # Not a child module: a motion model belongs to the tracking model.
        self.__dict__["motion"] = model.motion
        self._begin_frame(frame_id)
        dets = self.describe(dets, img=img, img_metas=img_metas, model=model, rescale=rescale)
        ids = self.associate(dets)
        new = np.flatnonzero((ids == NO_ID) & self.starts_track(dets))
        self.number_new_tracks(ids, new)
        self.remember(ids, dets)
        self.pop_invalid_tracks(frame_id)
        kept = np.flatnonzero(ids != NO_ID)
        rows = torch.from_numpy(chosen[kept]).to(bboxes.device)
        return bboxes[rows], labels[rows], torch.from_numpy(ids[kept]).to(bboxes.device)

    # ---------------------------------------------------------------- of each method
    @property
    def growing_frames(self) -> int:
        """Number of frames after its last detection in which a box may grow or shrink."""
        return 1

    def _columns(self) -> dict[str, tuple]:
        return {
            **super()._columns(),
            "tentative": ((), np.bool_),
            "means": ((8,), np.float64),
            "covs": ((3, 4), np.float64),
        }

    # Whether tracks that start in frame 0 are confirmed: no earlier frame could have shown them.
    trust_first_frame = True
    # Whether the filter moves tentative tracks, too. Otherwise they wait where they were seen, one
    # frame ago: they are seen again at once or dropped.
    predicts_tentative = False

    def describe(self, dets: Detections, **inputs: Any) -> Detections:
        """Add what else is needed of the detections; ``inputs`` are those of :meth:`track`."""
        return dets

    @abstractmethod
    def associate(self, dets: Detections) -> np.ndarray:
        """Continue tracks.

        Args:
            dets: Detections of the frame.

        Returns:
            Id of the track of each detection, ``(n,)`` int64, ``NO_ID`` where there is none.
        """

    @abstractmethod
    def starts_track(self, dets: Detections) -> np.ndarray:
        """Whether each detection, ``(n,)``, starts a track if it continues none."""

    # ---------------------------------------------------------------- tracks to look at
    def _facts(self, row: int) -> dict[str, Any]:
        table = self.table
        return {
            "mean": table["means"][row].copy(),
            "covariance": expand_covariances(table["covs"][row][None])[0],
            "tentative": bool(table["tentative"][row]),
        }

    @property
    def confirmed_ids(self) -> list[int]:
        """Ids of the confirmed tracks."""
        return self.table["ids"][~self.table["tentative"]].tolist()

    @property
    def unconfirmed_ids(self) -> list[int]:
        """Ids of the tentative tracks."""
        return self.table["ids"][self.table["tentative"]].tolist()

    # ---------------------------------------------------------------- steps of a frame
    def _move(self, frame_id: int) -> None:
        table = self.table
        # A lost box must not grow or shrink on without evidence.
        table["means"][frame_id - table["frame_ids"] > self.growing_frames, 7] = 0
        moves = ~table["tentative"] | self.predicts_tentative
        rows = np.flatnonzero(moves)
        table["means"][rows], table["covs"][rows] = self.motion.predict_all(
            table["means"][rows], table["covs"][rows]
        )

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        super()._continue_tracks(rows, dets)
        table = self.table
        table["means"][rows], table["covs"][rows] = self.motion.update_all(
            table["means"][rows], table["covs"][rows], bbox_xyxy_to_cxcyah(dets.bboxes)
        )
        table["tentative"][rows] &= table["num_hits"][rows] < self.num_tentatives

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        super()._start_tracks(ids, dets)
        table, born = self.table, slice(len(self.table) - len(ids), None)
        means, covs = self.motion.initiate_all(bbox_xyxy_to_cxcyah(dets.bboxes))
        table["means"][born], table["covs"][born] = means, covs
        table["tentative"][born] = self.frame_id > 0 or not self.trust_first_frame

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Drop tracks that are lost for too long, and tentative ones that were missed."""
        missed = frame_id > self.table["frame_ids"]
        self.table.keep(~(self.table["tentative"] & missed))
        super().pop_invalid_tracks(frame_id)

    def predicted_bboxes(self, rows: np.ndarray) -> np.ndarray:
        """Where the filter expects tracks, ``(n, 4)`` x1y1x2y2 in pixels."""
        return bbox_cxcyah_to_xyxy(self.table["means"][rows, :4])
