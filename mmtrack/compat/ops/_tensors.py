"""Helpers shared by the operators."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_FULL_PRECISION = (torch.float32, torch.float64)


def widen(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors in the type to compute in: that of the first one, at least float32.

    Box coordinates of more than 2048 pixels are not exact in half precision, and torchvision has
    no bfloat16 kernels.
    """
    first = tensors[0].dtype
    dtype = first if first in _FULL_PRECISION else torch.float32
    return tuple(tensor.to(dtype) for tensor in tensors)


def without_autocast(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute in the type of the inputs: autocast would take products in half precision."""

    @functools.wraps(function)
    def run(first: Tensor, *args: object) -> Tensor:
        with torch.autocast(first.device.type, enabled=False):
            return function(first, *args)

    return run


def finite_rois(rois: Tensor) -> Tensor:
    """RoIs without NaN and infinity, which the kernels would read memory at.

    They appear when a training diverges; its loss says so, the process must not crash before.
    """
    defined = rois[:, 1:].isfinite().all(dim=1, keepdim=True)
    coordinates = rois[:, 1:].where(defined, torch.zeros_like(rois[:, 1:]))
    return torch.cat((rois[:, :1], coordinates), dim=1)


def gradients(
    function: Callable[..., Tensor], inputs: Sequence[Tensor], grad_output: Tensor
) -> tuple[Tensor, ...]:
    """Gradients of ``function(*inputs)`` by its inputs, by computing it once more.

    mmcv's autograd functions call separate backward operators that get the inputs only. Inputs
    without influence on the result get zeros.
    """
    leaves = [tensor.detach().requires_grad_() for tensor in inputs]
    with torch.enable_grad():
        output = function(*leaves)
    if not output.requires_grad:
        return tuple(torch.zeros_like(leaf) for leaf in leaves)
    found = torch.autograd.grad(output, leaves, grad_output, allow_unused=True)
    pairs = zip(found, leaves, strict=True)
    return tuple(torch.zeros_like(leaf) if grad is None else grad for grad, leaf in pairs)
