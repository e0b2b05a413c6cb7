"""Results of two gloo processes arrive in order, through the group and through files."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.utils.data import DataLoader, Dataset

LENGTH = 7


class Numbers(Dataset):
    def __len__(self):
        return LENGTH

    def __getitem__(self, i):
        return {"img": torch.full((1,), float(i))}


class Echo(nn.Module):
    def forward(self, img, return_loss, rescale):
        value = float(img)
        return {"track_bboxes": [np.full((int(value) % 3, 6), value)], "rank": dist.get_rank()}


class Videos:
    """Whole videos per process: frames 0-4 on rank 0, frames 5-6 on rank 1."""

    def __init__(self, rank):
        self.indices = list(range(5)) if rank == 0 else [5, 6]

    def __iter__(self):
        return iter(self.indices)

    def __len__(self):
        return len(self.indices)


def work(rank, port, folder):
    from mmtrack.apis import init_random_seed
    from mmtrack.core.evaluation.test_loop import multi_gpu_test

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=2)
    loader = DataLoader(Numbers(), batch_size=1, sampler=Videos(rank))
    found = {
        "group": multi_gpu_test(Echo(), loader),
        "files": multi_gpu_test(Echo(), loader, tmpdir=f"{folder}/shared"),
        "seed": init_random_seed(device="cpu"),
    }
    torch.save(found, f"{folder}/{rank}.pth")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collect")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    mp.spawn(work, (port, str(folder)), nprocs=2)
    assert list((folder / "shared").iterdir()) == []  # nothing is left behind
    return [torch.load(folder / f"{rank}.pth", weights_only=False) for rank in (0, 1)]


@pytest.mark.parametrize("way", ["group", "files"])
def test_order_and_content(found, way):
    results = found[0][way]
    assert results["rank"] == [0] * 5 + [1] * 2
    for i, frame in enumerate(results["track_bboxes"]):
        np.testing.assert_array_equal(frame[0], np.full((i % 3, 6), float(i)))
    assert found[1][way] is None


def test_seed_is_shared(found):
    assert found[0]["seed"] == found[1]["seed"]
