"""Decode lists of JSON objects into columns, with types learnt from the first objects.

The keys and types of the first chunk become a ``msgspec`` struct, which decodes the other chunks
several times faster than dicts. A chunk that does not fit is decoded into dicts, and the struct
is widened.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np

from .columns import (
    Column,
    ColumnTable,
    NumberColumn,
    join_columns,
    missing_column,
    text_column,
)
from .json_stream import decode_objects

_LONGEST_VECTOR = 8
_SCALARS = {bool: "bool", int: "int", float: "float", str: "text"}
_INT64 = np.iinfo(np.int64)
_INT = Annotated[int, msgspec.Meta(ge=int(_INT64.min), le=int(_INT64.max))]
_TYPES = {"bool": bool, "int": _INT, "float": float, "text": str, "json": msgspec.Raw}
_DTYPES = {"bool": np.bool_, "int": np.int64, "float": np.float64}
_FILL = {"bool": False, "int": 0, "float": 0.0, "text": "", "json": b""}


class Field(NamedTuple):
    """What is known about a key.

    Attributes:
        kind: ``'bool'``, ``'int'``, ``'float'``, ``'text'`` or ``'json'``.
        size: Length of the vector of ints or floats, None for a single value.
        optional: Whether objects without the key have been seen.
    """

    kind: str
    size: int | None = None
    optional: bool = False

    def merge(self, other: Field) -> Field:
        """The field that holds the values of both."""
        optional = self.optional or other.optional
        if self[:2] == other[:2]:
            return Field(self.kind, self.size, optional)
        if self.size == other.size and {self.kind, other.kind} == {"int", "float"}:
            return Field("float", self.size, optional)
        return Field("json", None, optional)

    def annotation(self) -> Any:
        """Type for msgspec."""
        kind = _TYPES[self.kind]
        if self.size is not None:
            kind = tuple.__class_getitem__((kind,) * self.size)
        return kind | msgspec.UnsetType if self.optional else kind


class ColumnBuilder:
    """Collect the objects of one list as columns.

    ``decode`` is given to :class:`~.json_stream.JSONStream`; what it returns is given to ``add``.
    """

    def __init__(self):
        self.count = 0
        self._fields: dict[str, Field] = {}
        self._decoder = None
        self._order: list[str] = []
        self._parts: dict[str, list[Column]] = {}

    def decode(self, text: bytes) -> list:
        """Decode a list of objects into structs, or into dicts if they do not fit the struct.

        Raises:
            ValueError: the text is not valid JSON.
        """
        if self._decoder is not None:
            try:
                return self._decoder.decode(text)
            except msgspec.ValidationError:
                pass  # a new key or type: learn it from the dicts
            except msgspec.DecodeError:
                if b"NaN" not in text and b"Infinity" not in text:
                    raise
        return decode_objects(text)

    def add(self, objects: Sequence) -> None:
        """Append decoded objects."""
        if isinstance(objects[0], dict):
            columns = self._learn(objects)
        else:
            values = zip(*map(msgspec.structs.astuple, objects), strict=True)
            columns = {
                key: _column(self._fields[key], own, len(objects))
                for key, own in zip(self._order, values, strict=True)
            }
        for key in [key for key in columns if key not in self._parts]:
            self._parts[key] = [missing_column(self.count)] if self.count else []
        for key, parts in self._parts.items():
            parts.append(columns[key] if key in columns else missing_column(len(objects)))
        self.count += len(objects)

    def finish(self) -> ColumnTable:
        """The columns of all objects; the builder is empty afterwards."""
        columns = {}
        for key in list(self._parts):  # free each list of parts before joining the next
            columns[key] = join_columns(self._parts.pop(key))
        return ColumnTable(columns, self.count)

    def _learn(self, objects: Sequence[dict]) -> dict[str, Column]:
        """Columns of dicts; the struct is widened so that it fits them."""
        keys = dict.fromkeys(itertools.chain.from_iterable(objects))
        columns = {}
        for key in keys:
            values = [item.get(key, msgspec.UNSET) for item in objects]
            field = _infer(values)
            columns[key] = _column(field, values, len(values))
            if key in self._fields:
                self._fields[key] = self._fields[key].merge(field)
            else:
                self._fields[key] = field._replace(optional=field.optional or self.count > 0)
        for key in self._fields.keys() - keys.keys():
            self._fields[key] = self._fields[key]._replace(optional=True)
        # fields without a default come first
        self._order = sorted(self._fields, key=lambda key: self._fields[key].optional)
        names = {f"field_{i}": key for i, key in enumerate(self._order)}
        definition = []
        for name, key in names.items():
            field = self._fields[key]
            default = (msgspec.UNSET,) if field.optional else ()
            definition.append((name, field.annotation(), *default))
        struct = msgspec.defstruct(
            "Row", definition, rename=names, forbid_unknown_fields=True, gc=False
        )
        self._decoder = msgspec.json.Decoder(list[struct])
        return columns


def columns_from_dicts(objects: Sequence[dict]) -> ColumnTable:
    """Columns of objects that are already decoded."""
    builder = ColumnBuilder()
    if objects:
        builder.add(objects)
    return builder.finish()


def _infer(values: list) -> Field:
    """The narrowest field for some values; ``UNSET`` marks missing ones."""
    optional = msgspec.UNSET in values
    types = set(map(type, values)) - {msgspec.UnsetType}
    if types == {int, float}:
        types = {float}
    if len(types) != 1:
        return Field("json", None, optional)
    kind = types.pop()
    known = [value for value in values if value is not msgspec.UNSET]
    if kind is int and not _INT64.min <= min(known) <= max(known) <= _INT64.max:
        return Field("json", None, optional)
    if kind in _SCALARS:
        return Field(_SCALARS[kind], None, optional)
    return _infer_vector(known, optional)


def _infer_vector(vectors: list, optional: bool) -> Field:
    """The narrowest field for values of one type that is not a scalar."""
    if type(vectors[0]) is not list or len(set(map(len, vectors))) > 1:
        return Field("json", None, optional)
    size = len(vectors[0])
    if not 0 < size <= _LONGEST_VECTOR:
        return Field("json", None, optional)
    numbers = list(itertools.chain.from_iterable(vectors))
    kinds = set(map(type, numbers))
    if not kinds <= {int, float}:
        return Field("json", None, optional)
    if kinds == {int} and not _INT64.min <= min(numbers) <= max(numbers) <= _INT64.max:
        return Field("json", None, optional)
    return Field("int" if kinds == {int} else "float", size, optional)


def _column(field: Field, values: Iterable, count: int) -> Column:
    """Column of ``count`` values, where ``UNSET`` marks missing ones."""
    present = None
    if field.optional:
        values = list(values)
        present = np.fromiter((value is not msgspec.UNSET for value in values), bool, count)
        fill = _FILL[field.kind]
        fill = fill if field.size is None else (fill,) * field.size
        values = [fill if value is msgspec.UNSET else value for value in values]
    if field.kind == "text":
        return text_column(values, is_json=False, present=present)
    if field.kind == "json":
        return text_column(map(_json_text, values), is_json=True, present=present)
    flat = values if field.size is None else itertools.chain.from_iterable(values)
    numbers = np.fromiter(flat, _DTYPES[field.kind], count * (field.size or 1))
    if field.size is not None:
        numbers = numbers.reshape(count, field.size)
    return NumberColumn(_shrink(numbers), present)


def _json_text(value: Any) -> bytes | str | msgspec.Raw:
    """JSON text of a value that may be text already."""
    return value if isinstance(value, (bytes, msgspec.Raw)) else json.dumps(value)


def _shrink(numbers: np.ndarray) -> np.ndarray:
    """Integers in 32 bits where they fit."""
    if numbers.dtype != np.int64 or numbers.size == 0:
        return numbers
    limits = np.iinfo(np.int32)
    fits = numbers.min() >= limits.min and numbers.max() <= limits.max
    return numbers.astype(np.int32) if fits else numbers
