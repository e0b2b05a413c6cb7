"""Samplers for sequential testing: the frames of a video stay together and in order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import ConcatDataset, Dataset, DistributedSampler, Sampler

FrameIndex = int | tuple[int, int]


def frame_groups(dataset: Dataset) -> list[list[FrameIndex]]:
    """Indices of a test data set, grouped by video.

    Args:
        dataset: With ``num_frames_per_video`` (single object tracking; an item is addressed by
            video and frame), with ``data_infos`` (an item is a frame, and the first frame of each
            video has ``frame_id`` 0), or a concatenation of such data sets, whose items are
            addressed by their number.

    Returns:
        One list of indices per video, in the order of the data set.

    Raises:
        ValueError: the frames do not start with frame 0 of a video, or carry no ``frame_id``.
    """
    if hasattr(dataset, "num_frames_per_video"):
        frames = enumerate(dataset.num_frames_per_video)
        return [[(video, frame) for frame in range(count)] for video, count in frames]
    if isinstance(dataset, ConcatDataset):
        groups, first = [], 0
        for group in (group for part in dataset.datasets for group in frame_groups(part)):
            groups.append(list(range(first, first + len(group))))
            first += len(group)
        return groups
    frame_ids = [info.get("frame_id") for info in dataset.data_infos]
    if None in frame_ids:
        raise ValueError(
            f"data_infos[{frame_ids.index(None)}] of {type(dataset).__name__} has no 'frame_id'; "
            "only videos can be sampled video by video."
        )
    starts = np.flatnonzero(np.asarray(frame_ids) == 0)
    if len(frame_ids) and (len(starts) == 0 or starts[0] != 0):
        raise ValueError(
            f"data_infos[0] of {type(dataset).__name__} is frame {frame_ids[0]} of its video; "
            "every video must be complete from frame 0 on."
        )
    return [group.tolist() for group in np.split(np.arange(len(frame_ids)), starts[1:])]


class DistributedVideoSampler(DistributedSampler):
    """Share out whole videos over the processes during testing.

    Each process gets a run of consecutive videos, so results joined in the order of the ranks are
    in the order of the data set. The shares differ by at most one video.

    Args:
        dataset: Test data set, see :func:`frame_groups`.
        num_replicas: Number of processes; None asks the process group.
        rank: Index of this process; None asks the process group.
        shuffle: Share out the videos in random order, the same in all processes.

    Raises:
        ValueError: there are fewer videos than processes.
    """

    def __init__(
        self,
        dataset: Dataset,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = False,
    ):
        super().__init__(dataset, num_replicas=num_replicas, rank=rank, shuffle=shuffle)
        self.groups = frame_groups(dataset)
        if len(self.groups) < self.num_replicas:
            raise ValueError(
                f"{len(self.groups)} videos cannot be shared by {self.num_replicas} processes, "
                "because a video is never split: start at most one process per video."
            )
        self.indices = self._share(np.arange(len(self.groups)))
        self.num_samples = len(self.indices)
        self.total_size = sum(map(len, self.groups))

    def _share(self, order: np.ndarray) -> list[FrameIndex]:
        """Indices of this process when the videos are taken in the given order."""
        videos = np.array_split(order, self.num_replicas)[self.rank]
        return [index for video in videos for index in self.groups[video]]

    def __iter__(self) -> Iterator[FrameIndex]:
        if self.shuffle:
            generator = torch.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = torch.randperm(len(self.groups), generator=generator).numpy()
            self.indices = self._share(order)
            self.num_samples = len(self.indices)
        return iter(self.indices)

    def __len__(self) -> int:
        return self.num_samples


class SOTVideoSampler(Sampler):
    """All frames of single object videos in order, as indices ``(video, frame)``.

    Args:
        dataset: Test data set with ``num_frames_per_video``.
    """

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self.indices = [index for group in frame_groups(dataset) for index in group]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)
