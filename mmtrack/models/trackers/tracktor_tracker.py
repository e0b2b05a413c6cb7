"""Tracktor: the detector moves the boxes of its last frame itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmcv.ops import batched_nms

from mmtrack.core.bbox import bbox_iou
from mmtrack.core.motion import mean_velocities, rescale_warp

from ..builder import TRACKERS
from .appearance import AppearanceTracker
from .table_tracker import NO_ID, Detections


@TRACKERS.register_module()
class TracktorTracker(AppearanceTracker):
    """Tracks that the second stage of the detector carries from frame to frame.

    The boxes of the tracks that were seen in the last frame are proposals for the detector, after
    the camera motion is taken out of them. A track lives on while its regressed box scores high
    and does not vanish behind a better one. Detections that overlap with no living track are
    compared with the lost tracks near them by appearance; the others start tracks. Everything
    happens within a class.

    The detections reach the tracker in main memory; from there on the device is waited for once
    for the regressed boxes of all tracks, and once for the embeddings of all boxes of the frame.

    Args:
        obj_score_thr: Detections must score above it.
        regression: ``obj_score_thr``, score above which a regressed track lives on; ``nms``, the
            suppression among regressed tracks; ``match_iou_thr``, overlap with a living track from
            which on a detection is taken for the same object.
        reid: Settings of ReID, ``None`` for none, see :class:`AppearanceTracker`;
            ``match_iou_thr`` is the smallest overlap of a lost track with a detection.
        rescale_camera_motion: Measure the motion of the camera in the pixels of the boxes, which
            may lie in the original image, and not in those of the resized one. The reference values
            take it as it is measured, and so does the default.
        observed_velocity: Measure velocities between the boxes where a track was seen. The default,
            as in 0.14, takes the box where it was expected for the last one of them.
        init_cfg: Not used; trackers have no weights.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Bergmann et al., "Tracking Without Bells and Whistles", ICCV 2019, section 2 and
    algorithm 1.
    """

    def __init__(
        self,
        obj_score_thr: float = 0.5,
        regression: Mapping[str, Any] = {
            "obj_score_thr": 0.5,
            "nms": {"type": "nms", "iou_threshold": 0.6},
            "match_iou_thr": 0.3,
        },
        reid: Mapping[str, Any] | None = {
            "num_samples": 10,
            "img_scale": (256, 128),
            "img_norm_cfg": None,
            "match_score_thr": 2.0,
            "match_iou_thr": 0.2,
        },
        init_cfg: dict | None = None,
        rescale_camera_motion: bool = False,
        observed_velocity: bool = False,
        **kwargs: Any,
    ):
        super().__init__(init_cfg=init_cfg, **kwargs)
        self.obj_score_thr = obj_score_thr
        self.regression = dict(regression)
        self.reid = None if reid is None else dict(reid)
        self.rescale_camera_motion = rescale_camera_motion
        self.observed_velocity = observed_velocity
        self.linear_motion: Any = None
        self.last_frame: np.ndarray | None = None

    def reset(self) -> None:
        """Forget all tracks and the last frame; ids start at 0 again."""
        super().reset()
        self.last_frame = None

    @property
    def lowest_score(self) -> float:
        """Detections must score above it to be looked at."""
        return self.obj_score_thr

    def track(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        model: Any,
        feats: tuple[torch.Tensor, ...],
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        frame_id: int,
        rescale: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Continue the tracks in the next frame.

        Args:
            img: The frame, ``(1, C, H, W)``.
            img_metas: Meta data of the frame.
            model: The tracking model, for its detector, ReID and motion models.
            feats: Feature maps of the frame for the second stage of the detector.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score; ``n`` may be 0.
            labels: ``(n,)``.
            frame_id: Number of the frame in its video; 0 starts a new video.
            rescale: The boxes lie in the original image and not in ``img``.
            **kwargs: Not used.

        Returns:
            Boxes of all tracks of the frame, regressed ones first: bboxes ``(m, 5)``, labels
            ``(m,)`` and ids ``(m,)`` int64.

        Raises:
            ValueError: the frame comes late, or a detection is not finite or has no area.
        """
        _, dets = self._read(bboxes, labels, frame_id)
        last = self._open_frame(frame_id)
        if model.with_cmc:
            rescales = rescale and self.rescale_camera_motion
            scale = img_metas[0]["scale_factor"] if rescales else np.ones(4)
            self._follow_camera(img, model.cmc, scale)
        self._use_linear_motion(model.linear_motion if model.with_linear_motion else None)
        self._advance(last, frame_id)
        alive, alive_ids = self._regress(feats, img_metas, model.detector, frame_id, rescale)
        fresh = dets.pick(self._unclaimed(dets, alive))
        found = self.describe(
            alive.join(fresh), img=img, img_metas=img_metas, model=model, rescale=rescale
        )
        ids = np.concatenate((alive_ids, np.full(len(fresh.scores), NO_ID)))
        self._recognise(ids, found)
        self.number_new_tracks(ids, np.flatnonzero(ids == NO_ID))
        self.remember(ids, found)
        self.pop_invalid_tracks(frame_id)
        rows = torch.from_numpy(np.column_stack((found.bboxes, found.scores)))
        return rows.to(bboxes), torch.from_numpy(found.labels).to(labels), torch.from_numpy(ids)

    def regress_tracks(
        self,
        x: tuple[torch.Tensor, ...],
        img_metas: list[dict],
        detector: Any,
        frame_id: int,
        rescale: bool = False,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Boxes of the tracks of the last frame in this one, and which of the tracks live on.

        Args:
            x: Feature maps of the frame.
            img_metas: Meta data of the frame.
            detector: Detector with two stages.
            frame_id: The frame.
            rescale: The boxes of tracks lie in the original image and not in the network's.

        Returns:
            Of the living tracks bboxes ``(n, 5)``, labels ``(n,)`` and ids ``(n,)``.
        """
        alive, ids = self._regress(x, img_metas, detector, frame_id, rescale)
        rows = torch.from_numpy(np.column_stack((alive.bboxes, alive.scores))).float()
        return rows, torch.from_numpy(alive.labels), torch.from_numpy(ids)

    # ---------------------------------------------------------------- steps of a frame
    def _regress(
        self,
        feats: tuple[torch.Tensor, ...],
        img_metas: list[dict],
        detector: Any,
        frame_id: int,
        rescale: bool,
    ) -> tuple[Detections, np.ndarray]:
        """Living tracks as detections, in the order of birth, and their ids."""
        table = self.table
        rows = np.flatnonzero(table["frame_ids"] == frame_id - 1)
        labels, ids = table["labels"][rows], table["ids"][rows]
        if not len(rows):
            return Detections(np.zeros((0, 4)), np.zeros(0), labels), ids
        places = table["bboxes"][rows] * (img_metas[0]["scale_factor"] if rescale else 1)
        proposals = torch.from_numpy(places).to(feats[0].device, torch.float32)
        (bboxes,), (scores,) = detector.roi_head.simple_test_bboxes(
            feats, img_metas, [proposals], None, rescale=rescale
        )
        found = _of_classes(bboxes, scores, torch.from_numpy(labels).to(bboxes.device)).cpu()
        chosen = self._survivors(found, torch.from_numpy(labels))
        table = found.double().numpy()[chosen]
        return Detections(table[:, :4], table[:, 4], labels[chosen]), ids[chosen]

    def _survivors(self, found: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
        """Rows of boxes ``(n, 5)`` that score high and do not vanish behind a better one."""
        good = torch.nonzero(found[:, 4] > self.regression["obj_score_thr"])[:, 0]
        good = good[(found[good, 2:4] > found[good, :2]).all(dim=1)]
        if not len(good):
            return good.numpy()
        _, kept = batched_nms(
            found[good, :4], found[good, 4], labels[good], dict(self.regression["nms"])
        )
        return good[kept].sort().values.numpy()

    def _unclaimed(self, dets: Detections, alive: Detections) -> np.ndarray:
        """Detections, ``(n,)`` bool, that overlap with no living track."""
        claimed = bbox_iou(dets.bboxes, alive.bboxes) >= self.regression["match_iou_thr"]
        claimed &= dets.labels[:, None] == alive.labels
        return ~claimed.any(axis=1)

    def _recognise(self, ids: np.ndarray, found: Detections) -> None:
        """Write the ids of lost tracks to the detections that look like them; changes ``ids``."""
        table = self.table
        if found.embeds is None or "embeds" not in table:
            return
        lost = np.flatnonzero(~np.isin(table["ids"], ids))
        cols = np.flatnonzero(ids == NO_ID)
        fresh = found.pick(cols)
        near = bbox_iou(table["bboxes"][lost], fresh.bboxes) >= self.reid["match_iou_thr"]
        near &= table["labels"][lost][:, None] == fresh.labels
        matches = self.match_by_appearance(lost, fresh.embeds, near)
        ids[cols[matches.cols]] = table["ids"][lost[matches.rows]]

    # ---------------------------------------------------------------- motion
    def _follow_camera(self, img: torch.Tensor, cmc: Any, scale: np.ndarray) -> None:
        """Move all boxes from the last frame to this one."""
        frame = cmc.grey_image(img)
        if self.last_frame is not None and len(self.table):
            warp = torch.from_numpy(rescale_warp(cmc.register(self.last_frame, frame), scale))
            for name in ("bboxes", "recent_bboxes"):
                if name in self.table:
                    boxes = torch.from_numpy(self.table[name])
                    self.table[name] = cmc.warp_bboxes(boxes, warp).numpy()
        self.last_frame = frame

    def _use_linear_motion(self, linear_motion: Any) -> None:
        # Not a child module: a motion model belongs to the tracking model.
        self.__dict__["linear_motion"] = linear_motion
        if linear_motion is not None and "velocities" not in self.table:
            self.table.add_column("velocities", (4,), np.float64)
            self.table.add_column("recent_bboxes", (linear_motion.num_samples, 4), np.float64)

    def _move(self, frame_id: int) -> None:
        """Move all boxes on with the velocity of their tracks, which lost tracks keep."""
        if self.linear_motion is None:
            return
        table = self.table
        seen = np.flatnonzero(table["frame_ids"] == frame_id - 1)
        table["velocities"][seen] = mean_velocities(
            table["recent_bboxes"][seen],
            table["num_hits"][seen],
            of_center=self.linear_motion.center_motion,
        )
        table["bboxes"] += table["velocities"]
        if not self.observed_velocity:
            table["recent_bboxes"][:, -1] = table["bboxes"]

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        super()._continue_tracks(rows, dets)
        self._observe(rows)

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        super()._start_tracks(ids, dets)
        self._observe(np.arange(len(self.table) - len(ids), len(self.table)))

    def _observe(self, rows: np.ndarray) -> None:
        """Append the boxes of tracks to those that their velocity is measured with."""
        if "recent_bboxes" in self.table:
            recent = self.table["recent_bboxes"]
            recent[rows, :-1] = recent[rows, 1:]
            recent[rows, -1] = self.table["bboxes"][rows]

    def _tracking_state(self) -> dict[str, Any]:
        last = None if self.last_frame is None else torch.from_numpy(self.last_frame)
        return {**super()._tracking_state(), "last_frame": last}

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        super()._set_tracking_state(state)
        last = state["last_frame"]
        self.last_frame = None if last is None else last.numpy()


def _of_classes(bboxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Box and score of one class in each row of the second stage's answer.

    Args:
        bboxes: ``(n, 4 * C)``, or ``(n, 4)`` where all classes share their box.
        scores: ``(n, C + 1)``, the background last.
        labels: Class of each row, ``(n,)``.

    Returns:
        ``(n, 5)``, x1y1x2y2 and score.
    """
    rows = torch.arange(len(labels), device=labels.device)
    per_class = bboxes.view(len(bboxes), -1, 4)
    chosen = per_class[rows, labels if per_class.size(1) > 1 else torch.zeros_like(labels)]
    return torch.cat((chosen.float(), scores[rows, labels, None].float()), dim=1)
