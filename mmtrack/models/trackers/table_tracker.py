"""What all trackers have in common that keep their tracks in one table: memory, birth and death."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from addict import Dict

from mmtrack.core.track import TrackTable

from .base_tracker import BaseTracker

NO_ID = -1
MEMO_ITEMS = ("bboxes", "scores", "labels", "frame_ids")


class Detections(NamedTuple):
    """Detections of a frame as arrays.

    Attributes:
        bboxes: ``(n, 4)`` float64, x1y1x2y2 in pixels.
        scores: ``(n,)`` float64.
        labels: ``(n,)`` int64.
        embeds: Appearance, ``(n, C)``, for trackers that compare it.
    """

    bboxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    embeds: np.ndarray | None = None

    def pick(self, rows: np.ndarray) -> Detections:
        """Some of the detections."""
        return Detections(*(column if column is None else column[rows] for column in self))

    def join(self, others: Detections) -> Detections:
        """These detections with others below, without embeddings."""
        pairs = zip(self[:3], others[:3], strict=True)
        return Detections(*(np.concatenate(pair) for pair in pairs))


class TableTracker(BaseTracker):
    """Tracks in arrays: what is remembered of each is a row of ``self.table``.

    Reading detections, numbering new tracks, continuing known ones and forgetting the outdated
    are here; a subclass says how tracks move from frame to frame (:meth:`_move`) and which
    detection continues which track. A frame number that is skipped counts as a frame without
    detections.

    Args:
        **kwargs: Of :class:`BaseTracker`.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.frame_id: int | None = None
        self.table = TrackTable(self._columns())
        self.memo_items = list(MEMO_ITEMS)
        self._hooks_overridden = any(
            getattr(type(self), name) is not getattr(TableTracker, name)
            for name in ("init_track", "update_track")
        )

    def reset(self) -> None:
        """Forget all tracks and the frame; ids start at 0 again."""
        super().reset()
        self.frame_id = None
        self.table = TrackTable(self._columns())
        self.memo_items = list(MEMO_ITEMS)

    # ---------------------------------------------------------------- of each method
    def _columns(self) -> dict[str, tuple]:
        """Shape of a row and dtype of what is remembered of each track."""
        return {
            "bboxes": ((4,), np.float64),
            "scores": ((), np.float64),
            "labels": ((), np.int64),
            "frame_ids": ((), np.int64),
            "num_hits": ((), np.int64),
        }

    @property
    @abstractmethod
    def lowest_score(self) -> float:
        """Detections must score above it to be looked at."""

    def _move(self, frame_id: int) -> None:
        """Move all tracks to the next frame; by default they stay where they were seen."""

    def _facts(self, row: int) -> dict[str, Any]:
        """What :attr:`tracks` tells of a track beside ``memo_items``."""
        return {}

    # ---------------------------------------------------------------- tracks to look at
    @property
    def tracks(self) -> dict[int, Dict]:
        """Copy of what is known about each track, by id, in the form of :class:`BaseTracker`."""
        tracks = {}
        for row, ident in enumerate(self.ids):
            track = tracks[ident] = Dict(id=ident, **self._facts(row))
            for name in self.memo_items:
                track[name] = [torch.as_tensor(self.table[name][row])[None].clone()]
        return tracks

    @property
    def ids(self) -> list[int]:
        """Ids of all tracks."""
        return self.table["ids"].tolist()

    @property
    def empty(self) -> bool:
        """Whether there are no tracks."""
        return not len(self.table)

    def init_track(self, id: int, obj: Sequence) -> None:
        """Start one track; called per track only where a subclass overrides it.

        Args:
            id: Its id, above all others.
            obj: Value of each of ``self.memo_items``: bboxes, scores, labels, frame_ids.
        """
        self._start_tracks(np.array([id]), self._detection_of(obj))

    def update_track(self, id: int, obj: Sequence) -> None:
        """Continue one track; called per track only where a subclass overrides it.

        Args:
            id: Its id.
            obj: Value of each of ``self.memo_items``: bboxes, scores, labels, frame_ids.
        """
        self._continue_tracks(self.table.rows_of([id]), self._detection_of(obj))

    def update(self, **kwargs: Any) -> None:
        """Continue and start tracks and drop the outdated ones, as the last step of a frame does.

        Args:
            **kwargs: ``ids``, ``bboxes`` ``(n, 4)``, ``scores`` and ``labels`` with one row per
                detection, and ``frame_ids``, one number or one per row.
        """
        given = {name: np.asarray(value) for name, value in kwargs.items()}
        self.frame_id = int(given["frame_ids"].flat[0])
        dets = Detections(
            *(given[name].astype(np.float64) for name in ("bboxes", "scores")),
            given["labels"].astype(np.int64),
        )
        self.remember(given["ids"].astype(np.int64), dets)
        self.pop_invalid_tracks(self.frame_id)

    def _detection_of(self, obj: Sequence) -> Detections:
        bbox, score, label = (np.asarray(value)[None] for value in obj[:3])
        return Detections(bbox[:, :4].astype(np.float64), score.astype(np.float64), label)

    def _tracking_state(self) -> dict[str, Any]:
        table = {name: torch.from_numpy(col) for name, col in self.table.state_dict().items()}
        return {"num_tracks": self.num_tracks, "frame_id": self.frame_id, "table": table}

    def _set_tracking_state(self, state: Mapping[str, Any]) -> None:
        self.reset()
        self.table.load_state_dict({name: col.numpy() for name, col in state["table"].items()})
        self.num_tracks = int(state["num_tracks"])
        self.frame_id = state["frame_id"]

    # ---------------------------------------------------------------- steps of a frame
    def _read(
        self, bboxes: torch.Tensor, labels: torch.Tensor, frame_id: int
    ) -> tuple[np.ndarray, Detections]:
        """Rows that score high enough, and their detections, with one copy from the device."""
        if bboxes.dim() != 2 or bboxes.size(1) != 5 or labels.shape != bboxes.shape[:1]:
            raise ValueError(
                f"frame {frame_id}: bboxes must be (n, 5) and labels (n,), found "
                f"{tuple(bboxes.shape)} and {tuple(labels.shape)}"
            )
        table = torch.cat((bboxes.double(), labels.double()[:, None]), dim=1).cpu().numpy()
        if not np.isfinite(table).all():
            row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
            raise ValueError(
                f"frame {frame_id}: detection {row} is not finite: {table[row, :5].tolist()}"
            )
        chosen = np.flatnonzero(table[:, 4] > self.lowest_score)
        table = table[chosen]
        return chosen, Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))

    def _begin_frame(self, frame_id: int) -> None:
        self._advance(self._open_frame(frame_id), frame_id)

    def _open_frame(self, frame_id: int) -> int:
        """Start again at frame 0; returns the frame before, from which tracks are to be moved."""
        if frame_id == 0:
            self.reset()
        last = frame_id - 1 if self.frame_id is None else self.frame_id
        if frame_id <= last:
            raise ValueError(
                f"frame {frame_id} comes after frame {last}: frames must be given in order, and a "
                "new video begins with frame 0 or reset()"
            )
        return last

    def _advance(self, last: int, frame_id: int) -> None:
        """Move all tracks from one frame to another, frame by frame."""
        for current in range(last + 1, frame_id + 1):
            if not len(self.table):
                break
            self._move(current)
            if current < frame_id:
                self.pop_invalid_tracks(current)
        self.frame_id = frame_id

    def number_new_tracks(self, ids: np.ndarray, new: np.ndarray) -> None:
        """Give detections the next free ids.

        Args:
            ids: Id of every detection, ``(n,)``; changed in place.
            new: Positions of those that start a track.
        """
        ids[new] = np.arange(self.num_tracks, self.num_tracks + len(new))
        self.num_tracks += len(new)

    def remember(self, ids: np.ndarray, dets: Detections) -> None:
        """Update the tracks with their detections and add the new ones.

        Args:
            ids: Id of each detection, ``NO_ID`` for none. Ids that are not in the table are new.
            dets: Detections of the frame.
        """
        owned = np.flatnonzero(ids != NO_ID)
        owned = owned[np.argsort(ids[owned])]
        known = np.isin(ids[owned], self.table["ids"], assume_unique=True)
        old, new = owned[known], owned[~known]
        if self._hooks_overridden:
            self._remember_one_by_one(ids, dets, old, new)
            return
        if len(old):
            self._continue_tracks(self.table.rows_of(ids[old]), dets.pick(old))
        if len(new):
            self._start_tracks(ids[new], dets.pick(new))

    def _remember_one_by_one(
        self, ids: np.ndarray, dets: Detections, old: np.ndarray, new: np.ndarray
    ) -> None:
        for rows, hook in ((old, self.update_track), (new, self.init_track)):
            for row in rows:
                bbox, score, label, _ = dets.pick(row)
                hook(int(ids[row]), (bbox, score, label, self.frame_id))

    def _continue_tracks(self, rows: np.ndarray, dets: Detections) -> None:
        table = self.table
        for name in ("bboxes", "scores", "labels"):
            table[name][rows] = getattr(dets, name)
        table["frame_ids"][rows] = self.frame_id
        table["num_hits"][rows] += 1

    def _start_tracks(self, ids: np.ndarray, dets: Detections) -> None:
        self.table.append(
            ids=ids,
            bboxes=dets.bboxes,
            scores=dets.scores,
            labels=dets.labels,
            frame_ids=np.full(len(ids), self.frame_id),
            num_hits=np.ones(len(ids), dtype=np.int64),
        )

    def pop_invalid_tracks(self, frame_id: int) -> None:
        """Forget the tracks that have not been seen for ``num_frames_retain`` frames."""
        self.table.keep(frame_id - self.table["frame_ids"] < self.num_frames_retain)

    @staticmethod
    def give_ids(
        ids: np.ndarray, cols: np.ndarray, track_ids: np.ndarray, track_of_col: np.ndarray
    ) -> None:
        """Write the ids of matched tracks to their detections.

        Args:
            ids: Id of every detection; changed in place.
            cols: Detections that were to be matched.
            track_ids: Ids of the tracks that were.
            track_of_col: Position in ``track_ids`` of the track of each of ``cols``, -1 for none.
        """
        found = track_of_col >= 0
        ids[cols[found]] = track_ids[track_of_col[found]]
