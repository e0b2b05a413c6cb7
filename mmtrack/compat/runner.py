"""Resuming that executes nothing and works on the CPU; checkpoints that are whole or absent.

Needed by: every mmcv 1.x. ``EpochBasedRunner.resume`` executes the configuration text inside a
checkpoint as Python; ``IterBasedRunner.resume`` asks for a CUDA device; files are written in
place, so a run that is killed leaves a truncated checkpoint under its final name, and links are
removed before they are made anew, so it can leave no ``latest.pth``. Each epoch
sleeps for two seconds to avoid a deadlock of data loaders that torch no longer has (mmcv's
successor does not sleep either).
"""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from .checkpoint import CheckpointError
from .import_hooks import when_imported

if TYPE_CHECKING:
    from mmcv.runner import BaseRunner


def _literal_from_config(text: str, name: str) -> Any:  # noqa: ANN401 - any literal
    """Value of a top-level assignment in a configuration text, without executing it."""
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        return None  # a configuration in JSON or YAML, which has no gpu_ids of a launcher
    for statement in statements:
        targets = [t.id for t in getattr(statement, "targets", ()) if isinstance(t, ast.Name)]
        if isinstance(statement, ast.Assign) and name in targets:
            value = statement.value
            if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "range":
                return range(*(ast.literal_eval(argument) for argument in value.args))
            return ast.literal_eval(value)
    return None


def _default_location() -> str | Callable:
    if not torch.cuda.is_available():
        return "cpu"
    device = torch.cuda.current_device()
    return lambda storage, location: storage.cuda(device)


def _load_for_resuming(runner: BaseRunner, path: str, map_location: str | Callable) -> dict:
    if map_location == "default":
        map_location = _default_location()
    checkpoint = runner.load_checkpoint(path, map_location=map_location)
    meta = checkpoint.get("meta") or {}
    missing = [key for key in ("epoch", "iter") if key not in meta]
    if missing:
        raise CheckpointError(
            f"checkpoint {path} cannot be resumed from: its meta lacks {', '.join(missing)}. "
            "It holds weights only; start from them with load_from"
        )
    return checkpoint


def _restore_optimizer(runner: BaseRunner, checkpoint: dict, path: str) -> None:
    states = checkpoint.get("optimizer")
    if states is None:
        return
    optimizers = runner.optimizer
    if not isinstance(optimizers, dict):
        optimizers, states = {"optimizer": optimizers}, {"optimizer": states}
    for name, optimizer in optimizers.items():
        if name not in states:
            raise CheckpointError(f"checkpoint {path} has no state of the optimizer '{name}'")
        try:
            optimizer.load_state_dict(states[name])
        except ValueError as error:
            raise CheckpointError(
                f"checkpoint {path} was written by a run with another optimizer or model "
                f"({error}); start from its weights with load_from"
            ) from error


def _resume_epochs(
    self: BaseRunner,
    checkpoint: str,
    resume_optimizer: bool = True,
    map_location: str | Callable = "default",
) -> None:
    """Continue from a checkpoint: weights, optimizer, epoch, iteration and meta.

    Args:
        self: The runner.
        checkpoint: File written by a run.
        resume_optimizer: Restore the state of the optimizers too.
        map_location: As in :func:`torch.load`; 'default' is the current device.
    """
    path = checkpoint
    state = _load_for_resuming(self, path, map_location)
    meta = state["meta"]
    messages = {**((self.meta or {}).get("hook_msgs") or {}), **(meta.get("hook_msgs") or {})}
    self._epoch, self._iter = meta["epoch"], meta["iter"]
    gpus = _literal_from_config(meta.get("config", ""), "gpu_ids")
    if gpus and len(gpus) != self.world_size:
        self._iter = int(self._iter * len(gpus) / self.world_size)
        self.logger.info(
            "resumed on %d processes what ran on %d: iterations are counted anew",
            self.world_size,
            len(gpus),
        )
    self.meta = {**meta, "hook_msgs": messages}
    if resume_optimizer:
        _restore_optimizer(self, state, path)
    self.logger.info("resumed epoch %d, iter %d", self.epoch, self.iter)


def _resume_iterations(
    self: BaseRunner,
    checkpoint: str,
    resume_optimizer: bool = True,
    map_location: str | Callable = "default",
) -> None:
    """Continue from a checkpoint: weights, optimizer, epoch and iteration.

    Args:
        self: The runner.
        checkpoint: File written by a run.
        resume_optimizer: Restore the state of the optimizers too.
        map_location: As in :func:`torch.load`; 'default' is the current device.
    """
    state = _load_for_resuming(self, checkpoint, map_location)
    self._epoch = state["meta"]["epoch"]
    self._iter = self._inner_iter = state["meta"]["iter"]
    if resume_optimizer:
        _restore_optimizer(self, state, checkpoint)
    self.logger.info("resumed from epoch: %d, iter %d", self.epoch, self.iter)


class _NoWaiting:
    """Stands for the module ``time``, of which the runners use ``sleep`` only."""

    @staticmethod
    def sleep(seconds: float) -> None:
        """Return at once."""


def _replace_sleep(module: ModuleType) -> None:
    module.time = _NoWaiting


def _replace_epoch_resume(module: ModuleType) -> None:
    module.BaseRunner.resume = _resume_epochs


def _replace_iteration_resume(module: ModuleType) -> None:
    module.IterBasedRunner.resume = _resume_iterations


def _put(self: object, obj: bytes, filepath: str | os.PathLike) -> None:
    """Write bytes to a file that appears under its name only when it is complete."""
    from mmtrack.utils.file_io import atomic_write

    with atomic_write(filepath, "wb") as file:
        file.write(obj)


def _symlink(src: str, dst: str, overwrite: bool = True, **kwargs: Any) -> None:  # noqa: ANN401
    """A symbolic link that replaces the one before in one step."""
    if not overwrite:
        os.symlink(src, dst, **kwargs)
        return
    folder, name = os.path.split(os.path.abspath(dst))
    temporary = os.path.join(folder, f".{name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)  # of a killed run whose process had the same number
    os.symlink(src, temporary, **kwargs)
    os.replace(temporary, dst)


def _link_atomically(module: ModuleType) -> None:
    module.symlink = _symlink


def _write_atomically(module: ModuleType) -> None:
    module.HardDiskBackend.put = _put


def install() -> None:
    """Replace what is named above."""
    for name in ("mmcv.runner.epoch_based_runner", "mmcv.runner.iter_based_runner"):
        when_imported(name, _replace_sleep)
    when_imported("mmcv.runner.base_runner", _replace_epoch_resume)
    when_imported("mmcv.runner.iter_based_runner", _replace_iteration_resume)
    when_imported("mmcv.fileio.file_client", _write_atomically)
    when_imported("mmcv.utils.path", _link_atomically)
