"""Time `eval_sot_ope` on as many frames as LaSOT's test set, beside plainer ways to compute it.

All start from the same boxes, one small array per frame as trackers return them, and the scores
are compared. Example: ``python tools/analysis/bench/bench_sot_eval.py --videos 280 --frames 2500``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import mmtrack  # noqa: F401  (installs the compatibility layer)
from mmtrack.core.bbox import bbox_iou
from mmtrack.core.evaluation import eval_sot_ope
from mmtrack.core.evaluation.sot.ope import (
    NORM_PRECISION_THRESHOLDS,
    PRECISION_THRESHOLDS,
    SUCCESS_THRESHOLDS,
)

Videos = list[np.ndarray]


def make_videos(videos: int, frames: int) -> tuple[list[list[np.ndarray]], Videos]:
    """Tracked boxes, frame by frame, and ground truth, x1y1x2y2."""
    rng = np.random.default_rng(0)
    results, annotations = [], []
    for _ in range(videos):
        corner = np.cumsum(rng.normal(0, 3, (frames, 2)), 0) + 500
        truth = np.concatenate((corner, corner + rng.uniform(30, 200, 2)), 1)
        drift = np.cumsum(rng.normal(0, 1, (frames, 4)), 0)
        results.append(list(truth + drift))
        annotations.append(truth)
    return results, annotations


def one_video_frame_by_frame(tracked: list[np.ndarray], truth: np.ndarray) -> list[float]:
    """Scores of a video with Python numbers only: a loop over frames and one over thresholds."""
    success = [0] * len(SUCCESS_THRESHOLDS)
    norm = [0] * len(NORM_PRECISION_THRESHOLDS)
    precise = [0] * len(PRECISION_THRESHOLDS)
    limits = [t.tolist() for t in (SUCCESS_THRESHOLDS, NORM_PRECISION_THRESHOLDS)]
    limits.append(PRECISION_THRESHOLDS.tolist())
    for found, wanted in zip(tracked, truth, strict=True):
        (a, b, c, d), (e, f, g, h) = found.tolist(), wanted.tolist()
        inter = max(min(c, g) - max(a, e), 0) * max(min(d, h) - max(b, f), 0)
        overlap = inter / ((c - a) * (d - b) + (g - e) * (h - f) - inter)
        dx, dy = (a + c - e - g) / 2, (b + d - f - h) / 2
        distance = (dx * dx + dy * dy) ** 0.5
        relative = ((dx / (g - e)) ** 2 + (dy / (h - f)) ** 2) ** 0.5
        for step, limit in enumerate(limits[0]):
            success[step] += overlap > limit
        for step, limit in enumerate(limits[1]):
            norm[step] += relative <= limit
        for step, limit in enumerate(limits[2]):
            precise[step] += distance <= limit
    return [np.mean(success) / len(truth), norm[20] / len(truth), precise[20] / len(truth)]


def one_video_in_arrays(tracked: list[np.ndarray], truth: np.ndarray) -> list[float]:
    """Scores of a video with arrays over its frames and a loop over thresholds."""
    boxes = np.array(tracked)
    overlaps = bbox_iou(boxes, truth, aligned=True)
    offset = (boxes[:, :2] + boxes[:, 2:] - truth[:, :2] - truth[:, 2:]) / 2
    distance = np.linalg.norm(offset, axis=1)
    relative = np.linalg.norm(offset / (truth[:, 2:] - truth[:, :2]), axis=1)
    success = [np.mean(overlaps > limit) for limit in SUCCESS_THRESHOLDS]
    norm = [np.mean(relative <= limit) for limit in NORM_PRECISION_THRESHOLDS]
    precise = [np.mean(distance <= limit) for limit in PRECISION_THRESHOLDS]
    return [np.mean(success), norm[20], precise[20]]


def score_videos(one_video: Callable, results: list, annotations: Videos) -> dict[str, float]:
    """Means of the scores of videos."""
    rates = [one_video(*video) for video in zip(results, annotations, strict=True)]
    names = ("success", "norm_precision", "precision")
    return dict(zip(names, 100 * np.mean(rates, axis=0), strict=True))


def timed(function: Callable[[], dict[str, float]], repeats: int) -> tuple[float, dict[str, float]]:
    """Least processor time of several runs, which busy neighbours change little, and the scores."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        scores = function()
        times.append(time.process_time() - start)
    return min(times), scores


def main() -> None:
    """Time and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=280)
    parser.add_argument("--frames", type=int, default=2500, help="frames of each video")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    results, annotations = make_videos(args.videos, args.frames)
    ours, scores = timed(lambda: eval_sot_ope(results, annotations), args.repeats)
    print(f"{args.videos} videos of {args.frames} frames: " + str(scores))
    print(f"eval_sot_ope: {ours:.3f} s")
    rivals = {
        "loop over frames and thresholds": (one_video_frame_by_frame, 1),
        "arrays of a video, loop over thresholds": (one_video_in_arrays, args.repeats),
    }
    for name, (one_video, repeats) in rivals.items():
        run = lambda one=one_video: score_videos(one, results, annotations)  # noqa: E731
        seconds, theirs = timed(run, repeats)
        worst = max(abs(theirs[key] - scores[key]) for key in scores)
        print(f"{name}: {seconds:.3f} s, {seconds / ours:.1f} x, largest difference {worst:.1e}")


if __name__ == "__main__":
    main()
