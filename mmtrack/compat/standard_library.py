"""What Python 3.14 changed in its standard library.

Needed by: Python >= 3.14.

- ``pkgutil.find_loader`` is gone, with which mmcv asks whether it was compiled.
- Processes come from a server by default, a Python that has not imported mmtrack. Those of mmdet's
  ``eval_map`` then ended at the import of mmcv's operators, and their pool waited for ever.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
from types import ModuleType, SimpleNamespace

from .import_hooks import when_imported


def _replace_pkgutil(module: ModuleType) -> None:
    module.pkgutil = SimpleNamespace(find_loader=importlib.util.find_spec)


def install() -> None:
    """Replace ``pkgutil`` in mmcv's loader of extensions; let the server import mmtrack."""
    when_imported("mmcv.utils.ext_loader", _replace_pkgutil)
    multiprocessing.set_forkserver_preload(["__main__", "mmtrack"])
