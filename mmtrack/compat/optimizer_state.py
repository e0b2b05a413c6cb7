"""State of optimizers in checkpoints, checked when a training goes on from it.

Needed by: every torch. ``Optimizer.load_state_dict`` takes over whatever is in the groups and the
states, and the first step, or a later one, fails without the name of the file.
"""

from __future__ import annotations

import numbers
from typing import Any

import torch
from torch.optim import Optimizer

from .checkpoint import CheckpointError, is_device_error

# State that all optimizers of torch keep in the shape of the parameter.
_LIKE_PARAMETER = ("momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg")
_OF_ADAM = ("step", "exp_avg", "exp_avg_sq")
_LARGEST = 1e30  # within float32, in which optimizers compute


def restore_optimizer(optimizers: Optimizer | dict[str, Optimizer], states: Any, path: str) -> None:
    """Load the state of the optimizer, or of several by name; None leaves them as they are.

    Args:
        optimizers: As a runner of mmcv has them.
        states: ``optimizer`` of a checkpoint.
        path: The checkpoint, for the message.

    Raises:
        CheckpointError: the state is of another optimizer or model, or damaged.
    """
    if states is None:
        return
    if not isinstance(optimizers, dict):
        optimizers, states = {"optimizer": optimizers}, {"optimizer": states}
    for name, optimizer in optimizers.items():
        if name not in states:
            raise CheckpointError(f"checkpoint {path} has no state of the optimizer '{name}'")
        try:
            optimizer.load_state_dict(states[name])
            _check_groups(optimizer)
            _check_states(optimizer)
        except (ValueError, TypeError, LookupError, AttributeError, RuntimeError) as error:
            if is_device_error(error):
                raise
            raise CheckpointError(
                f"checkpoint {path} was written by a run with another optimizer or model "
                f"({error}); start from its weights with load_from"
            ) from error


def _check_groups(optimizer: Optimizer) -> None:
    """Raise ValueError if settings such as the learning rate are no such thing."""
    for group in optimizer.param_groups:
        for key, default in optimizer.defaults.items():
            if not _is_alike(group.get(key), default):
                raise ValueError(
                    f"{key} is {group.get(key)!r:.60}, expected something like {default!r}"
                )
        if not _is_alike(group.get("initial_lr", 0.0), 0.0):
            raise ValueError(f"initial_lr is {group['initial_lr']!r:.60}, expected a number")
        if not all(0 <= beta < 1 for beta in group.get("betas", ())):
            raise ValueError(f"betas are {group['betas']}, expected numbers within [0, 1)")


def _check_states(optimizer: Optimizer) -> None:
    """Raise ValueError if what is kept of a weight cannot be of it."""
    is_adam = isinstance(optimizer, (torch.optim.Adam, torch.optim.AdamW))
    for parameter, state in optimizer.state.items():
        lacking = [key for key in _OF_ADAM if key not in state] if is_adam else []
        if lacking:
            raise ValueError(f"the state of a weight lacks {', '.join(lacking)}")
        step = state.get("step", 0)
        if not _is_alike(step, 0) or step < 0:
            raise ValueError(f"step is {step!r:.60}, expected a count")
        for key in _LIKE_PARAMETER:
            value = state.get(key)
            if value is not None and value.shape != parameter.shape:
                shapes = f"{tuple(value.shape)}, the weights {tuple(parameter.shape)}"
                raise ValueError(f"{key} has the shape {shapes}")


def _is_alike(value: object, default: object) -> bool:
    """Whether a setting is a number, a switch or several numbers, as its default."""
    if default is None:
        return value is None or _is_alike(value, 0.0)
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, tuple):
        is_list = isinstance(value, (tuple, list)) and len(value) == len(default)
        return is_list and all(map(_is_alike, value, default))
    if not isinstance(default, numbers.Real):
        return True
    if isinstance(value, torch.Tensor):  # steps, and learning rates of compiled optimizers
        return value.numel() == 1 and bool(value.abs() < _LARGEST)
    return isinstance(value, numbers.Real) and abs(value) < _LARGEST  # NaN is not
