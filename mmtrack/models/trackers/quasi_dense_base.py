"""What the quasi-dense trackers have in common: one embedding per track, compared with all."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import torch

from mmtrack.core.track import bisoftmax, softmax

from .table_tracker import NO_ID, Detections, TableTracker

METRICS = ("bisoftmax", "softmax", "cosine")


class QuasiDenseBaseTracker(TableTracker):
    """Objects continue the tracks that look most like them; there is no motion model.

    The ``model`` given to :meth:`track` has ``track_head.extract_bbox_feats``, as
    :class:`mmtrack.models.track_heads.QuasiDenseTrackHead`.

    Args:
        match_score_thr: Smallest similarity of a match.
        memo_frames: A track is forgotten when it has not been seen for so many frames.
        memo_momentum: Momentum of the embedding of a track:
            ``(1 - momentum) * old + momentum * new``.
        match_metric: ``'bisoftmax'``, ``'softmax'`` (over the tracks) or ``'cosine'``.
        **kwargs: Of :class:`BaseTracker`.

    Raises:
        ValueError: the metric is unknown, or there is no frame to remember.
    """

    def __init__(
        self,
        *,
        match_score_thr: float,
        memo_frames: int,
        memo_momentum: float,
        match_metric: str,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if match_metric not in METRICS:
            raise ValueError(f"match_metric must be one of {METRICS}, found {match_metric!r}")
        if memo_frames < 1:
            raise ValueError(f"tracks must be remembered for at least a frame, found {memo_frames}")
        if not 0 <= memo_momentum <= 1:
            raise ValueError(f"memo_momentum must lie in [0, 1], found {memo_momentum}")
        self.match_score_thr = match_score_thr
        self.memo_frames = memo_frames
        self.memo_momentum = memo_momentum
        self.match_metric = match_metric

    # ---------------------------------------------------------------- of each method
    @abstractmethod
    def select(self, dets: Detections) -> np.ndarray:
        """Rows of the detections that are no duplicates, in the order in which they choose."""

    @abstractmethod
    def associate(self, dets: Detections) -> np.ndarray:
        """Id of the track that each detection continues, ``(n,)``; negative for none."""

    @abstractmethod
    def starts_track(self, dets: Detections) -> np.ndarray:
        """Whether each detection starts a track if its id is ``NO_ID``, ``(n,)`` bool."""

    @abstractmethod
    def _update(self, ids: np.ndarray, dets: Detections) -> None:
        """Remember the frame through the documented :meth:`update` of the tracker."""

    @property
    def lowest_score(self) -> float:
        """All detections are looked at."""
        return -np.inf

    # ---------------------------------------------------------------- steps of a frame
    def _track(
        self,
        img_metas: list[dict],
        feats: list[torch.Tensor],
        model: Any,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        frame_id: int,
        *,
        rescale: bool,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """All steps of a frame; see ``track`` of the trackers. ``options`` are for associate."""
        _, dets = self._read(bboxes, labels, frame_id)
        self._begin_frame(frame_id)
        rows = self.select(dets)
        dets = self.describe(
            dets.pick(rows), feats=feats, img_metas=img_metas, model=model, rescale=rescale
        )
        ids = self.associate(dets, **options)
        self.number_new_tracks(ids, np.flatnonzero((ids == NO_ID) & self.starts_track(dets)))
        self._update(ids, dets)
        kept = np.flatnonzero(ids > NO_ID)
        rows = torch.from_numpy(rows[kept]).to(bboxes.device)
        return bboxes[rows], labels[rows], torch.from_numpy(ids[kept]).to(bboxes.device)

    def describe(
        self,
        dets: Detections,
        *,
        feats: list[torch.Tensor],
        img_metas: list[dict],
        model: Any,
        rescale: bool,
    ) -> Detections:
        """Add the embeddings of all detections, made in one batch."""
        if not len(dets.scores):
            return dets
        places = torch.from_numpy(dets.bboxes).float()
        if rescale:
            places = places * places.new_tensor(img_metas[0]["scale_factor"])
        embeds = model.track_head.extract_bbox_feats(feats, [places.to(feats[0].device)])
        return dets._replace(embeds=embeds.detach().float().cpu().numpy())

    def similarities(
        self,
        embeds: np.ndarray,
        others: np.ndarray,
        rows: np.ndarray,
        cols: np.ndarray,
        *,
        temperature: float = -1,
        with_cosine: bool = False,
    ) -> np.ndarray:
        """Similarity of pairs of embeddings by the metric.

        Args:
            embeds: ``(N, C)``.
            others: ``(M, C)``.
            rows: First of each pair, ``(K,)``.
            cols: Second of each pair, ``(K,)``.
            temperature: Products are divided by it before a softmax when it is positive.
            with_cosine: Take the mean of the metric and the cosine.

        Returns:
            ``(K,)``. A softmax is one over the given pairs.
        """
        products = (embeds @ others.T)[rows, cols]
        if with_cosine or self.match_metric == "cosine":
            sizes = _lengths(embeds)[rows] * _lengths(others)[cols]
            cosines = products / np.maximum(sizes, np.finfo(sizes.dtype).tiny)
        if self.match_metric == "cosine":
            return cosines
        products = products / temperature if temperature > 0 else products
        if self.match_metric == "softmax":
            scores = softmax(products, rows)
        else:
            scores = bisoftmax(products, rows, cols)
        return (scores + cosines) / 2 if with_cosine else scores

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget the tracks that have not been seen for ``memo_frames`` frames."""
        self.table.keep(frame_id - self.table["frame_ids"] < self.memo_frames)

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        super()._continue_tracks(rows, dets)
        embeds = self.table["embeds"]
        old = embeds[rows]
        embeds[rows] = old + self.memo_momentum * (dets.embeds - old)

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        super()._start_tracks(ids, dets)
        if "embeds" not in self.table:
            self.table.add_column("embeds", dets.embeds.shape[1:], np.float32)
        self.table["embeds"][len(self.table) - len(ids) :] = dets.embeds


def detections_from(
    bboxes: torch.Tensor | np.ndarray,
    labels: torch.Tensor | np.ndarray,
    embeds: torch.Tensor | np.ndarray,
) -> Detections:
    """Detections from boxes with scores ``(n, 5)``, labels ``(n,)`` and embeddings ``(n, C)``."""
    bboxes, labels, embeds = (_to_numpy(value) for value in (bboxes, labels, embeds))
    return Detections(
        bboxes[:, :4].astype(np.float64),
        bboxes[:, 4].astype(np.float64),
        labels.astype(np.int64),
        embeds.astype(np.float32, copy=False),
    )


def _lengths(embeds: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("nc,nc->n", embeds, embeds))


def _to_numpy(value: torch.Tensor | np.ndarray) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
