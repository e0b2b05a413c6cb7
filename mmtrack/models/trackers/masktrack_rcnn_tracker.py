"""The tracker of MaskTrack R-CNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmdet.core import bbox_overlaps

from mmtrack.core.track.instance_matching import NEW, NOT_MATCHED, choose_instances, match_scores

from ..builder import TRACKERS
from .table_tracker import NO_ID, TableTracker


@TRACKERS.register_module()
class MaskTrackRCNNTracker(TableTracker):
    """Gives each detection the remembered instance that fits best, or a new one.

    An instance is remembered as it was seen last: its box and class in the table, the features of
    its box in ``roi_feats``, a tensor with one row per instance on the device of the model.

    Args:
        match_weights: Weights of the score of a detection, of the overlap and of the equality of
            classes against the similarity of features.
        init_cfg: Initialisation of the weights.
        unique_ids: Give an instance to the best of the detections that want it, as the paper says.
            Otherwise an earlier detection keeps it when a better one comes, as in MMTracking 0.14:
            then one identity can occur twice in a frame, and the better detection, which comes
            later, is remembered.
        **kwargs: Of :class:`BaseTracker`.

    Reference: Yang et al., "Video Instance Segmentation", ICCV 2019, sections 4.2 and 4.3.
    """

    def __init__(
        self,
        match_weights: dict[str, float] = dict(  # noqa: B006 C408 (documented; never changed)
            det_score=1.0, iou=2.0, det_label=10.0
        ),
        init_cfg: dict | None = None,
        unique_ids: bool = False,
        **kwargs: Any,
    ):
        super().__init__(init_cfg=init_cfg, **kwargs)
        self.match_weights = match_weights
        self.unique_ids = unique_ids
        self.roi_feats = torch.zeros(0)

    def reset(self) -> None:
        """Forget all instances and the frame; ids start at 0 again."""
        super().reset()
        self.roi_feats = torch.zeros(0)

    @property
    def lowest_score(self) -> float:
        """All detections are looked at; the detector has a threshold."""
        return -np.inf

    def track(
        self,
        img: torch.Tensor,
        img_metas: list[dict],
        model: Any,
        feats: Sequence[torch.Tensor],
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        masks: torch.Tensor,
        frame_id: int,
        rescale: bool = False,
        **kwargs: Any,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Continue the instances with the detections of the next frame.

        Args:
            img: The frame, not looked at.
            img_metas: Its meta data, for ``scale_factor``.
            model: The model, for ``track_head`` with ``extract_roi_feats`` and ``simple_test``.
            feats: Features of the frame.
            bboxes: ``(n, 5)``, x1y1x2y2 in pixels and score; ``n`` may be 0.
            labels: ``(n,)``.
            masks: ``(n, h, w)``, passed on.
            frame_id: Number of the frame in its video; 0 starts a new video.
            rescale: The boxes lie in the original image and not in ``img``.
            **kwargs: Not used.

        Returns:
            The detections that belong to an instance, in their order: bboxes ``(m, 5)``, labels
            ``(m,)`` and masks ``(m, h, w)`` as given, and ids ``(m,)`` int64.

        Raises:
            ValueError: the frame comes late, a box is not finite or has no area, or the lengths
                differ.
        """
        if len(masks) != len(bboxes):
            raise ValueError(f"frame {frame_id}: {len(bboxes)} bboxes, but {len(masks)} masks")
        _, dets = self._read(bboxes, labels, frame_id)
        self._begin_frame(frame_id)
        ids = np.zeros(0, dtype=np.int64)
        if len(bboxes):
            places = bboxes[:, :4]
            if rescale:
                places = places * places.new_tensor(img_metas[0]["scale_factor"])
            roi_feats, _ = model.track_head.extract_roi_feats(feats, [places])
            ids = self.assign_ids(self._match(model, bboxes, labels, roi_feats)).numpy()
            owner = np.where(_is_last_of_its_kind(ids), ids, NO_ID)
            self.remember(owner, dets)
            self._remember_feats(owner, roi_feats)
        self.pop_invalid_tracks(frame_id)
        kept = np.flatnonzero(ids != NO_ID)
        rows = torch.from_numpy(kept).to(bboxes.device)
        return (
            bboxes[rows],
            labels[rows],
            masks[rows],
            torch.from_numpy(ids[kept]).to(bboxes.device),
        )

    def get_match_score(
        self,
        bboxes: torch.Tensor,
        labels: torch.Tensor,
        prev_bboxes: torch.Tensor,
        prev_labels: torch.Tensor,
        similarity_logits: torch.Tensor,
    ) -> torch.Tensor:
        """How well each detection continues each remembered instance.

        Args:
            bboxes: Detections, ``(n, 5)``, x1y1x2y2 in pixels and score.
            labels: Their classes, ``(n,)``.
            prev_bboxes: Last boxes of the instances, ``(m, 4)``.
            prev_labels: Their classes, ``(m,)``.
            similarity_logits: Similarity of features, ``(n, m + 1)``, column 0 for "new".

        Returns:
            ``(n, m + 1)``, column 0 for "new".
        """
        return match_scores(
            similarity_logits,
            bboxes[:, 4],
            bbox_overlaps(bboxes[:, :4], prev_bboxes[:, :4]),
            labels[:, None] == prev_labels[None],
            self.match_weights,
        )

    def assign_ids(self, match_scores: torch.Tensor) -> torch.Tensor:
        """Identity of each detection; new instances get the next free ids.

        Args:
            match_scores: Of :meth:`get_match_score`, ``(n, m + 1)``.

        Returns:
            ``(n,)`` int64 on the CPU, -1 for detections whose instance went to another one.
        """
        columns = choose_instances(match_scores.cpu(), unique=self.unique_ids).numpy()
        ids = np.full(len(columns), NO_ID)
        known = (columns != NEW) & (columns != NOT_MATCHED)
        ids[known] = self.table["ids"][columns[known] - 1]
        self.number_new_tracks(ids, np.flatnonzero(columns == NEW))
        return torch.from_numpy(ids)

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget the instances that have not been seen for ``num_frames_retain`` frames."""
        before = self.table["ids"]
        super().pop_invalid_tracks(frame_id)
        if len(self.table) < len(before):
            rows = np.searchsorted(before, self.table["ids"])
            self.roi_feats = self.roi_feats[torch.from_numpy(rows).to(self.roi_feats.device)]

    def _match(
        self, model: Any, bboxes: torch.Tensor, labels: torch.Tensor, roi_feats: torch.Tensor
    ) -> torch.Tensor:
        if self.empty:  # nothing to compare with: all are new
            return roi_feats.new_zeros(len(bboxes), 1)
        logits = model.track_head.simple_test(roi_feats, self.roi_feats)
        prev_bboxes = torch.from_numpy(self.table["bboxes"]).to(bboxes)
        prev_labels = torch.from_numpy(self.table["labels"]).to(labels)
        return self.get_match_score(bboxes, labels, prev_bboxes, prev_labels, logits)

    def _remember_feats(self, ids: np.ndarray, roi_feats: torch.Tensor) -> None:
        """Write the features of detections with an id into the rows of their instances."""
        owned = np.flatnonzero(ids != NO_ID)
        rows = torch.from_numpy(self.table.rows_of(ids[owned])).to(roi_feats.device)
        kept = self.roi_feats.to(roi_feats)
        memory = roi_feats.new_zeros(len(self.table), *roi_feats.shape[1:])
        memory[: len(kept)] = kept.view(len(kept), *roi_feats.shape[1:])
        memory[rows] = roi_feats[torch.from_numpy(owned).to(roi_feats.device)]
        self.roi_feats = memory

    def _tracking_state(self) -> dict[str, Any]:
        return {**super()._tracking_state(), "roi_feats": self.roi_feats}

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        super()._set_tracking_state(state)
        self.roi_feats = state["roi_feats"]


def _is_last_of_its_kind(ids: np.ndarray) -> np.ndarray:
    """Whether no later entry has the same value, ``(n,)`` bool."""
    last = np.zeros(len(ids), dtype=bool)
    last[len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]] = True
    return last
