"""Sampler with a fixed number of samples per epoch, shared by all processes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from mmcv.runner import get_dist_info
from torch.utils.data import Dataset, Sampler


class DistributedQuotaSampler(Sampler):
    """Draw ``samples_per_epoch`` samples and share them out evenly over the processes.

    Without replacement every sample is drawn equally often before any is drawn once more. The
    quota is filled up to a multiple of ``num_replicas`` by drawing its first samples again.

    Args:
        dataset: Data set of constant size.
        samples_per_epoch: Number of samples of all processes together.
        num_replicas: Number of processes; None asks the process group.
        rank: Index of this process; None asks the process group.
        replacement: Draw with replacement.
        seed: Seed of the draw, the same in all processes. The same seed and epoch always give
            the same samples, with replacement too.

    Raises:
        ValueError: the data set is empty, or ``samples_per_epoch`` is not positive.
    """

    def __init__(
        self,
        dataset: Dataset,
        samples_per_epoch: int,
        num_replicas: int | None = None,
        rank: int | None = None,
        replacement: bool = False,
        seed: int | None = 0,
    ):
        own_rank, world_size = get_dist_info()
        self.dataset = dataset
        self.samples_per_epoch = samples_per_epoch
        self.num_replicas = world_size if num_replicas is None else num_replicas
        self.rank = own_rank if rank is None else rank
        self.replacement = replacement
        self.seed = 0 if seed is None else seed
        self.epoch = 0
        if samples_per_epoch < 1:
            raise ValueError(f"samples_per_epoch must be positive, got {samples_per_epoch}.")
        if len(dataset) == 0:
            raise ValueError(f"{type(dataset).__name__} is empty: there is nothing to sample.")
        self.num_samples = math.ceil(samples_per_epoch / self.num_replicas)
        self.total_size = self.num_samples * self.num_replicas

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        size = len(self.dataset)
        if self.replacement:
            drawn = torch.randint(size, (self.samples_per_epoch,), generator=generator)
        else:
            order = torch.randperm(size, generator=generator)
            drawn = order.repeat(math.ceil(self.samples_per_epoch / size))
            drawn = drawn[: self.samples_per_epoch]
        rounds = math.ceil(self.total_size / self.samples_per_epoch)
        drawn = drawn.repeat(rounds)[: self.total_size]
        return iter(drawn[self.rank :: self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, which changes the draw."""
        self.epoch = epoch
