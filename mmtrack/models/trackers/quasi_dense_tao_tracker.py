"""QDTrack for many classes: TAO."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from mmtrack.core.track import claim_in_order, overlaps_earlier

from ..builder import TRACKERS
from .quasi_dense_base import QuasiDenseBaseTracker, detections_from
from .table_tracker import NO_ID, Detections


class TAOMemory(NamedTuple):
    """Tracks.

    Attributes:
        ids: ``(n,)``.
        bboxes: ``(n, 5)``, x1y1x2y2 in pixels and running mean of the score.
        labels: ``(n,)``.
        embeds: ``(n, C)``.
    """

    ids: torch.Tensor
    bboxes: torch.Tensor
    labels: torch.Tensor
    embeds: torch.Tensor


@TRACKERS.register_module()
class QuasiDenseTAOTracker(QuasiDenseBaseTracker):
    """Nearest neighbours in both directions among the tracks of the same class.

    With hundreds of classes a detector is not sure of any: nearly all detections are tracked, and
    the softmax runs over the tracks of one class. There are no backdrops; instead, a weak detection
    that overlaps one before it of the same class, a distractor, is removed.

    Args:
        init_score_thr: Score above which a detection that continues no track starts one.
        obj_score_thr: Score above which a detection may continue a track.
        match_score_thr: Smallest similarity of a match.
        memo_frames: A track is forgotten when it has not been seen for so many frames.
        memo_momentum: Momentum of the embedding of a track.
        momentum_obj_score: Momentum of the score of a track, which its boxes get:
            ``(1 - momentum) * old + momentum * new``.
        obj_score_diff_thr: The score of a detection and that of its track differ by less.
        distractor_nms_thr: Largest overlap of a weak detection with one before it.
        distractor_score_thr: Detections that score less are weak.
        match_metric: ``'bisoftmax'``, ``'softmax'`` (over the tracks) or ``'cosine'``.
        match_with_cosine: Take the mean of the metric and the cosine.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, section 3.3 and the experiments on TAO.
    """

    def __init__(
        self,
        init_score_thr: float = 0.0001,
        obj_score_thr: float = 0.0001,
        match_score_thr: float = 0.5,
        memo_frames: int = 10,
        memo_momentum: float = 0.8,
        momentum_obj_score: float = 0.5,
        obj_score_diff_thr: float = 1.0,
        distractor_nms_thr: float = 0.3,
        distractor_score_thr: float = 0.5,
        match_metric: str = "bisoftmax",
        match_with_cosine: bool = True,
        **kwargs: Any,
    ):
        super().__init__(
            match_score_thr=match_score_thr,
            memo_frames=memo_frames,
            memo_momentum=memo_momentum,
            match_metric=match_metric,
            **kwargs,
        )
        if not 0 <= momentum_obj_score <= 1:
            raise ValueError(f"momentum_obj_score must lie in [0, 1], found {momentum_obj_score}")
        self.init_score_thr = init_score_thr
        self.obj_score_thr = obj_score_thr
        self.momentum_obj_score = momentum_obj_score
        self.obj_score_diff_thr = obj_score_diff_thr
        self.distractor_nms_thr = distractor_nms_thr
        self.distractor_score_thr = distractor_score_thr
        self.match_with_cosine = match_with_cosine

    @property
    def memo(self) -> TAOMemory:
        """Everything that the detections of the next frame are compared with."""
        table = self.table
        embeds = table["embeds"] if "embeds" in table else np.zeros((0, 0), np.float32)
        columns = (
            table["ids"],
            np.column_stack((table["bboxes"], table["scores"])),
            table["labels"],
            embeds,
        )
        return TAOMemory(*(torch.from_numpy(column.copy()) for column in columns))

    def track(
        self,
        img_metas: list[dict],
        feats: list[torch.Tensor],
        model: Any,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        frame_id: int,
        temperature: float = -1,
        rescale: bool = True,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Continue the tracks with the detections of the next frame.

        Args:
            img_metas: Meta data of the frame.
            feats: Its feature maps, for the track head.
            model: The tracking model, for its track head.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score, by falling score; ``n`` may be 0.
            labels: ``(n,)``.
            frame_id: Number of the frame in its video; 0 starts a new video.
            temperature: Of the softmax; -1 for none.
            rescale: The boxes lie in the original image and not in the one that the feature maps
                were made of.
            **kwargs: Not used.

        Returns:
            The detections that belong to a track, in their order: bboxes ``(m, 5)`` with the
            running mean of the score of the track, labels ``(m,)`` as given and ids ``(m,)`` int64.

        Raises:
            ValueError: the frame comes late, or a box is not finite.
        """
        bboxes, labels, ids = self._track(
            img_metas, feats, model, bboxes, labels, frame_id,
            rescale=rescale, temperature=temperature,
        )  # fmt: skip
        scores = self.table["scores"][self.table.rows_of(ids.cpu().numpy())]
        return torch.column_stack((bboxes[:, :4], bboxes.new_tensor(scores))), labels, ids

    def select(self, dets: Detections) -> np.ndarray:
        """Detections in their order, without the distractors."""
        weak = dets.scores < self.distractor_score_thr
        thrs = np.where(weak, self.distractor_nms_thr, np.inf)
        return np.flatnonzero(~overlaps_earlier(dets.bboxes, thrs, dets.labels))

    def associate(self, dets: Detections, temperature: float = -1) -> np.ndarray:
        """Give each detection in turn the track of its class that is most similar."""
        ids = np.full(len(dets.scores), NO_ID)
        if self.empty or not len(ids):
            return ids
        table = self.table
        rows, cols = np.nonzero(dets.labels[:, None] == table["labels"])
        scores = self.similarities(
            dets.embeds, table["embeds"], rows, cols,
            temperature=temperature, with_cosine=self.match_with_cosine,
        )  # fmt: skip
        change = np.abs(dets.scores[rows] - table["scores"][cols])
        may_continue = (dets.scores > self.obj_score_thr)[rows] & (change < self.obj_score_diff_thr)
        claims = claim_in_order(
            rows, cols, scores, may_continue, threshold=self.match_score_thr, num_rows=len(ids)
        )
        ids[claims.claimed] = table["ids"][claims.cols[claims.claimed]]
        return ids

    def starts_track(self, dets: Detections) -> np.ndarray:
        """Whether each detection scores enough, ``(n,)`` bool."""
        return dets.scores > self.init_score_thr

    def _update(self, ids: np.ndarray, dets: Detections) -> None:
        bboxes = np.column_stack((dets.bboxes, dets.scores))
        embeds = np.zeros((0, 0), np.float32) if dets.embeds is None else dets.embeds
        self.update(ids, bboxes, dets.labels, embeds, self.frame_id)

    def update(
        self,
        ids: torch.Tensor | np.ndarray,
        bboxes: torch.Tensor | np.ndarray,
        labels: torch.Tensor | np.ndarray,
        embeds: torch.Tensor | np.ndarray,
        frame_id: int,
    ) -> None:
        """Remember a frame: continue and start tracks and drop the outdated ones.

        Args:
            ids: ``(n,)``; negative for detections without a track.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
            labels: ``(n,)``.
            embeds: ``(n, C)``.
            frame_id: Number of the frame.
        """
        self.frame_id = int(frame_id)
        dets = detections_from(bboxes, labels, embeds)
        self.remember(np.maximum(np.asarray(ids), NO_ID), dets)
        self.pop_invalid_tracks(self.frame_id)

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        old = self.table["scores"][rows]
        scores = old + self.momentum_obj_score * (dets.scores - old)
        super()._continue_tracks(rows, dets._replace(scores=scores))
