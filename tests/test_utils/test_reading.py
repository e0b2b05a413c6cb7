"""Errors about the content of a file name it; names from files stay below a folder."""

from __future__ import annotations

import json
import struct

import pytest

from mmtrack.utils.file_io import leads_out, natural_key, path_below
from mmtrack.utils.reading import (
    UnreadableFileError,
    check_objects,
    is_number,
    read_json,
    read_json_object,
    read_text,
    reading,
)


def deep():
    return deep()


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (lambda: {}["bbox"], "a.bin cannot be read: 'bbox' is missing. Copy it."),
        (lambda: [][3], "a value is not what it should be .IndexError: list index"),
        (lambda: None + 1, "TypeError: unsupported operand"),
        (lambda: struct.unpack("I", b""), "unpack requires a buffer of 4 bytes"),
        (lambda: b"ab\xff".decode(), r"byte 2 \(0xff\) is no utf-8 text"),
        (lambda: json.loads("[" * 100_000), "nested too deeply"),
        (deep, "nested too deeply"),
        (lambda: bytearray(1 << 62), "more memory than there is"),
        (lambda: int("1" * 5000), "Exceeds the limit"),
        (lambda: int(1e400), "OverflowError"),
    ],
)
def test_errors_name_the_file(block, reason):
    with pytest.raises(UnreadableFileError, match=reason) as error, reading("a.bin", "Copy it."):
        block()
    assert str(error.value).startswith("a.bin cannot be read: ")
    assert error.value.__cause__ is not None


def test_errors_that_name_it_already_stay():
    with pytest.raises(ValueError, match=r"^a\.bin, line 3: bad$") as error, reading("a.bin"):
        raise ValueError("a.bin, line 3: bad")
    assert type(error.value) is ValueError


def test_errors_of_the_system_stay(tmp_path):
    with pytest.raises(FileNotFoundError), reading(tmp_path / "a"):
        (tmp_path / "a").read_text()
    with pytest.raises(KeyboardInterrupt), reading("a"):
        raise KeyboardInterrupt


def test_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntw\xc3\xb6\rthree\n")
    assert read_text(path) == "one\ntwö\nthree\n"
    path.write_bytes("one".encode("utf-16"))
    with pytest.raises(
        UnreadableFileError, match=r"a\.txt cannot be read: byte 0 .*Save it as UTF-8"
    ):
        read_text(path)
    path.write_bytes(b"a\0b")
    with pytest.raises(UnreadableFileError, match=r"a\.txt cannot be read: it has zero bytes"):
        read_text(path)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*b\.txt"):
        read_text(tmp_path / "b.txt")


def test_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [1, NaN]}')
    assert read_json_object(path)["a"][0] == 1
    path.write_text("[1]")
    assert read_json(path) == [1]
    with pytest.raises(UnreadableFileError, match=r"a\.json holds a list, expected a JSON object"):
        read_json_object(path)
    path.write_text('{"a":')
    with pytest.raises(UnreadableFileError, match=r"a\.json cannot be read.*complete JSON"):
        read_json(path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": 1}, "^f: images is {'id': 1}, expected a list"),
        ([{"id": 1, "name": "a"}, 3], r"^f: images\[1\] is 3, expected an object"),
        ([{"id": 7}], r"^f: images\[0\] \(id 7\) has no 'name'"),
        ([{"id": 7, "name": 3}], r"\(id 7\): 'name' is 3, expected str"),
        ([{"id": True, "name": "a"}], "'id' is True, expected int"),
    ],
)
def test_objects(values, message):
    with pytest.raises(UnreadableFileError, match=message):
        check_objects(values, {"id": (int,), "name": (str,)}, "f: images")


def test_numbers():
    assert is_number(3)
    assert is_number(-2.5)
    assert is_number([1, 2.5], 2)
    for value in ("1", None, float("nan"), float("inf"), 10**400, [1], True and [True]):
        assert not is_number(value)
    assert not is_number([1, 2, 3], 2)
    assert not is_number([1, float("nan")], 2)


@pytest.mark.parametrize(
    "name",
    ["", "\ud800", ".", "..", "../a", "a/../../b", "/etc/a", "C:\\a", "a\\..\\..\\b", "a\0b"],
)
def test_names_that_lead_out(name, tmp_path):
    assert leads_out(name)
    with pytest.raises(ValueError, match=r"^a\.json: video .* cannot name a file below"):
        path_below(tmp_path, name, "a.json: video")


def test_names_that_stay(tmp_path):
    for name in ("a", "a/b.txt", "..a", "a..b", "MOT17-02-FRCNN"):
        assert path_below(tmp_path, name, "video") == tmp_path / name
    with pytest.raises(ValueError, match="video 3 cannot name"):
        path_below(tmp_path, 3, "video")


def test_natural_order_of_long_numbers():
    names = ["a10", "a9", "a010", "b", "a" + "1" * 5000, "a"]
    assert sorted(names, key=natural_key) == ["a", "a9", "a10", "a010", "a" + "1" * 5000, "b"]
