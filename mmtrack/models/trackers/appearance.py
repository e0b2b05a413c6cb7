"""Memory of what tracks look like, for trackers with a ReID model."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist

from mmtrack.core.track import Matches, imrenormalize, match_most

from .table_tracker import Detections, TableTracker


class AppearanceTracker(TableTracker):
    """A tracker that remembers the embeddings of its tracks and compares them with detections.

    ``self.reid`` holds the settings, ``None`` for none: ``num_samples``, how many last embeddings
    of a track are averaged; ``img_scale``, height and width of the crops; ``img_norm_cfg``,
    normalisation of the crops where it is not that of the frame; ``match_score_thr``, largest
    Euclidean distance of a match. ``momentums=dict(embeds=...)`` keeps a running mean of the
    embeddings instead of the last ``num_samples``.
    """

    def describe(
        self,
        dets: Detections,
        *,
        img: torch.Tensor,
        img_metas: list[dict],
        model: Any,
        rescale: bool,
    ) -> Detections:
        """Add the embeddings of all detections, where there is a ReID model."""
        if not (self.with_reid and model.with_reid) or not len(dets.scores):
            return dets
        inputs = {"img": img, "img_metas": img_metas, "model": model, "rescale": rescale}
        return dets._replace(embeds=self.embed(dets.bboxes, **inputs))

    def embed(
        self,
        bboxes: np.ndarray,
        *,
        img: torch.Tensor,
        img_metas: list[dict],
        model: Any,
        rescale: bool,
    ) -> np.ndarray:
        """Embeddings ``(n, C)`` of boxes ``(n, 4)``, made in one batch."""
        if self.reid.get("img_norm_cfg"):
            img = imrenormalize(img, img_metas[0]["img_norm_cfg"], self.reid["img_norm_cfg"])
        crops = self.crop_imgs(img, img_metas, torch.from_numpy(bboxes).float(), rescale)
        return model.reid.simple_test(crops).float().cpu().numpy()

    def match_by_appearance(
        self, rows: np.ndarray, embeds: np.ndarray, allowed: np.ndarray
    ) -> Matches:
        """Match tracks with detections that look alike.

        Args:
            rows: Rows of the tracks in the table, ``(N,)``.
            embeds: Embeddings of the detections, ``(M, C)``.
            allowed: Pairs that may match, ``(N, M)`` bool.

        Returns:
            Matches of positions in ``rows`` with detections, the most there can be of the allowed
            pairs, less those that look too different.
        """
        distances = cdist(self.mean_embeds(rows), embeds)
        pairs = np.nonzero(allowed)
        return match_most(*pairs, distances[pairs]).up_to(self.reid["match_score_thr"])

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
