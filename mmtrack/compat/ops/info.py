"""What mmcv's and mmdet's environment reports ask of the extension."""

from __future__ import annotations

_NOT_COMPILED = "not compiled (operators of mmtrack.compat on torchvision)"


def get_compiler_version() -> str:
    """Name of the compiler of the operators."""
    return _NOT_COMPILED


def get_compiling_cuda_version() -> str:
    """Version of CUDA that the operators were compiled with."""
    return _NOT_COMPILED
