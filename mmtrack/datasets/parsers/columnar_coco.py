"""pycocotools' ``COCO`` over columns: the same interface at a fraction of time and memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from mmdet.datasets.api_wrappers import COCO

from mmtrack.utils.reading import check_objects, is_number

from .annotation_file import COLUMN_LISTS, read_annotations
from .columns import ColumnTable, TextColumn
from .lazy_objects import Groups, LazyDataset, Lookup, ObjectsById, ObjectTable


class ColumnarCOCO(COCO):
    """``COCO`` that keeps images and annotations as columns and makes their dicts on request.

    ``imgs``, ``anns``, ``imgToAnns``, ``catToImgs`` and ``dataset`` behave like the dicts of
    pycocotools. Setting ``dataset`` and calling ``createIndex()`` works as usual.

    Args:
        annotation_file: JSON file in the COCO format; None makes an empty object.
        name: What messages call the file, where ``annotation_file`` is a temporary copy.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, or objects miss a field; the message names both.
    """

    def __init__(self, annotation_file: str | os.PathLike | None = None, name: str | None = None):
        super().__init__()
        self.file_name = name or (os.fspath(annotation_file) if annotation_file else "dataset")
        self._tables: dict[str, ObjectTable] = {}
        self._checked_ids: dict[tuple[str, str], np.ndarray] = {}
        if annotation_file is not None:
            self._open(*read_annotations(annotation_file, self.file_name))
            self.createIndex()

    def _open(self, tables: dict[str, ColumnTable], rest: dict[str, Any]) -> None:
        """Take over the content of a file."""
        self._tables = {key: ObjectTable(table) for key, table in tables.items()}
        self.dataset = LazyDataset(rest, self._tables)

    def createIndex(self) -> None:
        """Make the indices of what ``dataset`` holds now.

        Raises:
            ValueError: an object misses a field that the indices need.
        """
        for key in COLUMN_LISTS:
            if key not in self.dataset:
                self._tables.pop(key, None)
            elif not self._is_unchanged(key):
                self._tables[key] = ObjectTable.from_list(self.dataset[key])
        for name in _INDICES:
            self.__dict__.pop(name, None)
        self._checked_ids = {}
        self.ids("images", "id")
        for field in ("id", "image_id", "category_id"):
            self.ids("annotations", field)
        self._check_named("categories")

    def _check_named(self, key: str) -> None:
        """Raise an error unless a list of categories or videos, if any, has ids and names."""
        fields = {"id": (Integral,), "name": (str, Integral)}
        where = f"{self.file_name}: {key}"
        ids = [item["id"] for item in check_objects(self.dataset.get(key, []), fields, where)]
        if len(set(ids)) < len(ids):
            raise ValueError(f"{where} have ids that occur twice.")
        if any(abs(number) > _LARGEST_ID for number in ids):
            raise ValueError(f"{where} have ids that are no plausible numbers.")

    def _is_unchanged(self, key: str) -> bool:
        """Whether the columns hold what ``dataset`` holds."""
        table = self.dataset.table(key) if isinstance(self.dataset, LazyDataset) else None
        return table is not None and table is self._tables[key] and table.is_pristine

    def ids(self, key: str, field: str) -> np.ndarray:
        """An integer field that all objects of a list must have, ``(N,)``.

        Raises:
            ValueError: an object does not have it, or it is not an integer.
        """
        if (key, field) not in self._checked_ids:
            self._checked_ids[key, field] = self._check_ids(key, field)
        return self._checked_ids[key, field]

    def _check_ids(self, key: str, field: str) -> np.ndarray:
        table = self._table(key)
        if len(table) == 0:
            return np.zeros(0, np.int64)
        self.require(key, field)
        ids = table.columns.integers(field)
        if ids is None:
            raise ValueError(f"{self.file_name}: {field!r} of {key} must be integers.")
        return ids

    def _raise_missing(self, key: str, field: str, missing: np.ndarray, remedy: str = "") -> None:
        """Raise the error for objects without a field."""
        row = int(np.argmax(missing))
        item = self._tables[key].take(np.array([row]))[0]
        known = {k: item[k] for k in ("id", "file_name", "image_id") if k in item}
        label = "".join(f", {name} {value!r}" for name, value in known.items())
        raise ValueError(
            f"{self.file_name}: {int(missing.sum())} of {len(missing)} {key} have no {field!r} "
            f"(first: {key}[{row}]{label}). {remedy or 'Add the field or convert the data again.'}"
        )

    @cached_property
    def imgs(self) -> ObjectsById:
        """Images by id."""
        return self._by_id("images")

    @cached_property
    def anns(self) -> ObjectsById:
        """Annotations by id."""
        return self._by_id("annotations")

    @cached_property
    def cats(self) -> dict:
        """Categories by id."""
        return {category["id"]: category for category in self.dataset.get("categories", [])}

    @cached_property
    def imgToAnns(self) -> Groups:
        """Annotations by image id."""
        return Groups(self.ids("annotations", "image_id"), self._table("annotations"))

    @cached_property
    def catToImgs(self) -> Groups:
        """Image id of each annotation, by category id."""
        members = self.ids("annotations", "image_id")
        keys = self.ids("annotations", "category_id")
        return Groups(keys, members, None if "categories" in self.dataset else keys[:0])

    @cached_property
    def img_ann_map(self) -> Groups:
        """The same as ``imgToAnns``."""
        return self.imgToAnns

    @cached_property
    def cat_img_map(self) -> Groups:
        """The same as ``catToImgs``."""
        return self.catToImgs

    def _table(self, key: str) -> ObjectTable:
        return self._tables[key] if key in self._tables else ObjectTable(ColumnTable({}, 0))

    def _by_id(self, key: str) -> ObjectsById:
        return ObjectsById(self._table(key), Lookup(self.ids(key, "id")))

    def getAnnIds(
        self,
        imgIds: Any = (),
        catIds: Any = (),
        areaRng: Any = (),
        iscrowd: bool | None = None,
    ) -> list[int]:
        """Ids of annotations that satisfy all conditions; empty conditions are left out.

        Args:
            imgIds: Image ids, or one of them.
            catIds: Category ids, or one of them.
            areaRng: Smallest and largest area, both excluded.
            iscrowd: Value of ``iscrowd``.
        """
        img_ids, cat_ids, area = id_list(imgIds), id_list(catIds), id_list(areaRng)
        table = self._table("annotations")
        needed = {"area": bool(area), "iscrowd": iscrowd is not None}
        columns = {name: table.columns.numbers(name) for name, used in needed.items() if used}
        usable = table.is_pristine and isinstance(self.imgToAnns, Groups)
        if not usable or any(column is None for column in columns.values()):
            return super().getAnnIds(img_ids, cat_ids, area, iscrowd)
        rows = self.imgToAnns.rows(img_ids) if img_ids else np.arange(len(table))
        if cat_ids:
            rows = rows[np.isin(self.ids("annotations", "category_id")[rows], cat_ids)]
        if area:
            rows = rows[(columns["area"][rows] > area[0]) & (columns["area"][rows] < area[1])]
        if iscrowd is not None:
            rows = rows[columns["iscrowd"][rows] == iscrowd]
        return self.ids("annotations", "id")[rows].tolist()

    def loadAnns(self, ids: Any = ()) -> list[dict]:
        """Annotations of some ids, or of one."""
        return _load(self.anns, ids)

    def loadImgs(self, ids: Any = ()) -> list[dict]:
        """Images of some ids, or of one."""
        return _load(self.imgs, ids)

    def require(self, key: str, *fields: str, remedy: str = "") -> None:
        """Raise an error that names the first object without one of the fields.

        Args:
            key: ``'images'`` or ``'annotations'``.
            *fields: What its objects must have.
            remedy: End of the message; by default general advice.

        Raises:
            ValueError: see above.
        """
        for field in fields:
            missing = ~self._table(key).columns.has(field)
            if missing.any():
                self._raise_missing(key, field, missing, remedy)

    def flags(self, key: str, field: str) -> np.ndarray:
        """A boolean field, ``(N,)``; False where an object does not have it.

        Raises:
            ValueError: the values are neither booleans nor 0 or 1.
        """
        table = self._table(key)
        present = table.columns.has(field)
        if not present.any():
            return present
        values = getattr(table.columns.columns[field], "values", None)
        if values is None or values.ndim != 1:  # true and 1 in one file, or anything else
            items = table.take(np.flatnonzero(present))
            known = [item[field] for item in items if isinstance(item[field], (int, float))]
            values = np.zeros(len(present))
            if len(known) == len(items) and set(known) <= {0, 1}:
                values[present] = known
            else:
                values[present] = np.nan
        if not np.isin(values[present], (0, 1)).all():
            raise ValueError(f"{self.file_name}: {field!r} of {key} must be true, false, 0 or 1.")
        return present & (values != 0)

    def check_numbers(self, key: str, *fields: str, size: int | None = None) -> None:
        """Raise an error that names the first object in which a field is there, but no number.

        Args:
            key: ``'images'`` or ``'annotations'``.
            *fields: Numbers, which must be finite.
            size: Count of numbers where the field is a list.

        Raises:
            ValueError: see above.
        """
        table = self._table(key)
        for field in fields:
            column = table.columns.columns.get(field)
            values = getattr(column, "values", None)
            if values is None or values.shape[1:] != (() if size is None else (size,)):
                rows = np.flatnonzero(table.columns.has(field))
                items = ((row, table.take(np.array([row]))[0]) for row in rows.tolist())
                row = next((r for r, item in items if not is_number(item[field], size)), None)
            else:
                finite = np.isfinite(values) if size is None else np.isfinite(values).all(axis=1)
                wrong = table.columns.has(field) & ~finite
                row = int(np.argmax(wrong)) if wrong.any() else None
            if row is not None:
                self._raise_wrong(
                    key, field, row, "a finite number" if size is None else f"{size} finite numbers"
                )

    def check_texts(self, key: str, field: str) -> None:
        """Raise an error that names the first object in which a field is there, but no text."""
        table = self._table(key)
        column = table.columns.columns.get(field)
        is_text = isinstance(column, TextColumn) and not column.is_json
        if column is None or (is_text and column.text.all()):
            return
        for row in np.flatnonzero(table.columns.has(field)).tolist():
            value = table.take(np.array([row]))[0][field]
            if not isinstance(value, str) or "\0" in value:
                self._raise_wrong(key, field, row, "a text")

    def _raise_wrong(self, key: str, field: str, row: int, expected: str) -> None:
        item = self._table(key).take(np.array([row]))[0]
        raise ValueError(
            f"{self.file_name}: {field!r} of {key}[{row}] (id {item.get('id')}) is "
            f"{item[field]!r:.100}, expected {expected}. Convert the data again."
        )

    def boxes(self) -> np.ndarray:
        """Boxes of all annotations, ``(N, 4)`` float64, x, y, width, height.

        Raises:
            ValueError: an annotation has no box, or not four numbers; the message names it.
        """
        self.require("annotations", "bbox")
        column = self._table("annotations").columns.columns.get("bbox")
        values = getattr(column, "values", None)
        if values is not None and values.shape[1:] == (4,):
            return values.astype(np.float64, copy=False)
        boxes = [ann["bbox"] for ann in self.anns.values()]
        for ann_id, box in zip(self.anns, boxes, strict=True):
            if not isinstance(box, list) or len(box) != 4:
                raise ValueError(
                    f"{self.file_name}: bbox of annotation {ann_id} is {box!r}, expected x, y, "
                    "width, height."
                )
        return np.array(boxes, np.float64).reshape(-1, 4)

    def image_ids_with(self, cat_ids: Any) -> np.ndarray:
        """Ids of the images that have annotations of some categories."""
        chosen = np.isin(self.ids("annotations", "category_id"), cat_ids)
        return np.unique(self.ids("annotations", "image_id")[chosen])


_LARGEST_ID = 2**53
_INDICES = ("imgs", "anns", "cats", "imgToAnns", "catToImgs", "img_ann_map", "cat_img_map")


def id_list(ids: Any) -> list:
    """Ids as a list, whether one or several are given."""
    return list(ids) if isinstance(ids, Iterable) else [ids]


def _load(objects: ObjectsById | dict, ids: Any) -> list[dict]:
    """Objects of some ids, or of one."""
    ids = id_list(ids)
    return objects.many(ids) if isinstance(objects, ObjectsById) else [objects[i] for i in ids]
