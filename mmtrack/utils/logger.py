"""The logger of the toolbox."""

from __future__ import annotations

import logging


def get_root_logger(
    log_file: str | None = None, log_level: int | str = logging.INFO
) -> logging.Logger:
    """Logger named ``mmtrack`` that prints and, if asked, writes to a file.

    Args:
        log_file: File to append to; only the first process of a distributed run writes. The
            first call that names a file decides.
        log_level: Messages below this level are dropped; only errors are shown by other processes.

    Returns:
        The logger, the same one for every call.
    """
    from mmcv.utils import get_logger

    return get_logger(name="mmtrack", log_file=log_file, log_level=log_level)
