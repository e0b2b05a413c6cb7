"""The one place that knows how mmcv 1.7.2 and mmdet 2.28.2 differ from today's libraries.

Every submodule repairs one incompatibility, says which versions need it and does nothing
elsewhere. :func:`install` is called by ``import mmtrack``.
"""

from __future__ import annotations

from . import numpy_aliases, ops
from .ops import op_backend

__all__ = ["install", "op_backend"]


def install() -> None:
    """Apply all patches that the installed versions need. May be called any number of times."""
    ops.install()
    numpy_aliases.install()
