"""Measure QDTrack's trackers beside a plain implementation with one Python object per track.

Embedded detections of the same crowds go through both, in one run; ids are compared frame by
frame. Networks do not run: detections and embeddings are given.

    python tools/analysis/bench/bench_quasi_dense.py

Time is that of the processor, with one thread, so other load does not count. The crowds are large:
with 300 detections a frame in 50 classes, many of them false, the memory of the TAO tracker holds
about 1,000 tracks. It prints how many there were.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # numpy reads them at its import
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from mmtrack.models import build_tracker  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))  # the plain trackers are the oracles of the tests

from oracles.plain_quasi_dense import PlainQDTrack, PlainQDTrackTAO, embedded_crowd  # noqa: E402

MOT = dict(init_score_thr=0.9, memo_tracklet_frames=30)
METHODS = {
    "mot": (dict(type="QuasiDenseTracker", **MOT), lambda: PlainQDTrack(**MOT)),
    "tao": (dict(type="QuasiDenseTAOTracker"), PlainQDTrackTAO),
}
# People, and what makes about so many detections a frame of them.
SCENES = {
    "mot": [dict(count=count, clutter=0.1, channels=256) for count in (30, 100, 300)],
    "tao": [
        dict(count=count, clutter=0.3, classes=50, channels=256) for count in (30, 100, 230)
    ],
}  # fmt: skip


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60, help="frames of each crowd")
    parser.add_argument(
        "--plain-frames", type=int, default=20, help="frames that the plain tracker sees"
    )
    parser.add_argument("--repeats", type=int, default=3, help="the fastest of so many runs counts")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    return parser.parse_args()


class Recorded:
    """A track head that knows the embeddings of the boxes of a frame; its time is not counted."""

    def __init__(self) -> None:
        self.known: dict[bytes, np.ndarray] = {}
        self.seconds = 0.0

    def load(self, bboxes: np.ndarray, embeds: np.ndarray) -> None:
        """Take the embeddings of a frame."""
        self.known = {box.tobytes(): embed for box, embed in zip(bboxes, embeds, strict=True)}

    def extract_bbox_feats(self, feats: list, bboxes: list[torch.Tensor]) -> torch.Tensor:
        """Embeddings of boxes."""
        start = time.process_time()
        found = np.array([self.known[box.tobytes()] for box in bboxes[0].numpy()])
        self.seconds += time.process_time() - start
        return torch.from_numpy(found)


def run_ours(settings: dict, frames: list) -> tuple[np.ndarray, list[np.ndarray], int]:
    """Seconds of each frame, its rows of box and id, and the tracks in memory at the end."""
    tracker, head = build_tracker(settings), Recorded()
    model = SimpleNamespace(track_head=head)
    metas = [{"scale_factor": np.ones(4, np.float32)}]
    seconds, found = [], []
    for frame_id, (bboxes, scores, labels, embeds) in enumerate(frames):
        head.load(bboxes, embeds)
        rows, kinds = torch.from_numpy(np.column_stack((bboxes, scores))), torch.from_numpy(labels)
        head.seconds, start = 0.0, time.process_time()
        out, _, ids = tracker.track(metas, [torch.zeros(1)], model, rows, kinds, frame_id)
        seconds.append(time.process_time() - start - head.seconds)
        found.append(np.column_stack((out[:, :4].numpy(), ids.numpy())))
    return np.array(seconds), found, len(tracker.ids)


def run_plain(tracker: PlainQDTrack | PlainQDTrackTAO, frames: list) -> tuple:
    """As :func:`run_ours` for the plain tracker."""
    seconds, found = [], []
    for frame_id, (bboxes, scores, labels, embeds) in enumerate(frames):
        start = time.process_time()
        rows = tracker.track(bboxes.astype(float), scores.astype(float), labels, embeds, frame_id)
        seconds.append(time.process_time() - start)
        picked = [row for row, _, _ in rows]
        found.append(np.column_stack((bboxes[picked], [ident for _, ident, _ in rows])))
    return np.array(seconds), found


def measure(name: str, scene: dict, args: argparse.Namespace) -> str:
    """One row of the table, the second half of the frames: memory has to fill first."""
    settings, plain = METHODS[name]
    frames = list(embedded_crowd(frames=args.frames, **scene))
    runs = [run_ours(settings, frames) for _ in range(args.repeats)]
    ours = min(seconds[len(seconds) // 2 :].mean() for seconds, _, _ in runs)
    few = frames[: args.plain_frames]
    plain_seconds, plain_found = run_plain(plain(), few)
    same_frames = min(seconds[len(few) // 2 : len(few)].mean() for seconds, _, _ in runs)
    ratio = plain_seconds[len(few) // 2 :].mean() / same_frames
    same = all(map(np.array_equal, runs[0][1], plain_found))
    detections = np.mean([len(frame[0]) for frame in frames])
    return (
        f"{name:8} {detections:10.0f} {runs[0][2]:7} {1e3 * ours:8.2f} {1 / ours:8.0f} "
        f"{ratio:7.1f}  {'same' if same else 'differ'}"
    )


def main() -> None:
    """Print the table."""
    args = parse_args()
    torch.set_num_threads(1)
    print("processor ms a frame and frames a second; how often faster than the plain tracker")
    print(f"{'tracker':8} {'detections':>10} {'tracks':>7} {'ms':>8} {'fps':>8} {'ratio':>7}  ids")
    for name in args.methods:
        for scene in SCENES[name]:
            print(measure(name, scene, args), flush=True)


if __name__ == "__main__":
    main()
