"""Threads and processes: choose numbers that fit the machine."""

from __future__ import annotations

import os
import platform
import warnings
from pathlib import Path

import cv2
import torch
import torch.multiprocessing as mp
from mmcv import Config


def setup_multi_processes(cfg: Config) -> None:
    """Set how worker processes start and how many threads each library uses.

    Reads ``mp_start_method`` (default ``'fork'``), ``opencv_num_threads`` (default 0: OpenCV
    runs in the calling thread) and ``data.workers_per_gpu`` from the config. With more than one
    data worker, OpenMP and MKL get one thread a process unless the environment says otherwise.
    """
    if platform.system() != "Windows":
        method = cfg.get("mp_start_method", "fork")
        current = mp.get_start_method(allow_none=True)
        if current not in (None, method):
            warnings.warn(
                f"worker processes start with {method!r} (config key mp_start_method), "
                f"not with {current!r} as set before"
            )
        mp.set_start_method(method, force=True)
    cv2.setNumThreads(cfg.get("opencv_num_threads", 0))
    if _workers(cfg) > 1:
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(variable, "1")


def _workers(cfg: Config) -> int:
    """Largest number of data workers that any loader of the config starts."""
    data = cfg.get("data", {})
    loaders = ("train_dataloader", "val_dataloader", "test_dataloader")
    numbers = [data.get(name, {}).get("workers_per_gpu", 1) for name in loaders]
    return max(data.get("workers_per_gpu", 1), *numbers)


def usable_cores() -> int:
    """Cores this process may use: affinity and the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")
    if limit.is_file():
        quota, period = limit.read_text().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def tune_cpu_inference(local_processes: int = 1) -> str:
    """Choose the threads of CPU inference and say so.

    The usable cores are shared by the processes of this machine. ``OMP_NUM_THREADS`` in the
    environment of the caller is respected. Idle threads must sleep, not spin: with a busy
    neighbour a spinning pool makes a ResNet-50 several times slower, so ``OMP_WAIT_POLICY``
    should be ``PASSIVE``. OpenMP reads it once, when torch is imported; the scripts in tools/
    and demo/ set it before that.

    Args:
        local_processes: Processes of this run on this machine.

    Returns:
        One line that tells the choice.
    """
    wanted = os.environ.get("OMP_NUM_THREADS")
    if wanted is None:
        threads = max(1, usable_cores() // max(1, local_processes))
        torch.set_num_threads(threads)
        source = f"{usable_cores()} usable cores, {local_processes} process(es) here"
    else:
        threads = torch.get_num_threads()
        source = f"OMP_NUM_THREADS={wanted}"
    policy = os.environ.get("OMP_WAIT_POLICY", "not set; PASSIVE is faster beside busy neighbours")
    return f"CPU inference with {threads} thread(s) ({source}); OMP_WAIT_POLICY: {policy}"
