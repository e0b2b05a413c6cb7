"""Scores of the MOTChallenge benchmarks from tables of boxes: CLEAR, identity and HOTA."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from .clear import ClearCounts, clear_counts, clear_scores, within_threshold
from .frame_pairs import FramePairs, pair_frames
from .hota import EPS, HotaCounts, hota_counts, hota_curves, hota_scores
from .identity import IdentityCounts, identity_counts, identity_scores
from .mot_errors import BoxJudgement, MOTErrors, judge_boxes, list_errors
from .mot_table import MOTTable
from .overlap_check import explain_no_overlap
from .pair_matching import best_matching, largest_matching

METRICS = ("CLEAR", "Identity", "HOTA")
BACKENDS = ("fast", "reference")
OVERALL = "OVERALL"

PEDESTRIAN = 1
NON_MOT_VEHICLE = 6
NUM_CLASSES = 13
# person on vehicle, static person, distractor, reflection: following one is neither right nor
# wrong, so that results on them are removed.
DISTRACTORS = (2, 7, 8, 12)
# Overlap at which a result counts as lying on a distractor; fixed by the benchmark.
DISTRACTOR_IOU = 0.5


def evaluate_mot_challenge(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    *,
    benchmark: str = "MOT17",
    seq_lengths: Mapping[str, int] | None = None,
    iou_thr: float = 0.5,
    metrics: Sequence[str] = METRICS,
    backend: str = "fast",
) -> dict[str, dict[str, float]]:
    """Score tracking results as the MOTChallenge evaluation kits do.

    CLEAR and identity scores have the definitions of motmetrics, HOTA that of trackeval. Except
    for MOT15, whose ground truth has no classes, results on distractors (static persons,
    reflections, ...) are removed first; ground truth with confidence 0 or of another class than
    pedestrian is never counted.

    Args:
        gts: Ground truth by name of the sequence, all rows as they are in ``gt.txt``.
        results: Results by name of the sequence; names not in ``gts`` are left aside. An empty
            table means that nothing was found.
        benchmark: ``'MOT15'``, ``'MOT16'``, ``'MOT17'``, ``'MOT20'``, ``'DanceTrack'``, ...:
            selects the removal of distractors.
        seq_lengths: Frames of each sequence, to refuse frame numbers beyond.
        iou_thr: Least IoU of a match for CLEAR and identity scores.
        metrics: Subset of ``('CLEAR', 'Identity', 'HOTA')``.
        backend: ``'fast'``: all sequences and thresholds in one pass over arrays;
            ``'reference'``: motmetrics and trackeval.

    Returns:
        Scores of each sequence and of their union under ``'OVERALL'``: IDF1, IDP, IDR, Rcll,
        Prcn, GT, MT, PT, ML, FP, FN, IDs, FM, MOTA, MOTP (mean ``1 - IoU``), IDt, IDa, IDm,
        HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr, LocA, OWTA, HOTA(0), LocA(0), HOTALocA(0).

    Raises:
        ValueError: sequences without results, unknown metric or backend, doubled ids, boxes that
            are not finite, classes that the benchmark does not have, or results of which no box
            overlaps any ground truth (the message says what looks wrong).
    """
    _check_choice("metric", metrics, METRICS)
    _check_choice("backend", [backend], BACKENDS)
    names, pairs, classes, counted = _paired(gts, results, benchmark, seq_lengths)
    if backend == "reference":
        from .reference import reference_scores

        return reference_scores(gts, results, names, benchmark, iou_thr, metrics)
    scores = {name: {} for name in (*names, OVERALL)}
    for_clear, for_hota = _without_distractors(pairs, classes, counted, benchmark)
    if "Identity" in metrics:
        _fill(scores, identity_counts(for_clear, iou_thr), identity_scores)
    if "CLEAR" in metrics:
        _fill(scores, clear_counts(for_clear, iou_thr), clear_scores)
    if "HOTA" in metrics:
        _fill(scores, hota_counts(for_hota), hota_scores)
    return scores


def mot_challenge_curves(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    *,
    benchmark: str = "MOT17",
    seq_lengths: Mapping[str, int] | None = None,
) -> dict[str, np.ndarray]:
    """HOTA and its parts at each localisation threshold, over all sequences.

    Args:
        gts: As in :func:`evaluate_mot_challenge`, and so are the others.
        results: Results by name of the sequence.
        benchmark: Selects the removal of distractors.
        seq_lengths: Frames of each sequence.

    Returns:
        ``HOTA, DetA, AssA, ...`` at the thresholds 0.05, 0.10, ..., 0.95, ``(19,)`` each.
    """
    curves = mot_challenge_sequence_curves(
        gts, results, benchmark=benchmark, seq_lengths=seq_lengths
    )
    return curves[OVERALL]


def mot_challenge_sequence_curves(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    *,
    benchmark: str = "MOT17",
    seq_lengths: Mapping[str, int] | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Curves of :func:`mot_challenge_curves` by sequence, and of all under ``'OVERALL'``."""
    names, pairs, classes, counted = _paired(gts, results, benchmark, seq_lengths)
    curves = {name: {} for name in (*names, OVERALL)}
    for_hota = _without_distractors(pairs, classes, counted, benchmark)[1]
    _fill(curves, hota_counts(for_hota), hota_curves)
    return curves


def mot_challenge_judgement(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    *,
    benchmark: str = "MOT17",
    seq_lengths: Mapping[str, int] | None = None,
    iou_thr: float = 0.5,
) -> dict[str, BoxJudgement]:
    """What the CLEAR scores make of every box, by sequence.

    Args:
        gts: As in :func:`evaluate_mot_challenge`, and so are the others.
        results: Results by name of the sequence.
        benchmark: Selects the removal of distractors.
        seq_lengths: Frames of each sequence.
        iou_thr: Least IoU of a match.
    """
    names, pairs, classes, counted = _paired(gts, results, benchmark, seq_lengths)
    for_clear = _without_distractors(pairs, classes, counted, benchmark)[0]
    gt_tables, result_tables = [gts[n] for n in names], [results[n] for n in names]
    return dict(zip(names, judge_boxes(for_clear, gt_tables, result_tables, iou_thr), strict=True))


def mot_challenge_errors(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    *,
    benchmark: str = "MOT17",
    seq_lengths: Mapping[str, int] | None = None,
    iou_thr: float = 0.5,
) -> dict[str, MOTErrors]:
    """Every error that the CLEAR scores count, by sequence; arguments as of the judgement."""
    judged = mot_challenge_judgement(
        gts, results, benchmark=benchmark, seq_lengths=seq_lengths, iou_thr=iou_thr
    )
    gt_tables, result_tables = [gts[n] for n in judged], [results[n] for n in judged]
    errors = list_errors(list(judged.values()), gt_tables, result_tables)
    return dict(zip(judged, errors, strict=True))


def _paired(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    benchmark: str,
    seq_lengths: Mapping[str, int] | None,
) -> tuple[list[str], FramePairs, np.ndarray, np.ndarray]:
    """Names of the sequences, overlapping boxes, and class of each object and whether it counts."""
    names = _check_sequences(gts, results, seq_lengths)
    _check_classes(gts, results, benchmark)
    gt_tables, result_tables = [gts[n] for n in names], [results[n] for n in names]
    pairs = pair_frames(gt_tables, result_tables, names)
    classes = np.concatenate([t.classes for t in gt_tables])[pairs.gt.source]
    marks = np.concatenate([t.scores for t in gt_tables])[pairs.gt.source]
    counted = marks >= 1
    if benchmark != "MOT15":
        counted &= classes == PEDESTRIAN
    explain_no_overlap(pairs, gts, results, counted)
    return names, pairs, classes, counted


def _fill(
    scores: dict[str, dict],
    counts: ClearCounts | IdentityCounts | HotaCounts,
    to_scores: Callable[..., dict],
) -> None:
    """Add the scores of every sequence, which are the keys of ``scores``, and of their union."""
    for seq, name in enumerate(scores):
        part = counts.total() if name == OVERALL else counts.total(slice(seq, seq + 1))
        scores[name].update(to_scores(part))


def _without_distractors(
    pairs: FramePairs, classes: np.ndarray, counted: np.ndarray, benchmark: str
) -> tuple[FramePairs, FramePairs]:
    """Pairs left for CLEAR and identity scores and for HOTA.

    The kits differ in two details, both kept: motmetrics first matches as many boxes as it can
    where trackeval maximises the overlap, and only trackeval counts MOT20's vehicles as
    distractors. Unlike motmetrics, objects of unknown visibility (-1) are no distractors here.
    """
    everything = np.ones(len(pairs.results), bool)
    if benchmark == "MOT15":
        left = pairs.keep(counted, everything)
        return left, left
    distractors = [*DISTRACTORS, NON_MOT_VEHICLE] if benchmark == "MOT20" else list(DISTRACTORS)
    kept = []
    for close, match, wanted in (
        (within_threshold(pairs.ious, DISTRACTOR_IOU), largest_matching, list(DISTRACTORS)),
        (pairs.ious >= DISTRACTOR_IOU - EPS, best_matching, distractors),
    ):
        close = np.flatnonzero(close)
        matched = close[
            match(
                pairs.frames[close],
                pairs.gt_rows[close],
                pairs.result_rows[close],
                pairs.ious[close],
            )
        ]
        on_distractor = matched[np.isin(classes[pairs.gt_rows[matched]], wanted)]
        mask = everything.copy()
        mask[pairs.result_rows[on_distractor]] = False
        kept.append(mask)
    for_clear = pairs.keep(counted, kept[0])
    same = np.array_equal(kept[0], kept[1])
    return for_clear, for_clear if same else pairs.keep(counted, kept[1])


def _check_choice(what: str, values: Sequence[str], known: Sequence[str]) -> None:
    unknown = [v for v in values if v not in known]
    if unknown:
        raise ValueError(f"unknown {what} {unknown[0]!r}; known are {', '.join(known)}")


def _check_sequences(
    gts: Mapping[str, MOTTable],
    results: Mapping[str, MOTTable],
    seq_lengths: Mapping[str, int] | None,
) -> list[str]:
    if not gts:
        raise ValueError(
            "there is no ground truth to evaluate with: the list of sequences is empty"
        )
    missing = [name for name in gts if name not in results]
    if missing:
        raise ValueError(
            f"no results for the sequences {missing} (results exist for {list(results)}); names "
            "must agree, and a sequence in which nothing was found needs an empty table"
        )
    for name, length in (seq_lengths or {}).items():
        for what, tables in (("ground truth", gts), ("results", results)):
            frames = tables[name].frames if name in gts else np.empty(0)
            if len(frames) and (frames.min() < 1 or frames.max() > length):
                raise ValueError(
                    f"{what} of sequence {name}: frames {frames.min()} to {frames.max()} do not "
                    f"lie within 1 to {length}, the length in seqinfo.ini; frames count from 1"
                )
    return list(gts)


def _check_classes(
    gts: Mapping[str, MOTTable], results: Mapping[str, MOTTable], benchmark: str
) -> None:
    for name, table in gts.items():
        if len(results[name]) and results[name].classes.max() > PEDESTRIAN:
            raise ValueError(
                f"results of sequence {name} contain class {results[name].classes.max()}; only "
                "pedestrians (class 1, or -1 where unknown) are evaluated"
            )
        wrong = (table.classes < 1) | (table.classes > NUM_CLASSES)
        if benchmark != "MOT15" and wrong.any():
            row = np.flatnonzero(wrong)[0]
            raise ValueError(
                f"ground truth of sequence {name}: frame {table.frames[row]}, id "
                f"{table.ids[row]} has class {table.classes[row]}, which {benchmark} does not have "
                f"(1 to {NUM_CLASSES}); evaluate ground truth without classes as benchmark='MOT15'"
            )
