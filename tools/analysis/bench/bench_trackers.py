"""Measure the trackers beside a plain implementation with one Python object per track.

Detections of the same crowds go through both, in one run; ids are compared frame by frame, and
both results are scored against the crowd. Only the tracker runs: detections are given.

    python tools/analysis/bench/bench_trackers.py --objects 30 100 300
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from mmtrack.core.evaluation import MOTTable, evaluate_mot_challenge
from mmtrack.models import build_motion, build_tracker

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # the plain trackers are the oracles of the tests

from oracles.crowds import crowd  # noqa: E402
from oracles.plain_trackers import PlainByteTrack, PlainOCSort, PlainSort  # noqa: E402

METHODS = {
    "SortTracker": (
        dict(type="SortTracker", obj_score_thr=0.5, match_iou_thr=0.5, reid=None),
        lambda: PlainSort(obj_score_thr=0.5, match_iou_thr=0.5),
    ),
    "ByteTracker": (
        dict(type="ByteTracker", num_frames_retain=30),
        lambda: PlainByteTrack(num_frames_retain=30),
    ),
    "OCSORTTracker": (
        dict(type="OCSORTTracker", num_frames_retain=30),
        lambda: PlainOCSort(num_frames_retain=30),
    ),
}


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--objects", type=int, nargs="+", default=[30, 100, 300])
    parser.add_argument("--frames", type=int, default=150, help="frames of each crowd")
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many runs counts")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    return parser.parse_args()


def run_ours(settings: dict, frames: list) -> tuple[float, list[np.ndarray]]:
    """Seconds, and per frame the rows id, x1, y1, x2, y2, score."""
    tracker = build_tracker(settings)
    model = SimpleNamespace(
        motion=build_motion(dict(type="KalmanFilter")), with_motion=True, with_reid=False
    )
    inputs = [
        (torch.from_numpy(np.column_stack((b, s))), torch.from_numpy(c)) for b, s, c, _ in frames
    ]
    outputs = []
    start = time.perf_counter()
    for frame_id, (bboxes, labels) in enumerate(inputs):
        outputs.append(
            tracker.track(
                img=None, img_metas=[{}], model=model, bboxes=bboxes, labels=labels,
                frame_id=frame_id,
            )
        )  # fmt: skip
    seconds = time.perf_counter() - start
    return seconds, [np.column_stack((ids.numpy(), b.numpy())) for b, _, ids in outputs]


def run_plain(tracker: object, frames: list) -> tuple[float, list[np.ndarray]]:
    """As :func:`run_ours` for the plain tracker."""
    inputs = [(b.astype(float), s.astype(float), c) for b, s, c, _ in frames]
    outputs = []
    start = time.perf_counter()
    for frame_id, (bboxes, scores, labels) in enumerate(inputs):
        outputs.append(tracker.track(bboxes, scores, labels, frame_id))
    seconds = time.perf_counter() - start
    return seconds, [np.array(rows, float).reshape(-1, 7)[:, :6] for rows in outputs]


def as_table(frames: list[np.ndarray]) -> MOTTable:
    """Rows of all frames as one table."""
    rows = np.concatenate(frames)
    numbers = np.repeat(np.arange(len(frames)) + 1, [len(f) for f in frames])
    boxes = np.column_stack((rows[:, 1:3], rows[:, 3:5] - rows[:, 1:3]))
    return MOTTable.from_columns(numbers, rows[:, 0], boxes)


def same_ids(ours: list[np.ndarray], plain: list[np.ndarray]) -> bool:
    """Whether every box got the same id in both."""
    return all(
        np.array_equal(a[np.argsort(a[:, 0]), 0], b[np.argsort(b[:, 0]), 0])
        for a, b in zip(ours, plain, strict=True)
    )


def measure(name: str, count: int, args: argparse.Namespace) -> str:
    """One row of the table."""
    settings, plain = METHODS[name]
    frames = list(crowd(count, args.frames))
    truth = as_table([
        np.column_stack((owners[owners >= 0], boxes[owners >= 0]))
        for boxes, _, _, owners in frames
    ])  # fmt: skip
    run_ours(settings, frames[:5])  # the first calls load libraries
    ours = [run_ours(settings, frames) for _ in range(args.repeats)]
    others = [run_plain(plain(), frames) for _ in range(args.repeats)]
    micro, plain_micro = (
        min(seconds for seconds, _ in runs) / args.frames * 1e6 for runs in (ours, others)
    )
    scores = [
        evaluate_mot_challenge(
            {"crowd": truth}, {"crowd": as_table(runs[0][1])}, benchmark="MOT15",
            metrics=("CLEAR", "Identity"),
        )["OVERALL"]
        for runs in (ours, others)
    ]  # fmt: skip
    quality = "  ".join(f"{s['MOTA']:.2f} / {s['IDF1']:.2f}" for s in scores)
    same = "same" if same_ids(ours[0][1], others[0][1]) else "differ"
    ratio = plain_micro / micro
    return f"{name:14} {count:7} {micro:8.0f} {plain_micro:8.0f} {ratio:7.1f}  {same:6}  {quality}"


def main() -> None:
    """Print the table."""
    args = parse_args()
    torch.set_num_threads(1)
    print("microseconds per frame; MOTA / IDF1 ours, then plain")
    print(f"{'tracker':14} {'objects':>7} {'ours':>8} {'plain':>8} {'ratio':>7}  ids     scores")
    for name in args.methods:
        for count in args.objects:
            print(measure(name, count, args), flush=True)


if __name__ == "__main__":
    main()
