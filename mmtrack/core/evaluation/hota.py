"""HOTA of many sequences in one pass: one matching per frame serves all thresholds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .frame_pairs import FramePairs, compact
from .pair_matching import best_matching

# The localisation thresholds and the slack in comparing with them, as trackeval has them.
ALPHAS = np.arange(0.05, 0.99, 0.05)
EPS = np.finfo(float).eps
# trackeval's floor of numerator and denominator of the mean overlap: 0 / 0 counts as 1.
TINY = 1e-10


@dataclass(frozen=True)
class HotaCounts:
    """Additive counts: one row per sequence, one column per threshold (A = 19).

    Attributes:
        objects: Ground truth boxes, ``(S, 1)``.
        predictions: Result boxes, ``(S, 1)``.
        matches: Matched boxes (TP), ``(S, A)``.
        association: Sum over matches of the association Jaccard index A(c), ``(S, A)``.
        association_recall: Sum over matches of the association recall, ``(S, A)``.
        association_precision: Sum over matches of the association precision, ``(S, A)``.
        overlap: Sum over matches of the IoU, ``(S, A)``.
    """

    objects: np.ndarray
    predictions: np.ndarray
    matches: np.ndarray
    association: np.ndarray
    association_recall: np.ndarray
    association_precision: np.ndarray
    overlap: np.ndarray

    def total(self, seqs: np.ndarray | slice = slice(None)) -> HotaCounts:
        """Counts of the union of some sequences, ``(1,)`` and ``(A,)``."""
        return HotaCounts(
            *(np.atleast_2d(getattr(self, f.name)[seqs]).sum(0) for f in fields(self))
        )


def hota_counts(pairs: FramePairs) -> HotaCounts:
    """Match boxes per frame, favouring tracks that agree over the whole sequence, and count.

    Args:
        pairs: Overlapping boxes.

    Returns:
        Counts with one row per sequence.

    Reference: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking",
    IJCV 2021, sections 4 and 5; the matching score as in trackeval.
    """
    num_results = max(len(pairs.results.track_seqs), 1)
    keys, which = compact(pairs.gt_tracks * num_results + pairs.result_tracks)
    objects, tracks = np.divmod(keys, num_results)
    gt_lengths = pairs.gt.track_lengths[objects]
    result_lengths = pairs.results.track_lengths[tracks]
    alignment = _global_alignment(pairs, which, gt_lengths + result_lengths)
    chosen = best_matching(
        pairs.frames, pairs.gt_rows, pairs.result_rows, alignment[which] * pairs.ious
    )
    ious = pairs.ious[chosen]
    # A match holds for the first `level` thresholds.
    level = np.searchsorted(ALPHAS - EPS, ious, side="right")
    used, index = compact(which[chosen])
    common = _count_from_level(index, level, len(used))
    ours, theirs = gt_lengths[used][:, None], result_lengths[used][:, None]
    seqs = pairs.gt.track_seqs[objects[used]]
    chosen_seqs = pairs.gt.seqs[pairs.gt_rows[chosen]]
    return HotaCounts(
        objects=np.bincount(pairs.gt.seqs, minlength=pairs.num_seqs)[:, None],
        predictions=np.bincount(pairs.results.seqs, minlength=pairs.num_seqs)[:, None],
        matches=_count_from_level(chosen_seqs, level, pairs.num_seqs),
        association=_sum_rows(common * common / (ours + theirs - common), seqs, pairs.num_seqs),
        association_recall=_sum_rows(common * common / ours, seqs, pairs.num_seqs),
        association_precision=_sum_rows(common * common / theirs, seqs, pairs.num_seqs),
        overlap=_count_from_level(chosen_seqs, level, pairs.num_seqs, ious),
    )


def hota_scores(counts: HotaCounts) -> dict[str, float]:
    """Scores averaged over the thresholds, and those of the lowest one.

    Args:
        counts: Counts of one sequence or of a union (`HotaCounts.total`).

    Returns:
        ``HOTA, DetA, AssA, DetRe, DetPr, AssRe, AssPr, LocA, OWTA`` as means over the 19
        thresholds, and ``HOTA(0), LocA(0), HOTALocA(0)`` at IoU 0.05.
    """
    curves = hota_curves(counts)
    scores = {name: float(curve.mean()) for name, curve in curves.items()}
    scores["HOTA(0)"] = float(curves["HOTA"][0])
    scores["LocA(0)"] = float(curves["LocA"][0])
    scores["HOTALocA(0)"] = scores["HOTA(0)"] * scores["LocA(0)"]
    return scores


def hota_curves(counts: HotaCounts) -> dict[str, np.ndarray]:
    """Scores at each threshold, ``(19,)`` each."""
    matches = counts.matches
    found = np.maximum(1, matches)
    curves = {
        "DetA": matches / np.maximum(1, counts.objects + counts.predictions - matches),
        "AssA": counts.association / found,
        "DetRe": matches / np.maximum(1, counts.objects),
        "DetPr": matches / np.maximum(1, counts.predictions),
        "AssRe": counts.association_recall / found,
        "AssPr": counts.association_precision / found,
        "LocA": np.maximum(TINY, counts.overlap) / np.maximum(TINY, matches),
    }
    curves["OWTA"] = np.sqrt(curves["DetRe"] * curves["AssA"])
    return {"HOTA": np.sqrt(curves["DetA"] * curves["AssA"]), **curves}


def _global_alignment(pairs: FramePairs, which: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """How well two tracks agree over their life, ``(K,)``, for each pair of tracks that meet.

    Args:
        pairs: Overlapping boxes.
        which: Pair of tracks of each pair of boxes, ``(P,)``.
        lengths: Boxes of both tracks of a pair of tracks together, ``(K,)``.
    """
    gt_sums = np.bincount(pairs.gt_rows, pairs.ious, minlength=len(pairs.gt))
    result_sums = np.bincount(pairs.result_rows, pairs.ious, minlength=len(pairs.results))
    rest = result_sums[pairs.result_rows] + gt_sums[pairs.gt_rows] - pairs.ious
    share = np.divide(pairs.ious, rest, out=np.zeros(len(pairs)), where=rest > EPS)
    potential = np.bincount(which, share, minlength=len(lengths))
    return potential / (lengths - potential)


def _count_from_level(
    groups: np.ndarray, level: np.ndarray, size: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Matches of each group that hold at each threshold, ``(size, A)``, or sums of weights."""
    steps = len(ALPHAS) + 1
    table = np.bincount(groups * steps + level, weights, minlength=size * steps)
    return table.reshape(size, steps)[:, ::-1].cumsum(1)[:, ::-1][:, 1:]


def _sum_rows(values: np.ndarray, groups: np.ndarray, size: int) -> np.ndarray:
    """Sum the rows of each group, ``(size, A)``."""
    sums = np.zeros((size, values.shape[1]))
    np.add.at(sums, groups, values)
    return sums
