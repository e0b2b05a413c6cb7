"""Measure the speed of a model: network and post-processing, loading of data not counted."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import time
from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.data import DataLoader

from mmtrack.apis.checkpoint import load_model_checkpoint
from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_speed_arguments,
    add_trust_argument,
    file_errors,
    load_config,
    user_errors,
)
from mmtrack.apis.environment import prepare_for_inference, select_device
from mmtrack.apis.task import build_task_model
from mmtrack.core.utils import setup_multi_processes, tune_cpu_inference
from mmtrack.datasets import build_dataloader, build_dataset
from mmtrack.utils import build_dp

WARM_UP = 5
IMAGES = 2000


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("--checkpoint", help="weights; speed can be measured without them")
    parser.add_argument("--log-interval", type=int, default=50, help="images between reports")
    parser.add_argument(
        "--fuse-conv-bn", action="store_true", help="fold batch norm into convolutions"
    )
    parser.add_argument("--max-images", type=int, default=IMAGES, help="images to measure")
    add_config_options(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    add_speed_arguments(parser)
    args = parser.parse_args()
    if args.log_interval < 1 or args.max_images < 1:
        parser.error("--log-interval and --max-images must be at least 1")
    return args


def frame_times(model: nn.Module, loader: DataLoader, device: torch.device) -> Iterator[float]:
    """Seconds of each frame after the warm-up; the device is waited for."""
    for i, data in enumerate(loader):
        _wait(device)
        start = time.perf_counter()
        with torch.no_grad():
            model(return_loss=False, rescale=True, **data)
        _wait(device)
        if i >= WARM_UP:
            yield time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def prepare(args: argparse.Namespace) -> tuple[nn.Module, DataLoader, torch.device]:
    """Model in evaluation mode, loader of the test dataset, device."""
    cfg = load_config(args)
    device = select_device(args.device)
    if device.type == "cpu":
        print(tune_cpu_inference())
    setup_multi_processes(cfg)
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    if len(dataset) <= WARM_UP:
        raise ValueError(f"the test dataset has {len(dataset)} images, {WARM_UP} are the warm-up")
    loader = build_dataloader(
        dataset,
        samples_per_gpu=1,
        workers_per_gpu=cfg.data.get("workers_per_gpu", 2),
        dist=False,
        shuffle=False,
    )
    model = build_task_model(cfg)
    if args.checkpoint is not None:
        load_model_checkpoint(model, args.checkpoint)
    model = prepare_for_inference(
        model,
        device,
        fuse_conv_bn=args.fuse_conv_bn,
        channels_last=args.channels_last,
        bf16=args.bf16,
        compiled=args.compile,
    )
    return build_dp(model, device.type, device_ids=[device.index or 0]), loader, device


def main() -> None:
    """Measure."""
    args = parse_args()
    with user_errors():
        model, loader, device = prepare(args)
    total, count = 0.0, 0
    with file_errors():
        for seconds in frame_times(model, loader, device):
            total, count = total + seconds, count + 1
            if count % args.log_interval == 0:
                print(f"Done image [{count:<3}/ {args.max_images}], {count / total:.2f} img / s")
            if count == args.max_images:
                break
    print(f"Overall: {count / total:.2f} img / s, {1000 * total / count:.2f} ms / img")


if __name__ == "__main__":
    main()
