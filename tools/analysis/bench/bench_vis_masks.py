"""Time of the masks of a frame of MaskTrack R-CNN: paste them into the image, encode them.

The plain way is that of mmdet (a grid of coordinates per box, one transfer per mask) with a copy
into the order of memory that the encoder wants. Weights and masks are random: the time of the
network does not depend on them, and the masks have the size of real objects.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pycocotools.mask as coco_mask
import torch
from torch.nn import functional as F

from mmtrack.core.mask import encode_masks, paste_masks
from mmtrack.models import build_model

from mmcv import Config

CONFIG = "configs/vis/masktrack_rcnn/masktrack_rcnn_r50_fpn_12e_youtubevis2019.py"
MASK_SIDE = 28


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--config",
        default="configs/vis/masktrack_rcnn/masktrack_rcnn_r50_fpn_12e_youtubevis2019.py",
    )
    parser.add_argument("--device", default="cpu", help="device of the network")
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), help="width, height")
    parser.add_argument("--instances", type=int, nargs="+", default=(10, 100), help="kept ones")
    parser.add_argument("--repeats", type=int, default=5, help="measurements; the median counts")
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


def random_instances(
    count: int, size: tuple[int, int], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits ``(n, S, S)`` of blobs, and boxes ``(n, 4)`` of a tenth to a half of the image."""
    gen = torch.Generator().manual_seed(0)
    coarse = 4 * torch.randn((count, 1, 5, 5), generator=gen) + 2
    logits = F.interpolate(coarse, MASK_SIDE, mode="bicubic", align_corners=False)[:, 0]
    extent = torch.tensor(size)
    sides = (0.1 + 0.4 * torch.rand((count, 2), generator=gen)) * extent
    corners = torch.rand((count, 2), generator=gen) * (extent - sides)
    return logits.to(device), torch.cat((corners, corners + sides), dim=1).to(device)


def plain_masks(
    head: Any,  # noqa: ANN401
    logits: torch.Tensor,
    bboxes: torch.Tensor,
    size: tuple[int, int],
    test_cfg: Config,
) -> list[np.ndarray]:
    """Masks as mmdet pastes them."""
    width, height = size
    per_class = logits[:, None].expand(-1, head.num_classes, -1, -1)
    labels = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    scale = torch.ones(4, device=logits.device)
    return head.get_seg_masks(
        per_class, bboxes, labels, test_cfg, (height, width), scale, rescale=True
    )[0]


def plain_codes(masks: list[np.ndarray]) -> list[dict]:
    """Run lengths of masks whose rows lie one after the other."""
    return [coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8)) for mask in masks]


def measure(args: argparse.Namespace) -> tuple[float, list[dict[str, float]]]:
    """Milliseconds of the network, and of the masks for each number of instances."""
    config = Config.fromfile(args.config)
    config.model.detector.init_cfg = None
    config.model.detector.backbone.init_cfg = None
    device = torch.device(args.device)
    detector = build_model(config.model).detector.to(device).eval()
    head, test_cfg = detector.roi_head.mask_head, detector.roi_head.test_cfg
    img = torch.rand(1, 3, 384, 640, device=device)
    rois = torch.cat((torch.zeros(10, 1), 300 * torch.rand(10, 4).sort(dim=1)[0]), dim=1)

    def network() -> Any:  # noqa: ANN401
        feats = detector.extract_feat(img)
        detector.rpn_head(feats)
        detector.roi_head._bbox_forward(feats, rois.repeat(20, 1).to(device))
        return detector.roi_head._mask_forward(feats, rois.to(device))["mask_pred"]

    rows = []
    width, height = args.size
    for count in args.instances:
        logits, bboxes = random_instances(count, args.size, device)
        ours = paste_masks(logits.sigmoid(), bboxes, (height, width)).cpu().numpy()
        plain = plain_masks(head, logits, bboxes, args.size, test_cfg)
        differing = np.mean(np.array(plain) != ours)
        if differing > 1e-4:
            raise RuntimeError(f"the two ways differ in {differing:.2%} of the pixels")
        parts = {
            "plain paste": lambda lo=logits, b=bboxes: plain_masks(
                head, lo, b, args.size, test_cfg
            ),
            "paste": lambda lo=logits, b=bboxes: paste_masks(
                lo.sigmoid(), b, (height, width)
            ).cpu(),
            "plain encode": lambda masks=plain: plain_codes(masks),
            "encode": lambda masks=list(ours): encode_masks(masks),
        }
        times = {name: median_time(part, args.repeats, device) for name, part in parts.items()}
        rows.append({"instances": count, **times})
    return median_time(network, args.repeats, device), rows


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(1)
    with torch.no_grad():
        network, rows = measure(args)
    print(f"network, 640x384, 200 proposals, masks of 10 boxes: {network:.1f} ms")
    names = ("plain paste", "paste", "plain encode", "encode")
    print(f"{'instances':>9s}" + "".join(f" {name:>13s}" for name in names) + "  ratio  share")
    for row in rows:
        plain = row["plain paste"] + row["plain encode"]
        ours = row["paste"] + row["encode"]
        print(
            f"{row['instances']:9d}"
            + "".join(f" {row[name]:10.2f} ms" for name in names)
            + f" {plain / ours:5.1f}x {ours / (ours + network):6.1%}"
        )


if __name__ == "__main__":
    main()
