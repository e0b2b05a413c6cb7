"""Run a model over a data loader, in one process or in many, and collect the results."""

from __future__ import annotations

import contextlib
import os
import pickle
import uuid
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from mmcv.runner import get_dist_info
from torch import nn
from torch.utils.data import DataLoader

from mmtrack.core.mask import encode_masks
from mmtrack.core.utils.progress import Progress
from mmtrack.core.visualization.result_drawer import ResultDrawer
from mmtrack.utils.file_io import atomic_write


def single_gpu_test(
    model: nn.Module,
    data_loader: DataLoader,
    show: bool = False,
    out_dir: str | None = None,
    fps: float = 3,
    show_score_thr: float = 0.3,
) -> dict[str, list] | list:
    """Test a model in this process, on the device the model is on (CPU included).

    Args:
        model: The model, usually inside ``MMDataParallel``.
        data_loader: Loader in the order of its dataset, one frame a batch for video models.
        show: Display the drawn results in a window.
        out_dir: Folder that receives the drawn frames, and a video per folder of frames.
        fps: Frame rate of these videos.
        show_score_thr: Lowest score that is drawn.

    Returns:
        Models that return a dict per frame give a dict of lists, one entry per frame; masks
        (keys that contain ``mask``) are run-length encoded. Other models (detectors of mmdet,
        ReID) give a list with one entry per image.
    """
    model.eval()
    samples: list[Any] = []
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(Progress(len(data_loader.dataset)))
        drawer = None
        if show or out_dir:
            drawer = stack.enter_context(ResultDrawer(out_dir, fps, show, show_score_thr))
        for data, batch in _predict(model, data_loader):
            if drawer is not None:
                drawer.draw(getattr(model, "module", model), data, batch)
            samples.extend(map(compact_result, batch))
            progress.update(len(batch))
    return merge_samples(samples)


def multi_gpu_test(
    model: nn.Module,
    data_loader: DataLoader,
    tmpdir: str | None = None,
    gpu_collect: bool = False,
) -> dict[str, list] | list | None:
    """Test a model with all processes of the process group and collect on rank 0.

    Each process tests the part of the dataset its sampler gives it (whole videos for video
    datasets). The results are brought into the order of the dataset, so they equal those of
    :func:`single_gpu_test`.

    Args:
        model: The model, usually inside ``MMDistributedDataParallel``.
        data_loader: Loader with a distributed sampler that does not shuffle.
        tmpdir: Collect through files in this folder, which all processes share. By default
            results travel through the process group and no file is written.
        gpu_collect: Send the results through device memory (nccl) rather than through main
            memory (gloo). Without effect where the group is gloo, or ``tmpdir`` is given.

    Returns:
        As :func:`single_gpu_test` on rank 0, None on the other ranks.
    """
    model.eval()
    rank, _ = get_dist_info()
    size = len(data_loader.dataset)
    samples: list[Any] = []
    progress = Progress(len(data_loader.sampler)) if rank == 0 else None
    for _, batch in _predict(model, data_loader):
        samples.extend(map(compact_result, batch))
        if progress is not None:
            progress.update(len(batch))
    if progress is not None:
        progress.close()
    part = list(zip(_sample_keys(data_loader, len(samples)), samples, strict=True))
    parts = collect_parts(part, tmpdir, gpu_collect)
    return None if parts is None else merge_samples(order_parts(parts, size))


def merge_samples(samples: list[Any]) -> dict[str, list] | list:
    """Turn one dict per frame into a dict of lists; lists of anything else stay as they are.

    Raises:
        KeyError: the frames do not all have the same keys; lists would fall out of step.
    """
    if not samples or not isinstance(samples[0], dict):
        return samples
    keys = samples[0].keys()
    for i, sample in enumerate(samples):
        if sample.keys() != keys:
            raise KeyError(
                f"the model returned the keys {sorted(sample)} for sample {i}, "
                f"but {sorted(keys)} for sample 0; every frame needs the same keys"
            )
    return {key: [sample[key] for sample in samples] for key in keys}


def order_parts(parts: Iterable[list[tuple[Any, Any]]], size: int) -> list[Any]:
    """Samples of all processes in the order of the dataset, padding removed.

    Args:
        parts: Per process, pairs of the dataset's index (int, or a tuple such as
            ``(video, frame)``) and the sample.
        size: Length of the dataset.

    Raises:
        RuntimeError: some entries of the dataset were tested by no process.
    """
    merged: dict[Any, Any] = {}
    for part in parts:
        merged.update(part)
    if len(merged) != size:
        raise RuntimeError(
            f"the processes tested {len(merged)} different samples of a dataset of {size}; "
            "the sampler of the data loader must cover the dataset and must not shuffle"
        )
    return [merged[key] for key in sorted(merged)]


def compact_result(result: Any) -> Any:
    """Result of one sample as it is kept: on the CPU, masks run-length encoded."""
    if isinstance(result, dict):
        return {
            key: encode_masks(value) if "mask" in key else _to_cpu(value)
            for key, value in result.items()
        }
    if isinstance(result, tuple) and len(result) == 2:  # mmdet: (boxes, masks) per image
        return _to_cpu(result[0]), encode_masks(result[1])
    return _to_cpu(result)


def _predict(model: nn.Module, data_loader: DataLoader) -> Iterator[tuple[dict, list]]:
    """Yield the data of each batch and the list of its results, one per sample."""
    for data in data_loader:
        with torch.no_grad():
            result = model(return_loss=False, rescale=True, **data)
        yield data, [result] if isinstance(result, dict) else list(result)


def _to_cpu(value: Any) -> Any:
    """Tensors inside nested lists, tuples and dicts moved to main memory."""
    if isinstance(value, torch.Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _to_cpu(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_to_cpu, value))
    return value


def _sample_keys(data_loader: DataLoader, count: int) -> list[Any]:
    """Indices of the dataset that this process tested, in the order of its samples."""
    keys = [tuple(map(int, k)) if np.ndim(k) else int(k) for k in data_loader.sampler]
    if len(keys) != count:
        raise RuntimeError(
            f"the sampler of the data loader lists {len(keys)} samples, "
            f"but the model returned results for {count}"
        )
    return keys


def collect_parts(part: list, tmpdir: str | None, gpu_collect: bool) -> list[list] | None:
    """Bring a list from each process to rank 0.

    Args:
        part: What this process has; anything that can be pickled.
        tmpdir: Collect through files in this folder, which all processes share.
        gpu_collect: Send through device memory (nccl) rather than main memory (gloo).

    Returns:
        The parts of all processes on rank 0, None elsewhere.
    """
    rank, world_size = get_dist_info()
    if world_size == 1:
        return [part]
    if tmpdir is not None:
        return _collect_files(part, tmpdir)
    parts = [None] * world_size if rank == 0 else None
    group = None if gpu_collect else _gloo_group()
    dist.gather_object(part, parts, dst=0, group=group)
    return parts


@lru_cache(maxsize=1)
def _gloo_group() -> dist.ProcessGroup | None:
    """The default group where it is gloo, else a gloo group of all processes."""
    return None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")


def _collect_files(part: list, tmpdir: str) -> list[list] | None:
    """Parts of all processes through files of this run in a shared folder."""
    rank, world_size = get_dist_info()
    token = [uuid.uuid4().hex]
    dist.broadcast_object_list(token, src=0)
    names = [os.path.join(tmpdir, f"part_{token[0]}_{i}.pkl") for i in range(world_size)]
    with atomic_write(names[rank], "wb") as file:
        pickle.dump(part, file)
    dist.barrier()
    if rank != 0:
        return None
    parts = []
    for name in names:
        with open(name, "rb") as file:
            # Written a moment ago by the processes of this very run, under a random name.
            parts.append(pickle.load(file))  # noqa: S301
        os.remove(name)
    return parts
