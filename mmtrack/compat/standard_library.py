"""``pkgutil.find_loader`` for the one module of mmcv that asks whether it was compiled.

Needed by: Python >= 3.14, which removed the function.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType, SimpleNamespace

from .import_hooks import when_imported


def _replace_pkgutil(module: ModuleType) -> None:
    module.pkgutil = SimpleNamespace(find_loader=importlib.util.find_spec)


def install() -> None:
    """Replace ``pkgutil`` in mmcv's loader of extensions."""
    when_imported("mmcv.utils.ext_loader", _replace_pkgutil)
