"""Small helpers for files that every layer may use."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO


def natural_key(text: str) -> list[tuple]:
    """Sort key that orders the numbers inside a name by value.

    Example:
        >>> sorted(['frame_10.jpg', 'frame_9.jpg'], key=natural_key)
        ['frame_9.jpg', 'frame_10.jpg']
    """
    parts = re.split(r"([0-9]+)", str(text))
    return [_key_of(part) for part in parts if part]


def _key_of(part: str) -> tuple[int, int, str] | tuple[int, str]:
    # Numbers are compared by length and digits: int() refuses more than 4300 of them.
    digits = part.lstrip("0")
    return (0, len(digits), digits) if part[0] in "0123456789" else (1, part)


def leads_out(name: str) -> bool:
    """Whether a name from a file would lead out of a folder on any system.

    Absolute paths, drives, ``..``, empty names and those that no file can have do.
    """
    try:
        os.fsencode(name)
    except UnicodeEncodeError:  # half of a character, which JSON can hold
        return True
    parts = (*PurePosixPath(name).parts, *PureWindowsPath(name).parts)
    absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor
    return bool(not parts or absolute or ".." in parts or "\0" in name)


def path_below(folder: str | os.PathLike, name: str, source: str) -> Path:
    """Path of an output that is named after something in a file, such as a video.

    Args:
        folder: Folder of the output.
        name: Name from the file; folders in it are fine.
        source: What the name is of, for the message, such as ``'a.json: video'``.

    Raises:
        ValueError: the name leads out of the folder, or is no name.
    """
    if not isinstance(name, str) or leads_out(name):
        raise ValueError(f"{source} {name!r} cannot name a file below {os.fspath(folder)}")
    return Path(folder) / name


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
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = path  # write() and fsync() do not know it
        raise
