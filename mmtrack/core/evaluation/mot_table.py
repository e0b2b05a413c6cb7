"""The boxes of one video as a table: what trackers write and metrics read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MOTTable:
    """Boxes of one video, one row per box, columns as arrays of equal length ``N``.

    Attributes:
        frames: Frame numbers ``(N,)`` int64, counted from 1 as in MOTChallenge files.
        ids: Track ids ``(N,)`` int64; -1 for detections without identity.
        boxes: ``(N, 4)`` float64, x1, y1, width, height in pixels, origin as in the file.
        scores: Confidence ``(N,)`` float64; in ground truth 0 marks rows that are not evaluated.
        classes: MOTChallenge class ids ``(N,)`` int64 (1 is pedestrian); -1 where unknown.
        visibility: Visible share ``(N,)`` float64 in [0, 1]; -1 where unknown.
    """

    frames: np.ndarray
    ids: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    visibility: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: np.ndarray) -> MOTTable:
        """Rows by mask or index, as a new table."""
        return MOTTable(
            self.frames[rows],
            self.ids[rows],
            self.boxes[rows],
            self.scores[rows],
            self.classes[rows],
            self.visibility[rows],
        )

    @classmethod
    def from_columns(
        cls,
        frames: np.ndarray,
        ids: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray | None = None,
        classes: np.ndarray | None = None,
        visibility: np.ndarray | None = None,
    ) -> MOTTable:
        """Build a table; missing columns become score 1, class -1, visibility -1."""
        count = len(frames)
        return cls(
            np.asarray(frames, np.int64).reshape(count),
            np.asarray(ids, np.int64).reshape(count),
            np.asarray(boxes, np.float64).reshape(count, 4),
            np.ones(count) if scores is None else np.asarray(scores, np.float64).reshape(count),
            np.full(count, -1) if classes is None else np.asarray(classes, np.int64).reshape(count),
            np.full(count, -1.0)
            if visibility is None
            else np.asarray(visibility, np.float64).reshape(count),
        )
