"""What scripts that test a model share: device, data loader, and the model with its weights."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import mmcv
import torch
from mmcv.runner import wrap_fp16_model
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.utils import setup_multi_processes, tune_cpu_inference
from mmtrack.datasets import build_dataloader, build_dataset

from .checkpoint import initialize, load_model_checkpoint, require_weights
from .environment import (
    init_distributed,
    local_process_count,
    prepare_for_inference,
    select_device,
)
from .inference import quiet_loggers
from .task import build_task_model


def prepare_test_device(cfg: mmcv.Config, args: argparse.Namespace) -> torch.device:
    """Set up this process, and the process group where a launcher started it.

    Args:
        cfg: The config.
        args: With ``device``, ``gpu_id`` and ``launcher``.

    Returns:
        The device of this process.
    """
    device = select_device(args.device, args.gpu_id)
    if device.type == "cpu":
        sys.stdout.write(f"{tune_cpu_inference(local_process_count())}\n")
    setup_multi_processes(cfg)
    torch.backends.cudnn.benchmark = cfg.get("cudnn_benchmark", False)
    if args.launcher != "none":
        init_distributed(args.launcher, device, cfg.get("dist_params", {}))
        if device.type == "cuda":
            device = torch.device("cuda", torch.cuda.current_device())
    return device


def build_test_model(
    cfg: mmcv.Config, args: argparse.Namespace, dataset: Dataset, device: torch.device
) -> nn.Module:
    """Build the model and load its weights, from the checkpoint or as the config says.

    Args:
        cfg: The config.
        args: With ``checkpoint``, ``allow_random_weights``, ``fuse_conv_bn``, ``channels_last``,
            ``bf16`` and ``compile``.
        dataset: Knows the classes where the checkpoint does not.
        device: Where the model runs.

    Raises:
        ValueError: there are no weights, or they do not fit.
    """
    model = build_task_model(cfg)
    meta: dict[str, Any] = {}
    with quiet_loggers():
        if args.checkpoint is not None:
            meta = load_model_checkpoint(model, args.checkpoint)
        else:
            if not args.allow_random_weights:
                require_weights(model)
            initialize(model)
    model.CLASSES = meta.get("CLASSES") or getattr(dataset, "CLASSES", None)
    if cfg.get("fp16") is not None and device.type == "cuda":
        wrap_fp16_model(model)
    return prepare_for_inference(
        model,
        device,
        fuse_conv_bn=args.fuse_conv_bn,
        channels_last=args.channels_last,
        bf16=args.bf16,
        compiled=args.compile,
    )


def build_test_loader(cfg: mmcv.Config, distributed: bool) -> DataLoader:
    """Loader of ``cfg.data.test``, one frame at a time, whole videos per process.

    Args:
        cfg: The config.
        distributed: Each process of the process group gets its share.
    """
    if cfg.data.get("test") is None:
        raise ValueError("the config has no data.test")
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    options = {
        "samples_per_gpu": 1,
        "workers_per_gpu": cfg.data.get("workers_per_gpu", 2),
        **cfg.data.get("test_dataloader", {}),
    }
    return build_dataloader(dataset, dist=distributed, shuffle=False, **options)
