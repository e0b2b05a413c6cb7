"""Checkpoints are data: loading one does not execute code, unless the user says to trust it.

Needed by: every mmcv 1.x. It calls ``torch.load`` without ``weights_only``, which before torch
2.6 executes pickles, and since then refuses the NumPy scalars (best scores) that published
OpenMMLab checkpoints hold. Its error for bad files is a stack of pickle internals.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlparse

import numpy as np
import torch

from .import_hooks import when_imported

MapLocation = str | torch.device | dict | Callable | None
CheckpointFile = str | os.PathLike | IO[bytes]

_trusted = False

# NumPy scalars and arrays: best scores and class statistics in the meta of checkpoints.
_NUMPY_DTYPES = "?bBhHiIlLqQefdgFDGSU"


# What torch and the readers of zip archives and pickles below it raise on damaged files.
_DAMAGE = (
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    MemoryError,
    SystemError,  # of NumPy, about types in damaged pickles
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message names the file and the remedy."""


def trust_checkpoints(trust: bool = True) -> None:
    """Allow checkpoints to run code while they are loaded (``--trust-checkpoint``).

    Args:
        trust: True loads any pickle from now on; False, the default of a process, refuses
            checkpoints that hold more than tensors, numbers, texts and containers of them.
    """
    global _trusted
    _trusted = bool(trust)


def checkpoints_trusted() -> bool:
    """Whether checkpoints may run code."""
    return _trusted


def _allowed_globals() -> list[Any]:
    """What published checkpoints name beyond torch's own list. All of it only holds data."""
    multiarray = getattr(np, "_core", None) or np.core
    scalar = multiarray.multiarray.scalar
    reconstruct = multiarray.multiarray._reconstruct
    named = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in (scalar, reconstruct)
        for core in ("core", "_core")  # NumPy 1 and NumPy 2 write different names
    ]
    kinds = {type(np.dtype(code)) for code in _NUMPY_DTYPES}
    return [*named, np.ndarray, np.dtype, *kinds]


@contextlib.contextmanager
def _with_allowed_globals() -> Iterator[None]:
    # torch >= 2.5; older ones load plain weights and refuse NumPy scalars
    if hasattr(torch.serialization, "safe_globals"):
        with torch.serialization.safe_globals(_allowed_globals()):
            yield
    else:
        yield


def _refused_global(message: str) -> str | None:
    """Name of the object that torch's restricted unpickler refused, from its message."""
    for pattern in (
        r"Unsupported global: GLOBAL ([\w.]+)",
        r"Unsupported class ([\w.]+)",
        r"Trying to load unsupported GLOBAL ([\w.]+)",
        r"module whose load is not allowed:? ([\w.]+)",
        r"but got <class '([\w.]+)'>",
    ):
        found = re.search(pattern, message)
        if found:
            return found.group(1)
    return None


def _named_globals(stream: IO[bytes]) -> list[str] | None:
    """Objects that a pickle asks for, read without executing it; None if it is no pickle."""
    names, texts = [], []
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            if opcode.name == "GLOBAL":
                names.append(argument.replace(" ", "."))
            elif opcode.name == "STACK_GLOBAL":
                names.append(".".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument)
    except _DAMAGE:  # of what is no pickle
        return None
    return names


def _refusal(error: Exception, file: CheckpointFile) -> str | None:
    """What the file asks to execute; None where it is no checkpoint at all."""
    refused = _refused_global(str(error))
    if refused is not None:
        return f"'{refused}'"
    # Pickles that torch did not write fail at their first instruction, before any name.
    if not isinstance(error, pickle.UnpicklingError) or not isinstance(file, (str, os.PathLike)):
        return None
    with open(file, "rb") as stream:
        names = _named_globals(stream)
    return ", ".join(f"'{name}'" for name in names) if names else None


def _explain(error: Exception, file: CheckpointFile, name: str) -> CheckpointError:
    what = _refusal(error, file)
    if what is not None:
        return CheckpointError(
            f"checkpoint {name} asks to execute {what} while it is loaded, which can run any "
            "code. If you trust where it comes from, use --trust-checkpoint "
            "(mmtrack.compat.checkpoint.trust_checkpoints(True) in Python)"
        )
    message = str(error)
    reason = message.splitlines()[0] if message else type(error).__name__
    if isinstance(error, MemoryError):
        reason = "it asks for more memory than there is"
    elif isinstance(error, (pickle.UnpicklingError, LookupError)):
        # torch's own text advises to run whatever is in the file
        reason = "it has an instruction that no checkpoint has"
    elif isinstance(error, EOFError):
        reason = "it ends too early"
    return CheckpointError(f"checkpoint {name} is damaged, truncated or not a checkpoint: {reason}")


def _name_of(file: CheckpointFile) -> str:
    if isinstance(file, (str, os.PathLike)):
        return os.fspath(file)
    return str(getattr(file, "name", "from memory"))


def load_checkpoint_file(
    file: CheckpointFile, map_location: MapLocation = None, name: str | None = None
) -> Any:  # noqa: ANN401 - a dictionary in all checkpoints of OpenMMLab, but any data is possible
    """``torch.load`` that does not execute code unless checkpoints are trusted.

    Args:
        file: Path or open binary file.
        map_location: As in :func:`torch.load`.
        name: How errors call the file; its path if None.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: The file would execute code, or is damaged.
    """
    name = name or _name_of(file)
    if isinstance(file, (str, os.PathLike)) and not os.path.isfile(file):
        raise FileNotFoundError(f"checkpoint {name} does not exist")
    try:
        if _trusted:
            return torch.load(file, map_location=map_location, weights_only=False)
        with _with_allowed_globals():
            return torch.load(file, map_location=map_location, weights_only=True)
    except (*_DAMAGE, OSError) as error:
        # An OSError that names no file comes from a position in the file that is not there.
        if is_device_error(error) or getattr(error, "filename", None) is not None:
            raise
        raise _explain(error, file, name) from error


def is_device_error(error: Exception) -> bool:
    """CUDA weights without CUDA and out of memory are no fault of the file."""
    message = str(error)
    return "CUDA" in message or "out of memory" in message


def load_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: MapLocation = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
) -> Any:  # noqa: ANN401
    """Download a checkpoint to torch's cache, once, and load it safely.

    Args:
        url: http or https address.
        model_dir: Folder of the cache; torch's own if None.
        map_location: As in :func:`torch.load`.
        progress: Show a progress bar.
        check_hash: Compare the file with the hash in its name.
        file_name: Name in the cache; the last part of the address if None.

    Raises:
        CheckpointError: The download failed, or the file is refused.
    """
    folder = model_dir or os.path.join(torch.hub.get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, file_name or os.path.basename(urlparse(url).path))
    if not os.path.exists(path):
        digest = torch.hub.HASH_REGEX.search(path) if check_hash else None
        prefix = digest.group(1) if digest else None
        try:
            torch.hub.download_url_to_file(url, path, prefix, progress=progress)
        except (URLError, OSError) as error:
            raise CheckpointError(
                f"cannot download checkpoint {url}: {error}. Without network, put the file "
                f"at {path}"
            ) from error
    return load_checkpoint_file(path, map_location)


class _SafeTorch(ModuleType):
    """torch, with a ``load`` that executes nothing."""

    @staticmethod
    def load(f: CheckpointFile, map_location: MapLocation = None, **kwargs: object) -> Any:  # noqa: ANN401
        return load_checkpoint_file(f, map_location)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any torch attribute
        return getattr(torch, name)


def _make_loading_safe(module: ModuleType) -> None:
    """All schemes of mmcv (local, http, torchvision, s3, ...) load through these two names."""
    module.torch = _SafeTorch("torch")
    module.load_url = load_from_url


def install() -> None:
    """Make mmcv's checkpoint loading safe."""
    when_imported("mmcv.runner.checkpoint", _make_loading_safe)
