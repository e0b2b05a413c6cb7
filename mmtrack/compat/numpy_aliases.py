"""``np.int``, ``np.float`` and ``np.asfarray`` for the few modules that still spell them.

Needed by: numpy >= 1.24, which removed the aliases that mmcv 1.7.2 and mmdet 2.28.2 use in four
modules and lvis 0.5.3 in one, and numpy >= 2.0, which removed ``asfarray`` of motmetrics 1.4. numpy
itself is not touched: only the name ``np`` inside those modules is replaced.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .import_hooks import when_imported


def _asfarray(values: ArrayLike, dtype: DTypeLike = np.float64) -> np.ndarray:
    """Values as an array of floats."""
    return np.asarray(values, dtype=dtype)


_ALIASES = {"int": int, "float": float, "bool": bool, "object": object, "asfarray": _asfarray}
_MODULES = (
    "lvis.eval",
    "mmcv.ops.pixel_group",
    "mmdet.core.bbox.samplers.iou_balanced_neg_sampler",
    "mmdet.datasets.custom",
    "mmdet.datasets.openimages",
    "motmetrics.distances",
)


class _NumpyWithAliases(ModuleType):
    """numpy, plus the removed aliases."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any numpy attribute
        if name in np.__dict__ or name not in _ALIASES:
            return getattr(np, name)
        return _ALIASES[name]


_PROXY = _NumpyWithAliases("numpy")


def _give_aliases(module: ModuleType) -> None:
    if module.np is np:
        module.np = _PROXY


def install() -> None:
    """Give the old modules their aliases back. Does nothing where numpy still has them."""
    if "int" in np.__dict__ and "asfarray" in np.__dict__:
        return
    for name in _MODULES:
        when_imported(name, _give_aliases)
