"""Open annotation files in the COCO format: columns, cache and clear errors."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import Any

from mmtrack.utils.reading import reading

from . import annotation_cache
from .column_builder import ColumnBuilder
from .columns import ColumnTable
from .json_stream import BrokenJSON, JSONStream, decode_objects

COLUMN_LISTS = ("images", "annotations")


def read_annotations(
    path: str | os.PathLike, name: str | None = None
) -> tuple[dict[str, ColumnTable], dict[str, Any]]:
    """Parse an annotation file, or take what an earlier call left in the cache.

    Args:
        path: JSON file.
        name: What messages call the file, where ``path`` is a temporary copy.

    Returns:
        The lists ``images`` and ``annotations`` (where the file has them) as columns, and the
        other members of the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not an annotation file; the message says where it is broken.
    """
    name = os.fspath(path) if name is None else name
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"there is no annotation file {name!r}. Check ann_file and data_root in the config; "
            "annotations are made by the scripts in tools/convert_datasets."
        )
    entry = annotation_cache.entry_path(path, "coco")
    cached = None if entry is None else annotation_cache.load(entry)
    if cached is not None:
        return cached
    before = os.stat(path)
    problem, remedy = "is not a valid annotation file", "Copy or convert it again."
    with reading(name, remedy, problem), _no_garbage_collection():
        tables, rest = _parse(path)
    after = os.stat(path)
    unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if entry is not None and unchanged:
        annotation_cache.store(entry, tables, rest)
    return tables, rest


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch off the search for cycles, which looks at the objects of each chunk in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(path: str | os.PathLike) -> tuple[dict[str, ColumnTable], dict[str, Any]]:
    """Columns and other members of a file.

    Raises:
        BrokenJSON: the file is not a JSON object, or a list in it is not what it should be.
    """
    stream = JSONStream(path)
    tables, rest = {}, {}
    for key, value in stream.members():
        if not hasattr(value, "__next__"):
            if key in COLUMN_LISTS and value == []:
                tables[key] = ColumnTable({}, 0)
            elif key in COLUMN_LISTS:
                raise BrokenJSON(f"{key!r} must be a list of objects, not {type(value).__name__}")
            else:
                rest[key] = value
        elif key in COLUMN_LISTS:
            builder = ColumnBuilder()
            stream.decode = builder.decode
            for objects in value:
                builder.add(objects)
            tables[key] = builder.finish()
        else:
            stream.decode = decode_objects
            rest[key] = [item for objects in value for item in objects]
    return tables, rest
