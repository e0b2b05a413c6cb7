"""QDTrack: objects are found again by what they look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from mmtrack.core.track import claim_in_order, overlaps_earlier

from ..builder import TRACKERS
from .quasi_dense_base import QuasiDenseBaseTracker, detections_from
from .table_tracker import NO_ID, Detections

# A detection that looks like a track, but is too weak to continue it: neither track nor backdrop.
WEAK_MATCH = -2


class Memory(NamedTuple):
    """Tracks, then backdrops, which have the id -1.

    Attributes:
        bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
        labels: ``(n,)``.
        embeds: ``(n, C)``.
        ids: ``(n,)``.
    """

    bboxes: torch.Tensor
    labels: torch.Tensor
    embeds: torch.Tensor
    ids: torch.Tensor


class Backdrops(NamedTuple):
    """Detections of the last frames that belong to no track.

    Attributes:
        bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score.
        labels: ``(n,)`` int64.
        embeds: ``(n, C)`` float32.
        frame_ids: Frame of each, ``(n,)`` int64.
    """

    bboxes: np.ndarray
    labels: np.ndarray
    embeds: np.ndarray
    frame_ids: np.ndarray

    def pick(self, rows: np.ndarray) -> Backdrops:
        """Some of them."""
        return Backdrops(*(column[rows] for column in self))


@TRACKERS.register_module()
class QuasiDenseTracker(QuasiDenseBaseTracker):
    """Nearest neighbours in both directions among tracks and backdrops.

    Backdrops are detections of the last frames that are too weak for a track. They take the
    similarity of what is not an object, so that it does not look like a track. A duplicate is a box
    that overlaps one of a higher score; it is removed, also across classes.

    Every frame advances the memory, one without detections as well: it holds no backdrops.

    Args:
        init_score_thr: Score above which a detection that continues no track starts one.
        obj_score_thr: Score above which a detection may continue a track.
        match_score_thr: Smallest similarity of a match.
        memo_tracklet_frames: A track is forgotten when it has not been seen for so many frames.
        memo_backdrop_frames: Number of last frames whose backdrops are compared with.
        memo_momentum: Momentum of the embedding of a track.
        nms_conf_thr: A detection with a similarity above it to a track that it may not continue is
            no backdrop.
        nms_backdrop_iou_thr: Largest overlap of a weak detection (below ``obj_score_thr``), or of a
            backdrop, with a box of a higher score.
        nms_class_iou_thr: Largest overlap of the other detections with a box of a higher score.
        with_cats: Compare objects of one class only.
        match_metric: ``'bisoftmax'``, ``'softmax'`` (over the tracks) or ``'cosine'``.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, section 3.3.
    """

    def __init__(
        self,
        init_score_thr: float = 0.8,
        obj_score_thr: float = 0.5,
        match_score_thr: float = 0.5,
        memo_tracklet_frames: int = 10,
        memo_backdrop_frames: int = 1,
        memo_momentum: float = 0.8,
        nms_conf_thr: float = 0.5,
        nms_backdrop_iou_thr: float = 0.3,
        nms_class_iou_thr: float = 0.7,
        with_cats: bool = True,
        match_metric: str = "bisoftmax",
        **kwargs: Any,
    ):
        super().__init__(
            match_score_thr=match_score_thr,
            memo_frames=memo_tracklet_frames,
            memo_momentum=memo_momentum,
            match_metric=match_metric,
            **kwargs,
        )
        if memo_backdrop_frames < 0:
            raise ValueError(f"memo_backdrop_frames must not be negative: {memo_backdrop_frames}")
        self.init_score_thr = init_score_thr
        self.obj_score_thr = obj_score_thr
        self.memo_backdrop_frames = memo_backdrop_frames
        self.nms_conf_thr = nms_conf_thr
        self.nms_backdrop_iou_thr = nms_backdrop_iou_thr
        self.nms_class_iou_thr = nms_class_iou_thr
        self.with_cats = with_cats
        self.backdrops = _no_backdrops()

    @property
    def memo_tracklet_frames(self) -> int:
        """A track is forgotten when it has not been seen for so many frames."""
        return self.memo_frames

    def reset(self) -> None:
        """Forget all tracks and backdrops; ids start at 0 again."""
        super().reset()
        self.backdrops = _no_backdrops()

    @property
    def memo(self) -> Memory:
        """Everything that the detections of the next frame are compared with."""
        table, backdrops = self.table, self.backdrops
        bboxes = np.column_stack((table["bboxes"], table["scores"]))
        embeds = table["embeds"] if "embeds" in table else backdrops.embeds[:0]
        columns = (
            (bboxes, backdrops.bboxes),
            (table["labels"], backdrops.labels),
            (embeds, backdrops.embeds if len(backdrops.embeds) else embeds[:0]),
            (table["ids"], np.full(len(backdrops.labels), NO_ID)),
        )
        return Memory(*(torch.from_numpy(np.concatenate(parts)) for parts in columns))

    def track(
        self,
        img_metas: list[dict],
        feats: list[torch.Tensor],
        model: Any,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        frame_id: int,
        rescale: bool = True,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Continue the tracks with the detections of the next frame.

        Args:
            img_metas: Meta data of the frame.
            feats: Its feature maps, for the track head.
            model: The tracking model, for its track head.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score; ``n`` may be 0.
            labels: ``(n,)``.
            frame_id: Number of the frame in its video; 0 starts a new video.
            rescale: The boxes lie in the original image and not in the one that the feature maps
                were made of.

        Returns:
            The detections that belong to a track, by falling score: bboxes ``(m, 5)`` and labels
            ``(m,)`` as given, and ids ``(m,)`` int64.

        Raises:
            ValueError: the frame comes late, or a box is not finite.
        """
        return self._track(img_metas, feats, model, bboxes, labels, frame_id, rescale=rescale)

    def select(self, dets: Detections) -> np.ndarray:
        """Detections by falling score, without those that overlap a better one too much."""
        order = np.argsort(-dets.scores, kind="stable")
        weak = dets.scores[order] < self.obj_score_thr
        thrs = np.where(weak, self.nms_backdrop_iou_thr, self.nms_class_iou_thr)
        return order[~overlaps_earlier(dets.bboxes[order], thrs)]

    def associate(self, dets: Detections) -> np.ndarray:
        """Give each detection, best first, the track that is most similar."""
        ids = np.full(len(dets.scores), NO_ID)
        if self.empty or not len(ids):
            return ids
        table, backdrops = self.table, self.backdrops
        embeds, labels = table["embeds"], table["labels"]
        if len(backdrops.labels):
            embeds = np.concatenate((embeds, backdrops.embeds))
            labels = np.concatenate((labels, backdrops.labels))
        rows, cols = np.indices((len(ids), len(labels))).reshape(2, -1)
        scores = self.similarities(dets.embeds, embeds, rows, cols)
        if self.with_cats:
            alike = np.flatnonzero(dets.labels[rows] == labels[cols])
            rows, cols, scores = rows[alike], cols[alike], scores[alike]
        may_continue = (dets.scores > self.obj_score_thr)[rows] & (cols < len(table))
        claims = claim_in_order(
            rows, cols, scores, may_continue, threshold=self.match_score_thr, num_rows=len(ids)
        )
        ids[claims.claimed] = table["ids"][claims.cols[claims.claimed]]
        refused = (claims.cols >= 0) & (claims.cols < len(table)) & ~claims.claimed
        ids[refused & (claims.scores > self.nms_conf_thr)] = WEAK_MATCH
        return ids

    def starts_track(self, dets: Detections) -> np.ndarray:
        """Whether each detection scores enough, ``(n,)`` bool."""
        return dets.scores > self.init_score_thr

    def _update(self, ids: np.ndarray, dets: Detections) -> None:
        bboxes = np.column_stack((dets.bboxes, dets.scores))
        embeds = np.zeros((0, 0), np.float32) if dets.embeds is None else dets.embeds
        self.update(ids, bboxes, embeds, dets.labels, self.frame_id)

    def update(
        self,
        ids: torch.Tensor | np.ndarray,
        bboxes: torch.Tensor | np.ndarray,
        embeds: torch.Tensor | np.ndarray,
        labels: torch.Tensor | np.ndarray,
        frame_id: int,
    ) -> None:
        """Remember a frame: continue and start tracks, drop the outdated ones, choose backdrops.

        Args:
            ids: ``(n,)``; -1 for what may become a backdrop, -2 for what may not.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score, by falling score.
            embeds: ``(n, C)``.
            labels: ``(n,)``.
            frame_id: Number of the frame.
        """
        self.frame_id = int(frame_id)
        ids = np.asarray(ids)
        dets = detections_from(bboxes, labels, embeds)
        self.remember(np.maximum(ids, NO_ID), dets)
        thrs = np.full(len(ids), self.nms_backdrop_iou_thr)
        rows = np.flatnonzero((ids == NO_ID) & ~overlaps_earlier(dets.bboxes, thrs))
        self._remember_backdrops(dets.pick(rows))
        self.pop_invalid_tracks(self.frame_id)

    def _remember_backdrops(self, dets: Detections) -> None:
        new = Backdrops(
            np.column_stack((dets.bboxes, dets.scores)),
            dets.labels,
            dets.embeds,
            np.full(len(dets.labels), self.frame_id),
        )
        old = self.backdrops
        old = old.pick(old.frame_ids > self.frame_id - self.memo_backdrop_frames)
        if not self.memo_backdrop_frames:
            new = new.pick(np.zeros(0, dtype=int))
        if not len(old.labels) or not len(new.labels):
            self.backdrops = new if len(new.labels) else old
            return
        self.backdrops = Backdrops(*map(np.concatenate, zip(new, old, strict=True)))

    def _begin_frame(self, frame_id: int) -> None:
        super()._begin_frame(frame_id)
        # frames that were skipped had no backdrops
        recent = self.backdrops.frame_ids >= frame_id - self.memo_backdrop_frames
        self.backdrops = self.backdrops.pick(recent)

    def _tracking_state(self) -> dict[str, Any]:
        backdrops = {k: torch.from_numpy(v.copy()) for k, v in self.backdrops._asdict().items()}
        return {**super()._tracking_state(), "backdrops": backdrops}

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        super()._set_tracking_state(state)
        self.backdrops = Backdrops(**{k: v.numpy().copy() for k, v in state["backdrops"].items()})


def _no_backdrops() -> Backdrops:
    none = np.zeros(0, dtype=np.int64)
    return Backdrops(np.zeros((0, 5)), none, np.zeros((0, 0), dtype=np.float32), none)
