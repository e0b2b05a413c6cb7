"""The same scores by motmetrics and trackeval: slower, and the judges of the fast ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .mot_table import MOTTable

if TYPE_CHECKING:
    from motmetrics import MOTAccumulator
    from trackeval.datasets import MotChallenge2DBox

# Classes whose followers motmetrics removes (its preprocessing knows no other list for MOT20).
DISTRACTORS = (2, 7, 8, 12)
PEDESTRIAN = 1
DISTRACTOR_DISTANCE = 0.5
TRACKER = "track"
IDENTITY_KEYS = ("IDF1", "IDP", "IDR")


def reference_scores(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    names: Sequence[str],
    benchmark: str,
    iou_thr: float,
    metrics: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Score with motmetrics (CLEAR and identity) and trackeval (HOTA).

    Args:
        gts: Ground truth by name of the sequence.
        results: Results by name of the sequence.
        names: Sequences to evaluate.
        benchmark: Name of the benchmark.
        iou_thr: Least IoU of a match for CLEAR and identity scores.
        metrics: Subset of ``('CLEAR', 'Identity', 'HOTA')``.

    Returns:
        Scores of each sequence and of ``'OVERALL'`` under the names of `evaluate_mot_challenge`.
        The overall MOTP is NaN when a sequence has no match, which is what motmetrics computes.
    """
    scores = {name: {} for name in (*names, "OVERALL")}
    if "CLEAR" in metrics or "Identity" in metrics:
        found = _motmetrics_scores(gts, results, names, benchmark, iou_thr)
        for name, row in found.items():
            for key, value in row.items():
                if ("Identity" if key in IDENTITY_KEYS else "CLEAR") in metrics:
                    scores[name][key] = value
    if "HOTA" in metrics:
        for name, row in trackeval_hota(gts, results, names, benchmark).items():
            scores[name].update(row)
    return scores


def _motmetrics_scores(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    names: Sequence[str],
    benchmark: str,
    iou_thr: float,
) -> dict[str, dict[str, float]]:
    import motmetrics

    accumulators = [_accumulate(gts[n], results[n], benchmark, iou_thr) for n in names]
    table = motmetrics.metrics.create().compute_many(
        accumulators,
        names=list(names),
        metrics=motmetrics.metrics.motchallenge_metrics,
        generate_overall=True,
    )
    table = table.rename(columns=motmetrics.io.motchallenge_metric_names)
    whole = {"GT", "MT", "PT", "ML", "FP", "FN", "IDs", "FM", "IDt", "IDa", "IDm"}
    return {
        str(name): {key: int(v) if key in whole else float(v) for key, v in row.items()}
        for name, row in table.to_dict("index").items()
    }


def _accumulate(gt: MOTTable, res: MOTTable, benchmark: str, iou_thr: float) -> MOTAccumulator:
    """Events of one sequence."""
    import motmetrics

    events = motmetrics.MOTAccumulator()
    nothing = np.empty(0, np.int64)
    gt_frames, res_frames = _split_by_frame(gt), _split_by_frame(res)
    for frame in sorted({*gt_frames, *res_frames}):
        truth, found = gt[gt_frames.get(frame, nothing)], res[res_frames.get(frame, nothing)]
        counted = truth.scores >= 1
        if benchmark != "MOT15":
            found = found[~_follows_distractor(truth, found)]
            counted &= truth.classes == PEDESTRIAN
        truth = truth[counted]
        distances = _distances(truth.boxes, found.boxes, 1 - iou_thr)
        events.update(truth.ids, found.ids, distances, frameid=frame)
    return events


def _split_by_frame(table: MOTTable) -> dict[int, np.ndarray]:
    """Rows of each frame in the order of the table."""
    order = np.argsort(table.frames, kind="stable")
    frames, starts = np.unique(table.frames[order], return_index=True)
    return dict(zip(frames.tolist(), np.split(order, starts[1:]), strict=False))


def _distances(gt_boxes: np.ndarray, res_boxes: np.ndarray, limit: float) -> np.ndarray:
    """``1 - IoU``, NaN above the limit; motmetrics' own function needs numpy below 2."""
    from motmetrics.distances import boxiou

    distances = 1 - boxiou(gt_boxes[:, None], res_boxes[None])
    return np.where(distances > limit, np.nan, distances)


def _follows_distractor(truth: MOTTable, found: MOTTable) -> np.ndarray:
    """Results of one frame that match a distractor, ``(M,)`` bool."""
    from motmetrics.lap import linear_sum_assignment

    follows = np.zeros(len(found), bool)
    distances = _distances(truth.boxes, found.boxes, DISTRACTOR_DISTANCE)
    rows, cols = linear_sum_assignment(distances)
    matched = np.isfinite(distances[rows, cols])
    follows[cols[matched]] = np.isin(truth.classes[rows[matched]], DISTRACTORS)
    return follows


def trackeval_hota(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    names: Sequence[str],
    benchmark: str,
) -> dict[str, dict[str, float]]:
    """HOTA scores by trackeval, which reads files: they are written to a temporary folder.

    Args:
        gts: Ground truth by name of the sequence.
        results: Results by name of the sequence.
        names: Sequences to evaluate.
        benchmark: Name of the benchmark.

    Returns:
        Scores of each sequence and of ``'OVERALL'``, averaged over the thresholds.
    """
    import trackeval

    metric = trackeval.metrics.HOTA()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        dataset = _trackeval_dataset(Path(folder), gts, results, names, benchmark)
        for name in names:
            raw = dataset.get_raw_seq_data(TRACKER, name)
            found[name] = metric.eval_sequence(dataset.get_preprocessed_seq_data(raw, "pedestrian"))
    found["OVERALL"] = metric.combine_sequences(found)
    fields = metric.float_array_fields + metric.float_fields
    return {
        name: {field: float(np.mean(row[field])) for field in fields} for name, row in found.items()
    }


def _trackeval_dataset(
    folder: Path,
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    names: Sequence[str],
    benchmark: str,
) -> MotChallenge2DBox:
    """Reader of trackeval on files written to a folder."""
    from trackeval.datasets import MotChallenge2DBox

    for part, tables in (("gt", gts), (f"trackers/{TRACKER}", results)):
        (folder / part).mkdir(parents=True)
        for name in names:
            table = tables[name]
            columns = (table.frames, table.ids, table.boxes, table.scores, table.classes)
            rows = np.column_stack([*columns, table.visibility])
            np.savetxt(folder / part / f"{name}.txt", rows, fmt="%.17g", delimiter=",")
    lengths = {
        name: int(max(gts[name].frames.max(initial=1), results[name].frames.max(initial=1)))
        for name in names
    }
    return MotChallenge2DBox(
        {
            "GT_FOLDER": str(folder / "gt"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "OUTPUT_FOLDER": None,
            "TRACKERS_TO_EVAL": [TRACKER],
            "TRACKER_SUB_FOLDER": "",
            "CLASSES_TO_EVAL": ["pedestrian"],
            "BENCHMARK": benchmark,
            "SPLIT_TO_EVAL": "train",
            "SKIP_SPLIT_FOL": True,
            "SEQ_INFO": lengths,
            "GT_LOC_FORMAT": "{gt_folder}/{seq}.txt",
            "DO_PREPROC": benchmark != "MOT15",
            "PRINT_CONFIG": False,
        }
    )
