"""CLEAR MOT and IDF1 of per-class tracking results against CocoVID annotations."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mmcv.utils import print_log

from .clear import clear_counts, clear_scores, within_threshold
from .frame_pairs import FramePairs, box_areas, overlapping_pairs, pair_frames
from .identity import identity_counts, identity_scores
from .mot_table import MOTTable
from .overlap_check import explain_mixed_classes, explain_no_overlap
from .pair_matching import largest_matching
from .score_table import format_score_table
from .video_tables import (
    LabelledTable,
    check_layout,
    objects_of_video,
    regions_of_video,
    results_of_video,
)

# Order of the columns and of the numbers in the copypaste strings.
KEYS = ("IDF1", "MOTA", "MOTP", "FP", "FN", "IDSw", "Rcll", "Prcn", "MT", "PT", "ML", "FM")
DIGITS = 3


def eval_mot(
    results: list[list[list[np.ndarray]]],
    annotations: list[list[dict]],
    logger: logging.Logger | str | None = None,
    classes: Sequence[str] | None = None,
    iou_thr: float = 0.5,
    ignore_iof_thr: float = 0.5,
    ignore_by_classes: bool = False,
    nproc: int = 4,
) -> dict[str, float | int | str]:
    """Evaluate CLEAR MOT and identity metrics.

    Every class is tracked and scored on its own. A result that matches no object and of which
    more than ``ignore_iof_thr`` lies in an ignored region is not counted.

    Args:
        results: Per video, image and class: rows ``(n, 6)`` of id, x1, y1, x2, y2, score.
        annotations: Per video and image a dict of ``bboxes (n, 4)`` x1y1x2y2, ``labels (n,)``,
            ``instance_ids (n,)``, and optionally ``bboxes_ignore (k, 4)``, ``labels_ignore (k,)``.
        logger: Where the table goes: a logger, its name, ``'silent'`` or None to print.
        classes: Names of the classes; their numbers where omitted.
        iou_thr: Least IoU of a match.
        ignore_iof_thr: Share of a result within one ignored region above which it is left aside.
        ignore_by_classes: Whether an ignored region concerns only results of its own class
            (``labels_ignore``) instead of all.
        nproc: Accepted for compatibility; the arrays of all videos are evaluated together, which
            one process does faster than several exchange the data.

    Returns:
        Scores of all classes and videos together under IDF1, MOTA, MOTP (mean IoU of the
        matches), FP, FN, IDSw, Rcll, Prcn, MT, PT, ML, FM, rounded to three digits, and as text
        ``track_OVERALL_copypaste`` and ``track_AVERAGE_copypaste`` (over the classes: mean of
        ratios, sum of counts).

    Raises:
        ValueError: lengths that do not fit, doubled ids in a frame, boxes that are not finite,
            or results of which no box overlaps any annotated object.
    """
    scored = pair_videos(
        results,
        annotations,
        classes,
        iou_thr=iou_thr,
        ignore_iof_thr=ignore_iof_thr,
        ignore_by_classes=ignore_by_classes,
    )
    rows = _score_rows(scored, iou_thr)
    print_log("\n" + format_score_table(rows), logger)
    return _report(rows, scored.names)


@dataclass(frozen=True)
class ScoredVideos:
    """Boxes of videos that are compared with each other: every class of a video is a sequence.

    Attributes:
        pairs: Overlapping boxes without results in ignored regions; S sequences.
        gts: Objects of each sequence.
        results: Results of each sequence.
        videos: Video of each sequence, ``(S,)`` int64.
        labels: Class of each sequence, ``(S,)`` int64.
        names: Names of all classes.
    """

    pairs: FramePairs
    gts: list[MOTTable]
    results: list[MOTTable]
    videos: np.ndarray
    labels: np.ndarray
    names: list[str]


def pair_videos(
    results: list[list[list[np.ndarray]]],
    annotations: list[list[dict]],
    classes: Sequence[str] | None = None,
    *,
    iou_thr: float = 0.5,
    ignore_iof_thr: float = 0.5,
    ignore_by_classes: bool = False,
) -> ScoredVideos:
    """Boxes that :func:`eval_mot` counts; see there for the arguments and errors."""
    names = check_layout(results, annotations, classes)
    videos = list(range(len(results)))
    found = [results_of_video(results[v], v) for v in videos]
    objects = [objects_of_video(annotations[v], v, len(names)) for v in videos]
    regions = [regions_of_video(annotations[v], by_class=ignore_by_classes) for v in videos]
    # Every class of a video that occurs is a sequence of its own.
    parts = [(c, v) for v in videos for c in _classes_of([found[v], objects[v]])]
    keys = [f"video {v} class {names[c]}" for c, v in parts]
    gts = [objects[v].of_class(c) for c, v in parts]
    tables = [found[v].of_class(c) for c, v in parts]
    pairs = pair_frames(gts, tables, keys)
    if len(pairs) == 0:
        used = [[names[c] for c in _classes_of(side)] for side in (objects, found)]
        explain_mixed_classes([o.table for o in objects], [f.table for f in found], *used)
        explain_no_overlap(
            pairs, dict(zip(keys, gts, strict=True)), dict(zip(keys, tables, strict=True))
        )
    hiding = [regions[v].of_class(c if ignore_by_classes else -1) for c, v in parts]
    pairs = _without_ignored(pairs, _lies_in_region(tables, hiding, ignore_iof_thr), iou_thr)
    labels, numbers = np.array(parts, np.int64).reshape(-1, 2).T
    return ScoredVideos(pairs, gts, tables, numbers, labels, names)


def _classes_of(tables: list[LabelledTable]) -> list[int]:
    """Classes that occur in some tables."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *(t.labels for t in tables)])).tolist()


def _lies_in_region(tables: list[MOTTable], regions: list[MOTTable], iof_thr: float) -> np.ndarray:
    """Result rows of which more than ``iof_thr`` lies within one region, ``(M,)`` bool.

    Args:
        tables: Results, ordered by frame.
        regions: Ignored regions of the same sequences, ordered by frame.
        iof_thr: Share of a result's area.
    """
    stride = 1 + max((int(t.frames.max(initial=0)) for t in (*tables, *regions)), default=0)
    boxes, frames = _on_one_time_line(tables, stride)
    rows, _, shared = overlapping_pairs(boxes, frames, *_on_one_time_line(regions, stride))
    inside = np.zeros(len(boxes), bool)
    inside[rows[shared > iof_thr * box_areas(boxes)[rows]]] = True
    return inside


def _on_one_time_line(tables: list[MOTTable], stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Boxes ``(N, 4)`` of all sequences and frame numbers ``(N,)`` that do not coincide."""
    frames = [seq * stride + table.frames for seq, table in enumerate(tables)]
    boxes = [table.boxes for table in tables]
    return (
        np.concatenate([np.empty((0, 4)), *boxes]),
        np.concatenate([np.empty(0, np.int64), *frames]),
    )


def _without_ignored(pairs: FramePairs, ignored: np.ndarray, iou_thr: float) -> FramePairs:
    """Pairs without the ignored results ``(M,)`` that match no object of their frame."""
    if not ignored.any():
        return pairs
    close = np.flatnonzero(within_threshold(pairs.ious, iou_thr))
    rows, cols = pairs.gt_rows[close], pairs.result_rows[close]
    matched = largest_matching(pairs.frames[close], rows, cols, pairs.ious[close])
    ignored[cols[matched]] = False
    return pairs.keep(np.ones(len(pairs.gt), bool), ~ignored)


def _score_rows(scored: ScoredVideos, iou_thr: float) -> dict[str, dict]:
    """Scores of every class and of all together under the names of `KEYS`."""
    parts = {name: scored.labels == c for c, name in enumerate(scored.names)}
    return score_groups(scored, {**parts, "OVERALL": np.ones(len(scored.labels), bool)}, iou_thr)


def score_groups(
    scored: ScoredVideos, groups: Mapping[str, np.ndarray], iou_thr: float
) -> dict[str, dict[str, float | int]]:
    """Scores of groups of sequences under the names of `KEYS`, not rounded.

    Args:
        scored: The sequences.
        groups: By name which of the sequences belong to the group, ``(S,)`` bool.
        iou_thr: Least IoU of a match.
    """
    clear, identity = clear_counts(scored.pairs, iou_thr), identity_counts(scored.pairs, iou_thr)
    rows = {}
    for name, part in groups.items():
        found = {**clear_scores(clear.total(part)), **identity_scores(identity.total(part))}
        found["IDSw"] = found["IDs"]
        found["MOTP"] = 1 - found["MOTP"]
        rows[name] = {key: found[key] for key in KEYS}
    return rows


def _report(rows: dict[str, dict], names: list[str]) -> dict[str, float | int | str]:
    """The documented result: overall scores and two lines for a spreadsheet."""
    overall = {key: _rounded(value) for key, value in rows["OVERALL"].items()}
    average = {}
    for key in KEYS:
        values = [rows[name][key] for name in names]
        whole = all(isinstance(v, int) for v in values)
        average[key] = sum(values) if whole else _rounded(_mean_of_classes(values))
    return {
        **overall,
        "track_OVERALL_copypaste": " ".join(map(str, overall.values())),
        "track_AVERAGE_copypaste": " ".join(map(str, average.values())),
    }


def _mean_of_classes(values: list[float]) -> float:
    """Mean over the classes in which the ratio is defined; NaN where it is in none."""
    defined = [v for v in values if np.isfinite(v)]
    return float(np.mean(defined)) if defined else float("nan")


def _rounded(value: float | int) -> float | int:
    return value if isinstance(value, int) else round(float(value), DIGITS)
