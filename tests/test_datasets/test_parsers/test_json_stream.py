"""Reading JSON in pieces gives what ``json.load`` gives, whatever the size of the pieces."""

import json
import random

import msgspec
import pytest

from mmtrack.datasets.parsers.json_stream import BrokenJSON, JSONStream, decode_objects

TRICKY_TEXTS = ['},{"a":1},{', "}]", "a\\", '"}, {"', "naïve ☃ 𝄞", "", "}\n,\n{"]


def random_value(rng, depth):
    kinds = ["int", "float", "text", "none", "bool"] + ["list", "dict"] * (depth > 0)
    kind = rng.choice(kinds)
    if kind == "list":
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == "dict":
        return {rng.choice("abcd}]"): random_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return {
        "int": rng.randrange(-(10**20), 10**20),
        "float": rng.uniform(-1e9, 1e9),
        "text": rng.choice(TRICKY_TEXTS),
        "none": None,
        "bool": True,
    }[kind]


def read(path, **kwargs):
    found = {}
    for key, value in JSONStream(path, **kwargs).members():
        is_list = hasattr(value, "__next__")
        found[key] = [item for chunk in value for item in chunk] if is_list else value
    return found


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 1000, 1 << 22])
@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}, {"indent": 1}], ids=str)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_equals_json_load(tmp_path, chunk_bytes, style, ascii_only):
    rng = random.Random(chunk_bytes)
    data = {
        "info": random_value(rng, 3),
        "number": 12345,
        "empty": [],
        "scalars": [1, 2, 3],
        "images": [{"x": random_value(rng, 3), "y": i} for i in range(60)],
        "annotations": [{"parts": [{"a": 1}, {"b": [{}]}], "t": "}"} for _ in range(20)],
        "last": -1.5e3,
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data, ensure_ascii=ascii_only, **style), encoding="utf-8")
    assert read(path, chunk_bytes=chunk_bytes) == data


def test_large_list_is_given_in_chunks(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"images": [{"id": i, "n": "x" * 50} for i in range(1000)]}))
    sizes = [
        len(chunk) for _, chunks in JSONStream(path, chunk_bytes=5000).members() for chunk in chunks
    ]
    assert sum(sizes) == 1000
    assert len(sizes) < 30
    assert max(sizes) < 120


def test_nan_and_infinity_of_python_are_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"images": [{"a": NaN}, {"a": -Infinity}, {"a": 1}]}')
    values = [item["a"] for item in read(path)["images"]]
    assert values[0] != values[0]
    assert values[1:] == [float("-inf"), 1]


def test_empty_object(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(" {\n} ")
    assert read(path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ends too early"),
        ("[1]", "expected a JSON object"),
        ('{"images": [{"id": 1}, {"id": 2', "at byte"),
        ('{"images": [{"id": 1}, {"id": }]}', r"Expecting value at byte 30, near '}]}'"),
        ('{"images": [{"id": 1} {"id": 2}]}', "expected ',' or ']'"),
        ('{"images": [{"id": 1}, 5]}', "expected an object"),
        ('{"images": [{"id": 1}] "b": 2}', "expected ',' or '}'"),
        ('{"images": tru}', "Expecting value"),
        ("{1: 2}", "key in double quotes"),
    ],
)
def test_broken_text_is_refused_with_its_place(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BrokenJSON, match=message):
        read(path)


@pytest.mark.parametrize("cut", range(0, 200, 9))
def test_every_truncated_file_is_refused(tmp_path, cut):
    text = json.dumps({"images": [{"id": i, "name": "a}, {b"} for i in range(8)], "info": {}})
    path = tmp_path / "a.json"
    path.write_text(text[:cut])
    with pytest.raises(BrokenJSON):
        read(path, chunk_bytes=16)


def test_decode_objects_refuses_broken_text():
    with pytest.raises(ValueError, match="malformed|truncated"):
        decode_objects(b'[{"a": 1]')
    assert issubclass(msgspec.DecodeError, ValueError)
