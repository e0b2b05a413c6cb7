"""SORT and DeepSORT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist

from mmtrack.core.bbox import bbox_xyxy_to_cxcyah, sparse_bbox_iou
from mmtrack.core.track import Matches, imrenormalize, match_most, match_within

from ..builder import TRACKERS
from .motion_tracker import NO_ID, Detections, MotionTracker


@TRACKERS.register_module()
class SortTracker(MotionTracker):
    """SORT, and with a ReID model DeepSORT.

    With ReID, confirmed tracks are first matched by appearance among the detections that lie where
    the Kalman filter allows them, however long ago they were seen. Then all tracks that were seen
    in the last frame are matched by the overlap of their last box with the detections.

    Args:
        obj_score_thr: Detections must score above it.
        reid: Settings of ReID, ``None`` for SORT: ``num_samples``, how many last embeddings of a
            track are averaged; ``img_scale``, height and width of the crops; ``img_norm_cfg``,
            normalisation of the crops where it is not that of the frame; ``match_score_thr``,
            largest Euclidean distance of a match.
        match_iou_thr: Smallest overlap of a match.
        num_tentatives: A track is confirmed when it has been detected so many times.
        init_cfg: Not used; trackers have no weights.
        **kwargs: Of :class:`BaseTracker`. ``momentums=dict(embeds=...)`` keeps a running mean of
            the embeddings instead of the last ``num_samples``.

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

    def describe(
        self,
        dets: Detections,
        *,
        img: torch.Tensor,
        img_metas: list[dict],
        model: Any,
        rescale: bool,
    ) -> Detections:
        """Add the embeddings of all detections, made in one batch."""
        if not self.with_reid or not len(dets.scores):
            return dets
        if self.reid.get("img_norm_cfg"):
            img = imrenormalize(img, img_metas[0]["img_norm_cfg"], self.reid["img_norm_cfg"])
        crops = self.crop_imgs(img, img_metas, torch.from_numpy(dets.bboxes).float(), rescale)
        embeds = model.reid.simple_test(crops)
        return dets._replace(embeds=embeds.float().cpu().numpy())

    def associate(self, dets: Detections) -> np.ndarray:
        """First by appearance, then by overlap; see the class."""
        table = self.table
        ids = np.full(len(dets.scores), NO_ID)
        if dets.embeds is not None and "embeds" in table:
            confirmed = np.flatnonzero(~table["tentative"])
            matches = self.match_by_appearance(confirmed, dets)
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

    def match_by_appearance(self, rows: np.ndarray, dets: Detections) -> Matches:
        """Match tracks with detections that look alike, where the Kalman filter allows them.

        Args:
            rows: Rows of the tracks in the table.
            dets: Detections with embeddings.

        Returns:
            Matches of positions in ``rows`` with detections.
        """
        table = self.table
        gate = self.motion.gate_all(
            table["means"][rows], table["covs"][rows], bbox_xyxy_to_cxcyah(dets.bboxes)
        )
        distances = cdist(self.mean_embeds(rows), dets.embeds)
        allowed = np.nonzero(gate)
        return match_most(*allowed, distances[allowed]).up_to(self.reid["match_score_thr"])

    def mean_embeds(self, rows: np.ndarray) -> np.ndarray:
        """Mean of the remembered embeddings of tracks, ``(n, C)``."""
        embeds = self.table["embeds"][rows]
        counts = np.minimum(self.table["num_hits"][rows], embeds.shape[1])
        return embeds.sum(axis=1) / counts[:, None]

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        if dets.embeds is not None:
            embeds = self.table["embeds"]
            momentum = self._momentum("embeds")
            if momentum is None:
                embeds[rows, self.table["num_hits"][rows] % embeds.shape[1]] = dets.embeds
            else:
                embeds[rows, 0] += momentum * (dets.embeds - embeds[rows, 0])
        super()._continue_tracks(rows, dets)

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        super()._start_tracks(ids, dets)
        if dets.embeds is None:
            return
        if "embeds" not in self.table:
            samples = self.reid["num_samples"] if self._momentum("embeds") is None else 1
            self.table.add_column("embeds", (samples, dets.embeds.shape[1]), np.float32)
        self.table["embeds"][len(self.table) - len(ids) :, 0] = dets.embeds
