"""Lists of JSON objects kept as columns: one array per key instead of one dict per object.

A million dicts with ten keys take more than a gigabyte and are copied again into every worker
process by reference counting; the same values take a hundred megabytes in arrays. Objects are
made when they are asked for. Integers keep their type; a key whose numbers are partly floats
gives floats. Whatever is neither a number, a boolean, a string nor a short list of numbers of
fixed length is kept as JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

_MOST_DIGITS = 400  # more than a float has


@dataclass
class NumberColumn:
    """Numbers, booleans or vectors of numbers.

    Attributes:
        values: ``(N,)`` or ``(N, k)``; arbitrary where a value is missing.
        present: ``(N,)`` bool, or None if all rows have the key.
    """

    values: np.ndarray
    present: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Any) -> list:
        """Values of some rows as Python objects (missing ones are arbitrary)."""
        return self.values[rows].tolist()


@dataclass
class TextColumn:
    """Strings, or values of any kind as JSON text.

    Attributes:
        text: UTF-8 bytes of all rows, uint8.
        ends: End of each row in ``text``, ``(N,)`` int64.
        is_json: Whether the text is JSON; else it is the string itself.
        present: ``(N,)`` bool, or None if all rows have the key.
    """

    text: np.ndarray
    ends: np.ndarray
    is_json: bool
    present: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ends)

    def take(self, rows: Any) -> list:
        """Values of some rows as Python objects (missing ones are arbitrary)."""
        ends = self.ends[rows].tolist()
        index = np.arange(len(self.ends))[rows] if isinstance(rows, slice) else rows
        starts = np.where(index > 0, self.ends[index - 1], 0).tolist()
        texts = [self.text[start:end].tobytes() for start, end in zip(starts, ends, strict=True)]
        if self.is_json:
            return [_from_json(text) if text else None for text in texts]
        return [text.decode("utf-8", errors="surrogatepass") for text in texts]


Column = NumberColumn | TextColumn
Rows = np.ndarray | slice


class ColumnTable:
    """Objects of one list as columns.

    Args:
        columns: Key to column, all of equal length.
        count: Number of objects.
    """

    def __init__(self, columns: Mapping[str, Column], count: int):
        self.columns = dict(columns)
        self.count = count

    def __len__(self) -> int:
        return self.count

    def rows(self, rows: Rows) -> list[dict]:
        """Some of the objects as new dicts.

        Args:
            rows: Positions ``(n,)``, or a slice.
        """
        if not self.columns:
            return [{} for _ in np.arange(self.count)[rows]]
        values = [column.take(rows) for column in self.columns.values()]
        objects = [dict(zip(self.columns, row, strict=True)) for row in zip(*values, strict=True)]
        for name, column in self.columns.items():
            if column.present is not None:
                for i in np.flatnonzero(~column.present[rows]):
                    del objects[i][name]
        return objects

    def has(self, name: str) -> np.ndarray:
        """Which objects have a key, ``(N,)`` bool."""
        column = self.columns.get(name)
        if column is None:
            return np.zeros(self.count, bool)
        return np.ones(self.count, bool) if column.present is None else column.present

    def integers(self, name: str) -> np.ndarray | None:
        """Values of a key that is an integer wherever it is present, ``(N,)``; else None."""
        column = self.columns.get(name)
        if not isinstance(column, NumberColumn) or column.values.dtype.kind != "i":
            return None
        return column.values if column.values.ndim == 1 else None

    def numbers(self, name: str) -> np.ndarray | None:
        """Values of a key that is a number or boolean in all objects, ``(N,)``; else None."""
        column = self.columns.get(name)
        if not isinstance(column, NumberColumn) or column.present is not None:
            return None
        return column.values if column.values.ndim == 1 else None


def _from_json(text: bytes) -> Any:
    """Decode one value; NaN and Infinity, which Python writes, are understood."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text, parse_int=_whole_number)


def _whole_number(digits: str) -> int | float:
    """Integers that Python would refuse to read are infinite; nothing counts so far."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def as_json(column: Column) -> TextColumn:
    """The same values as JSON text."""
    if isinstance(column, TextColumn) and column.is_json:
        return column
    values = column.take(slice(None))
    return text_column(map(json.dumps, values), is_json=True, present=column.present)


def text_column(
    texts: Iterable[str | bytes | msgspec.Raw], *, is_json: bool, present: np.ndarray | None = None
) -> TextColumn:
    """Column of strings, or of values given as JSON text."""
    encoded = [
        text.encode("utf-8", errors="surrogatepass") if isinstance(text, str) else bytes(text)
        for text in texts
    ]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    joined = b"".join(encoded)
    if is_json and not joined.isascii():
        joined.decode()  # now, while the file can be named, and not when a value is asked for
    text = np.frombuffer(joined, np.uint8)
    return TextColumn(text, np.cumsum(lengths), is_json, present)


def join_columns(parts: list[Column]) -> Column:
    """One column from consecutive parts; parts of different kinds become JSON text."""
    present = None
    if any(part.present is not None for part in parts):
        present = np.concatenate(
            [np.ones(len(p), bool) if p.present is None else p.present for p in parts]
        )
    if len({_kind(part) for part in parts if not _is_empty(part)}) > 1:
        parts = [as_json(part) for part in parts]
    shape = next((part for part in parts if not _is_empty(part)), parts[0])
    parts = [_like(part, shape) if _is_empty(part) else part for part in parts]
    if isinstance(shape, NumberColumn):
        return NumberColumn(np.concatenate([part.values for part in parts]), present)
    shifts = np.cumsum([0] + [len(part.text) for part in parts])
    ends = [part.ends + shift for part, shift in zip(parts, shifts[:-1], strict=True)]
    text = np.concatenate([part.text for part in parts])
    return TextColumn(text, np.concatenate(ends), shape.is_json, present)


def missing_column(count: int) -> NumberColumn:
    """Column of a key that none of ``count`` objects has."""
    return NumberColumn(np.zeros(count, np.int8), np.zeros(count, bool))


def _is_empty(column: Column) -> bool:
    """Whether no object has the key, so that the kind of the column means nothing."""
    return column.present is not None and not column.present.any()


def _like(column: Column, other: Column) -> Column:
    """An empty column of the kind of another one."""
    count = len(column)
    if isinstance(other, NumberColumn):
        shape = (count, *other.values.shape[1:])
        return NumberColumn(np.zeros(shape, other.values.dtype), column.present)
    text = np.zeros(0, np.uint8)
    return TextColumn(text, np.zeros(count, np.int64), other.is_json, column.present)


def _kind(column: Column) -> tuple:
    """Columns of equal kind can be joined without JSON; integers and floats make floats."""
    if isinstance(column, TextColumn):
        return "json" if column.is_json else "text", 0
    return "bool" if column.values.dtype.kind == "b" else "number", column.values.shape[1:]
