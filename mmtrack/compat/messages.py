"""Messages that tell users of these versions nothing.

Needed by: mmcv 1.7.x, which announces the release of mmcv 2.0 (January 2023) at every import, and
imports torch's compiler of extensions, which warns on machines with a CUDA compiler and no GPU.
"""

from __future__ import annotations

import logging
import warnings


def _is_of_interest(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("No CUDA runtime is found")


def install() -> None:
    """Hide both. They must not have been printed yet: scripts import mmtrack before mmcv."""
    warnings.filterwarnings("ignore", message="On January 1, 2023, MMCV will release v2.0.0")
    logging.getLogger("torch.utils.cpp_extension").addFilter(_is_of_interest)
