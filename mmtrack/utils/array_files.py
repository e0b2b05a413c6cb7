"""Read arrays and containers of arrays from files without running code: pickles, npz, npy."""

from __future__ import annotations

import mmap
import os
import pickle
import pickletools
import zipfile
from typing import IO, Any

import numpy as np

from .reading import UnreadableFileError, reading

_NUMPY_CORES = ("numpy.core", "numpy._core")  # numpy 1 and numpy 2
# Objects may occur several times in a pickle. Results share a few; what becomes a hundred times as
# large when each occurrence is counted was made to fill the memory.
_MOST_GROWTH, _SMALL = 100, 10_000_000
_DEEPEST = 32
_PUT, _LONG_BINPUT, _STOP = pickle.PUT[0], pickle.LONG_BINPUT[0], pickle.STOP[0]
_TWO_LINES = (pickle.GLOBAL[0], pickle.INST[0])
_UNKNOWN = -100
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


class UnsafePickleError(ValueError):
    """A pickle that asks for more than arrays and containers."""


class _ArrayType:
    """Stands for ``numpy.ndarray`` in a pickle; nothing can be made of it by a call."""


def _new_array(kind: object, shape: object, dtype: object) -> np.ndarray:
    """An empty array, which gets its shape and bytes next; never one of the size asked for."""
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _no_bytes() -> bytes:
    """Pickles of protocol 2 call ``bytes()`` for empty bytes."""
    return b""


class _ArrayUnpickler(pickle.Unpickler):  # noqa: S301 (restricted to arrays below)
    """Restores containers, strings, numbers and numpy arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        for core in _NUMPY_CORES:
            if module == f"{core}.multiarray" and name == "_reconstruct":
                return _new_array
            if (module, name) in (
                (f"{core}.multiarray", "scalar"),
                (f"{core}.numeric", "_frombuffer"),
            ):
                # The private package of the numpy at hand; the names inside are the same.
                own = np._core if hasattr(np, "_core") else np.core
                return getattr(getattr(own, module.rsplit(".", 1)[1]), name)
        if (module, name) == ("numpy", "ndarray"):
            return _ArrayType()
        if (module, name) == ("__builtin__", "bytes"):
            return _no_bytes
        if (module, name) in (
            ("numpy", "dtype"),
            ("_codecs", "encode"),  # bytes in pickles of protocol 2
            ("collections", "OrderedDict"),
        ):
            return super().find_class(module, name)
        raise UnsafePickleError(f"{module}.{name}")


def load_array_pickle(path: str | os.PathLike) -> Any:  # noqa: ANN401 - any nesting of containers
    """Lists, tuples, dicts, texts, numbers and arrays of a pickle, read without running code.

    Args:
        path: The pickle.

    Raises:
        UnsafePickleError: it asks for anything else; nothing of that was called.
        UnreadableFileError: it is no complete pickle, or was made to fill the memory.
    """
    name = os.fspath(path)
    try:
        with open(path, "rb") as file, reading(path, problem="is no complete pickle of arrays"):
            _check_places(file)
            value = _ArrayUnpickler(file).load()
            most = max(_MOST_GROWTH * os.path.getsize(path), _SMALL)
            _check_sharing(value, most)
            return value
    except UnreadableFileError as error:
        if not isinstance(error.__cause__, UnsafePickleError):
            raise
        raise UnsafePickleError(
            f"{name}: the pickle would load {error.__cause__}; detections and results are lists, "
            "dicts and numpy arrays. Save them as json or npz"
        ) from error


def _argument_sizes() -> list[int]:
    """Bytes behind each opcode; below zero what tells the length (see ``pickletools``)."""
    sizes = [_UNKNOWN] * 256
    for opcode in pickletools.opcodes:
        sizes[ord(opcode.code)] = 0 if opcode.arg is None else opcode.arg.n
    return sizes


_SIZES = _argument_sizes()


def _check_places(file: IO[bytes]) -> None:
    """Raise ValueError if a pickle stores an object at an absurd place of its memo.

    The places are numbered from 0, so that there are fewer than bytes; but the unpickler takes
    memory for all places up to the one that is named. Only the opcodes are looked at, which takes
    about as long as loading.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position, end = 0, len(data)
        while position < end:
            code = data[position]
            size = _SIZES[code]
            position += 1
            if size >= 0:
                place = data[position : position + 4] if code == _LONG_BINPUT else b""
                position += size
            elif size == pickletools.UP_TO_NEWLINE:
                line = data.find(b"\n", position)
                stop = end if line < 0 else line
                digits = data[position : min(stop, position + 20)] if code == _PUT else b"0"
                place = int(digits).to_bytes(20, "little") if digits.isdigit() else b""
                # two names follow each other in GLOBAL and INST
                position = stop + 1 if code not in _TWO_LINES else data.find(b"\n", stop + 1) + 1
                position = position or end
            elif size == _UNKNOWN:
                return  # what the unpickler will say as well
            else:
                place, width = b"", _LENGTH_BYTES[size]
                position += width + int.from_bytes(data[position : position + width], "little")
            if place and int.from_bytes(place, "little") > end:
                raise ValueError("it stores an object at a place that no file of its size has")
            if code == _STOP:
                return


def _check_sharing(value: object, most: int) -> None:
    """Raise ValueError if walking through a value would never end, or take too long.

    Args:
        value: Nested containers, in which an object may occur many times.
        most: Largest size, in items of containers and bytes of arrays.
    """
    sizes: dict[int, int] = {}  # of containers that are known, by identity
    open_ids: set[int] = set()
    stack = [(value, iter(_items(value)))]
    open_ids.add(id(value))
    while stack:
        item, rest = stack[-1]
        child = next((c for c in rest if id(c) not in sizes and _is_container(c)), None)
        if child is not None:
            if id(child) in open_ids or len(stack) > _DEEPEST:
                raise ValueError("containers are nested too deeply, or contain themselves")
            open_ids.add(id(child))
            stack.append((child, iter(_items(child))))
            continue
        stack.pop()
        open_ids.discard(id(item))
        sizes[id(item)] = 1 + sum(sizes.get(id(c)) or _size(c) for c in _items(item))
        if sizes[id(item)] > most:
            raise ValueError("its objects occur so often that they would fill the memory")


def _is_container(value: object) -> bool:
    return isinstance(value, (list, tuple, dict, set, frozenset)) or (
        isinstance(value, np.ndarray) and value.dtype.hasobject
    )


def _items(value: object) -> list | tuple:
    """What is in a container."""
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, np.ndarray):
        return value.ravel().tolist() if value.dtype == object else ()
    if isinstance(value, (list, tuple)):
        return value
    return list(value) if isinstance(value, (set, frozenset)) else ()


def _size(value: object) -> int:
    return 1 + (value.nbytes if isinstance(value, np.ndarray) else 0)


def load_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file by name. Arrays of objects, which are pickles, are refused.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableFileError: it is damaged, or of another kind.
    """
    _check_file(path)
    with reading(path, "Remove it, or write it again."):
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no npz archive")
        try:
            with np.load(path, allow_pickle=False) as file:
                return {name: _as_array(file[name], name) for name in file.files}
        except RuntimeError as error:  # of encrypted members
            raise ValueError(str(error)) from error


def _as_array(value: object, name: str) -> np.ndarray:
    if not isinstance(value, np.ndarray):  # np.load gives the bytes of members of another kind
        raise ValueError(f"{name} is no array")
    return value


def _check_file(path: str | os.PathLike) -> None:
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{os.fspath(path)} does not exist")
