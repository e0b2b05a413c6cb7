"""Objects kept as columns come back equal."""

import json
import math
import random

import numpy as np
import pytest

from mmtrack.datasets.parsers.column_builder import ColumnBuilder, columns_from_dicts
from mmtrack.datasets.parsers.columns import NumberColumn, TextColumn

VALUES = {
    "int": [1, -5, 2**31, 0],
    "small_int": [1, 2, 3, 4],
    "huge_int": [2**80, 1, 2, 3],
    "float": [0.1, -1e300, 5e-324, 1.0],
    "mixed_number": [1, 2.5, 3, 4],
    "bool": [True, False, True, True],
    "bool_and_int": [True, 0, 1, False],
    "text": ["a", "", "☃ 𝄞", 'q"\\'],
    "none": [None, None, 1, "x"],
    "box": [[1, 2, 3, 4], [5, 6, 7, 8], [1, 1, 1, 1], [0, 0, 0, 0]],
    "float_box": [[1.5, 2, 3, 4], [5, 6.25, 7, 8], [1, 1, 1, 1], [0, 0, 0, 0]],
    "ragged": [[1], [1, 2], [], [3]],
    "polygon": [[[1, 2.5]], [[3, 4]], [], [[5]]],
    "rle": [{"size": [2, 3], "counts": "a}"}, {"size": [1, 1], "counts": "["}, None, {}],
    "huge_box": [[1, 2**70], [1, 2], [3, 4], [5, 6]],
    "text_list": [["a"], ["b"], ["c"], ["d"]],
}


def build(objects, size):
    """Columns from JSON text in chunks of ``size`` objects."""
    builder = ColumnBuilder()
    for first in range(0, len(objects), size):
        builder.add(builder.decode(json.dumps(objects[first : first + size]).encode()))
    return builder.finish()


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("optional", [False, True])
def test_every_kind_of_value_comes_back(name, size, optional):
    objects = [{"id": i, "value": value} for i, value in enumerate(VALUES[name])]
    if optional:
        del objects[1]["value"], objects[3]["value"]
    table = build(objects, size)
    assert table.rows(slice(None)) == objects
    assert table.rows(np.array([2, 0, 2])) == [objects[2], objects[0], objects[2]]
    assert table.rows(slice(1, 3)) == objects[1:3]
    assert table.has("value").tolist() == ["value" in item for item in objects]


@pytest.mark.parametrize("seed", range(8))
def test_random_mixtures_in_random_chunks(seed):
    rng = random.Random(seed)
    objects = []
    for i in range(40):
        keys = rng.sample(sorted(VALUES), rng.randrange(1, 5))
        objects.append({"id": i, **{key: rng.choice(VALUES[key]) for key in keys}})
    assert build(objects, rng.randrange(1, 15)).rows(slice(None)) == objects
    assert columns_from_dicts(objects).rows(slice(None)) == objects


def test_types_are_kept():
    row = build([{"i": 3, "f": 3.0, "b": True, "box": [1, 2]}], 1).rows(slice(None))[0]
    assert [type(v) for v in row.values()] == [int, float, bool, list]
    assert [type(v) for v in row["box"]] == [int, int]


def test_numbers_become_arrays_and_everything_else_text():
    table = build([{"i": 1, "box": [1.5, 2, 3, 4], "s": "x", "rle": {"counts": "a"}}], 1)
    assert isinstance(table.columns["i"], NumberColumn)
    assert table.columns["box"].values.shape == (1, 4)
    assert isinstance(table.columns["s"], TextColumn)
    assert table.columns["rle"].is_json


def test_nan_survives():
    builder = ColumnBuilder()
    builder.add(builder.decode(b'[{"a": 1.0}]'))
    builder.add(builder.decode(b'[{"a": NaN}]'))
    values = [row["a"] for row in builder.finish().rows(slice(None))]
    assert values[0] == 1
    assert math.isnan(values[1])


def test_integers_only_where_all_are_integers():
    table = build([{"a": 1, "b": 1}, {"a": 2, "b": 1.5}], 2)
    assert table.integers("a").tolist() == [1, 2]
    assert table.integers("b") is None
    assert table.integers("missing") is None


def test_no_objects():
    assert columns_from_dicts([]).rows(slice(None)) == []
    assert len(columns_from_dicts([])) == 0
