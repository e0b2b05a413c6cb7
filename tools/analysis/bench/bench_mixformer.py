"""Time of a frame of MixFormer with remembered templates, against the pass over everything.

Both ways give the same box. Templates and search regions are random, and so are the weights, as the
time depends on neither. The two take turns in one run, so that other load on the machine slows
both; the ratio counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from mmtrack.models import build_model

from mmcv import Config


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/sot/mixformer/mixformer_cvt_500e_got10k.py")
    parser.add_argument("--device", default="cpu", help="device of the network")
    parser.add_argument("--frames", type=int, default=10, help="measurements; the median counts")
    return parser.parse_args()


def clock(device: torch.device) -> float:
    """Seconds: on a CPU those of this process, without other load; else those of the wall."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def median_times(
    ways: dict[str, Callable[[], Any]], repeats: int, device: torch.device
) -> dict[str, float]:
    """Median milliseconds of each way; they take turns, after one turn to warm up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats + 1):
        for name, way in ways.items():
            start = clock(device)
            way()
            times[name].append(clock(device) - start)
    return {name: 1000 * float(np.median(values[1:])) for name, values in times.items()}


def measure(args: argparse.Namespace) -> tuple[dict[str, float], float]:
    """Milliseconds of each way, and the largest difference of their boxes in pixels."""
    device = torch.device(args.device)
    torch.manual_seed(0)
    model = build_model(Config.fromfile(args.config).model).to(device).eval()
    cfg = model.test_cfg
    size, side = cfg["template_size"], cfg["search_size"]
    template = torch.randn(1, 3, size, size, device=device)
    online = torch.randn(int(cfg["online_size"][0]), 3, size, size, device=device)
    search = torch.randn(1, 3, side, side, device=device)
    model.set_online(template, online)

    def remembered() -> dict[str, torch.Tensor]:
        return model.head(*model.backbone.forward_test(search))

    def everything() -> dict[str, torch.Tensor]:
        return model.head(*model.backbone(template, online, search))

    gap = (remembered()["pred_bboxes"] - everything()["pred_bboxes"]).abs().max()
    ways = {
        "remembered templates": remembered,
        "everything in every frame": everything,
        "templates alone (update)": lambda: model.set_online(template, online),
        "head alone": lambda: model.head(template_feat, search_feat),
    }
    template_feat, search_feat = model.backbone.forward_test(search)
    return median_times(ways, args.frames, device), float(gap)


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        times, gap = measure(args)
    for name, value in times.items():
        print(f"{name:26s} {value:9.1f} ms")
    ratio = times["everything in every frame"] / times["remembered templates"]
    print(f"everything against remembered: {ratio:.2f}x; boxes differ by {gap:.1e} pixels")


if __name__ == "__main__":
    main()
