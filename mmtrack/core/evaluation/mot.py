"""CLEAR MOT and IDF1 of per-class tracking results against CocoVID annotations."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from mmcv.utils import print_log

from .clear import clear_counts, clear_scores, within_threshold
from .frame_pairs import FramePairs, box_areas, overlapping_pairs, pair_frames
from .identity import identity_counts, identity_scores
from .mot_table import MOTTable
from .overlap_check import explain_mixed_classes, explain_no_overlap
from .pair_matching import largest_matching
from .score_table import format_score_table

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
    num_classes = _check_layout(results, annotations, classes)
    names = [str(c) for c in classes] if classes is not None else list(map(str, range(num_classes)))
    parts = [(c, v) for c in range(num_classes) for v in range(len(results))]
    keys = [f"video {v} class {names[c]}" for c, v in parts]
    objects = [_objects_of_video(video, v) for v, video in enumerate(annotations)]
    gts = [objects[v][0][objects[v][1] == c] for c, v in parts]
    tables = [_results_of_class(results[v], c) for c, v in parts]
    pairs = pair_frames(gts, tables, keys)
    if len(pairs) == 0:
        explain_mixed_classes(_by_class(gts, names), _by_class(tables, names), names)
    explain_no_overlap(
        pairs, dict(zip(keys, gts, strict=True)), dict(zip(keys, tables, strict=True))
    )
    regions = [_ignored_regions(annotations[v], c if ignore_by_classes else None) for c, v in parts]
    ignored = _lies_in_region(pairs, tables, regions, ignore_iof_thr)
    if ignored.any():
        close = np.flatnonzero(within_threshold(pairs.ious, iou_thr))
        rows, cols = pairs.gt_rows[close], pairs.result_rows[close]
        matched = largest_matching(pairs.frames[close], rows, cols, pairs.ious[close])
        ignored[cols[matched]] = False
        pairs = pairs.keep(np.ones(len(pairs.gt), bool), ~ignored)
    rows = _score_rows(pairs, iou_thr, names)
    print_log("\n" + format_score_table(rows), logger)
    return _report(rows, names)


def _check_layout(
    results: list[list[list[np.ndarray]]],
    annotations: list[list[dict]],
    classes: Sequence[str] | None,
) -> int:
    """Number of classes, after checking that both sides have the same videos and images."""
    if len(results) != len(annotations):
        raise ValueError(
            f"results have {len(results)} videos and annotations {len(annotations)}; both need one "
            "entry per video"
        )
    for v, (video, truth) in enumerate(zip(results, annotations, strict=True)):
        if len(video) != len(truth):
            raise ValueError(
                f"video {v}: results have {len(video)} images and annotations {len(truth)}; both "
                "need one entry per image"
            )
    counts = {len(image) for video in results for image in video}
    expected = len(classes) if classes is not None else max(counts, default=0)
    if counts - {expected}:
        raise ValueError(
            f"images have results of {sorted(counts)} classes, where {expected} are expected "
            f"({'the length of `classes`' if classes is not None else 'the same for every image'})"
        )
    if expected == 0:
        raise ValueError("there are no results to evaluate: no class in any image")
    return expected


def _objects_of_video(video: list[dict], number: int) -> tuple[MOTTable, np.ndarray]:
    """Annotated objects of all images of a video, and their labels ``(N,)``."""
    for frame, image in enumerate(video, 1):
        missing = {"bboxes", "labels", "instance_ids"} - set(image)
        if missing:
            raise ValueError(f"annotations of video {number}, image {frame}: no {sorted(missing)}")
    labels = _join([image["labels"] for image in video])
    ids = _join([image["instance_ids"] for image in video])
    table = _table([np.reshape(image["bboxes"], (-1, 4)) for image in video], ids)
    return table, labels


def _results_of_class(video: list[list[np.ndarray]], label: int) -> MOTTable:
    images = [np.asarray(image[label], np.float64).reshape(-1, 6) for image in video]
    ids = np.concatenate([image[:, 0] for image in images] or [np.empty(0)])
    if not np.isfinite(ids).all():
        raise ValueError(f"results of class {label} contain a track id that is not finite")
    return _table([image[:, 1:5] for image in images], ids)


def _ignored_regions(video: list[dict], label: int | None) -> MOTTable:
    """Ignored regions of a video, of one class or of all (``label`` None)."""
    regions = []
    for image in video:
        boxes = np.reshape(image.get("bboxes_ignore", ()), (-1, 4))
        if label is not None and len(boxes):
            if "labels_ignore" not in image:
                raise ValueError("ignore_by_classes needs `labels_ignore` beside `bboxes_ignore`")
            boxes = boxes[np.asarray(image["labels_ignore"]) == label]
        regions.append(boxes)
    return _table(regions, np.full(sum(map(len, regions)), -1))


def _table(images: list[np.ndarray], ids: np.ndarray) -> MOTTable:
    """Boxes x1, y1, x2, y2 of each image as a table with frames from 1."""
    boxes = np.concatenate([*images, np.empty((0, 4))]).astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    frames = np.repeat(np.arange(1, len(images) + 1), [len(image) for image in images])
    return MOTTable.from_columns(frames, ids, boxes)


def _by_class(tables: list[MOTTable], names: list[str]) -> list[list[MOTTable]]:
    """Tables in order of class and video as one list per class."""
    videos = len(tables) // len(names)
    return [tables[i * videos : (i + 1) * videos] for i in range(len(names))]


def _join(columns: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *map(np.ravel, columns)])


def _lies_in_region(
    pairs: FramePairs, tables: list[MOTTable], regions: list[MOTTable], iof_thr: float
) -> np.ndarray:
    """Result rows of which more than ``iof_thr`` lies within one region, ``(M,)`` bool."""
    inside = np.zeros(len(pairs.results), bool)
    stride = 1 + max(t.frames.max(initial=0) for t in (*tables, *regions))
    boxes, frames = (
        np.concatenate([t.boxes for t in tables]),
        np.concatenate([seq * stride + t.frames for seq, t in enumerate(tables)]),
    )
    region_boxes, region_frames = (
        np.concatenate([t.boxes for t in regions]),
        np.concatenate([seq * stride + t.frames for seq, t in enumerate(regions)]),
    )
    # tables are in order of frames, so that their rows are those of `pairs.results`
    rows, _, shared = overlapping_pairs(boxes, frames, region_boxes, region_frames)
    inside[rows[shared > iof_thr * box_areas(boxes)[rows]]] = True
    return inside


def _score_rows(pairs: FramePairs, iou_thr: float, names: list[str]) -> dict[str, dict]:
    """Scores of every class and of all together, under the names of `KEYS`."""
    clear, identity = clear_counts(pairs, iou_thr), identity_counts(pairs, iou_thr)
    videos = pairs.num_seqs // len(names)
    parts = {name: slice(i * videos, (i + 1) * videos) for i, name in enumerate(names)}
    parts["OVERALL"] = slice(None)
    rows = {}
    for name, part in parts.items():
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
