"""Small helpers for files that every layer may use."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from typing import IO


def natural_key(text: str) -> list[tuple[int, int | str]]:
    """Sort key that orders the numbers inside a name by value.

    Example:
        >>> sorted(['frame_10.jpg', 'frame_9.jpg'], key=natural_key)
        ['frame_9.jpg', 'frame_10.jpg']
    """
    parts = re.split(r"(\d+)", str(text))
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts if part]


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike, mode: str = "w") -> Iterator[IO]:
    """Open a file for writing that appears under its name only when it is complete.

    The content goes to a temporary file in the same folder, which is flushed and renamed on
    success and removed on any error. Missing parent folders are created.

    Args:
        path: Final name of the file.
        mode: ``'w'`` or ``'wb'``.

    Raises:
        OSError: the file cannot be written (a full disk, for example); it names the file.
    """
    path = os.fspath(path)
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
    try:
        with os.fdopen(handle, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp creates files for the owner alone
        os.replace(temporary, path)
    except BaseException as error:
        os.unlink(temporary)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = path  # write() and fsync() do not know it
        raise
