"""The linear scaling rule: a larger batch takes a larger learning rate."""

from __future__ import annotations

import mmcv
from mmcv.runner import get_dist_info

from mmtrack.utils import get_root_logger


def scale_learning_rate(cfg: mmcv.Config, *, force: bool = False) -> None:
    """Multiply ``cfg.optimizer.lr`` by the ratio of this run's batch to the config's.

    The config says ``auto_scale_lr = dict(enable=False, base_batch_size=16)``, as configs of mmdet
    do: the number of samples of all processes together that its learning rate was chosen for.

    Args:
        cfg: The config, changed in place.
        force: Scale although the config does not set ``auto_scale_lr.enable``.

    Raises:
        ValueError: scaling is asked for, but the config has no ``base_batch_size``, or its
            optimizer no learning rate.

    Reference: Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.1.
    """
    settings = cfg.get("auto_scale_lr") or {}
    if not (force or settings.get("enable", False)):
        return
    per_process = (cfg.data.get("train_dataloader") or {}).get(
        "samples_per_gpu", cfg.data.get("samples_per_gpu", 1)
    )
    base = settings.get("base_batch_size")
    if not isinstance(base, (int, float)) or base <= 0:
        raise ValueError(
            "--auto-scale-lr: the config does not say for how many samples an iteration its "
            f"learning rate is meant (auto_scale_lr.base_batch_size is {base!r}). Learning rates "
            "of published configs are for eight GPUs: --cfg-options "
            f"auto_scale_lr.base_batch_size={8 * per_process}, with samples_per_gpu as published"
        )
    lr = (cfg.get("optimizer") or {}).get("lr")
    if lr is None:
        raise ValueError("--auto-scale-lr: the config has no optimizer.lr to scale")
    processes = get_dist_info()[1]
    batch = processes * per_process
    cfg.optimizer.lr = lr * batch / base
    get_root_logger().info(
        "Learning rate scaled from %g to %g: batch of %d (%d process(es) x %d samples), the "
        "config's is %g",
        lr, cfg.optimizer.lr, batch, processes, per_process, base,
    )  # fmt: skip
