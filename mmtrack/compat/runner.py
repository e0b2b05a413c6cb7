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
import math
import numbers
import os
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from .checkpoint import CheckpointError
from .import_hooks import when_imported
from .optimizer_state import restore_optimizer
from .state_dict import StateDictError, load_state_dict

if TYPE_CHECKING:
    from mmcv.runner import BaseRunner


def _process_count(config: object) -> int | None:
    """How many processes wrote a checkpoint, from the ``gpu_ids`` of the configuration text in it.

    Nothing is executed. None where the text does not say it as tools/train.py writes it.
    """
    if not isinstance(config, str):
        return None
    with contextlib.suppress(SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        for statement in ast.parse(config).body:
            targets = [t.id for t in getattr(statement, "targets", ()) if isinstance(t, ast.Name)]
            if isinstance(statement, ast.Assign) and "gpu_ids" in targets:
                return len(_list_or_range(statement.value)) or None
    return None


def _list_or_range(node: ast.expr) -> Sequence:
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range":
        return range(*(ast.literal_eval(argument) for argument in node.args))
    return ast.literal_eval(node)


def _default_location() -> str | Callable:
    if not torch.cuda.is_available():
        return "cpu"
    device = torch.cuda.current_device()
    return lambda storage, location: storage.cuda(device)


def check_training_state(checkpoint: object, path: str, *, optimizer: bool = True) -> None:
    """Refuse what a training cannot go on from: epoch and optimizer would silently start anew.

    Args:
        checkpoint: What a checkpoint file holds.
        path: The file, for the message.
        optimizer: The state of the optimizer is needed.

    Raises:
        CheckpointError: it lacks the state of a training, or a part of it is no such thing.
    """
    content = checkpoint if isinstance(checkpoint, dict) else {}
    meta = content.get("meta") if isinstance(content.get("meta"), dict) else {}
    lacking = [key for key in ("epoch", "iter") if key not in meta]
    lacking += ["optimizer"] if optimizer and content.get("optimizer") is None else []
    lacking += [] if isinstance(content.get("state_dict"), dict) else ["state_dict"]
    if lacking:
        raise CheckpointError(
            f"{path} cannot be resumed from, it lacks {', '.join(lacking)} (a published model?); "
            "to start from its weights, set load_from in the config"
        )
    for key in ("epoch", "iter"):
        if not isinstance(meta[key], numbers.Integral) or meta[key] < 0:
            raise _damaged(path, f"meta.{key} is {meta[key]!r:.60}, expected a count")
    messages = meta.get("hook_msgs") or {}
    if not isinstance(messages, dict):
        raise _damaged(path, f"meta.hook_msgs is {messages!r:.60}, expected a dictionary")
    score = messages.get("best_score", 0)
    if not isinstance(score, numbers.Real) or math.isnan(score):
        raise _damaged(path, f"meta.hook_msgs.best_score is {score!r:.60}, expected a number")


def _damaged(path: str, what: str) -> CheckpointError:
    return CheckpointError(f"checkpoint {path} is damaged: {what}. Take an earlier one")


def _load_for_resuming(runner: BaseRunner, path: str, map_location: str | Callable) -> dict:
    from mmcv.runner import CheckpointLoader

    if map_location == "default":
        map_location = _default_location()
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location, runner.logger)
    check_training_state(checkpoint, path, optimizer=False)
    weights = {str(k).removeprefix("module."): v for k, v in checkpoint["state_dict"].items()}
    try:
        fit = load_state_dict(runner.model, weights, logger=runner.logger)
        if fit.missing or fit.mismatched:  # an EMA hook may have added more
            raise StateDictError(fit.report())
    except StateDictError as error:
        raise CheckpointError(
            f"checkpoint {path} is of another model. {error}\nTo start from the weights that fit, "
            "set load_from in the config"
        ) from error
    return checkpoint


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
    processes = _process_count(meta.get("config"))
    if processes and processes != self.world_size:
        self._iter = int(self._iter * processes / self.world_size)
        self.logger.info(
            "resumed on %d process(es) what ran on %d: iterations are counted anew",
            self.world_size,
            processes,
        )
    self.meta = {**meta, "hook_msgs": messages}
    if resume_optimizer:
        restore_optimizer(self.optimizer, state.get("optimizer"), path)
    self.logger.info("resumed epoch %d, iter %d", self.epoch, self.iter)
    if self._max_epochs is not None and self.epoch >= self._max_epochs:
        self.logger.warning(
            "%s is of epoch %d and the config ends with epoch %d: nothing is left to train",
            path,
            self.epoch,
            self._max_epochs,
        )


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
        restore_optimizer(self.optimizer, state.get("optimizer"), checkpoint)
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
