"""Identity scores (IDF1, IDP, IDR) of many sequences in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .clear import divide, within_threshold
from .frame_pairs import FramePairs, compact


@dataclass(frozen=True)
class IdentityCounts:
    """Additive counts, one entry per sequence.

    Attributes:
        objects: Ground truth boxes.
        predictions: Result boxes.
        true_positives: Boxes matched under the best one-to-one pairing of whole tracks (IDTP).
    """

    objects: np.ndarray
    predictions: np.ndarray
    true_positives: np.ndarray

    def total(self, seqs: np.ndarray | slice = slice(None)) -> IdentityCounts:
        """Counts of the union of some sequences, as 0-dimensional arrays."""
        return IdentityCounts(
            self.objects[seqs].sum(), self.predictions[seqs].sum(), self.true_positives[seqs].sum()
        )


def identity_counts(pairs: FramePairs, iou_thr: float = 0.5) -> IdentityCounts:
    """Pair whole ground truth tracks with whole result tracks so that most boxes agree.

    The assignment with dummy nodes of the paper costs ``|gt| + |results| - 2 * IDTP``, so that
    the least cost is the largest number of common boxes and no dummy nodes are needed.

    Args:
        pairs: Overlapping boxes.
        iou_thr: Least IoU of boxes that agree.

    Returns:
        Counts with one entry per sequence.

    Reference: Ristani et al., "Performance Measures and a Data Set for Multi-Target,
    Multi-Camera Tracking", ECCV 2016 workshops, section 3.
    """
    close = within_threshold(pairs.ious, iou_thr)
    num_results = max(len(pairs.results.track_seqs), 1)
    keys, which = compact(pairs.gt_tracks[close] * num_results + pairs.result_tracks[close])
    common = np.bincount(which, minlength=len(keys))
    objects, tracks = np.divmod(keys, num_results)
    seqs = pairs.gt.track_seqs[objects]
    bounds = np.searchsorted(seqs, np.arange(pairs.num_seqs + 1))
    true_positives = np.zeros(pairs.num_seqs, np.int64)
    for seq in np.unique(seqs):
        part = slice(bounds[seq], bounds[seq + 1])
        row_names, rows = compact(objects[part])
        col_names, cols = compact(tracks[part])
        table = np.zeros((len(row_names), len(col_names)))
        table[rows, cols] = common[part]
        true_positives[seq] = table[linear_sum_assignment(table, maximize=True)].sum()
    return IdentityCounts(
        np.bincount(pairs.gt.seqs, minlength=pairs.num_seqs),
        np.bincount(pairs.results.seqs, minlength=pairs.num_seqs),
        true_positives,
    )


def identity_scores(counts: IdentityCounts) -> dict[str, float]:
    """``IDF1, IDP, IDR`` of one sequence or of a union; NaN where there is nothing to count."""
    return {
        "IDF1": divide(2 * counts.true_positives, counts.objects + counts.predictions),
        "IDP": divide(counts.true_positives, counts.predictions),
        "IDR": divide(counts.true_positives, counts.objects),
    }
