"""Configs that cannot be read leave no second error behind.

Needed by: every mmcv 1.x. It copies a config to a file that removes itself, in a folder that is
removed first where the config is broken; Python then prints a traceback about the copy.
"""

from __future__ import annotations

import tempfile
from types import ModuleType
from typing import Any

from .import_hooks import when_imported


class _Tempfile(ModuleType):
    """The module ``tempfile``, whose named files leave their removal to the folder around them."""

    @staticmethod
    def NamedTemporaryFile(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401, N802
        """As in ``tempfile``; kept where it lies in a temporary folder."""
        if "dir" in kwargs:
            kwargs.setdefault("delete", False)
        return tempfile.NamedTemporaryFile(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(tempfile, name)


def _replace_tempfile(module: ModuleType) -> None:
    module.tempfile = _Tempfile("tempfile")


def install() -> None:
    """Replace ``tempfile`` in mmcv's reader of configs."""
    when_imported("mmcv.utils.config", _replace_tempfile)
