"""Fixtures for the operators: devices, random data, and skips for compiled mmcv-full."""

import numpy as np
import pytest
import torch

import mmtrack


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def compiled_ops():
    """True where mmcv-full's own operators are tested against the brute force."""
    return mmtrack.compat.op_backend() != "torchvision"


@pytest.fixture
def cuda_only_when_compiled(compiled_ops, device):
    if compiled_ops and device == "cpu":
        pytest.skip("mmcv-full has this operator for CUDA only")


@pytest.fixture
def ours_only(compiled_ops):
    if compiled_ops:
        pytest.skip("more than mmcv-full promises: types or cases that it refuses")
