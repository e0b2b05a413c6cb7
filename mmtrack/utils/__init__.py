"""Helpers without knowledge of tracking: environment, logging, files, wrapping of models."""

from .environment import collect_env
from .file_io import atomic_write, natural_key
from .logger import get_root_logger
from .util_distribution import build_ddp, build_dp, get_device

__all__ = [
    "atomic_write",
    "build_ddp",
    "build_dp",
    "collect_env",
    "get_device",
    "get_root_logger",
    "natural_key",
]
