"""Video perception toolbox: detection, tracking and instance segmentation in videos."""

import importlib
from types import ModuleType

from . import compat
from .compat.import_hooks import when_imported
from .version import __version__, version_info


def _register_anchors(_: ModuleType) -> None:
    """Our anchors are known to mmdet's registry as soon as that registry can be used."""
    importlib.import_module("mmtrack.core.anchor")


def _register_models(_: ModuleType) -> None:
    """Our losses, heads and backbones, too."""
    importlib.import_module("mmtrack.models")


compat.install()
when_imported("mmdet.core", _register_anchors)
when_imported("mmdet.models", _register_models)

__all__ = ["__version__", "version_info"]
