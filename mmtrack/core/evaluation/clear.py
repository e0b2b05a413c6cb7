"""CLEAR MOT counts with the definitions of motmetrics, for many sequences in one pass."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .frame_pairs import FramePairs, TrackRows
from .pair_matching import assign

# Share of its life that an object has to be followed to count as mostly tracked / not lost.
MOSTLY_TRACKED = 0.8
MOSTLY_LOST = 0.2


@dataclass(frozen=True)
class ClearCounts:
    """Additive counts, one entry per sequence: the counts of a union are their sums.

    Attributes:
        objects: Ground truth boxes.
        predictions: Result boxes.
        detections: Matched boxes.
        switches: Objects matched to another result track than the last time (IDs).
        transfers: Result tracks matched to another object than the last time (IDt).
        ascends: Switches to a result track that was never matched before (IDa).
        migrates: Transfers to an object that was never matched before (IDm).
        fragmentations: Interruptions of an object's being matched (FM).
        tracks: Ground truth tracks (GT).
        mostly_tracked: Objects matched in at least 80 % of their boxes (MT).
        partially_tracked: Objects between (PT).
        mostly_lost: Objects matched in less than 20 % of their boxes (ML).
        distance: Sum of ``1 - IoU`` over the matched boxes.
    """

    objects: np.ndarray
    predictions: np.ndarray
    detections: np.ndarray
    switches: np.ndarray
    transfers: np.ndarray
    ascends: np.ndarray
    migrates: np.ndarray
    fragmentations: np.ndarray
    tracks: np.ndarray
    mostly_tracked: np.ndarray
    partially_tracked: np.ndarray
    mostly_lost: np.ndarray
    distance: np.ndarray

    def total(self, seqs: np.ndarray | slice = slice(None)) -> ClearCounts:
        """Counts of the union of some sequences, as 0-dimensional arrays."""
        return ClearCounts(*(getattr(self, f.name)[seqs].sum() for f in fields(self)))


def clear_counts(pairs: FramePairs, iou_thr: float = 0.5) -> ClearCounts:
    """Match results to objects over time and count.

    An object keeps the result track of its last match wherever both overlap enough; the boxes
    left are matched one to one: as many as possible, then with the smallest distance.

    Args:
        pairs: Overlapping boxes.
        iou_thr: Least IoU of a match.

    Returns:
        Counts with one entry per sequence.

    Reference: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The
    CLEAR MOT Metrics", EURASIP JIVP 2008, section 2; event names and details as motmetrics.
    """
    matches = match_over_time(pairs, iou_thr)
    num_seqs, gt_seqs = pairs.num_seqs, pairs.gt.seqs

    def per_seq(rows: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return np.bincount(gt_seqs[rows], weights, minlength=num_seqs)

    rows = pairs.gt_rows[matches.pairs]
    followed = np.zeros(len(pairs.gt), bool)
    followed[rows] = True
    lengths = pairs.gt.track_lengths
    found = np.bincount(pairs.gt.tracks[rows], minlength=len(lengths))
    alive = np.flatnonzero(lengths)
    share = found[alive] / lengths[alive]
    seqs = pairs.gt.track_seqs

    def tracks(mask: np.ndarray) -> np.ndarray:
        return np.bincount(seqs[alive[mask]], minlength=num_seqs)

    return ClearCounts(
        objects=np.bincount(gt_seqs, minlength=num_seqs),
        predictions=np.bincount(pairs.results.seqs, minlength=num_seqs),
        detections=per_seq(rows),
        switches=per_seq(rows[matches.switch]),
        transfers=per_seq(rows[matches.transfer]),
        ascends=per_seq(rows[matches.ascend]),
        migrates=per_seq(rows[matches.migrate]),
        fragmentations=np.bincount(
            seqs, _interruptions(pairs.gt, followed), minlength=num_seqs
        ).astype(np.int64),
        tracks=tracks(np.ones(len(alive), bool)),
        mostly_tracked=tracks(share >= MOSTLY_TRACKED),
        partially_tracked=tracks((share >= MOSTLY_LOST) & (share < MOSTLY_TRACKED)),
        mostly_lost=tracks(share < MOSTLY_LOST),
        distance=per_seq(rows, 1 - pairs.ious[matches.pairs]),
    )


def within_threshold(ious: np.ndarray, iou_thr: float) -> np.ndarray:
    """Whether two boxes may match; compared as distances, which is how motmetrics rounds."""
    return 1 - ious <= 1 - iou_thr


@dataclass(frozen=True)
class ClearMatches:
    """Matched pairs ``(M,)`` and what happened at each of them (bool, ``(M,)``)."""

    pairs: np.ndarray
    switch: np.ndarray
    transfer: np.ndarray
    ascend: np.ndarray
    migrate: np.ndarray


def match_over_time(pairs: FramePairs, iou_thr: float) -> ClearMatches:
    """Follow the correspondences frame by frame; only this needs the order of time.

    Args:
        pairs: Overlapping boxes.
        iou_thr: Least IoU of a match.

    Returns:
        Matched pairs in the order of time.
    """
    close = np.flatnonzero(within_threshold(pairs.ious, iou_thr))
    gt_rows, result_rows = pairs.gt_rows[close], pairs.result_rows[close]
    objects, tracks = pairs.gt.tracks[gt_rows], pairs.results.tracks[result_rows]
    ious, frames = pairs.ious[close], pairs.gt.frames[gt_rows]
    memory = _Memory(len(pairs.gt.track_seqs), len(pairs.results.track_seqs), len(close))
    gt_busy, result_busy = np.zeros(len(pairs.gt), bool), np.zeros(len(pairs.results), bool)
    cuts = [0, *(np.flatnonzero(np.diff(frames)) + 1).tolist(), len(close)] if len(close) else []
    for start, stop in zip(cuts[:-1], cuts[1:], strict=True):
        kept = memory.continued(objects[start:stop], tracks[start:stop]) + start
        memory.matched[kept] = True
        if len(kept) == stop - start:
            continue
        gt_busy[gt_rows[kept]] = True
        result_busy[result_rows[kept]] = True
        busy = gt_busy[gt_rows[start:stop]] | result_busy[result_rows[start:stop]]
        rest = start + np.flatnonzero(~busy)
        if len(rest) > 1:
            # One more match outweighs the distances of all others.
            weights = ious[rest] + len(rest) + 1
            rest = rest[assign(gt_rows[rest], result_rows[rest], weights)]
        memory.start(rest, objects[rest], tracks[rest])
    done = np.flatnonzero(memory.matched)
    return ClearMatches(close[done], *(event[done] for event in memory.events))


class _Memory:
    """Which result track each object had last and which object each result track began with."""

    def __init__(self, num_objects: int, num_tracks: int, num_pairs: int) -> None:
        self.track_of = np.full(num_objects, -1)
        self.object_of = np.full(num_tracks, -1)
        self.matched = np.zeros(num_pairs, bool)
        self.events = np.zeros((4, num_pairs), bool)  # switch, transfer, ascend, migrate
        # Two objects can only claim the same track after the track has changed its object.
        self.contested = False

    def continued(self, objects: np.ndarray, tracks: np.ndarray) -> np.ndarray:
        """Pairs of one frame that continue; of two objects with one track the first listed."""
        kept = np.flatnonzero(self.track_of[objects] == tracks)
        if self.contested and len(kept) > 1:
            kept = kept[np.sort(np.unique(tracks[kept], return_index=True)[1])]
        return kept

    def start(self, pairs: np.ndarray, objects: np.ndarray, tracks: np.ndarray) -> None:
        """Record new correspondences of one frame and what they change."""
        if len(pairs) == 0:
            return
        switch = self.track_of[objects] >= 0
        new_track = self.object_of[tracks] < 0
        transfer = ~new_track & (self.object_of[tracks] != objects)
        self.matched[pairs] = True
        self.events[:, pairs] = switch, transfer, switch & new_track, transfer & ~switch
        self.contested = self.contested or bool(transfer.any())
        self.track_of[objects] = tracks
        self.object_of[tracks] = objects


def _interruptions(rows: TrackRows, followed: np.ndarray) -> np.ndarray:
    """How often each track was lost and found again, ``(T,)``: runs of followed rows less one."""
    order = np.argsort(rows.tracks, kind="stable")
    tracks, followed = rows.tracks[order], followed[order]
    begins = followed.copy()
    begins[1:] &= ~followed[:-1] | (tracks[1:] != tracks[:-1])
    runs = np.bincount(tracks[begins], minlength=len(rows.track_seqs))
    return np.maximum(runs - 1, 0)


def divide(numerator: np.ndarray | float, denominator: np.ndarray | float) -> float:
    """Quotient as a float; NaN for 0 / 0 as in motmetrics."""
    if denominator == 0:
        return float("nan") if numerator == 0 else float(np.copysign(np.inf, numerator))
    return float(numerator / denominator)


def clear_scores(counts: ClearCounts) -> dict[str, float]:
    """Scores under the names of MOTChallenge tables.

    Args:
        counts: Counts of one sequence or of a union (`ClearCounts.total`).

    Returns:
        ``Rcll, Prcn, GT, MT, PT, ML, FP, FN, IDs, FM, MOTA, MOTP, IDt, IDa, IDm``; MOTP is the
        mean distance ``1 - IoU`` of the matches, as motmetrics defines it. Ratios without any
        object or result are NaN.
    """
    misses = counts.objects - counts.detections
    false_positives = counts.predictions - counts.detections
    return {
        "Rcll": divide(counts.detections, counts.objects),
        "Prcn": divide(counts.detections, counts.predictions),
        "GT": int(counts.tracks),
        "MT": int(counts.mostly_tracked),
        "PT": int(counts.partially_tracked),
        "ML": int(counts.mostly_lost),
        "FP": int(false_positives),
        "FN": int(misses),
        "IDs": int(counts.switches),
        "FM": int(counts.fragmentations),
        "MOTA": 1 - divide(misses + counts.switches + false_positives, counts.objects),
        "MOTP": divide(counts.distance, counts.detections),
        "IDt": int(counts.transfers),
        "IDa": int(counts.ascends),
        "IDm": int(counts.migrates),
    }
