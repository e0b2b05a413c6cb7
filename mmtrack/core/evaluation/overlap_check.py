"""Says why ground truth and results do not belong together, instead of printing zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .frame_pairs import FramePairs, pair_frames
from .mot_table import MOTTable


class NoOverlapError(ValueError):
    """Results and ground truth that do not meet anywhere: no score would mean anything."""


def explain_no_overlap(
    pairs: FramePairs,
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    counted: np.ndarray | None = None,
) -> None:
    """Refuse to print zeros where ground truth and results do not belong together.

    Args:
        pairs: Overlapping boxes of all sequences.
        gts: Ground truth by name.
        results: Results by name.
        counted: Ground truth rows that are evaluated, ``(N,)`` bool; all where None.

    Raises:
        NoOverlapError: there are boxes on both sides and none overlaps another.
        ValueError: no ground truth is evaluated at all. Both messages describe both sides.
    """
    counted = np.ones(len(pairs.gt), bool) if counted is None else counted
    if len(pairs.gt) and not counted.any():
        raise ValueError(
            "no row of the ground truth is evaluated: every row has confidence 0 or another class "
            f"than the evaluated one. {_describe('ground truth', gts)}"
        )
    if len(pairs) or not len(pairs.gt) or not len(pairs.results):
        return
    shared = np.intersect1d(pairs.gt.frames, pairs.results.frames, assume_unique=False)
    reason = (
        "they have no frame number in common: are the frames of both counted from 1?"
        if len(shared) == 0
        else f"although {len(shared)} frames have boxes of both: do class names and ids, the frame "
        "numbering and the box format (x, y, width, height in pixels of the original image) agree?"
    )
    raise NoOverlapError(
        f"results overlap no ground truth at all, {reason} {_describe('ground truth', gts)} "
        f"{_describe('results', results)}"
    )


def _describe(what: str, tables: Mapping[str, MOTTable]) -> str:
    """One line on the first sequence that has boxes, to show what differs."""
    name = next(name for name, table in tables.items() if len(table))
    table = tables[name]
    corner = (table.boxes[:, :2] + table.boxes[:, 2:]).max(0)
    return (
        f"[{what} of {name}: {len(table)} boxes, frames {table.frames.min()} to "
        f"{table.frames.max()}, ids {table.ids.min()} to {table.ids.max()}, classes "
        f"{np.unique(table.classes).tolist()}, x from {table.boxes[:, 0].min():.0f} to "
        f"{corner[0]:.0f}, y from {table.boxes[:, 1].min():.0f} to {corner[1]:.0f}]"
    )


def explain_mixed_classes(
    gts: Sequence[MOTTable],
    results: Sequence[MOTTable],
    gt_classes: Sequence[str],
    result_classes: Sequence[str],
) -> None:
    """Refuse results that overlap ground truth only in boxes of other classes.

    Args:
        gts: Ground truth of every video, all classes together.
        results: Results of every video, all classes together.
        gt_classes: Names of the classes with ground truth.
        result_classes: Names of the classes with results.

    Raises:
        NoOverlapError: boxes overlap once the classes are disregarded.
    """
    count = len(pair_frames(*([_with_new_ids(t) for t in side] for side in (gts, results))))
    if count:
        raise NoOverlapError(
            f"results overlap no ground truth of their class, though {count} pairs of boxes "
            f"overlap across classes: ground truth has boxes of {list(gt_classes)}, results of "
            f"{list(result_classes)}; do the names and the order of the classes of model and "
            "dataset agree?"
        )


def _with_new_ids(table: MOTTable) -> MOTTable:
    """The same boxes with a different id each: ids may repeat between classes."""
    return MOTTable.from_columns(table.frames, np.arange(len(table)), table.boxes)
