"""Random numbers that depend on seed, epoch and process alone."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

from mmtrack.core.hook import EpochSeedHook
from mmtrack.datasets.builder import seed_worker


class Noise(Dataset):
    """Items that are random numbers of the worker."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return torch.tensor([i, np.random.rand(), random.random(), float(torch.rand(1))])


def seed_for_three(worker_id):
    seed_worker(worker_id, rank=0, seed=3)


def make_loader(workers=0, persistent=False):
    noise = Noise()
    return DataLoader(
        noise,
        batch_size=2,
        sampler=RandomSampler(noise, generator=torch.Generator().manual_seed(0)),
        num_workers=workers,
        generator=torch.Generator().manual_seed(0),
        worker_init_fn=seed_for_three,
        persistent_workers=persistent,
    )


def draw(loader, epoch, *, rank=0, seed=3):
    """The epoch's items and numbers of the main process."""
    runner = SimpleNamespace(epoch=epoch, rank=rank, data_loader=loader)
    EpochSeedHook(seed).before_train_epoch(runner)
    items = torch.cat(list(loader)).tolist()
    return items, random.random(), np.random.rand(), float(torch.rand(1))


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (2, False), (2, True)])
def test_an_epoch_does_not_depend_on_those_before(workers, persistent):
    loader = make_loader(workers, persistent)
    whole = [draw(loader, epoch) for epoch in range(3)]
    resumed = draw(make_loader(workers, persistent), 2)
    assert resumed == whole[2]
    assert [row[0] for row in whole[1][0]] != [row[0] for row in whole[2][0]]
    for first, second in zip(whole[1][1:], whole[2][1:], strict=True):
        assert first != second


def test_processes_and_seeds_differ():
    numbers = {
        draw(make_loader(), 1, rank=rank, seed=seed)[1:] for rank in (0, 1) for seed in (3, 4)
    }
    assert len({value for row in numbers for value in row}) == 12


def test_loader_without_generators():
    draw(DataLoader(Noise(), batch_size=3), 0)
