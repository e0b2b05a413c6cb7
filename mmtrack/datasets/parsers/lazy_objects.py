"""Objects and indices of an annotation file that are made when they are asked for.

They behave like the lists and dicts of pycocotools: a changed object stays changed, and
iteration, ``in``, ``len`` and ``.values()`` work as usual.
"""

from __future__ import annotations

from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    MutableMapping,
    ValuesView,
)
from typing import Any

import numpy as np

from .column_builder import columns_from_dicts
from .columns import ColumnTable, Rows

_BLOCK = 4096


class LazyObject(dict):
    """A dict made from a table, which the table keeps as soon as it is changed."""

    __slots__ = ("_keep",)

    def __init__(self, values: dict, keep: Callable[[LazyObject], None]):
        super().__init__(values)
        self._keep = keep

    def __reduce__(self) -> tuple:
        return dict, (dict(self),)  # copies and pickles are plain dicts


def _kept_when_called(name: str) -> Callable:
    method = getattr(dict, name)

    def changed(self: LazyObject, *args: Any, **kwargs: Any) -> Any:
        self._keep(self)
        return method(self, *args, **kwargs)

    changed.__name__ = name
    changed.__doc__ = method.__doc__
    return changed


for _name in (
    *("__setitem__", "__delitem__", "__ior__"),
    *("clear", "pop", "popitem", "setdefault", "update"),
):
    setattr(LazyObject, _name, _kept_when_called(_name))


class ObjectTable:
    """The objects of one list: columns, and the objects that were changed since.

    Args:
        columns: Values as in the file.
    """

    def __init__(self, columns: ColumnTable):
        self.columns = columns
        self.changed: dict[int, dict] = {}
        self.objects: list[dict] | None = None  # all objects, once somebody asked for the list

    def __len__(self) -> int:
        return len(self.columns)

    @classmethod
    def from_list(cls, objects: list[dict]) -> ObjectTable:
        """Table over objects that exist already, and stay the ones that are handed out."""
        table = cls(columns_from_dicts(objects))
        table.objects = objects
        return table

    @property
    def is_pristine(self) -> bool:
        """Whether the columns still hold all values."""
        return self.objects is None and not self.changed

    def copy(self) -> ObjectTable:
        """Table whose objects can be changed without changing those of this one."""
        table = ObjectTable(self.columns)
        table.changed = {row: dict(item) for row, item in self.changed.items()}
        if self.objects is not None:
            table.objects = [dict(item) for item in self.objects]
        return table

    def take(self, rows: Rows) -> list[dict]:
        """Objects at some positions, ``(n,)`` int or slice."""
        index = (np.arange(len(self))[rows] if isinstance(rows, slice) else rows).tolist()
        if self.objects is not None:
            return [self.objects[row] for row in index]
        found = self.columns.rows(rows)
        for i, row in enumerate(index):
            if row in self.changed:
                found[i] = self.changed[row]
            else:
                found[i] = LazyObject(found[i], _Keeper(self, row))
        return found

    def to_list(self) -> list[dict]:
        """All objects as one list, which from now on holds the truth."""
        if self.objects is None:
            self.objects = self.columns.rows(slice(None))
            for row, item in self.changed.items():
                self.objects[row] = item
            self.changed = {}
        return self.objects

    def keep(self, row: int, item: dict) -> None:
        """Remember an object that is about to change."""
        if self.objects is not None:
            self.objects[row] = item
        else:
            self.changed[row] = item


class _Keeper:
    """Tells a table that one of its objects changes."""

    __slots__ = ("row", "table")

    def __init__(self, table: ObjectTable, row: int):
        self.table = table
        self.row = row

    def __call__(self, item: dict) -> None:
        self.table.keep(self.row, item)


def _as(wanted: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Wanted ids in the type of the ids, where numpy would else convert all ids at each search."""
    limits = np.iinfo(ids.dtype)
    fits = wanted.size and limits.min <= wanted.min() and wanted.max() <= limits.max
    return wanted.astype(ids.dtype) if fits else wanted


class Lookup:
    """Positions of ids: the last position of an id, ids in order of their first position.

    Args:
        ids: ``(N,)`` integers.
    """

    def __init__(self, ids: np.ndarray):
        self.ids = ids
        self._order = None
        self._sorted = ids
        if len(ids) > 1 and not np.all(ids[1:] > ids[:-1]):
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]

    def row(self, key: Any) -> int | None:
        """Position of one id; None if there is none."""
        if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
            return None
        row = int(self.find([int(key)])[0])
        return None if row < 0 else row

    def find(self, ids: Any) -> np.ndarray:
        """Positions of ids, ``(n,)``; -1 where there is none."""
        wanted = np.asarray(ids)
        if wanted.dtype.kind not in "iu":
            return np.full(wanted.shape, -1)
        place = np.searchsorted(self._sorted, _as(wanted, self._sorted), side="right") - 1
        found = place >= 0
        found[found] = self._sorted[place[found]] == wanted[found]
        rows = place if self._order is None else self._order[place]
        return np.where(found, rows, -1)

    def unique(self) -> np.ndarray:
        """Different ids in the order of their first position."""
        if self._order is None or np.all(self._sorted[1:] > self._sorted[:-1]):
            return self.ids
        _, first = np.unique(self.ids, return_index=True)
        return self.ids[np.sort(first)]


class ObjectsById(MutableMapping):
    """Mapping from id to object, like ``COCO.anns`` and ``COCO.imgs``.

    It becomes a plain dict inside when ids are added or removed.

    Args:
        table: Objects.
        lookup: Their ids.
    """

    def __init__(self, table: ObjectTable, lookup: Lookup):
        self._table = table
        self._lookup = lookup
        self._keys = lookup.unique()
        self._plain: dict | None = None

    def __getitem__(self, key: Any) -> dict:
        if self._plain is not None:
            return self._plain[key]
        row = self._lookup.row(key)
        if row is None:
            raise KeyError(key)
        return self._table.take(np.array([row]))[0]

    def __contains__(self, key: object) -> bool:
        if self._plain is not None:
            return key in self._plain
        return self._lookup.row(key) is not None

    def __setitem__(self, key: Any, value: dict) -> None:
        self._as_dict()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._as_dict()[key]

    def __iter__(self) -> Iterator:
        return iter(self._keys.tolist() if self._plain is None else self._plain)

    def __len__(self) -> int:
        return len(self._keys) if self._plain is None else len(self._plain)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} objects)"

    def values(self) -> ValuesView:
        """View of the objects, which are made block by block."""
        return _BlockValues(self)

    def items(self) -> ItemsView:
        """View of ids and objects, which are made block by block."""
        return _BlockItems(self)

    def many(self, keys: Iterable) -> list[dict]:
        """Objects of several ids.

        Raises:
            KeyError: an id does not exist.
        """
        keys = list(keys)
        rows = self._lookup.find(keys) if keys and self._plain is None else None
        if rows is None or np.any(rows < 0):
            return [self[key] for key in keys]
        return self._table.take(rows)

    def iterate(self) -> Iterator[tuple[Any, dict]]:
        """Ids and objects."""
        if self._plain is not None:
            yield from self._plain.items()
            return
        for first in range(0, len(self._keys), _BLOCK):
            keys = self._keys[first : first + _BLOCK]
            objects = self._table.take(self._lookup.find(keys))
            yield from zip(keys.tolist(), objects, strict=True)

    def _as_dict(self) -> dict:
        if self._plain is None:
            objects = self._table.to_list()
            rows = self._lookup.find(self._keys).tolist()
            self._plain = {
                key: objects[row] for key, row in zip(self._keys.tolist(), rows, strict=True)
            }
        return self._plain


class _BlockValues(ValuesView):
    def __iter__(self) -> Iterator[dict]:
        return (value for _, value in self._mapping.iterate())


class _BlockItems(ItemsView):
    def __iter__(self) -> Iterator[tuple]:
        return self._mapping.iterate()


class Groups(MutableMapping):
    """Mapping from a key to the list of its members, like ``COCO.imgToAnns``.

    Lists are made when they are asked for, and kept. As in a ``defaultdict(list)``, asking for a
    key that is missing adds it with an empty list. The mapping becomes a plain dict inside when
    keys are set or removed.

    Args:
        keys: Key of each member, ``(N,)`` integers.
        members: ``(N,)`` integers, or the objects themselves.
        rows: Which of the members count, ``(n,)`` ascending; None takes all.
    """

    def __init__(
        self, keys: np.ndarray, members: np.ndarray | ObjectTable, rows: np.ndarray | None = None
    ):
        rows = np.arange(len(keys)) if rows is None else rows
        order = np.argsort(keys[rows], kind="stable")
        self._rows = rows[order].astype(np.int32 if len(keys) < 1 << 31 else np.int64)
        self._groups, self._starts = np.unique(keys[self._rows], return_index=True)
        self._ends = np.append(self._starts[1:], len(self._rows))
        self._members = members
        self._made: dict[Any, list] = {}
        self._plain: dict | None = None

    def rows(self, keys: Any) -> np.ndarray:
        """Rows of the members of several keys, key by key, ``(n,)``; missing keys have none."""
        wanted = np.asarray(keys)
        if wanted.size == 0 or wanted.dtype.kind not in "iu" or len(self._groups) == 0:
            return np.zeros(0, np.int64)
        place = np.searchsorted(self._groups, _as(wanted, self._groups))
        place = np.minimum(place, len(self._groups) - 1)
        place = place[self._groups[place] == wanted]
        counts = self._ends[place] - self._starts[place]
        before = np.cumsum(counts) - counts
        flat = np.arange(counts.sum()) + np.repeat(self._starts[place] - before, counts)
        return self._rows[flat]

    def __getitem__(self, key: Any) -> list:
        if self._plain is not None:
            return self._plain.setdefault(key, [])
        if key not in self._made:
            rows = self.rows([key])
            if isinstance(self._members, np.ndarray):
                self._made[key] = self._members[rows].tolist()
            else:
                self._made[key] = self._members.take(rows)
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        if self._plain is not None:
            return key in self._plain
        return key in self._made or len(self.rows([key])) > 0

    def __iter__(self) -> Iterator:
        return iter(self._keys() if self._plain is None else self._plain)

    def __len__(self) -> int:
        return len(self._keys() if self._plain is None else self._plain)

    def __setitem__(self, key: Any, value: list) -> None:
        self._as_dict()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._as_dict()[key]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} keys)"

    def get(self, key: Any, default: Any = None) -> Any:
        """Members of a key, or the default; never adds the key."""
        if key not in self:
            return default
        return self[key]

    def _keys(self) -> list:
        """Keys by the first appearance of a member, then those that were added empty."""
        known = self._groups[np.argsort(self._rows[self._starts], kind="stable")].tolist()
        if not self._made:
            return known
        return known + list(self._made.keys() - set(known))

    def _as_dict(self) -> dict:
        if self._plain is None:
            self._plain = {key: self[key] for key in self._keys()}
        return self._plain


class LazyDataset(dict):
    """The content of an annotation file; the large lists are made when they are asked for.

    Args:
        values: Other members of the file.
        tables: Large lists.
    """

    def __init__(self, values: dict[str, Any], tables: dict[str, ObjectTable]):
        super().__init__({**values, **dict.fromkeys(tables)})
        self._tables = dict(tables)

    def table(self, key: str) -> ObjectTable | None:
        """The table of a list that nobody has asked for yet; None for other members."""
        return self._tables.get(key)

    def _make_lists(self, *keys: Any) -> None:
        for key in keys or list(self._tables):
            if key in self._tables:
                super().__setitem__(key, self._tables.pop(key).to_list())

    def __getitem__(self, key: Any) -> Any:
        self._make_lists(key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._tables.pop(key, None)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._tables.pop(key, None)
        super().__delitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """Value of a key, or the default."""
        if key not in self:
            return default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        """Remove a key and return its value."""
        self._make_lists(key)
        return super().pop(key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Value of a key, which is set to the default if it is missing."""
        self._make_lists(key)
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several keys."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def values(self) -> ValuesView:
        """All values."""
        self._make_lists()
        return super().values()

    def items(self) -> ItemsView:
        """All keys and values."""
        self._make_lists()
        return super().items()

    def copy(self) -> dict:
        """Plain dict with the same values."""
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == other

    __hash__ = None

    def __reduce__(self) -> tuple:
        values = {key: value for key, value in super().items() if key not in self._tables}
        return LazyDataset, (values, self._tables)
