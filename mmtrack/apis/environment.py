"""Devices, process groups and precision of a run."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from typing import Any

import mmcv.cnn
import mmcv.runner
import torch
from torch import nn

from mmtrack.compat.parallel import export_slurm_variables

from .compilation import compile_parts, network_methods, require_compiler

# Parts of a model that consist of convolutions and matrix products only. What follows them
# (decoding of boxes, suppression) needs more digits than bfloat16 has: 8 bits cannot hold a
# coordinate of a 1080p frame.
DENSE_PARTS = ("backbone", "neck", "rpn_head", "bbox_head", "mask_head", "shared_head", "reid")

# What a launcher sets for the processes it starts, and its name.
LAUNCHER_VARIABLES = {
    "pytorch": ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_NODELIST"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "MASTER_ADDR"),
}
STARTERS = {
    "pytorch": "torchrun (see tools/dist_train.sh)",
    "slurm": "srun (see tools/slurm_train.sh)",
    "mpi": "mpirun",
}


def select_device(name: str | None, index: int = 0) -> torch.device:
    """The device a run uses.

    Args:
        name: ``'cpu'``, ``'cuda'`` or ``'cuda:1'``; None takes CUDA where there is one.
        index: Number of the CUDA device where the name has none.

    Raises:
        ValueError: CUDA is asked for and not there, or has fewer devices.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type != "cuda":
        return device
    if not torch.cuda.is_available():
        raise ValueError(f"device {name}: torch sees no CUDA device; use --device cpu")
    device = torch.device("cuda", index if device.index is None else device.index)
    if device.index >= torch.cuda.device_count():
        raise ValueError(
            f"{device} does not exist: {torch.cuda.device_count()} CUDA device(s) here"
        )
    return device


def init_distributed(launcher: str, device: torch.device, dist_params: dict[str, Any]) -> None:
    """Join the process group: gloo on the CPU, the config's backend (nccl) on CUDA.

    Args:
        launcher: ``'pytorch'`` (torchrun), ``'slurm'`` or ``'mpi'``.
        device: Device of the run.
        dist_params: ``dist_params`` of the config; ``backend``, ``port`` (slurm only: torchrun
            knows it) and ``timeout``, the seconds after which a process that does not answer is
            given up (default: that of torch, 30 minutes for gloo and 10 for nccl).

    Raises:
        ValueError: the variables that the launcher sets are missing, or the timeout is not
            positive.
    """
    dist_params = dict(dist_params)
    port = dist_params.pop("port", None)
    if "timeout" in dist_params:
        dist_params["timeout"] = _seconds(dist_params["timeout"])
    if launcher == "mpi":
        _export_mpi()
    missing = [name for name in LAUNCHER_VARIABLES[launcher] if name not in os.environ]
    if missing:
        raise ValueError(
            f"--launcher {launcher}: {', '.join(missing)} not set in the environment; "
            f"start the script with {STARTERS[launcher]}"
        )
    if launcher == "slurm":
        # mmcv would let every process look for a free port on its own, and divides by the GPUs.
        export_slurm_variables(port)
        launcher = "pytorch"
    if device.type == "cpu":
        # MPI's own start-up in mmcv wants a GPU; its variables serve torch's as well.
        launcher = "pytorch" if launcher == "mpi" else launcher
        dist_params = {**dist_params, "backend": "gloo"}
    mmcv.runner.init_dist(launcher, **dist_params)


def local_process_count() -> int:
    """Processes of this run on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def prepare_for_inference(
    model: nn.Module,
    device: torch.device,
    *,
    fuse_conv_bn: bool = False,
    channels_last: bool = False,
    bf16: bool = False,
    compiled: bool = False,
) -> nn.Module:
    """Move a model with loaded weights to its device, with the wanted speed-ups.

    Args:
        model: The model, changed in place.
        device: Where it runs.
        fuse_conv_bn: Fold batch norm into convolutions.
        channels_last: Store weights with channels last, which current convolutions prefer.
        bf16: See :func:`use_bfloat16`.
        compiled: See :func:`compile_parts`.

    Returns:
        The model in evaluation mode.

    Raises:
        OSError: nothing can be compiled here.
    """
    if compiled:
        require_compiler(device)
    if fuse_conv_bn:
        model = mmcv.cnn.fuse_conv_bn(model)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    model.to(device)
    if bf16:
        use_bfloat16(model)
    model.eval()
    if compiled:
        compile_parts(model)
    return model


def use_bfloat16(model: nn.Module) -> None:
    """Run the dense parts of a model in bfloat16; their outputs are float32 again.

    Args:
        model: A model for inference, changed in place.
    """
    for name, module in model.named_modules():
        if name.rsplit(".", 1)[-1] in DENSE_PARTS:
            parameter = next(module.parameters(), None)
            for method in network_methods(module):
                setattr(module, method, _autocast(getattr(module, method), parameter))


def _autocast(forward: Callable, parameter: torch.Tensor | None) -> Callable:
    device = "cpu" if parameter is None else parameter.device.type

    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device, dtype=torch.bfloat16):
            return _to_float(forward(*args, **kwargs))

    return run


def _to_float(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.float() if value.dtype == torch.bfloat16 else value
    if isinstance(value, (list, tuple)):
        return type(value)(map(_to_float, value))
    if isinstance(value, dict):
        return {key: _to_float(item) for key, item in value.items()}
    return value


def _seconds(value: float) -> datetime.timedelta:
    if not isinstance(value, (int, float)) or value <= 0:
        raise ValueError(f"dist_params.timeout is a number of seconds, got {value!r}")
    return datetime.timedelta(seconds=value)


def _export_mpi() -> None:
    """Translate Open MPI's variables into those of torch."""
    env = os.environ
    for ours, theirs in (("RANK", "RANK"), ("WORLD_SIZE", "SIZE"), ("LOCAL_RANK", "LOCAL_RANK")):
        if f"OMPI_COMM_WORLD_{theirs}" in env:
            env[ours] = env[f"OMPI_COMM_WORLD_{theirs}"]
    env.setdefault("MASTER_PORT", "29500")
