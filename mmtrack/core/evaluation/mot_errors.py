"""What a tracker got right and wrong, box by box."""

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
# Codes of BoxJudgement: an error of kind k has the code k + FIRST_ERROR.
NOT_COUNTED, CORRECT, FIRST_ERROR = range(3)


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


@dataclass(frozen=True)
class BoxJudgement:
    """What the CLEAR scores make of every box of a sequence, in the order of its tables.

    Attributes:
        objects: Of each row of the ground truth, ``(N,)`` uint8: 0 not counted, 1 found, 3 missed.
        results: Of each row of the results, ``(M,)`` uint8: 0 not counted, 1 matched, 2 false
            positive, 4 matched after an identity switch.
        partners: Row of the ground truth that each result is matched to, ``(M,)`` int64, -1 for
            none.
        previous_ids: Track that the object had before a switch, ``(M,)`` int64, else -1.
    """

    objects: np.ndarray
    results: np.ndarray
    partners: np.ndarray
    previous_ids: np.ndarray


def judge_boxes(
    pairs: FramePairs, gts: Sequence[MOTTable], results: Sequence[MOTTable], iou_thr: float = 0.5
) -> list[BoxJudgement]:
    """What `clear_counts` makes of every box, for each sequence.

    Args:
        pairs: Overlapping boxes; objects and results that are not counted are left out of it.
        gts: Ground truth of each sequence, from which the pairs were made.
        results: Results of each sequence.
        iou_thr: Least IoU of a match.
    """
    matches = match_over_time(pairs, iou_thr)
    gt_rows, result_rows = pairs.gt_rows[matches.pairs], pairs.result_rows[matches.pairs]
    # rows of all tables one below the other, which is what `source` counts
    gt_source, result_source = pairs.gt.source[gt_rows], pairs.results.source[result_rows]
    gt_counts, result_counts = ([len(t) for t in tables] for tables in (gts, results))
    objects = np.full(sum(gt_counts), NOT_COUNTED, np.uint8)
    found = np.full(sum(result_counts), NOT_COUNTED, np.uint8)
    objects[pairs.gt.source] = FIRST_ERROR + MISS
    objects[gt_source] = CORRECT
    found[pairs.results.source] = FIRST_ERROR + FALSE_POSITIVE
    found[result_source] = CORRECT
    switched = result_source[matches.switch]
    found[switched] = FIRST_ERROR + SWITCH
    partners, previous = np.full((2, len(found)), NO_ID)
    partners[result_source] = gt_source
    ids = np.concatenate([np.empty(0, np.int64), *(t.ids for t in results)])[result_source]
    before = _previous_ids(pairs.gt.tracks[gt_rows], pairs.gt.frames[gt_rows], ids)
    previous[switched] = before[matches.switch]
    gt_ends, result_ends = np.cumsum(gt_counts), np.cumsum(result_counts)
    judged = []
    for gt_end, gt_count, end, count in zip(
        gt_ends, gt_counts, result_ends, result_counts, strict=True
    ):
        own, gt_start = slice(end - count, end), gt_end - gt_count
        inside = np.where(partners[own] < 0, NO_ID, partners[own] - gt_start)
        judged.append(BoxJudgement(objects[gt_start:gt_end], found[own], inside, previous[own]))
    return judged


def list_errors(
    judged: Sequence[BoxJudgement], gts: Sequence[MOTTable], results: Sequence[MOTTable]
) -> list[MOTErrors]:
    """Errors that `clear_counts` counts, for each sequence.

    Args:
        judged: What :func:`judge_boxes` says of each sequence.
        gts: Ground truth of each sequence.
        results: Results of each sequence.
    """
    return [_errors_of_sequence(*parts) for parts in zip(judged, gts, results, strict=True)]


def _errors_of_sequence(judged: BoxJudgement, gt: MOTTable, found: MOTTable) -> MOTErrors:
    extra = np.flatnonzero(judged.results == FIRST_ERROR + FALSE_POSITIVE)
    missed = np.flatnonzero(judged.objects == FIRST_ERROR + MISS)
    switched = np.flatnonzero(judged.results == FIRST_ERROR + SWITCH)
    nobody = np.full(len(extra) + len(missed), NO_ID)
    columns = MOTErrors(
        frames=np.concatenate((found.frames[extra], gt.frames[missed], found.frames[switched])),
        kinds=np.repeat((FALSE_POSITIVE, MISS, SWITCH), (len(extra), len(missed), len(switched))),
        boxes=np.concatenate((found.boxes[extra], gt.boxes[missed], found.boxes[switched])),
        result_ids=np.concatenate((found.ids[extra], nobody[: len(missed)], found.ids[switched])),
        gt_ids=np.concatenate(
            (nobody[: len(extra)], gt.ids[missed], gt.ids[judged.partners[switched]])
        ),
        previous_ids=np.concatenate((nobody, judged.previous_ids[switched])),
    )
    return columns.pick(np.lexsort((columns.kinds, columns.frames)))


def _previous_ids(objects: np.ndarray, frames: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Track that each object was matched to the time before, ``(M,)``, -1 at the first time."""
    order = np.lexsort((frames, objects))
    before = np.full(len(ids), NO_ID)
    again = objects[order][1:] == objects[order][:-1]
    before[order[1:][again]] = ids[order[:-1][again]]
    return before
