"""Train a model with mmcv's runner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mmcv
import torch
from mmcv.runner import (
    BaseRunner,
    DistSamplerSeedHook,
    EpochBasedRunner,
    Fp16OptimizerHook,
    OptimizerHook,
    build_optimizer,
    build_runner,
)
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.evaluation.eval_hooks import DistEvalHook, EvalHook
from mmtrack.core.hook import EpochSeedHook
from mmtrack.datasets import build_dataloader, build_dataset
from mmtrack.utils import build_ddp, build_dp, get_root_logger

from .resume import check_resumable
from .task import hand_on_bytes

LOADER_KEYS = ("samples_per_gpu", "workers_per_gpu", "persistent_workers", "samples_per_epoch")


def train_model(
    model: nn.Module,
    dataset: Dataset | Sequence[Dataset],
    cfg: mmcv.Config,
    distributed: bool = False,
    validate: bool = False,
    timestamp: str | None = None,
    meta: dict[str, Any] | None = None,
) -> None:
    """Train a model; checkpoints and logs go to ``cfg.work_dir``.

    Args:
        model: Model with initialised weights.
        dataset: Training dataset, or one for each entry of ``cfg.workflow``.
        cfg: The config. ``cfg.device`` names the device (``'cuda'`` or ``'cpu'``; CUDA where
            there is one by default), ``cfg.gpu_ids`` the index of a single device. With
            ``cfg.deterministic`` and ``cfg.seed`` each epoch starts from a seed of its own, so
            that a resumed run repeats an uninterrupted one.
        distributed: A process group is there and each process trains on its share.
        validate: Evaluate on ``cfg.data.val`` as ``cfg.evaluation`` says.
        timestamp: Name of the log files.
        meta: Written into the checkpoints and the log (environment, seed, config).

    Raises:
        FileNotFoundError: ``cfg.resume_from`` does not exist.
        ValueError: it holds no state of a training run.
    """
    if cfg.get("resume_from"):
        check_resumable(cfg.resume_from)
    runner, loaders = prepare_training(
        model,
        dataset,
        cfg,
        distributed=distributed,
        validate=validate,
        timestamp=timestamp,
        meta=meta,
    )
    runner.run(loaders, workflow_of(cfg))


def workflow_of(cfg: mmcv.Config) -> list[tuple[str, int]]:
    """Modes of the epochs in their order, training alone by default."""
    return cfg.get("workflow", [("train", 1)])


def prepare_training(
    model: nn.Module,
    dataset: Dataset | Sequence[Dataset],
    cfg: mmcv.Config,
    *,
    distributed: bool = False,
    validate: bool = False,
    timestamp: str | None = None,
    meta: dict[str, Any] | None = None,
) -> tuple[BaseRunner, list[DataLoader]]:
    """All that can be wrong with a config before the first iteration: see :func:`train_model`.

    ``cfg.resume_from`` has been checked, as :func:`~mmtrack.apis.resume.choose_checkpoint` does:
    large files need not be read once more.

    Returns:
        The runner, resumed where the config says so, and a loader for each data set.
    """
    logger = get_root_logger(log_level=cfg.get("log_level", "INFO"))
    device = cfg.get("device") or ("cuda" if torch.cuda.is_available() else "cpu")
    gpu_ids = list(cfg.get("gpu_ids") or [0])
    datasets = list(dataset) if isinstance(dataset, (list, tuple)) else [dataset]
    loaders = [_train_loader(d, cfg, distributed, len(gpu_ids)) for d in datasets]
    wrapped = _wrap(model, cfg, device, gpu_ids, distributed)
    runner_cfg = cfg.get("runner") or {"type": "EpochBasedRunner", "max_epochs": cfg.total_epochs}
    runner: BaseRunner = build_runner(
        runner_cfg,
        default_args={
            "model": wrapped,
            "optimizer": build_optimizer(wrapped, cfg.optimizer),
            "work_dir": cfg.work_dir,
            "logger": logger,
            "meta": meta,
        },
    )
    runner.timestamp = timestamp  # .log and .log.json get the same name
    resume_from = cfg.get("resume_from")
    runner.register_training_hooks(
        cfg.lr_config,
        _optimizer_hook(cfg, device, distributed, logger),
        cfg.get("checkpoint_config"),
        cfg.get("log_config"),
        cfg.get("momentum_config"),
        custom_hooks_config=_custom_hooks(cfg, resume_from),
    )
    if distributed and isinstance(runner, EpochBasedRunner):
        runner.register_hook(DistSamplerSeedHook())
    if validate:
        by_epoch = isinstance(runner, EpochBasedRunner)
        runner.register_hook(_eval_hook(cfg, model, distributed, by_epoch), priority="LOW")
    if cfg.get("seed") is not None and (cfg.get("deterministic") or resume_from):
        # Without it a resumed run would draw the numbers of epoch 1 once more.
        runner.register_hook(EpochSeedHook(cfg.seed), priority="VERY_HIGH")
    if resume_from:
        runner.resume(resume_from, map_location="cpu")
    elif cfg.get("load_from"):
        runner.load_checkpoint(cfg.load_from)
    return runner, loaders


def _train_loader(
    dataset: Dataset, cfg: mmcv.Config, distributed: bool, num_gpus: int
) -> DataLoader:
    options = {key: cfg.data[key] for key in LOADER_KEYS if key in cfg.data}
    options = {"samples_per_gpu": 1, "workers_per_gpu": 2, **options}
    options.update(cfg.data.get("train_dataloader", {}))
    return build_dataloader(
        dataset, num_gpus=num_gpus, dist=distributed, seed=cfg.get("seed"), **options
    )


def _wrap(
    model: nn.Module, cfg: mmcv.Config, device: str, gpu_ids: list[int], distributed: bool
) -> nn.Module:
    """The model inside mmcv's wrapper, which moves batches to the device."""
    if not distributed:
        return build_dp(model, device, device_ids=gpu_ids)
    device_ids = [torch.cuda.current_device()] if device == "cuda" else None
    return build_ddp(
        model,
        device,
        device_ids=device_ids,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get("find_unused_parameters", False),
    )


def _optimizer_hook(cfg: mmcv.Config, device: str, distributed: bool, logger: Any) -> Any:
    """Hook of the optimizer step, with loss scaling where half precision is asked for."""
    optimizer_config = cfg.get("optimizer_config", {})
    fp16 = cfg.get("fp16")
    if fp16 is not None and device == "cuda":
        return Fp16OptimizerHook(**optimizer_config, **fp16, distributed=distributed)
    if fp16 is not None:
        logger.info("fp16 of the config needs CUDA; training in float32 on the CPU")
    if distributed and "type" not in optimizer_config:
        return OptimizerHook(**optimizer_config)
    return optimizer_config


def _custom_hooks(cfg: mmcv.Config, resume_from: str | None) -> list[dict] | None:
    """Custom hooks; averages of weights are resumed together with the run.

    An EMA hook adds its buffers after the runner has loaded the checkpoint. Unless it is told
    the file too, the run goes on with averaged weights in place of the trained ones.
    """
    hooks = [dict(hook) for hook in cfg.get("custom_hooks") or []]
    for hook in hooks:
        if str(hook.get("type")).endswith("EMAHook") and resume_from:
            hook["resume_from"] = hook.get("resume_from") or resume_from
    return hooks or None


def _eval_hook(
    cfg: mmcv.Config, model: nn.Module, distributed: bool, by_epoch: bool
) -> EvalHook | DistEvalHook:
    dataset = build_dataset(cfg.data.val, {"test_mode": True})
    hand_on_bytes(dataset, model)
    options = {
        "samples_per_gpu": 1,
        "workers_per_gpu": cfg.data.get("workers_per_gpu", 2),
        "persistent_workers": cfg.data.get("persistent_workers", False),
        **cfg.data.get("val_dataloader", {}),
    }
    loader = build_dataloader(dataset, dist=distributed, shuffle=False, **options)
    evaluation = {"by_epoch": by_epoch, **cfg.get("evaluation", {})}
    return (DistEvalHook if distributed else EvalHook)(loader, **evaluation)
