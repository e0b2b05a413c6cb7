"""Read a config; whatever is wrong with it ends in one error that names the file and the line."""

from __future__ import annotations

import os
import tempfile
import traceback

import mmcv


class ConfigFileError(ValueError):
    """A config that cannot be read, or whose code fails; the message names the file."""


def read_config(path: str | os.PathLike) -> mmcv.Config:
    """Read a config and its ``_base_`` files. Those in Python are run.

    Raises:
        FileNotFoundError: it, or a file that it is based on, does not exist.
        ConfigFileError: its content is wrong; the file may be one that it is based on.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"config {path} does not exist")
    try:
        return mmcv.Config.fromfile(path)
    except FileNotFoundError as error:
        if "does not exist" not in str(error):  # of a file that the code reads
            raise ConfigFileError(f"config {_place(error, path)}: {error}") from error
        raise FileNotFoundError(f"config {path} is based on another one: {error}") from error
    except Exception as error:  # a config is a program, which may fail in any way
        what = str(error) or str(error.__context__ or "")  # mmcv's ImportError has no text
        raise ConfigFileError(
            f"config {_place(error, path)}: {type(error).__name__}: {what}"
        ) from error


def _place(error: BaseException, path: str) -> str:
    """The config in which an error arose, and the line.

    mmcv runs a copy of each file under another name; only its frames know the file.
    """
    line = None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "_file2dict":
            path, line = frame.f_locals.get("filename", path), None
        elif frame.f_code.co_filename.startswith(tempfile.gettempdir()):
            line = number
    return path if line is None else f"{path}, line {line}"
