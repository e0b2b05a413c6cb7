"""One-pass evaluation (OPE) of single object tracking: success and precision.

A tracker gets the first box of a video and runs through it once. References: Wu et al., "Object
Tracking Benchmark", PAMI 2015, section 4 (success, precision); Mueller et al., "TrackingNet",
ECCV 2018, section 5 (normalised precision).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmtrack.core.bbox import bbox_iou

SUCCESS_THRESHOLDS = np.linspace(0, 1, 21)  # overlap
NORM_PRECISION_THRESHOLDS = np.linspace(0, 0.5, 51)  # distance over the size of the box
PRECISION_THRESHOLDS = np.arange(51.0)  # distance in pixels
_RANK_NORM_PRECISION = 20  # the scores are read at 0.2 box sizes and
_RANK_PRECISION = 20  # at 20 pixels


@dataclass(frozen=True)
class OPECurves:
    """Share of the frames of each of V videos that pass each threshold, within [0, 1].

    Attributes:
        success: Overlap above ``SUCCESS_THRESHOLDS``, ``(V, 21)``.
        norm_precision: Distance over box size within ``NORM_PRECISION_THRESHOLDS``, ``(V, 51)``.
        precision: Distance within ``PRECISION_THRESHOLDS``, ``(V, 51)``.
    """

    success: np.ndarray
    norm_precision: np.ndarray
    precision: np.ndarray

    def scores(self) -> dict[str, float]:
        """Means over videos in percent: area under the success curve, both precisions."""
        rates = {
            "success": self.success,
            "norm_precision": self.norm_precision[:, _RANK_NORM_PRECISION],
            "precision": self.precision[:, _RANK_PRECISION],
        }
        return {name: 100 * float(rate.mean()) for name, rate in rates.items()}


def eval_sot_ope(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    visible_infos: Sequence[np.ndarray] | None = None,
) -> dict[str, float]:
    """Evaluate in the OPE protocol.

    Args:
        results: Tracked boxes of each frame of each video, ``(4,)`` or longer, x1y1x2y2 first;
            or one ``(N, 4)`` array per video.
        annotations: Ground truth of each video, ``(N, 4)``, x1y1x2y2.
        visible_infos: Whether the object is visible, ``(N,)`` bool for each video; None if it
            always is.

    Returns:
        ``success``, ``norm_precision`` and ``precision`` in percent. A frame in which the object is
        not visible or has no box (no area, or NaN as in UAV123) counts among the frames, but never
        as a success.

    Raises:
        ValueError: results and annotations differ in videos or frames, or a tracked box is not
            finite; the message names the video.
    """
    return ope_curves(results, annotations, visible_infos).scores()


def ope_curves(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    visible_infos: Sequence[np.ndarray] | None = None,
) -> OPECurves:
    """Curves of the OPE protocol for each video; see ``eval_sot_ope``."""
    lengths = _check(results, annotations, visible_infos)
    tracked = _join_boxes(results)
    truth = _join_boxes(annotations)
    _check_finite(tracked, lengths)
    size = truth[:, 2:] - truth[:, :2]
    scored = np.all(size > 0, axis=1)  # False for NaN
    if visible_infos is not None:
        scored &= np.concatenate([np.asarray(v, dtype=bool).reshape(-1) for v in visible_infos])
    frames = np.flatnonzero(scored)
    videos = np.repeat(np.arange(len(lengths)), lengths)[frames]
    tracked, truth, size = tracked[frames], truth[frames], size[frames]
    overlaps = bbox_iou(tracked, truth, aligned=True)
    offset = (tracked[:, :2] + tracked[:, 2:] - truth[:, :2] - truth[:, 2:]) / 2
    distances = np.hypot(offset[:, 0], offset[:, 1])
    relative = np.hypot(offset[:, 0] / size[:, 0], offset[:, 1] / size[:, 1])
    return OPECurves(
        1 - _share_within(overlaps, SUCCESS_THRESHOLDS, videos, lengths, missing_pass=True),
        _share_within(relative, NORM_PRECISION_THRESHOLDS, videos, lengths),
        _share_within(distances, PRECISION_THRESHOLDS, videos, lengths),
    )


def _share_within(
    values: np.ndarray,
    thresholds: np.ndarray,
    videos: np.ndarray,
    lengths: np.ndarray,
    *,
    missing_pass: bool = False,
) -> np.ndarray:
    """Share of the frames of each video whose value is at most each threshold.

    Args:
        values: One per scored frame, ``(F,)``.
        thresholds: Ascending, ``(T,)``.
        videos: Number of the video of each value, ``(F,)``.
        lengths: Frames of each video, also those that are not scored, ``(V,)``.
        missing_pass: Whether frames that are not scored count as within.

    Returns:
        ``(V, T)``.
    """
    # Every value is sorted once into the interval between two thresholds that it lies in.
    bins = np.searchsorted(thresholds, values) + videos * (len(thresholds) + 1)
    count = np.bincount(bins, minlength=len(lengths) * (len(thresholds) + 1))
    count = count.reshape(len(lengths), -1)
    within = np.cumsum(count[:, :-1], axis=1)
    if missing_pass:
        within += (lengths - count.sum(1))[:, None]
    return within / lengths[:, None]


def _join_boxes(videos: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Boxes of all frames of all videos, ``(F, 4)`` float64."""
    return np.concatenate([_boxes_of(video) for video in videos]).astype(np.float64, copy=False)


def _boxes_of(video: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """Boxes of one video, ``(N, 4)``."""
    if isinstance(video, np.ndarray) and video.ndim == 2:
        return video[:, :4]
    flat = np.concatenate(video)  # much faster than np.array on thousands of small arrays
    return flat.reshape(len(video), -1)[:, :4]


def _check(
    results: Sequence[Sequence[np.ndarray]],
    annotations: Sequence[np.ndarray],
    visible_infos: Sequence[np.ndarray] | None,
) -> np.ndarray:
    """Lengths of the videos; ValueError if the inputs do not belong together."""
    if not len(annotations):
        raise ValueError("there are no videos to evaluate")
    others = {"results": results, "visible_infos": visible_infos}
    lengths = [len(video) for video in annotations]
    for name, videos in others.items():
        if videos is None:
            continue
        if len(videos) != len(lengths):
            raise ValueError(
                f"{name} hold {len(videos)} videos, annotations {len(lengths)}; are they of "
                "another data set or split?"
            )
        for number, (video, length) in enumerate(zip(videos, lengths, strict=True)):
            if len(video) != length:
                raise ValueError(
                    f"video {number}: {name} have {len(video)} frames, annotations {length}; test "
                    "sets whose ground truth is hidden can only be formatted (--format-only)"
                )
    if 0 in lengths:
        raise ValueError(f"video {lengths.index(0)} has no frames")
    return np.array(lengths)


def _check_finite(tracked: np.ndarray, lengths: np.ndarray) -> None:
    bad = np.flatnonzero(~np.isfinite(tracked).all(1))
    if len(bad):
        ends = np.cumsum(lengths)
        video = int(np.searchsorted(ends, bad[0], side="right"))
        frame = int(bad[0] - ends[video] + lengths[video])
        raise ValueError(
            f"results of video {video}, frame {frame}: the box {tracked[bad[0]].tolist()} is not "
            "finite"
        )
