"""Video detectors: speed against versions that recompute, memory against length, cost of DFF.

The versions that recompute are the oracles of the tests: for every frame they take all references
through the network again, in one batch. Weights are random: the time hardly depends on them, but
the boxes of both versions are compared.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from mmtrack.models import build_model

from mmcv import Config

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from oracles.plain_video_detectors import plain_fgfa, plain_selsa  # noqa: E402

CONFIGS = {
    "DFF": "configs/vid/dff/dff_faster_rcnn_{}_dc5_1x_imagenetvid.py",
    "FGFA": "configs/vid/fgfa/fgfa_faster_rcnn_{}_dc5_1x_imagenetvid.py",
    "SELSA": "configs/vid/selsa/selsa_faster_rcnn_{}_dc5_1x_imagenetvid.py",
}
PLAIN = {"FGFA": plain_fgfa, "SELSA": plain_selsa}
SPEEDUP_FORMAT = "| {:5} | {:2d} | {:6.2f} | {:6.2f} | {:5.1f} | {} |"


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="r50", choices=["r50", "r101", "x101"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", type=int, nargs=2, default=(320, 192), help="width, height")
    parser.add_argument("--side", type=int, default=7, help="references on each side")
    parser.add_argument("--frames", type=int, default=8, help="measured frames of each version")
    parser.add_argument(
        "--lengths", type=int, nargs="*", help="measure memory for videos of these lengths instead"
    )
    parser.add_argument("--memory-of", choices=CONFIGS, help=argparse.SUPPRESS)
    return parser.parse_args()


def build(args: argparse.Namespace, method: str) -> torch.nn.Module:
    """A model with random weights."""
    config = Config.fromfile(str(ROOT / CONFIGS[method].format(args.backbone)))
    torch.manual_seed(0)
    model = build_model(config.model)
    # scores and boxes that differ, so that later stages have their usual work
    for name, parameter in model.named_parameters():
        if name.endswith(("rpn_cls.weight", "fc_cls.weight")):
            torch.nn.init.normal_(parameter, std=0.05)
    return model.to(args.device).eval()


def frame(args: argparse.Namespace, number: int) -> torch.Tensor:
    """A seeded frame of noise ``(1, 3, H, W)``."""
    generator = torch.Generator().manual_seed(number)
    width, height = args.size
    return torch.randn(1, 3, height, width, generator=generator).to(args.device)


def meta(args: argparse.Namespace, number: int) -> dict:
    """Meta data of a frame."""
    width, height = args.size
    return {
        "filename": f"{number}.jpg",
        "frame_id": number,
        "img_shape": (height, width, 3),
        "scale_factor": np.ones(4, np.float32),
        "img_norm_cfg": {"mean": np.full(3, 120.0), "std": np.full(3, 58.0)},
        "num_left_ref_imgs": args.side,
        "frame_stride": 1,
    }


def window(args: argparse.Namespace, number: int, length: int) -> list[int]:
    """Frames around a frame."""
    return [min(max(i, 0), length - 1) for i in range(number - args.side, number + args.side + 1)]


def inputs(args: argparse.Namespace, number: int, length: int) -> dict:
    """Arguments of the model for a frame, as the dataset with a fixed stride gives them."""
    if number == 0:
        references = window(args, 0, length)
    else:
        references = [min(number + args.side, length - 1)]
    return {
        "img": [frame(args, number)],
        "img_metas": [[meta(args, number)]],
        "ref_img": [torch.cat([frame(args, i) for i in references])[None]],
        "ref_img_metas": [[[meta(args, i) for i in references]]],
    }


def timed(args: argparse.Namespace, function: Callable, *values: object, **named: object) -> tuple:
    """Seconds of a call, and its result; on the CPU, processor time: others do not count."""
    if not args.device.startswith("cuda"):
        start = time.process_time()
        result = function(*values, **named)
        return time.process_time() - start, result
    torch.cuda.synchronize()
    start = time.perf_counter()
    result = function(*values, **named)
    torch.cuda.synchronize()
    return time.perf_counter() - start, result


@torch.no_grad()
def compare(args: argparse.Namespace, method: str) -> str:
    """Row of the table of one method: seconds of a frame of both versions."""
    model = build(args, method)
    length = args.frames + args.side + 1
    frames = [frame(args, i) for i in range(length)]
    metas = [meta(args, i) for i in range(length)]
    ours, plain, worst = [], [], 0.0
    for number in range(args.frames + 1):
        seconds, found = timed(args, model, **inputs(args, number, length), return_loss=False)
        again, wanted = timed(
            args, PLAIN[method], model, frames, metas, number, window(args, number, length)
        )
        worst = max(worst, difference(found["det_bboxes"], wanted))
        if number:  # frame 0 fills the window
            ours.append(seconds)
            plain.append(again)
    times = np.median(ours), np.median(plain)
    same = f"{worst:.0e} pixels" if worst < 1 else "differ"
    return SPEEDUP_FORMAT.format(method, 2 * args.side + 1, *times, times[1] / times[0], same)


def difference(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Largest difference of two results, infinite if the numbers of boxes differ."""
    if any(len(a) != len(b) for a, b in zip(first, second, strict=True)):
        return float("inf")
    return max(float(np.abs(a - b).max(initial=0)) for a, b in zip(first, second, strict=True))


@torch.no_grad()
def key_frames(args: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds of a key frame of DFF, and of a frame in between."""
    model = build(args, "DFF")
    interval = model.key_frame_interval
    times: tuple[list[float], list[float]] = ([], [])
    for repeat in range(args.frames + 1):
        for offset in (0, 1):
            number = repeat * interval + offset
            data = {"img": [frame(args, number)], "img_metas": [[meta(args, number)]]}
            seconds, _ = timed(args, model, **data, return_loss=False)
            if repeat:  # the first pair warms up
                times[offset].append(seconds)
    return tuple(1000 * float(np.median(kind)) for kind in times)


@torch.no_grad()
def peak_memory(args: argparse.Namespace, method: str, length: int) -> float:
    """MiB at the peak while a video is tested, of the process or of the GPU."""
    model = build(args, method)
    for number in range(length):
        model(return_loss=False, **inputs(args, number, length))
    if args.device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def memory_rows(args: argparse.Namespace) -> Iterator[str]:
    """Rows of the table of memory; every video has a process of its own."""
    for method in PLAIN:
        cells = []
        for length in args.lengths:
            options = [f"--{k}={getattr(args, k)}" for k in ("backbone", "device", "side")]
            size = [str(side) for side in args.size]
            command = [sys.executable, __file__, *options, "--size", *size]
            command += ["--memory-of", method, "--lengths", str(length)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            cells.append(f"{float(done.stdout.split()[-1]):,.0f}")
        yield f"| {method} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the tables."""
    args = parse_args()
    if args.memory_of:
        print(peak_memory(args, args.memory_of, args.lengths[0]))
        return
    if args.lengths:
        print("| Peak memory in MiB | " + " | ".join(f"{n} frames" for n in args.lengths) + " |")
        print("| --- |" + " ---: |" * len(args.lengths))
        for row in memory_rows(args):
            print(row, flush=True)
        return
    key, between = key_frames(args)
    print(f"DFF: key frame {key:.0f} ms, frame in between {between:.0f} ms, {between / key:.2f}\n")
    print("| Method | Window | s/frame | recomputed | Ratio | Largest difference |")
    print("| --- | ---: | ---: | ---: | ---: | --- |", flush=True)
    for method in PLAIN:
        print(compare(args, method), flush=True)


if __name__ == "__main__":
    main()
