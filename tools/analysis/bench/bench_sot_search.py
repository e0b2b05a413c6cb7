"""Time of a search over settings of SiameseRPN++, beside a separate test run for each setting.

    python tools/analysis/bench/bench_sot_search.py CONFIG --checkpoint FILE --frames 30

Both track the first frames of the first test video, on one thread; times are processor seconds. The
last lines are the number of crops that went through the network, and the largest difference of a
box in pixels.
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np
import torch

from mmtrack.apis import init_model
from mmtrack.apis.siamrpn_search import parse_range
from mmtrack.apis.task import hand_on_bytes
from mmtrack.datasets import build_dataset
from mmtrack.models.sot.siamrpn_search import SiamRPNSearch, result_of_row
from mmtrack.models.track_heads.siamese_rpn_head import TrackSettings


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--checkpoint", help="trained weights: random ones share fewer crops")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--penalty-k-range", default="0.01,0.22,0.1")
    parser.add_argument("--win-influ-range", default="0.2,0.6,0.1")
    parser.add_argument("--lr-range", default="0.3,0.5,0.1")
    return parser.parse_args()


def run(model: torch.nn.Module, dataset: torch.utils.data.Dataset, frames: int) -> list[np.ndarray]:
    """Results of the first frames; each is read anew, as a test run does."""
    results = []
    for frame in range(frames):
        sample = dataset[0, frame]
        data = {
            "img": [sample["img"][0][None]],
            "img_metas": [[sample["img_metas"][0].data]],
            "gt_bboxes": [[torch.as_tensor(sample["gt_bboxes"][0])]],
        }
        with torch.no_grad():
            data["gt_bboxes"] = [boxes[None] for boxes in data["gt_bboxes"][0]]
            results.append(model(return_loss=False, **data)["track_bboxes"])
    return results


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)
    ranges = (args.penalty_k_range, args.win_influ_range, args.lr_range)
    values = [parse_range(text, "range") for text in ranges]
    settings = [TrackSettings(*each) for each in itertools.product(*values)]
    model = init_model(args.config, args.checkpoint, device="cpu")
    dataset = build_dataset(model.cfg.data.test, {"test_mode": True})
    hand_on_bytes(dataset, model)
    frames = min(args.frames, dataset.num_frames_per_video[0])
    crops, forward = [], model.forward_search
    model.forward_search = lambda x: crops.append(len(x)) or forward(x)

    start = time.process_time()
    together = run(SiamRPNSearch(model, settings).eval(), dataset, frames)
    searched, shared = time.process_time() - start, sum(crops)
    crops.clear()

    start, apart = time.process_time(), []
    for each in settings:
        model.head.test_cfg.update(each._asdict())
        apart.append(run(model, dataset, frames))
    separate = time.process_time() - start

    differences = [
        np.abs(result_of_row(together[t][k]) - apart[k][t]).max()
        for k in range(len(settings))
        for t in range(frames)
    ]
    print(f"{len(settings)} settings, {frames} frames")
    print(f"separate runs {separate:8.1f} s")
    print(f"search        {searched:8.1f} s, {separate / searched:.1f} times as fast")
    print(f"crops: {shared} of {sum(crops)}")
    print(f"largest difference {max(differences):.2g}")


if __name__ == "__main__":
    main()
