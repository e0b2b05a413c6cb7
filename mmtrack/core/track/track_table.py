"""State of all tracks in arrays: one row per track, in the order of birth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np


class TrackTable:
    """Arrays of equal length that grow and shrink together.

    Ids are positive and handed out in ascending order, so rows stay sorted by id and a row is found
    by binary search. ``table["bboxes"]`` is the array itself: writing into it changes the state.

    Args:
        columns: Shape of one row and dtype of each column, for example
            ``{"bboxes": ((4,), np.float32)}``. ``ids`` is always there.
    """

    def __init__(self, columns: Mapping[str, tuple[tuple[int, ...], type]]):
        self._columns = {"ids": np.zeros(0, dtype=np.int64)}
        for name, (shape, dtype) in columns.items():
            self.add_column(name, shape, dtype)

    def __len__(self) -> int:
        return len(self._columns["ids"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]

    def __setitem__(self, name: str, values: np.ndarray) -> None:
        if values.shape != self._columns[name].shape:
            raise ValueError(
                f"column {name!r} has the shape {self._columns[name].shape}, found {values.shape}"
            )
        self._columns[name] = values

    def add_column(self, name: str, shape: tuple[int, ...], dtype: type) -> None:
        """Add a column of zeros whose rows have the given shape."""
        self._columns[name] = np.zeros((len(self), *shape), dtype=dtype)

    def append(self, **rows: np.ndarray) -> None:
        """Add rows below; columns that are not given are filled with zeros.

        Args:
            **rows: New rows of each column, equally many; ``ids`` is required and ascends.

        Raises:
            ValueError: the ids do not ascend, or a column is unknown.
        """
        ids = np.concatenate((self["ids"], rows["ids"]))
        if np.any(np.diff(ids[max(len(self) - 1, 0) :]) <= 0):
            raise ValueError(f"new ids must be above all others, found {list(rows['ids'])}")
        unknown = set(rows) - set(self._columns)
        if unknown:
            raise ValueError(f"there are no columns {sorted(unknown)}")
        count = len(rows["ids"])
        for name, column in self._columns.items():
            grown = np.zeros((len(column) + count, *column.shape[1:]), dtype=column.dtype)
            grown[: len(column)] = column
            if name in rows:
                grown[len(column) :] = rows[name]
            self._columns[name] = grown

    def keep(self, mask: np.ndarray) -> None:
        """Drop the rows where the mask, ``(N,)``, is false."""
        if not mask.all():
            self._columns = {name: column[mask] for name, column in self._columns.items()}

    def clear(self) -> None:
        """Drop all rows."""
        self._columns = {name: column[:0] for name, column in self._columns.items()}

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Row of each id.

        Raises:
            KeyError: there is no track of an id.
        """
        ids = np.asarray(ids, dtype=np.int64)
        rows = np.searchsorted(self["ids"], ids)
        known = rows < len(self)
        known[known] = self["ids"][rows[known]] == ids[known]
        if not known.all():
            raise KeyError(f"there are no tracks {ids[~known].tolist()}")
        return rows

    def state_dict(self) -> dict[str, np.ndarray]:
        """All columns, copied."""
        return {name: column.copy() for name, column in self._columns.items()}

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Replace all columns.

        Raises:
            KeyError: a column is missing.
            ValueError: a column has another number of rows than the ids.
        """
        missing = set(self._columns) - set(state)
        if missing:
            raise KeyError(f"the state of the tracks lacks {sorted(missing)}")
        if len({len(column) for column in state.values()}) != 1:
            raise ValueError("the columns of the state of the tracks differ in length")
        self._columns = {name: np.array(column) for name, column in state.items()}
