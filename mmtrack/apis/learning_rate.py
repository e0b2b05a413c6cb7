"""The linear scaling rule: a larger batch takes a larger learning rate."""

from __future__ import annotations

import mmcv
from mmcv.runner import get_dist_info

from mmtrack.utils import get_root_logger

from .config_file import read_config

PUBLISHED_PROCESSES = 8  # GPUs that the published configs were trained on


def scale_learning_rate(cfg: mmcv.Config, *, force: bool = False) -> None:
    """Multiply ``cfg.optimizer.lr`` by the ratio of this run's batch to the config's.

    The config says ``auto_scale_lr = dict(enable=False, base_batch_size=16)``, as configs of mmdet
    do: the number of samples of all processes together that its learning rate was chosen for.

    Args:
        cfg: The config, changed in place. With ``resume_from`` it stays as it is: the optimizer
            gets the rate of the checkpoint.
        force: Scale although the config does not set ``auto_scale_lr.enable``.

    Raises:
        ValueError: scaling is asked for, but the config has no ``base_batch_size``, or its
            optimizer no learning rate.

    Reference: Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.1.
    """
    settings = cfg.get("auto_scale_lr") or {}
    if not (force or settings.get("enable", False)):
        return
    base = settings.get("base_batch_size")
    if not isinstance(base, (int, float)) or not base > 0:
        own = _samples_of_a_process(read_config(cfg.filename) if cfg.filename else cfg)
        raise ValueError(
            "--auto-scale-lr: the config does not say for how many samples an iteration its "
            f"learning rate is meant (auto_scale_lr.base_batch_size is {base!r}). Those of "
            f"published configs are for {PUBLISHED_PROCESSES} GPUs, for this one: --cfg-options "
            f"auto_scale_lr.base_batch_size={PUBLISHED_PROCESSES * own}. Those of the quick "
            f"starts are for one process: {own}"
        )
    lr = (cfg.get("optimizer") or {}).get("lr")
    if not isinstance(lr, (int, float)):
        raise ValueError("--auto-scale-lr: the config has no optimizer.lr to scale")
    if cfg.get("resume_from"):
        get_root_logger().info("Learning rate not scaled: a resumed run keeps its checkpoint's")
        return
    processes, samples = get_dist_info()[1], _samples_of_a_process(cfg)
    batch = processes * samples
    cfg.optimizer.lr = lr * batch / base
    get_root_logger().info(
        "Learning rate scaled from %g to %g: batch of %d (%d process(es) x %d samples), the "
        "config's is %g",
        lr, cfg.optimizer.lr, batch, processes, samples, base,
    )  # fmt: skip


def _samples_of_a_process(cfg: mmcv.Config) -> int:
    loader = cfg.data.get("train_dataloader") or {}
    return loader.get("samples_per_gpu", cfg.data.get("samples_per_gpu", 1))
