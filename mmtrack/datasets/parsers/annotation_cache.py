"""Keep parsed annotation files in the user's cache folder.

An entry is one file of typed arrays, never a pickle. Its name contains the hash of the content of
the annotation file, so that a changed file is parsed again whatever its date is.

The folder is ``$MMTRACK_CACHE_DIR`` if that is set (``off`` disables the cache), else ``mmtrack``
in the user's cache folder. Entries that were not used for a month are removed when a new one is
written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np

from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import CONTENT_ERRORS

from .columns import Column, ColumnTable, NumberColumn, TextColumn

CACHE_VARIABLE = "MMTRACK_CACHE_DIR"
_UNUSED_SECONDS = 30 * 24 * 3600
SMALLEST_FILE = 1 << 22  # below this, parsing is as fast as looking for an entry
_FORMAT = 2
_SUFFIX = ".columns"
_MAGIC = b"mmtrack-columns\n"
_SEGMENT = 1 << 22
_ALIGN = 64
_CHECKSUM = 4  # bytes at the end
_DTYPES = ("|b1", "|u1", "|i1", "<i4", "<i8", "<f8")


def cache_folder() -> Path | None:
    """Folder of the cache; None where it is switched off."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen is not None:
        return None if chosen.lower() in ("", "off", "0", "none") else Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mmtrack"


def content_hash(path: str | os.PathLike) -> str:
    """Hash of the content of a file.

    SHA-256, which processors compute in hardware, over segments that a few threads share (hashlib
    releases the interpreter lock); the digests of the segments are hashed again.
    """
    size = os.path.getsize(path)

    def digest(start: int) -> bytes:
        with open(path, "rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(_SEGMENT)).digest()

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        digests = pool.map(digest, range(0, size, _SEGMENT))
        return hashlib.sha256(b"".join(digests)).hexdigest()[:40]


def entry_path(path: str | os.PathLike, kind: str) -> Path | None:
    """File that holds the parsed content of ``path``; None for small files or without cache."""
    folder = cache_folder()
    if folder is None or os.path.getsize(path) < SMALLEST_FILE:
        return None
    return folder / f"{Path(path).stem}-{kind}-{content_hash(path)}{_SUFFIX}"


def store(entry: Path, tables: dict[str, ColumnTable], rest: dict) -> None:
    """Write an entry; a folder that cannot be written only costs the cache.

    Args:
        entry: File to write.
        tables: Lists of objects as columns.
        rest: The other members of the annotation file, as JSON values.
    """
    arrays, layout = [], {}
    for name, table in tables.items():
        columns = {key: _describe(column, arrays) for key, column in table.columns.items()}
        layout[name] = {"count": len(table), "columns": columns}
    header = {"format": _FORMAT, "tables": layout, "rest": rest, "arrays": []}
    offset = 0
    for array in arrays:
        offset += -offset % _ALIGN
        header["arrays"].append([array.dtype.str, list(array.shape), offset])
        offset += array.nbytes
    text = json.dumps(header).encode()
    try:
        with atomic_write(entry, "wb") as file:
            sink = _Checked(file)
            sink.write(_MAGIC + len(text).to_bytes(8, "little") + text)
            start = file.tell()
            start += -start % _ALIGN
            for array, (_, _, offset) in zip(arrays, header["arrays"], strict=True):
                sink.write(b"\0" * (start + offset - file.tell()))
                sink.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
            file.write(sink.checksum.to_bytes(_CHECKSUM, "little"))
        _remove_unused(entry.parent)
    except OSError as error:
        warnings.warn(
            f"the parsed annotations cannot be kept in {entry.parent}: {error}. "
            f"Set {CACHE_VARIABLE} to another folder, or to 'off'."
        )


class _Checked:
    """Writes to a file and keeps the checksum of what was written."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self.checksum = 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self.checksum = zlib.crc32(data, self.checksum)


def load(entry: Path) -> tuple[dict[str, ColumnTable], dict] | None:
    """Read an entry; None if there is none, or if it is damaged (with a warning)."""
    if not entry.is_file():
        return None
    try:
        content = _read(np.fromfile(entry, np.uint8))
        with contextlib.suppress(PermissionError):  # a folder that others prepared
            os.utime(entry)
        return content
    except (OSError, *CONTENT_ERRORS) as error:
        warnings.warn(f"{entry} is not a valid cache entry and is made anew: {error}")
        return None


def _remove_unused(folder: Path) -> None:
    """Remove entries that were not used for a month."""
    oldest = time.time() - _UNUSED_SECONDS
    for entry in folder.glob(f"*{_SUFFIX}"):
        if entry.stat().st_mtime < oldest:
            entry.unlink(missing_ok=True)


def _describe(column: Column, arrays: list[np.ndarray]) -> dict:
    """Add the arrays of a column to the list, and describe it."""
    kind = "number"
    members = {"values": column.values} if isinstance(column, NumberColumn) else None
    if members is None:
        kind = "json" if column.is_json else "text"
        members = {"text": column.text, "ends": column.ends}
    members["present"] = column.present
    numbers = {}
    for name, array in members.items():
        if array is not None:
            numbers[name] = len(arrays)
            arrays.append(array)
    return {"kind": kind, **numbers}


def _read(data: np.ndarray) -> tuple[dict[str, ColumnTable], dict]:
    """Tables and other members of the content of an entry.

    Raises:
        ValueError: the content is not a complete entry.
    """
    data, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    # Damage inside of an array would change annotations without anybody noticing.
    if zlib.crc32(data) != int.from_bytes(checksum.tobytes(), "little"):
        raise ValueError("its checksum is wrong, so it is damaged or cut off")
    start = len(_MAGIC) + 8
    if data[: len(_MAGIC)].tobytes() != _MAGIC:
        raise ValueError("it does not start like one")
    length = int.from_bytes(data[len(_MAGIC) : start].tobytes(), "little")
    header = json.loads(data[start : start + length].tobytes())
    if header["format"] != _FORMAT:
        raise ValueError(f"format {header['format']} instead of {_FORMAT}")
    start += length
    start += -start % _ALIGN
    arrays = [_array(data, start + offset, *form) for *form, offset in header["arrays"]]
    tables = {}
    for name, table in header["tables"].items():
        columns = {
            key: _column(column, arrays, table["count"]) for key, column in table["columns"].items()
        }
        tables[name] = ColumnTable(columns, table["count"])
    return tables, header["rest"]


def _array(data: np.ndarray, start: int, dtype: str, shape: list[int]) -> np.ndarray:
    if dtype not in _DTYPES:
        raise ValueError(f"unexpected type {dtype}")
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if start + size > len(data):
        raise ValueError("the file is cut off")
    array = data[start : start + size].view(dtype).reshape(shape)
    array.flags.writeable = False
    return array


def _column(entry: dict, arrays: list[np.ndarray], count: int) -> Column:
    present = arrays[entry["present"]] if "present" in entry else None
    if entry["kind"] == "number":
        column: Column = NumberColumn(arrays[entry["values"]], present)
    else:
        ends, text = arrays[entry["ends"]], arrays[entry["text"]]
        if len(ends) and (np.any(np.diff(ends) < 0) or ends[0] < 0 or ends[-1] != len(text)):
            raise ValueError("the ends of the texts do not fit")
        column = TextColumn(text, ends, entry["kind"] == "json", present)
    if len(column) != count or (present is not None and len(present) != count):
        raise ValueError("columns of different length")
    return column
