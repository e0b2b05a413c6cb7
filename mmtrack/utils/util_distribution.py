"""Wrap models for training and testing on one or several devices."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.parallel import MMDataParallel, MMDistributedDataParallel
from torch import nn

_DEVICES = ("cpu", "cuda")


class _CPUDataParallel(MMDataParallel):
    """MMDataParallel that stays on the CPU although there may be a GPU.

    torch's DataParallel takes the GPUs it finds, whatever the device of the model.
    """

    def __init__(self, module: nn.Module, dim: int = 0) -> None:
        nn.Module.__init__(self)
        self.module = module
        self.dim = dim
        self.device_ids = []
        self.output_device = None


def get_device() -> str:
    """``'cuda'`` where there is a usable GPU, else ``'cpu'``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def _check_device(device: str) -> None:
    if device not in _DEVICES:
        raise ValueError(f"device must be one of {', '.join(_DEVICES)}, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is 'cuda' but torch finds no usable GPU; use device 'cpu'")


def build_dp(
    model: nn.Module,
    device: str = "cuda",
    dim: int = 0,
    *args: Any,  # noqa: ANN401 - handed to MMDataParallel
    **kwargs: Any,  # noqa: ANN401
) -> MMDataParallel:
    """Wrap a model for one device.

    Args:
        model: The model; moved to the first GPU for ``'cuda'``.
        device: ``'cuda'`` or ``'cpu'``.
        dim: Dimension along which inputs are split.
        *args: Further arguments of MMDataParallel, e.g. ``device_ids``; not used on the CPU.
        **kwargs: As above.

    Raises:
        ValueError: Unknown device, or CUDA without a GPU.
    """
    _check_device(device)
    if device == "cpu":
        return _CPUDataParallel(model.cpu(), dim)
    device_ids = kwargs.get("device_ids") or (args[0] if args else [0])
    return MMDataParallel(model.cuda(device_ids[0]), *args, dim=dim, **kwargs)


def build_ddp(
    model: nn.Module,
    device: str = "cuda",
    *args: Any,  # noqa: ANN401 - handed to MMDistributedDataParallel
    **kwargs: Any,  # noqa: ANN401
) -> MMDistributedDataParallel:
    """Wrap a model for one of several processes; the process group must be initialised.

    Args:
        model: The model; moved to this process's GPU for ``'cuda'``.
        device: ``'cuda'`` (nccl) or ``'cpu'`` (gloo).
        *args: Further arguments of MMDistributedDataParallel; device ids are not used on the CPU.
        **kwargs: As above.

    Raises:
        ValueError: Unknown device, or CUDA without a GPU.
    """
    _check_device(device)
    if device == "cuda":
        return MMDistributedDataParallel(model.cuda(), *args, **kwargs)
    options = {
        key: value for key, value in kwargs.items() if key not in ("device_ids", "output_device")
    }
    return MMDistributedDataParallel(model.cpu(), **options)
