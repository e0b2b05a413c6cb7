"""mmcv's data-parallel wrappers on current torch, on CUDA and on the CPU.

Needed by: torch >= 2.0, which dropped an attribute that ``MMDistributedDataParallel`` reads, and
torch >= 2.1, whose ``_get_stream`` takes a device instead of its index. On the CPU mmcv hands
DataContainers to the model unopened, and its launchers divide by the number of GPUs.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed

from .import_hooks import when_imported

if TYPE_CHECKING:
    from mmcv.parallel import MMDistributedDataParallel

_CPU = -1  # what mmcv's scatter calls the CPU


@functools.cache
def _copy_stream(device: int | torch.device) -> torch.cuda.Stream | None:
    """One background stream for each GPU to copy inputs on; None for the CPU."""
    device = torch.device("cuda", device) if isinstance(device, int) else device
    return torch.cuda.Stream(device) if device.type == "cuda" else None


def _replace_stream(module: ModuleType) -> None:
    module._get_stream = _copy_stream


def _run_ddp_forward(self: MMDistributedDataParallel, *inputs: object, **kwargs: object) -> Any:  # noqa: ANN401
    """Open DataContainers and run the step of the module that was asked for."""
    scattered, options = self.scatter(inputs, kwargs, self.device_ids or [_CPU])
    step = self.__dict__.get("_mmtrack_step")
    function = self.module if step is None else getattr(self.module, step)
    with self._inside_ddp_forward():
        return function(*scattered[0], **options[0])


def _step(name: str) -> Callable:
    """A method that runs ``module.<name>`` inside of torch's own DDP forward."""

    def run(self: MMDistributedDataParallel, *inputs: object, **kwargs: object) -> Any:  # noqa: ANN401
        self.__dict__["_mmtrack_step"] = name
        try:
            return self.forward(*inputs, **kwargs)
        finally:
            del self.__dict__["_mmtrack_step"]

    run.__name__ = name
    run.__doc__ = f"Run ``module.{name}`` with gradients synchronised across processes."
    return run


def _replace_distributed(module: ModuleType) -> None:
    cls = module.MMDistributedDataParallel
    cls._run_ddp_forward = _run_ddp_forward
    cls.train_step = _step("train_step")
    cls.val_step = _step("val_step")


def _cpu_backend(backend: str) -> str:
    return "gloo" if backend == "nccl" else backend


def _first_slurm_node() -> str:
    """Name of the machine of process 0, from a list such as ``node[03-05,9]``."""
    nodes = os.environ["SLURM_NODELIST"]
    command = ["scontrol", "show", "hostnames", nodes]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(
            f"cannot learn the machines in SLURM_NODELIST={nodes} ({error}); set MASTER_ADDR to "
            "the name of the first one"
        ) from error
    return done.stdout.split()[0]


def export_slurm_variables(port: int | None = None) -> None:
    """Translate the variables of a slurm task into those of torch.

    Args:
        port: Port of process 0. None takes ``MASTER_PORT``, or a port made of the numbers of job
            and step, which is the same in all tasks and differs between jobs on one machine.

    Raises:
        ValueError: the machines of the job cannot be learnt.
    """
    env = os.environ
    env["RANK"], env["WORLD_SIZE"] = env["SLURM_PROCID"], env["SLURM_NTASKS"]
    env["LOCAL_RANK"] = env.get("SLURM_LOCALID", "0")
    if port is None and "MASTER_PORT" not in env:
        job, step = (int(env.get(f"SLURM_{name}", "0")) for name in ("JOB_ID", "STEP_ID"))
        port = 29500 + (job + step) % 1000
    if port is not None:
        env["MASTER_PORT"] = str(port)
    if "MASTER_ADDR" not in env:
        env["MASTER_ADDR"] = _first_slurm_node()


def _init_slurm_on_cpu(backend: str, port: int | None = None) -> None:
    """Start the process group of a slurm job without GPUs."""
    export_slurm_variables(port)
    distributed.init_process_group(_cpu_backend(backend))


def _init_pytorch_on_cpu(backend: str, **kwargs: object) -> None:
    """Start the process group of torchrun without GPUs."""
    distributed.init_process_group(_cpu_backend(backend), **kwargs)


def _replace_launchers(module: ModuleType) -> None:
    for name, on_cpu in (
        ("_init_dist_pytorch", _init_pytorch_on_cpu),
        ("_init_dist_slurm", _init_slurm_on_cpu),
    ):
        setattr(module, name, _with_or_without_gpus(getattr(module, name), on_cpu))


def _with_or_without_gpus(on_gpu: Callable, on_cpu: Callable) -> Callable:
    @functools.wraps(on_gpu)
    def init(backend: str, **kwargs: object) -> None:
        function = on_gpu if torch.cuda.device_count() else on_cpu
        function(backend, **kwargs)

    return init


def install() -> None:
    """Repair the wrappers and launchers."""
    when_imported("mmcv.parallel._functions", _replace_stream)
    when_imported("mmcv.parallel.distributed", _replace_distributed)
    when_imported("mmcv.runner.dist_utils", _replace_launchers)
