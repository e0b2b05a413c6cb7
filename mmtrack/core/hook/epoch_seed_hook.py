"""Random numbers of an epoch that do not depend on the epochs before."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmcv.runner import HOOKS, Hook
from torch.utils.data import DataLoader


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each training epoch, by seed, epoch and process.

    A run that was killed and resumed after epoch 3 then draws the random numbers in epoch 4 that
    the uninterrupted run draws: the order of the samples, augmentations in the workers, sampled
    boxes, dropout.

    Args:
        seed: Seed of the run.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def before_train_epoch(self, runner: Any) -> None:
        """Seed Python, numpy, torch, the loader and its sampler."""
        entropy = (self.seed, runner.epoch, runner.rank)
        words = np.random.SeedSequence(entropy).generate_state(3, np.uint64)
        state = [int(word) for word in words]
        random.seed(state[0])
        np.random.seed(state[0] % 2**32)
        torch.manual_seed(state[0] >> 1)  # seeds CUDA too
        _seed_loader(runner.data_loader, state[1] >> 1, state[2] >> 1)


def _seed_loader(loader: DataLoader, for_workers: int, for_sampler: int) -> None:
    generators = (
        (getattr(loader, "generator", None), for_workers),
        (getattr(getattr(loader, "sampler", None), "generator", None), for_sampler),
    )
    for generator, seed in generators:
        if isinstance(generator, torch.Generator):
            generator.manual_seed(seed)
    if getattr(loader, "persistent_workers", False):
        # Their generators cannot be reached; without an iterator, new workers are started.
        loader._iterator = None
