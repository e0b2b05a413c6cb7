"""Build data sets and data loaders from configs."""

from __future__ import annotations

import copy
import difflib
import functools
import random
import warnings
from typing import Any

import numpy as np
import torch
from mmcv.parallel import collate
from mmcv.runner import get_dist_info
from mmcv.utils import build_from_cfg
from mmdet.datasets.builder import DATASETS, PIPELINES
from mmdet.datasets.dataset_wrappers import (
    ClassBalancedDataset,
    MultiImageMixDataset,
    RepeatDataset,
)
from mmdet.datasets.samplers import DistributedGroupSampler, DistributedSampler, GroupSampler
from torch.utils.data import ConcatDataset as _ConcatDataset
from torch.utils.data import DataLoader, Dataset, RandomSampler, Sampler

from .dataset_wrappers import ConcatDataset
from .samplers import DistributedQuotaSampler, DistributedVideoSampler, SOTVideoSampler

__all__ = ["DATASETS", "PIPELINES", "build_dataloader", "build_dataset"]

_WRAPPER_KEYS = {
    "ConcatDataset": {"datasets", "separate_eval"},
    "RepeatDataset": {"dataset", "times"},
    "ClassBalancedDataset": {"dataset", "oversample_thr", "filter_empty_gt"},
}
_PER_FILE_KEYS = ("ann_file", "img_prefix", "seg_prefix", "proposal_file")


def build_dataset(cfg: dict | list | tuple, default_args: dict | None = None) -> Dataset:
    """Build a data set, or a wrapper around data sets, from its config.

    A list of configs, or a list in ``ann_file``, gives a ``ConcatDataset``; with a list in
    ``ann_file``, ``img_prefix``, ``seg_prefix`` and ``proposal_file`` may be lists too.

    Args:
        cfg: Config or list of configs.
        default_args: Values for keys that the config of a data set leaves out.

    Raises:
        KeyError: the type is not registered; the message lists similar names.
    """
    if isinstance(cfg, (list, tuple)):
        return ConcatDataset([build_dataset(c, default_args) for c in cfg])
    if "type" not in cfg:
        raise KeyError(f"the data set config has no key 'type'; its keys are {sorted(cfg)}.")
    kind = cfg["type"]
    _warn_unknown_keys(kind, cfg)
    if kind == "ConcatDataset":
        parts = [build_dataset(c, default_args) for c in cfg["datasets"]]
        return ConcatDataset(parts, cfg.get("separate_eval", True))
    if kind == "RepeatDataset":
        return RepeatDataset(build_dataset(cfg["dataset"], default_args), cfg["times"])
    if kind == "ClassBalancedDataset":
        inner = build_dataset(cfg["dataset"], default_args)
        filter_empty_gt = cfg.get("filter_empty_gt", True)
        return ClassBalancedDataset(inner, cfg["oversample_thr"], filter_empty_gt)
    if kind == "MultiImageMixDataset":
        rest = {key: copy.deepcopy(v) for key, v in cfg.items() if key not in ("type", "dataset")}
        return MultiImageMixDataset(build_dataset(cfg["dataset"], default_args), **rest)
    if kind == "RandomSampleConcatDataset":
        return build_from_cfg(_with_defaults(cfg, default_args), DATASETS)
    if isinstance(cfg.get("ann_file"), (list, tuple)):
        return _concat_annotation_files(cfg, default_args)
    _check_type(kind)
    return build_from_cfg(cfg, DATASETS, default_args)


def _with_defaults(cfg: dict, default_args: dict | None) -> dict:
    """Copy of a ``RandomSampleConcatDataset`` config whose members know the default arguments."""
    members = [{**(default_args or {}), **member} for member in cfg["dataset_cfgs"]]
    return {**cfg, "dataset_cfgs": members}


def _warn_unknown_keys(kind: Any, cfg: dict) -> None:
    """Name keys of a wrapper that have no effect, such as the misspelt ``saparate_eval``."""
    known = _WRAPPER_KEYS.get(kind) if isinstance(kind, str) else None
    for key in sorted(set(cfg) - known - {"type"}) if known else ():
        near = difflib.get_close_matches(key, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        warnings.warn(f"{kind} ignores the key {key!r}; it takes {sorted(known)}.{hint}")


def _check_type(kind: Any) -> None:
    """Raise an error with similar names if a data set type is not registered."""
    if isinstance(kind, str) and DATASETS.get(kind) is None:
        near = difflib.get_close_matches(kind, DATASETS.module_dict, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "is its module imported?"
        raise KeyError(f"{kind} is not in the registry of data sets; {hint}")


def _concat_annotation_files(cfg: dict, default_args: dict | None) -> ConcatDataset:
    """One data set per annotation file of the config, concatenated."""
    count = len(cfg["ann_file"])
    for key in _PER_FILE_KEYS:
        if isinstance(cfg.get(key), (list, tuple)) and len(cfg[key]) != count:
            raise ValueError(
                f"{cfg['type']}: {key} has {len(cfg[key])} entries for {count} files in ann_file."
            )
    parts = []
    for i in range(count):
        own = {key: copy.deepcopy(v) for key, v in cfg.items() if key != "separate_eval"}
        for key in _PER_FILE_KEYS:
            if isinstance(cfg.get(key), (list, tuple)):
                own[key] = cfg[key][i]
        parts.append(build_dataset(own, default_args))
    return ConcatDataset(parts, cfg.get("separate_eval", True))


def build_dataloader(
    dataset: Dataset,
    samples_per_gpu: int,
    workers_per_gpu: int,
    num_gpus: int = 1,
    samples_per_epoch: int | None = None,
    dist: bool = True,
    shuffle: bool = True,
    seed: int | None = None,
    persistent_workers: bool = False,
    **kwargs: Any,
) -> DataLoader:
    """Build a data loader; in distributed runs every process has its own.

    Args:
        dataset: Data set.
        samples_per_gpu: Batch size of each device.
        workers_per_gpu: Worker processes of each device; 0 loads in the main process.
        num_gpus: Number of devices, used when not distributed.
        samples_per_epoch: Number of samples per epoch of a single object tracking data set in
            training; None or -1 takes all.
        dist: Distributed run.
        shuffle: Training order; False keeps the order and whole videos together (testing).
        seed: Seed of the sampler and of the random numbers in the workers. Runs with the same
            seed load the same data; every epoch, process and worker has its own numbers.
        persistent_workers: Keep the workers from one epoch to the next.
        **kwargs: Passed to ``DataLoader``.

    Raises:
        ValueError: ``samples_per_epoch`` is set where it has no meaning.
    """
    rank, world_size = get_dist_info()
    devices = 1 if dist else num_gpus
    num_workers = devices * workers_per_gpu
    if shuffle:
        sampler = _train_sampler(
            dataset, samples_per_gpu, samples_per_epoch, dist, rank, world_size, seed
        )
    else:
        sampler = _test_sampler(dataset, dist, rank, world_size)
    seeded = {}
    if seed is not None:
        seeded["worker_init_fn"] = functools.partial(seed_worker, rank=rank, seed=seed)
        seeded["generator"] = torch.Generator().manual_seed(seed + rank)
    return DataLoader(
        dataset,
        batch_size=devices * samples_per_gpu,
        sampler=sampler,
        num_workers=num_workers,
        collate_fn=functools.partial(collate, samples_per_gpu=samples_per_gpu),
        persistent_workers=persistent_workers and num_workers > 0,
        **{"pin_memory": False, **seeded, **kwargs},
    )


def seed_worker(worker_id: int, rank: int, seed: int) -> None:
    """Seed python, numpy and torch in a worker process.

    ``torch.initial_seed()`` is drawn anew by the loader for each epoch and differs from worker to
    worker, so that workers that are started again do not repeat the numbers of the last epoch.
    """
    entropy = (seed, rank, worker_id, torch.initial_seed())
    state = np.random.SeedSequence([abs(value) for value in entropy]).generate_state(4)
    np.random.seed(state)
    random.seed(int(state[0]))
    torch.manual_seed(int(state[1]) << 32 | int(state[2]))


def _train_sampler(
    dataset: Dataset,
    samples_per_gpu: int,
    samples_per_epoch: int | None,
    dist: bool,
    rank: int,
    world_size: int,
    seed: int | None,
) -> Sampler:
    """Sampler in random order; images of equal orientation share a batch where flags exist."""
    quota = None if samples_per_epoch == -1 else samples_per_epoch
    if quota is not None and not is_sot_dataset(dataset):
        raise ValueError(
            "samples_per_epoch is for single object tracking data sets, but the data set is "
            f"{type(dataset).__name__}; remove it from the config."
        )
    grouped = hasattr(dataset, "flag") and not is_sot_dataset(dataset)
    if dist:
        if quota is not None:
            return DistributedQuotaSampler(
                dataset, quota, world_size, rank, replacement=False, seed=seed
            )
        if grouped:
            return DistributedGroupSampler(dataset, samples_per_gpu, world_size, rank, seed=seed)
        return DistributedSampler(dataset, world_size, rank, shuffle=True, seed=seed or 0)
    if grouped:
        return GroupSampler(dataset, samples_per_gpu)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    if quota is not None:
        return RandomSampler(dataset, replacement=True, num_samples=quota, generator=generator)
    return RandomSampler(dataset, generator=generator)


def _test_sampler(dataset: Dataset, dist: bool, rank: int, world_size: int) -> Sampler | None:
    """Sampler that keeps the order, and in distributed runs whole videos in one process."""
    if not dist:
        return SOTVideoSampler(dataset) if is_sot_dataset(dataset) else None
    if is_sot_dataset(dataset) or is_video_dataset(dataset):
        return DistributedVideoSampler(dataset, world_size, rank, shuffle=False)
    return DistributedSampler(dataset, world_size, rank, shuffle=False)


def is_sot_dataset(dataset: Dataset) -> bool:
    """Whether samples are single object videos: they know ``num_frames_per_video``."""
    return _all_members(dataset, lambda member: hasattr(member, "num_frames_per_video"))


def is_video_dataset(dataset: Dataset) -> bool:
    """Whether samples are frames of videos (``load_as_video``)."""
    return _all_members(dataset, lambda member: getattr(member, "load_as_video", False))


def _all_members(dataset: Dataset, holds: Any) -> bool:
    """Whether a condition holds for a data set, or for all data sets that it wraps."""
    if isinstance(dataset, _ConcatDataset):
        return all(_all_members(member, holds) for member in dataset.datasets)
    inner = getattr(dataset, "dataset", None)
    if isinstance(inner, Dataset) or hasattr(inner, "__getitem__"):
        return _all_members(inner, holds)
    return bool(holds(dataset))
