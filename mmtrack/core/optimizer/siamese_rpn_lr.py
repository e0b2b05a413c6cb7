"""Learning rate of SiameseRPN++: a chain of geometric ramps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.runner import HOOKS, LrUpdaterHook

RAMP_KEYS = ("start_lr_factor", "end_lr_factor", "end_epoch")
KINDS = ("step", "log")


@HOOKS.register_module()
class SiameseRPNLrUpdaterHook(LrUpdaterHook):
    """Warm up, then cool down; each ramp starts where the one before ends.

    A ramp multiplies the learning rate by the same factor in every epoch. The kind decides when it
    arrives: ``'step'`` reaches ``end_lr_factor`` with the first epoch of the next ramp, ``'log'``
    in its own last epoch. After the last ramp the factor stays.

    Args:
        lr_configs: Ramps: ``type`` (``'step'`` or ``'log'``), ``start_lr_factor`` and
            ``end_lr_factor`` (of the learning rate of the optimizer), ``end_epoch`` (counted from
            0, exclusive) and, for ``'step'``, optionally ``step``: the number of epochs between
            two changes.
        **kwargs: Of mmcv's ``LrUpdaterHook``.

    Raises:
        ValueError: a ramp is of an unknown kind, has no epochs or factors that are not positive.
        KeyError: a ramp lacks a key or has an unknown one.
    """

    def __init__(
        self,
        lr_configs: Sequence[dict] = (
            {"type": "step", "start_lr_factor": 0.2, "end_lr_factor": 1.0, "end_epoch": 5},
            {"type": "log", "start_lr_factor": 1.0, "end_lr_factor": 0.1, "end_epoch": 20},
        ),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not lr_configs:
            raise ValueError("lr_configs needs at least one ramp")
        self.lr_configs = [dict(config) for config in lr_configs]
        starts = [0, *(config.get("end_epoch") for config in self.lr_configs[:-1])]
        ramps = zip(self.lr_configs, starts, strict=True)
        self.lr_factors = np.concatenate([ramp_factors(config, start) for config, start in ramps])

    def get_lr(self, runner: Any, base_lr: float) -> float:
        """Learning rate of the current epoch of the runner."""
        return base_lr * float(self.lr_factors[min(runner.epoch, len(self.lr_factors) - 1)])


def ramp_factors(config: dict, start_epoch: int) -> np.ndarray:
    """Factors of a ramp.

    Args:
        config: See :class:`SiameseRPNLrUpdaterHook`.
        start_epoch: First epoch.

    Returns:
        ``(end_epoch - start_epoch,)``.
    """
    kind = config.get("type")
    if kind not in KINDS:
        raise ValueError(f"lr_configs: type {kind!r} is unknown, use one of {', '.join(KINDS)}")
    optional = {"step"} if kind == "step" else set()
    missing, unknown = set(RAMP_KEYS) - set(config), set(config) - {"type", *RAMP_KEYS} - optional
    if missing or unknown:
        raise KeyError(f"lr_configs: {config} lacks {sorted(missing)}, unknown {sorted(unknown)}")
    first, last, end = (config[key] for key in RAMP_KEYS)
    epochs = end - start_epoch
    if epochs < 1 or first <= 0 or last <= 0:
        raise ValueError(f"lr_configs: {config} needs epochs after {start_epoch}, factors above 0")
    if kind == "log":
        return np.geomspace(first, last, epochs)
    step = config.get("step", 1)
    changes = np.arange(epochs) // step
    return first * (last / first) ** (changes / max(epochs // step, 1))
