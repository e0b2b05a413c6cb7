"""mmcv's operators without mmcv's compiled extension.

``mmcv.ops`` imports ``mmcv._ext``, which exists only in ``mmcv-full`` compiled against the
installed torch. Where it is missing, the module built here takes its place: the same entry points
on torchvision's kernels or plain torch. An operator that is not served says so when it is called.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import NoReturn

EXTENSION = "mmcv._ext"

_SERVED = {
    "suppression": ("nms", "softnms", "nms_match", "bbox_overlaps"),
    "roi_align": ("roi_align_forward", "roi_align_backward"),
    "roi_pool": (
        "roi_pool_forward",
        "roi_pool_backward",
        "prroi_pool_forward",
        "prroi_pool_backward",
        "prroi_pool_coor_backward",
        "deform_roi_pool_forward",
        "deform_roi_pool_backward",
    ),
    "focal_loss": (
        "sigmoid_focal_loss_forward",
        "sigmoid_focal_loss_backward",
        "softmax_focal_loss_forward",
        "softmax_focal_loss_backward",
    ),
    "deform_conv": (
        "deform_conv_forward",
        "deform_conv_backward_input",
        "deform_conv_backward_parameters",
        "modulated_deform_conv_forward",
        "modulated_deform_conv_backward",
    ),
    "attention": (
        "carafe_naive_forward",
        "carafe_naive_backward",
        "carafe_forward",
        "carafe_backward",
        "ms_deform_attn_forward",
        "ms_deform_attn_backward",
        "masked_im2col_forward",
        "masked_col2im_forward",
    ),
    "info": ("get_compiler_version", "get_compiling_cuda_version"),
}


def served_operators() -> tuple[str, ...]:
    """Names of the entry points of ``mmcv._ext`` that are served without a compiler."""
    return tuple(name for names in _SERVED.values() for name in names)


class _OpsModule(ModuleType):
    """Stands in for ``mmcv._ext``; asking for an unknown operator gives one that explains."""

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        if name.startswith("__"):  # Python's own questions, e.g. __path__
            raise AttributeError(name)

        def missing(*args: object, **kwargs: object) -> NoReturn:
            raise NotImplementedError(
                f"mmcv operator '{name}' needs compiled code: plain mmcv has none and mmtrack "
                "serves no substitute for it. Install mmcv-full 1.7.2 compiled against your "
                "torch: MMCV_WITH_OPS=1 pip install --no-build-isolation mmcv-full==1.7.2"
            )

        missing.__name__ = name
        return missing


class _OpsFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last in ``sys.meta_path``: asked only when there is no compiled ``mmcv._ext``."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != EXTENSION:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=__name__)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _OpsModule(spec.name, __doc__)

    def exec_module(self, module: ModuleType) -> None:
        for source, names in _SERVED.items():
            implementation = importlib.import_module(f"{__name__}.{source}")
            for name in names:
                setattr(module, name, getattr(implementation, name))


_FINDER = _OpsFinder()


def install() -> None:
    """Serve ``mmcv._ext`` where mmcv has none. A compiled extension is always preferred."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.append(_FINDER)


def op_backend() -> str:
    """``'mmcv-full (compiled)'`` or ``'torchvision'``: who computes mmcv's operators."""
    spec = importlib.util.find_spec(EXTENSION)
    if spec is None or spec.loader is _FINDER:
        return "torchvision"
    return "mmcv-full (compiled)"
