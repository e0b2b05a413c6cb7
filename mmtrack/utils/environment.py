"""What the toolbox runs on: versions, operators, devices, threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections import OrderedDict
from importlib import metadata
from pathlib import Path

import torch

import mmtrack
from mmtrack.compat import checkpoint, op_backend

_PACKAGES = (
    "torchvision",
    "mmcv",
    "mmcv-full",
    "mmdet",
    "numpy",
    "scipy",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "pillow",
    "lap",
    "motmetrics",
    "trackeval",
    "pycocotools",
    "faster-coco-eval",
    "lvis",
    "msgspec",
    "pandas",
    "matplotlib",
    "seaborn",
    "tensorboard",
)


def _cpu_name() -> str:
    """Model name of the processor."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_line_of(*command: str) -> str:
    """First line that a program prints, 'not found' where it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return "not found"
    return (done.stdout.splitlines() or ["not found"])[0]


def _gpu_entries() -> dict[str, str]:
    entries = {"CUDA available": str(torch.cuda.is_available())}
    if not torch.cuda.is_available():
        return entries
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        entries[f"GPU {index}"] = f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    entries["CUDA of torch"] = str(torch.version.cuda)
    entries["cuDNN"] = str(torch.backends.cudnn.version())
    return entries


def _package_entries() -> dict[str, str]:
    entries = {}
    for name in _PACKAGES:
        try:
            entries[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            entries[name] = "not installed"
    return entries


def _version_of_source() -> str:
    """Version, and the commit where the package is used from a git checkout."""
    folder = Path(mmtrack.__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return mmtrack.__version__
    commit = _first_line_of("git", "-C", str(folder), "rev-parse", "--short", "HEAD")
    return mmtrack.__version__ if commit == "not found" else f"{mmtrack.__version__}+{commit}"


def collect_env() -> OrderedDict[str, str]:
    """Everything that a report of a problem should name, one text for each entry."""
    entries: OrderedDict[str, str] = OrderedDict()
    entries["mmtrack"] = _version_of_source()
    entries["mmcv operators"] = op_backend()
    entries["Pickled checkpoints"] = (
        "trusted" if checkpoint.checkpoints_trusted() else "refused (weights only)"
    )
    entries["System"] = platform.platform()
    entries["Python"] = sys.version.replace("\n", "")
    entries["CPU"] = f"{_cpu_name()}, {_usable_cores()} of {os.cpu_count()} cores usable"
    entries["Threads of torch"] = str(torch.get_num_threads())
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY"):
        entries[name] = os.environ.get(name, "not set")
    entries.update(_gpu_entries())
    entries["GCC"] = _first_line_of("gcc", "--version")
    entries["torch"] = torch.__version__
    entries.update(_package_entries())
    return entries


def main() -> None:
    """Print the report."""
    for name, value in collect_env().items():
        sys.stdout.write(f"{name}: {value}\n")
