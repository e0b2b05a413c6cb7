"""Time of a frame of SiamRPN++: crop, network, post-processing.

The crop is compared with the conversion of the whole frame to floats that came before it in
MMTracking 0.14. Weights are random: the time does not depend on them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.data import default_collate

from mmtrack.core.track.context_crop import context_crop
from mmtrack.datasets.pipelines.byte_frames import ByteFrame
from mmtrack.models import build_model

from mmcv import Config


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/sot/siamese_rpn/siamese_rpn_r50_20e_lasot.py")
    parser.add_argument("--device", default="cpu", help="device of the network")
    parser.add_argument("--frames", type=int, default=10, help="measurements; the median counts")
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080), help="width, height")
    parser.add_argument("--box", type=float, default=120, help="side of the object in pixels")
    return parser.parse_args()


def median_time(function: Callable[[], Any], repeats: int, device: torch.device) -> float:
    """Median duration of a call in milliseconds, after one call to warm up."""
    times = []
    for _ in range(repeats + 1):
        _wait(device)
        start = time.perf_counter()
        function()
        _wait(device)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[1:]))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def whole_frame(frame: np.ndarray) -> torch.Tensor:
    """The frame as a float tensor, as a pipeline with ``to_float32`` makes it."""
    return torch.from_numpy(frame.astype(np.float32)).permute(2, 0, 1).contiguous()[None]


def float_batch(frame: np.ndarray) -> torch.Tensor:
    """A batch of the decoded frame, as the steps of the configs make it."""
    return default_collate([whole_frame(frame)[0]])


def byte_batch(frame: np.ndarray) -> torch.Tensor:
    """A batch of the decoded frame, as tests and validation make it."""
    return default_collate([ByteFrame(["img"])({"img": frame})["img"]])


def measure(args: argparse.Namespace) -> dict[str, float]:
    """Milliseconds of each part of a frame."""
    config = Config.fromfile(args.config)
    config.model.backbone.init_cfg = None
    device = torch.device(args.device)
    model = build_model(config.model).to(device).eval()
    width, height = args.size
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    view = torch.from_numpy(frame).permute(2, 0, 1)[None]
    box = torch.tensor([width / 2, height / 2, args.box, args.box])
    model.start(view, box)
    target = model.target
    x_side = round(2 * args.box * 255 / 127)
    center = (width / 2, height / 2)
    crop = context_crop(view, center, x_side, 255, target.avg_channel)
    on_device = crop.to(device)
    maps = model.head(target.template, model.forward_search(on_device))

    def network() -> Any:  # noqa: ANN401
        return model.head(target.template, model.forward_search(on_device))

    parts = {
        "whole frame to float": lambda: whole_frame(frame),
        "batch of floats": lambda: float_batch(frame),
        "batch of bytes": lambda: byte_batch(frame),
        "crop": lambda: context_crop(view, center, x_side, 255, target.avg_channel).to(device),
        "network": network,
        "post-processing": lambda: model.head.get_bbox(*maps, box, 0.5)[1].cpu(),
        "whole track()": lambda: model.follow(view),
    }
    return {name: median_time(part, args.frames, device) for name, part in parts.items()}


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        times = measure(args)
    for name, value in times.items():
        print(f"{name:22s} {value:9.3f} ms")
    parts = ("crop", "network", "post-processing")
    total = sum(times[name] for name in parts)
    shares = ", ".join(f"{name} {times[name] / total:.1%}" for name in parts)
    print(f"shares of a frame: {shares}")
    print(
        f"batch of bytes against floats: {times['batch of floats'] / times['batch of bytes']:.1f}x"
    )
    print(f"crop against whole frame: {times['whole frame to float'] / times['crop']:.1f}x")


if __name__ == "__main__":
    main()
