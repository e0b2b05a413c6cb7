"""Accuracy, robustness and expected average overlap (EAO) of the VOT challenge.

A tracker that loses its target (no overlap at all) is started again some frames later. What it
returns for a frame is a region or a state of one number: unknown, initialised or failed.

Reference: Kristan et al., "A Novel Performance Evaluation Methodology for Single-Target Trackers",
PAMI 2016; "The Visual Object Tracking VOT2015 Challenge Results", ICCVW 2015, section 3 (EAO).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmtrack.core.bbox.region import rectangles_to_polygons, region_overlaps

UNKNOWN, INITIALISED, FAILED = 0, 1, 2
_TRACKED = -1  # marks a frame with a region; no state that a tracker can return


@dataclass(frozen=True)
class _Run:
    """A video after tracking.

    Attributes:
        states: ``(N,)`` int: ``UNKNOWN``, ``INITIALISED``, ``FAILED`` or ``_TRACKED``.
        overlaps: With the ground truth, ``(N,)``; 0 where nothing is tracked.
    """

    states: np.ndarray
    overlaps: np.ndarray


def eval_sot_accuracy_robustness(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    burnin: int = 10,
    ignore_unknown: bool = True,
    videos_wh: Sequence[tuple[int, int]] | None = None,
) -> dict[str, float]:
    """Accuracy and robustness over all videos.

    Args:
        results: For each frame of each video a region, ``(4,)``, x, y, width, height, or
            ``(2 K,)``, corners of a polygon; or a state, ``(1,)``: [0] unknown, the tracker waits
            after a failure, [1] initialised, [2] failed.
        annotations: Ground truth of each video, ``(N, 4)``, x, y, width, height, or ``(N, 2 K)``.
        burnin: Number of frames from each start on that do not count for accuracy. A start is a
            frame whose result says so, [1]: the protocol reports every one of them, and the burn-in
            keeps the ground truth that it hands over from counting as the tracker's merit. Results
            that begin with a region are no run of the protocol but the tracker's own from the
            first frame on, so all of them count.
        ignore_unknown: Leave frames without region out of accuracy; otherwise their overlap is 0.
        videos_wh: Width and height of each video; what lies outside does not count. None for no
            bounds.

    Returns:
        ``accuracy``, mean overlap of each video, averaged with the videos' lengths as weights;
        NaN if no frame counts. ``robustness``, failures per 100 frames. ``num_fails``.

    Raises:
        ValueError: results and annotations differ in videos or frames, or a region or state is
            malformed.
    """
    runs = _read_runs(results, annotations, videos_wh)
    lengths = np.array([len(run.states) for run in runs])
    means = np.array([_mean_overlap(run, burnin, ignore_unknown) for run in runs])
    counted = np.isfinite(means)
    accuracy = np.average(means[counted], weights=lengths[counted]) if counted.any() else np.nan
    fails = sum(int(np.count_nonzero(run.states == FAILED)) for run in runs)
    return {
        "accuracy": float(accuracy),
        "robustness": 100.0 * fails / int(lengths.sum()),
        "num_fails": float(fails),
    }


def eval_sot_eao(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    interval: Sequence[int] = (100, 356),
    videos_wh: Sequence[tuple[int, int]] | None = None,
) -> dict[str, float]:
    """Expected average overlap: the mean of the curve ``eao_curve`` over typical lengths.

    Args:
        results: As in ``eval_sot_accuracy_robustness``. A video whose first result is a region is
            one that started there: the curve counts frames from a start on.
        annotations: As there.
        interval: Shortest and longest length in frames, both included.
        videos_wh: As there.

    Returns:
        ``eao`` in [0, 1]; lengths that no video has are left out, and it is NaN, with a warning,
        if none reaches the interval.

    Raises:
        ValueError: as there, or the interval is empty.
    """
    low, high = interval
    if not 1 <= low <= high:
        raise ValueError(f"interval must be two ascending lengths from 1 on, found {interval}")
    curve = eao_curve(_read_runs(results, annotations, videos_wh))[low - 1 : high]
    known = curve[np.isfinite(curve)]
    if not len(known):
        warnings.warn(
            f"no part of a video tracked without restart has {low} frames, the least of the EAO "
            f"interval [{low}, {high}]; EAO is undefined",
            stacklevel=2,
        )
        return {"eao": float("nan")}
    return {"eao": float(known.mean())}


def eao_curve(runs: Sequence[_Run]) -> np.ndarray:
    """Overlap that is expected on a video of each length.

    A video is split into parts at its starts. A part that ends with a failure stays lost, its
    overlap is 0 from there on; one that ends with the video says nothing about longer videos. The
    frame of the start does not count.

    Args:
        runs: Tracked videos.

    Returns:
        Mean overlap of the first 1, 2, ... frames averaged over the parts that are as long, up to
        the longest video without its first frame; NaN for lengths that no part has.
    """
    longest = max(len(run.states) for run in runs) - 1
    total, count = np.zeros(longest), np.zeros(longest)
    for run in runs:
        # A tracker always starts with the video, also where its first result is a region.
        starts = np.union1d(0, np.flatnonzero(run.states == INITIALISED))
        fails = np.flatnonzero(run.states == FAILED)
        ends = np.append(starts[1:], len(run.states))
        for start, end in zip(starts, ends, strict=True):
            lost = fails[(fails > start) & (fails < end)]
            overlaps = run.overlaps[start + 1 : lost[0] if len(lost) else end][:longest]
            if len(lost):
                overlaps = np.pad(overlaps, (0, longest - len(overlaps)))
            known = len(overlaps)
            total[:known] += np.cumsum(overlaps) / np.arange(1, known + 1)
            count[:known] += 1
    return np.divide(total, count, out=np.full(longest, np.nan), where=count > 0)


def _mean_overlap(run: _Run, burnin: int, ignore_unknown: bool) -> float:
    """Mean overlap of the frames of a video that count for accuracy; NaN if none does."""
    counts = run.states == _TRACKED if ignore_unknown else run.states != INITIALISED
    for start in np.flatnonzero(run.states == INITIALISED):
        counts[start : start + burnin] = False
    return float(run.overlaps[counts].mean()) if counts.any() else float("nan")


def _read_runs(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    videos_wh: Sequence[tuple[int, int]] | None,
) -> list[_Run]:
    """States and overlaps of all videos."""
    if not len(annotations):
        raise ValueError("there are no videos to evaluate")
    sizes = [None] * len(annotations) if videos_wh is None else videos_wh
    for name, videos in (("results", results), ("videos_wh", sizes)):
        if len(videos) != len(annotations):
            raise ValueError(f"{name} hold {len(videos)} videos, annotations {len(annotations)}")
    runs = []
    for number, (found, truth, size) in enumerate(zip(results, annotations, sizes, strict=True)):
        if len(found) != len(truth):
            raise ValueError(
                f"video {number}: results have {len(found)} frames, annotations {len(truth)}"
            )
        try:
            runs.append(_read_run(found, truth, size))
        except ValueError as error:
            raise ValueError(f"video {number}: {error}") from error
    return runs


def _read_run(
    found: Sequence[np.ndarray], truth: Sequence[np.ndarray], size: tuple[int, int] | None
) -> _Run:
    """States and overlaps of one video."""
    found = [np.asarray(row, dtype=np.float64).reshape(-1) for row in found]
    for frame, row in enumerate(found):
        if len(row) == 1 and row[0] not in (UNKNOWN, INITIALISED, FAILED):
            raise ValueError(f"frame {frame}: there is no state {row[0]}, only 0, 1 and 2")
        if not np.isfinite(row).all():
            raise ValueError(f"frame {frame}: the region {row.tolist()} is not finite")
    states = np.array([row[0] if len(row) == 1 else _TRACKED for row in found], dtype=np.int64)
    tracked = np.flatnonzero(states == _TRACKED)
    overlaps = np.zeros(len(found))
    if len(tracked):
        regions = _stack([found[frame] for frame in tracked])
        overlaps[tracked] = region_overlaps(
            regions, _stack([truth[frame] for frame in tracked]), size
        )
    return _Run(states, overlaps)


def _stack(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Regions as one array; rectangles become polygons where both occur.

    Polygons of fewer corners repeat their last one.
    """
    rows = [np.asarray(row, dtype=np.float64).reshape(-1) for row in rows]
    widths = {len(row) for row in rows}
    if len(widths) == 1:
        return np.stack(rows)
    rows = [rectangles_to_polygons(row[None])[0] if len(row) == 4 else row for row in rows]
    longest = max(map(len, rows))
    return np.stack([np.append(row, np.tile(row[-2:], (longest - len(row)) // 2)) for row in rows])
