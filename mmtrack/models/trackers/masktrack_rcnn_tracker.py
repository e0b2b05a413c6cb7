"""The tracker of MaskTrack R-CNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from addict import Dict
from mmdet.core import bbox_overlaps

from mmtrack.core.track.instance_matching import NEW, NOT_MATCHED, choose_instances, match_scores

from ..builder import TRACKERS
from .base_tracker import BaseTracker


@TRACKERS.register_module()
class MaskTrackRCNNTracker(BaseTracker):
    """Gives each detection the remembered instance that fits best, or a new one.

    An instance is remembered as it was seen last: its box, class and features, in tensors with one
    row per instance on the device of the model. A frame costs one transfer from the device.

    Args:
        match_weights: Weights of the score of a detection, of the overlap and of the equality of
            classes against the similarity of features.
        unique_ids: Give an instance to the best of the detections that want it, as the paper says.
            Otherwise an earlier detection keeps it when a better one comes, as in MMTracking 0.14:
            then one identity can occur twice in a frame, and the better detection, which comes
            later, is remembered.
        init_cfg: Initialisation of the weights.
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
        self._clear()

    def reset(self) -> None:
        """Forget all instances and the frame; ids start at 0 again."""
        super().reset()
        self._clear()

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
            ValueError: the frame comes late, or the lengths differ.
        """
        self._begin_frame(frame_id, bboxes, labels, masks)
        if not len(bboxes):
            return bboxes, labels, masks, labels.new_zeros(0, dtype=torch.int64)
        places = bboxes[:, :4]
        if rescale:
            places = places * places.new_tensor(img_metas[0]["scale_factor"])
        roi_feats, _ = model.track_head.extract_roi_feats(feats, [places])
        if self.empty:  # nothing to compare with: all are new
            scores = roi_feats.new_zeros(len(bboxes), 1)
        else:
            memo = self._values
            logits = model.track_head.simple_test(roi_feats, memo["roi_feats"])
            scores = self.get_match_score(bboxes, labels, memo["bboxes"], memo["labels"], logits)
        ids = self.assign_ids(scores)
        rows = (ids != NOT_MATCHED).nonzero()[:, 0]
        kept = rows.to(bboxes.device)
        found = bboxes[kept], labels[kept], masks[kept], ids[rows].to(bboxes.device)
        self.update(
            ids=ids[rows],
            bboxes=found[0][:, :4],
            labels=found[1],
            roi_feats=roi_feats[kept],
            frame_ids=frame_id,
        )
        return found

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
        # the one transfer of a frame: the choice itself is made on the device
        columns = choose_instances(match_scores, unique=self.unique_ids).cpu()
        ids = torch.full_like(columns, NOT_MATCHED)
        known, new = columns > NEW, columns == NEW
        ids[known] = torch.from_numpy(self._ids)[columns[known] - 1]
        count = int(new.sum())
        ids[new] = torch.arange(self.num_tracks, self.num_tracks + count)
        self.num_tracks += count
        return ids

    # ---------------------------------------------------------------- memory
    def update(self, **kwargs: Any) -> None:
        """Remember the values of a frame, start the instances that are new, drop the outdated ones.

        Args:
            **kwargs: ``ids`` ``(n,)``, ``frame_ids`` (one number or ``(n,)``), and items with one
                row per id, the same in every frame. Of an id that occurs twice the last row counts.

        Raises:
            ValueError: ``ids`` or ``frame_ids`` are missing, or the lengths differ.
        """
        if "ids" not in kwargs or "frame_ids" not in kwargs:
            raise ValueError(f"update() needs ids and frame_ids, found {sorted(kwargs)}")
        ids = np.asarray(kwargs.pop("ids"), dtype=np.int64)
        frame_ids = np.broadcast_to(np.asarray(kwargs.pop("frame_ids"), dtype=np.int64), ids.shape)
        for name, values in kwargs.items():
            if len(values) != len(ids):
                raise ValueError(f"update() got {len(ids)} ids and {len(values)} {name}")
        self.memo_items = [*kwargs, "frame_ids"]
        if self._hooks_overridden:
            for row, ident in enumerate(ids.tolist()):
                hook = self.update_track if ident in self._ids else self.init_track
                hook(ident, [*(values[row] for values in kwargs.values()), frame_ids[row]])
        else:
            self._remember(ids, frame_ids, kwargs)
        if len(ids):
            self.pop_invalid_tracks(int(frame_ids[0]))

    def init_track(self, id: int, obj: Sequence) -> None:
        """Start one instance; called per instance only where a subclass overrides it.

        Args:
            id: Its id, above all others.
            obj: Value of each of ``self.memo_items``.
        """
        self._remember(np.array([id]), np.array([int(obj[-1])]), self._rows_of_one(obj))

    def update_track(self, id: int, obj: Sequence) -> None:
        """Continue one instance; called per instance only where a subclass overrides it.

        Args:
            id: Its id.
            obj: Value of each of ``self.memo_items``.
        """
        self._remember(np.array([id]), np.array([int(obj[-1])]), self._rows_of_one(obj))

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget the instances that have not been seen for ``num_frames_retain`` frames."""
        keep = frame_id - self._frame_ids < self.num_frames_retain
        if keep.all():
            return
        self._ids, self._frame_ids = self._ids[keep], self._frame_ids[keep]
        rows = torch.from_numpy(np.flatnonzero(keep))
        self._values = {k: v[rows.to(v.device)] for k, v in self._values.items()}

    @property
    def tracks(self) -> dict[int, Dict]:
        """Copy of what is remembered of each instance, by id, in the form of BaseTracker."""
        tracks = {}
        for row, ident in enumerate(self.ids):
            track = tracks[ident] = Dict()
            for name, values in self._values.items():
                value = values[row : row + 1].clone()
                track[name] = value if self._momentum(name) is not None else [value]
            track["frame_ids"] = [torch.from_numpy(self._frame_ids[row : row + 1].copy())]
        return tracks

    @property
    def ids(self) -> list[int]:
        """Ids of all remembered instances."""
        return self._ids.tolist()

    @property
    def empty(self) -> bool:
        """Whether nothing is remembered."""
        return not len(self._ids)

    def _clear(self) -> None:
        self.frame_id: int | None = None
        self._ids = np.zeros(0, dtype=np.int64)  # ascending
        self._frame_ids = np.zeros(0, dtype=np.int64)  # in which each was seen last
        self._values: dict[str, torch.Tensor] = {}

    @property
    def _hooks_overridden(self) -> bool:
        own = MaskTrackRCNNTracker
        return any(
            getattr(type(self), name) is not getattr(own, name)
            for name in ("init_track", "update_track")
        )

    def _begin_frame(
        self, frame_id: int, bboxes: torch.Tensor, labels: torch.Tensor, masks: torch.Tensor
    ) -> None:
        if not len(bboxes) == len(labels) == len(masks):
            raise ValueError(
                f"frame {frame_id}: {len(bboxes)} bboxes, {len(labels)} labels and {len(masks)} "
                "masks differ"
            )
        if frame_id == 0:
            self.reset()
        if self.frame_id is not None and frame_id <= self.frame_id:
            raise ValueError(
                f"frame {frame_id} comes after frame {self.frame_id}: frames must be given in "
                "order, and a new video begins with frame 0 or reset()"
            )
        self.frame_id = frame_id
        self.pop_invalid_tracks(frame_id - 1)

    def _rows_of_one(self, obj: Sequence) -> dict[str, torch.Tensor]:
        return {
            name: torch.as_tensor(value)[None]
            for name, value in zip(self.memo_items[:-1], obj[:-1], strict=True)
        }

    def _remember(
        self, ids: np.ndarray, frame_ids: np.ndarray, values: Mapping[str, torch.Tensor]
    ) -> None:
        """Overwrite the rows of known ids and add those of new ones."""
        # last row of each id, in the order of ids
        ids, last = np.unique(ids[::-1], return_index=True)
        chosen = len(frame_ids) - 1 - last
        frame_ids = frame_ids[chosen]
        known = np.isin(ids, self._ids, assume_unique=True)
        rows = np.searchsorted(self._ids, ids[known])
        self._frame_ids[rows] = frame_ids[known]
        self._ids = np.concatenate((self._ids, ids[~known]))
        self._frame_ids = np.concatenate((self._frame_ids, frame_ids[~known]))
        at, old, new = (torch.from_numpy(v) for v in (rows, chosen[known], chosen[~known]))
        for name, given in values.items():
            memo = self._values.get(name, given[:0])
            place = memo.device
            memo[at.to(place)] = self._blend(name, memo[at.to(place)], given[old.to(place)])
            self._values[name] = torch.cat((memo, given[new.to(place)]))

    def _blend(self, name: str, old: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
        momentum = self._momentum(name)
        return new if momentum is None else (1 - momentum) * old + momentum * new

    def _tracking_state(self) -> dict[str, Any]:
        return {
            "num_tracks": self.num_tracks,
            "frame_id": self.frame_id,
            "ids": torch.from_numpy(self._ids.copy()),
            "frame_ids": torch.from_numpy(self._frame_ids.copy()),
            "values": {name: value.clone() for name, value in self._values.items()},
        }

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        self.reset()
        self.num_tracks = int(state["num_tracks"])
        self.frame_id = state["frame_id"]
        self._ids = state["ids"].numpy().copy()
        self._frame_ids = state["frame_ids"].numpy().copy()
        self._values = {name: value.clone() for name, value in state["values"].items()}
