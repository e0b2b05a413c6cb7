"""Seeds of all random generators, equal on all processes."""

from __future__ import annotations

import random

import numpy as np
import torch
import torch.distributed as dist
from mmcv.runner import get_dist_info


def init_random_seed(seed: int | None = None, device: str = "cuda") -> int:
    """A seed that all processes share.

    Args:
        seed: Returned as it is when given; otherwise rank 0 draws one and sends it to all.
        device: Where the seed is sent from: ``'cpu'`` for gloo, ``'cuda'`` for nccl.

    Returns:
        The seed.
    """
    if seed is not None:
        return seed
    # From the system, because a seeded numpy would give every run the same "random" seed.
    drawn = int(np.random.default_rng().integers(2**31 - 1))
    if get_dist_info()[1] == 1:
        return drawn
    shared = torch.tensor(drawn, dtype=torch.int64, device=device)
    dist.broadcast(shared, src=0)
    return int(shared.item())


def set_random_seed(seed: int, deterministic: bool = False) -> None:
    """Seed Python, numpy and torch.

    Args:
        seed: The seed.
        deterministic: Make cuDNN repeatable, which is slower.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # seeds CUDA too
    if deterministic:
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
