"""Shares of the samplers."""

import collections

import numpy as np
import pytest
from torch.utils.data import ConcatDataset, Dataset

from mmtrack.datasets.samplers import (
    DistributedQuotaSampler,
    DistributedVideoSampler,
    SOTVideoSampler,
    frame_groups,
)


class Frames(Dataset):
    load_as_video = True

    def __init__(self, *lengths):
        self.data_infos = [{"frame_id": t} for n in lengths for t in range(n)]

    def __len__(self):
        return len(self.data_infos)

    def __getitem__(self, idx):
        return idx


class Videos(Dataset):
    def __init__(self, *lengths):
        self.num_frames_per_video = list(lengths)

    def __len__(self):
        return sum(self.num_frames_per_video)


@pytest.mark.parametrize("replicas", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", [Frames, Videos])
def test_shares_are_whole_videos_in_order(kind, replicas):
    dataset = kind(4, 2, 5, 3, 1)
    samplers = [DistributedVideoSampler(dataset, replicas, rank) for rank in range(replicas)]
    shares = [list(sampler) for sampler in samplers]
    assert [len(s) for s in samplers] == [len(s) for s in shares]
    together = [index for share in shares for index in share]
    if kind is Frames:
        assert together == list(range(15))
        assert all(dataset.data_infos[share[0]]["frame_id"] == 0 for share in shares)
    else:
        assert together == [(v, t) for v, n in enumerate((4, 2, 5, 3, 1)) for t in range(n)]
        assert all(share[0][1] == 0 for share in shares)


def test_shares_of_three_processes():
    shares = [list(DistributedVideoSampler(Frames(4, 2, 5, 3, 1), 3, r)) for r in range(3)]
    assert [len(share) for share in shares] == [6, 8, 1]


def test_shuffled_shares_cover_all_videos_and_change_with_the_epoch():
    dataset = Frames(4, 2, 5, 3, 1, 6, 2)
    orders = []
    for epoch in (0, 0, 1):
        shares = []
        for rank in range(3):
            sampler = DistributedVideoSampler(dataset, 3, rank, shuffle=True)
            sampler.set_epoch(epoch)
            shares.append(list(sampler))
            assert len(sampler) == len(shares[-1])
            for group in frame_groups(dataset):
                assert set(group) <= set(shares[-1]) or not set(group) & set(shares[-1])
        orders.append(shares)
        assert sorted(sum(shares, [])) == list(range(len(dataset)))
    assert orders[0] == orders[1] != orders[2]


def test_concatenated_videos():
    dataset = ConcatDataset([Frames(2, 1), Frames(3)])
    assert frame_groups(dataset) == [[0, 1], [2], [3, 4, 5]]
    assert list(DistributedVideoSampler(dataset, 2, 1)) == [3, 4, 5]
    assert frame_groups(ConcatDataset([Videos(2, 1), Videos(3)])) == [[0, 1], [2], [3, 4, 5]]


def test_more_processes_than_videos():
    with pytest.raises(ValueError, match="2 videos cannot be shared by 3 processes"):
        DistributedVideoSampler(Frames(4, 2), 3, 0)


def test_frames_that_are_no_videos():
    dataset = Frames(3)
    dataset.data_infos = dataset.data_infos[1:]
    with pytest.raises(ValueError, match="is frame 1 of its video"):
        frame_groups(dataset)
    dataset.data_infos[0] = {}
    with pytest.raises(ValueError, match=r"data_infos\[0\] of Frames has no 'frame_id'"):
        frame_groups(dataset)


def test_sot_sampler():
    sampler = SOTVideoSampler(Videos(2, 3))
    assert list(sampler) == list(sampler) == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert len(sampler) == 5


def quota(size, per_epoch, replicas, epoch=0, **kwargs):
    shares = []
    for rank in range(replicas):
        sampler = DistributedQuotaSampler(range(size), per_epoch, replicas, rank, **kwargs)
        sampler.set_epoch(epoch)
        shares.append(list(sampler))
        assert len(sampler) == len(shares[-1])
    return shares


@pytest.mark.parametrize(
    ("size", "per_epoch", "replicas"),
    [(10, 6, 4), (10, 10, 4), (10, 25, 4), (3, 1, 4), (7, 7, 1), (1, 5, 2)],
)
def test_quota_is_drawn_evenly(size, per_epoch, replicas):
    shares = quota(size, per_epoch, replicas)
    assert len({len(share) for share in shares}) == 1
    drawn = collections.Counter(sum(shares, []))
    total = -(-per_epoch // replicas) * replicas
    assert sum(drawn.values()) == total
    assert set(drawn) <= set(range(size))
    if per_epoch >= size:
        assert set(drawn) == set(range(size))
    assert max(drawn.values()) <= -(-per_epoch // size) + -(
        -(total - per_epoch) // min(size, per_epoch)
    )


@pytest.mark.parametrize("replacement", [False, True])
def test_quota_is_seeded(replacement):
    first = quota(50, 20, 2, replacement=replacement, seed=3)
    assert first == quota(50, 20, 2, replacement=replacement, seed=3)
    assert first != quota(50, 20, 2, replacement=replacement, seed=4)
    assert first != quota(50, 20, 2, replacement=replacement, seed=3, epoch=1)
    assert first[0] != first[1]


def test_replacement_repeats_samples():
    drawn = np.concatenate(quota(1000, 1000, 2, replacement=True))
    assert 550 < len(np.unique(drawn)) < 720  # 632 are expected


def test_quota_of_nothing():
    with pytest.raises(ValueError, match="samples_per_epoch must be positive"):
        DistributedQuotaSampler(range(3), 0, 1, 0)
    with pytest.raises(ValueError, match="is empty"):
        DistributedQuotaSampler([], 3, 1, 0)
