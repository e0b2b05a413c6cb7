"""The one place that knows how mmcv 1.7.2 and mmdet 2.28.2 differ from today's libraries.

Every submodule repairs one incompatibility, says which versions need it and does nothing
elsewhere. :func:`install` is called by ``import mmtrack``.
"""

from __future__ import annotations

from . import (
    checkpoint,
    config,
    messages,
    numpy_aliases,
    ops,
    parallel,
    registry,
    runner,
    standard_library,
    state_dict,
)
from .checkpoint import trust_checkpoints
from .ops import op_backend
from .versions import check_versions

__all__ = ["check_versions", "install", "op_backend", "trust_checkpoints"]


def install() -> None:
    """Check versions and apply all patches they need. May be called any number of times."""
    check_versions()
    patches = (
        messages, ops, numpy_aliases, standard_library, parallel, checkpoint, state_dict, runner,
        registry, config,
    )  # fmt: skip
    for patch in patches:
        patch.install()
