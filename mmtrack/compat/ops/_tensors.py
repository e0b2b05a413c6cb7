"""Helpers shared by the operators."""

from __future__ import annotations

import torch
from torch import Tensor

_FULL_PRECISION = (torch.float32, torch.float64)


def compute_dtype(tensor: Tensor) -> torch.dtype:
    """Type to compute in: float16 and bfloat16 are computed in float32.

    Box coordinates of more than 2048 pixels are not exact in half precision, and torchvision has
    no bfloat16 kernels.
    """
    return tensor.dtype if tensor.dtype in _FULL_PRECISION else torch.float32


def widen(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All tensors in the compute type of the first one."""
    dtype = compute_dtype(tensors[0])
    return tuple(tensor.to(dtype) for tensor in tensors)
