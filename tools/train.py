"""Train a model: a video model, a detector (USE_MMDET) or a ReID model (TRAIN_REID)."""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # OpenMP reads it when torch is imported

import copy
import os.path as osp
import time
import warnings
from typing import Any

import torch
from torch import nn
from torch.distributed.elastic.multiprocessing.errors import record
from torch.utils.data import DataLoader

from mmtrack import __version__
from mmtrack.apis import init_random_seed, set_random_seed
from mmtrack.apis.checkpoint import initialize, require_frozen_weights
from mmtrack.apis.cli import (
    add_config_options,
    add_device_argument,
    add_launcher_arguments,
    add_trust_argument,
    export_local_rank,
    file_errors,
    load_config,
    user_errors,
)
from mmtrack.apis.environment import init_distributed, local_process_count, select_device
from mmtrack.apis.learning_rate import scale_learning_rate
from mmtrack.apis.loggers import require_loggers
from mmtrack.apis.process_group import lost_processes_explained
from mmtrack.apis.resume import Resumption, choose_checkpoint
from mmtrack.apis.task import build_task_model
from mmtrack.apis.train import prepare_training, workflow_of
from mmtrack.core.utils import setup_multi_processes, tune_cpu_inference
from mmtrack.datasets import build_dataset
from mmtrack.utils import collect_env, get_root_logger
from mmtrack.utils.file_io import atomic_write

import mmcv
from mmcv.runner import BaseRunner, get_dist_info


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument("--resume-from", help="checkpoint of an earlier run to continue")
    parser.add_argument(
        "--auto-resume",
        action="store_true",
        help="continue from the newest good checkpoint of the work dir, if there is one",
    )
    parser.add_argument("--no-validate", action="store_true", help="no evaluation in training")
    devices = parser.add_mutually_exclusive_group()
    devices.add_argument("--gpus", type=int, help="deprecated; without a launcher only 1 works")
    devices.add_argument(
        "--gpu-ids", type=int, nargs="+", help="deprecated, use --gpu-id; the first one is taken"
    )
    devices.add_argument("--gpu-id", type=int, default=0, help="index of the GPU of this run")
    parser.add_argument("--seed", type=int, help="seed of all random generators")
    parser.add_argument(
        "--diff_seed", "--diff-seed", action="store_true", help="add the rank to the seed"
    )
    parser.add_argument(
        "--deterministic",
        action="store_true",
        help="repeatable cuDNN, and a seed for each epoch: a resumed run equals a whole one",
    )
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate to the batch size (auto_scale_lr of the config)",
    )
    add_config_options(parser)
    add_launcher_arguments(parser)
    add_device_argument(parser)
    add_trust_argument(parser)
    args = parser.parse_args()
    export_local_rank(args)
    return args


def choose_gpu(args: argparse.Namespace) -> int:
    """Index of the one GPU of a run without launcher."""
    if args.gpus is not None and args.gpus != 1:
        warnings.warn(f"--gpus {args.gpus} has no effect: one process uses one GPU, use torchrun")
    if args.gpu_ids is not None:
        warnings.warn("--gpu-ids is deprecated, use --gpu-id")
        return args.gpu_ids[0]
    return args.gpu_id


def complete_config(cfg: mmcv.Config, args: argparse.Namespace) -> torch.device:
    """Write the arguments into the config; returns the device."""
    device = select_device(args.device, choose_gpu(args))
    cfg.device = device.type
    cfg.gpu_ids = [device.index if device.index is not None else 0]
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get("work_dir") is None:
        cfg.work_dir = osp.join("work_dirs", osp.splitext(osp.basename(args.config))[0])
    if args.resume_from is not None:
        cfg.resume_from = args.resume_from
    cfg.deterministic = args.deterministic or cfg.get("deterministic", False)
    return device


def seed_everything(cfg: mmcv.Config, args: argparse.Namespace, device: torch.device) -> int:
    """Seed all generators; returns the seed of this process."""
    wanted = args.seed if args.seed is not None else cfg.get("seed")
    cfg.seed = init_random_seed(wanted, device=device.type)
    seed = cfg.seed + get_dist_info()[0] if args.diff_seed else cfg.seed
    set_random_seed(seed, deterministic=cfg.deterministic)
    return seed


def start_logging(cfg: mmcv.Config, name: str) -> tuple[str, dict[str, Any]]:
    """Create the work dir, log environment and config; returns time stamp and meta data."""
    os.makedirs(osp.abspath(cfg.work_dir), exist_ok=True)
    timestamp = time.strftime("%Y%m%d_%H%M%S", time.localtime())
    logger = get_root_logger(osp.join(cfg.work_dir, f"{timestamp}.log"), cfg.log_level)
    env_info = "\n".join(f"{key}: {value}" for key, value in collect_env().items())
    logger.info("Environment:\n%s", env_info)
    text = cfg.dump()  # formatting a config takes up to a second, so it is done once
    logger.info("Config:\n%s", text)
    if get_dist_info()[0] == 0:
        with atomic_write(osp.join(cfg.work_dir, osp.basename(name))) as file:
            file.write(text)
    return timestamp, {"env_info": env_info, "exp_name": osp.basename(name)}


def log_resumption(cfg: mmcv.Config, resumption: Resumption, auto_resume: bool) -> None:
    """Say where the training goes on from, and what was passed over."""
    logger = get_root_logger()
    for note in resumption.notes:
        logger.warning(note)
    if auto_resume and resumption.path is None:
        logger.info("No checkpoint in %s yet: the training starts anew", cfg.work_dir)
    restarts = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))
    if restarts and resumption.path is None and not auto_resume:
        logger.warning("Restart %d of all processes begins anew: see --auto-resume", restarts)


def build_datasets(cfg: mmcv.Config) -> list:
    """The training dataset, and the validation dataset where the workflow has a second step."""
    datasets = [build_dataset(cfg.data.train)]
    if len(workflow_of(cfg)) == 2:
        val = copy.deepcopy(cfg.data.val)
        val.pipeline = cfg.data.train.pipeline
        datasets.append(build_dataset(val))
    return datasets


def build_parts(cfg: mmcv.Config) -> tuple[nn.Module, list]:
    """Model with initialised weights, and datasets."""
    datasets = build_datasets(cfg)
    model = build_task_model(cfg)
    if not cfg.get("resume_from"):
        require_frozen_weights(model, cfg.get("load_from"))
        initialize(model)
    model.CLASSES = getattr(datasets[0], "CLASSES", None)
    return model, datasets


@record
def main() -> None:
    """Train."""
    args = parse_args()
    with user_errors():
        cfg = load_config(args)
        require_loggers(cfg)
        device = complete_config(cfg, args)
    with lost_processes_explained(cfg.work_dir):
        with user_errors():
            runner, loaders = prepare(cfg, args, device)
        with file_errors():
            runner.run(loaders, workflow_of(cfg))


def prepare(
    cfg: mmcv.Config, args: argparse.Namespace, device: torch.device
) -> tuple[BaseRunner, list[DataLoader]]:
    """All that comes before the first iteration: the runner, and a loader for each data set."""
    threads = tune_cpu_inference(local_process_count()) if device.type == "cpu" else None
    setup_multi_processes(cfg)
    torch.backends.cudnn.benchmark = cfg.get("cudnn_benchmark", False)
    distributed = args.launcher != "none"
    if distributed:
        init_distributed(args.launcher, device, cfg.get("dist_params", {}))
        cfg.gpu_ids = list(range(get_dist_info()[1]))
    auto_resume = args.auto_resume or cfg.get("auto_resume", False)
    resumption = choose_checkpoint(cfg, auto_resume=auto_resume)
    cfg.resume_from = resumption.path
    timestamp, meta = start_logging(cfg, args.config)
    logger = get_root_logger()
    log_resumption(cfg, resumption, auto_resume)
    scale_learning_rate(cfg, force=args.auto_scale_lr)
    if threads:
        logger.info(threads)
    meta["seed"] = seed_everything(cfg, args, device)
    logger.info("Seed %d, deterministic: %s", meta["seed"], cfg.deterministic)
    model, datasets = build_parts(cfg)
    meta["config"] = cfg.pretty_text
    if cfg.get("checkpoint_config") is not None:
        cfg.checkpoint_config.meta = {
            "mmtrack_version": __version__,
            "config": meta["config"],
            "CLASSES": model.CLASSES,
        }
    return prepare_training(
        model,
        datasets,
        cfg,
        distributed=distributed,
        validate=not args.no_validate,
        timestamp=timestamp,
        meta=meta,
    )


if __name__ == "__main__":
    main()
