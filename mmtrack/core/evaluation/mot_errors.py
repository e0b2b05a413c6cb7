"""A list of what a tracker got wrong, box by box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .clear import match_over_time
from .frame_pairs import FramePairs
from .mot_table import MOTTable

# Codes of MOTErrors.kinds, which are those of `imshow_mot_errors`.
FALSE_POSITIVE, MISS, SWITCH = range(3)
NO_ID = -1


@dataclass(frozen=True)
class MOTErrors:
    """Errors of a sequence, ordered by frame and kind; columns of equal length.

    Attributes:
        frames: Frame numbers as in the tables, from 1, ``(N,)`` int64.
        kinds: 0 false positive, 1 missed object, 2 identity switch, ``(N,)`` int64.
        boxes: Box of the result, or of the object where it is missed, ``(N, 4)``, left, top, width,
            height.
        result_ids: Track of the result, -1 for a miss, ``(N,)`` int64.
        gt_ids: Object, -1 for a false positive, ``(N,)`` int64.
        previous_ids: Track that the object had before a switch, else -1, ``(N,)`` int64.
    """

    frames: np.ndarray
    kinds: np.ndarray
    boxes: np.ndarray
    result_ids: np.ndarray
    gt_ids: np.ndarray
    previous_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)

    def pick(self, rows: np.ndarray) -> MOTErrors:
        """Some of the errors."""
        return MOTErrors(*(column[rows] for column in vars(self).values()))


def list_errors(
    pairs: FramePairs, gts: Sequence[MOTTable], results: Sequence[MOTTable], iou_thr: float = 0.5
) -> list[MOTErrors]:
    """Errors that `clear_counts` counts, for each sequence.

    Args:
        pairs: Overlapping boxes; objects and results that are not counted are left out of it.
        gts: Ground truth of each sequence, from which the pairs were made.
        results: Results of each sequence.
        iou_thr: Least IoU of a match.
    """
    matches = match_over_time(pairs, iou_thr)
    gt_rows, result_rows = pairs.gt_rows[matches.pairs], pairs.result_rows[matches.pairs]
    false = np.ones(len(pairs.results), bool)
    missed = np.ones(len(pairs.gt), bool)
    false[result_rows] = missed[gt_rows] = False
    gt_table, result_table = _join(gts), _join(results)
    gt_source, result_source = pairs.gt.source, pairs.results.source
    previous = _previous_ids(
        pairs.gt.tracks[gt_rows],
        pairs.gt.frames[gt_rows],
        result_table.ids[result_source[result_rows]],
    )
    at = matches.switch
    rows = result_source[result_rows[at]]
    objects = gt_source[missed]
    extra = result_source[false]
    nobody = np.full(len(pairs.gt) + len(pairs.results), NO_ID)
    columns = MOTErrors(
        frames=np.concatenate(
            (result_table.frames[extra], gt_table.frames[objects], result_table.frames[rows])
        ),
        kinds=np.repeat((FALSE_POSITIVE, MISS, SWITCH), (len(extra), len(objects), len(rows))),
        boxes=np.concatenate(
            (result_table.boxes[extra], gt_table.boxes[objects], result_table.boxes[rows])
        ),
        result_ids=np.concatenate(
            (result_table.ids[extra], nobody[: len(objects)], result_table.ids[rows])
        ),
        gt_ids=np.concatenate(
            (nobody[: len(extra)], gt_table.ids[objects], gt_table.ids[gt_source[gt_rows[at]]])
        ),
        previous_ids=np.concatenate((nobody[: len(extra) + len(objects)], previous[at])),
    )
    seqs = np.concatenate(
        (pairs.results.seqs[false], pairs.gt.seqs[missed], pairs.gt.seqs[gt_rows[at]])
    )
    order = np.lexsort((columns.kinds, columns.frames))
    return [columns.pick(order[seqs[order] == seq]) for seq in range(pairs.num_seqs)]


def _join(tables: Sequence[MOTTable]) -> MOTTable:
    """All tables one below the other; ``source`` of the pairs counts these rows."""
    return MOTTable.from_columns(
        np.concatenate([t.frames for t in tables]),
        np.concatenate([t.ids for t in tables]),
        np.concatenate([t.boxes for t in tables]),
    )


def _previous_ids(objects: np.ndarray, frames: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Track that each object was matched to the time before, ``(M,)``, -1 at the first time."""
    order = np.lexsort((frames, objects))
    before = np.full(len(ids), NO_ID)
    again = objects[order][1:] == objects[order][:-1]
    before[order[1:][again]] = ids[order[:-1][again]]
    return before
