"""``np.int`` and ``np.float`` for the few old modules that still spell them.

Needed by: numpy >= 1.24, which removed the aliases that mmcv 1.7.2 and mmdet 2.28.2 use in four
modules. numpy itself is not touched: only the name ``np`` inside those modules is replaced.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from .import_hooks import when_imported

_ALIASES = {"int": int, "float": float, "bool": bool, "object": object}
_MODULES = (
    "mmcv.ops.pixel_group",
    "mmdet.core.bbox.samplers.iou_balanced_neg_sampler",
    "mmdet.datasets.custom",
    "mmdet.datasets.openimages",
)


class _NumpyWithAliases(ModuleType):
    """numpy, plus the removed aliases."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any numpy attribute
        if name in _ALIASES:
            return _ALIASES[name]
        return getattr(np, name)


_PROXY = _NumpyWithAliases("numpy")


def _give_aliases(module: ModuleType) -> None:
    if module.np is np:
        module.np = _PROXY


def install() -> None:
    """Give the old modules their aliases back. Does nothing where numpy still has them."""
    if "int" in np.__dict__:
        return
    for name in _MODULES:
        when_imported(name, _give_aliases)
