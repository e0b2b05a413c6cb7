"""Damage files in ways that copying, editing by hand, other programs and ill will do."""

from __future__ import annotations

import copy
import json
import re
import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

Rng = np.random.Generator
Mutator = Callable[[bytes, Rng], bytes]

TRAVERSALS = ("../../escaped", "/tmp/escaped", "..", "a/../../../escaped", "..\\..\\escaped", "\0")
# Whatever may stand where a file has a number, a name or a list.
VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 2**64, 10**30, 10**400, 0.5, -0.5, 1e308,
    -1e308, float("nan"), float("inf"), float("-inf"), "", "0", "1", "nan", "x", "\u00e9\u4e2d",
    "\ud800", "a" * 5000, [], [[]], [None], ["x"], [1], [1, 2, 3], [float("nan")] * 4, [1e308] * 4,
    [-1, -1, -5, -5], {}, {"id": 1}, {"size": [10**9, 10**9], "counts": "0"}, *TRAVERSALS,
)  # fmt: skip
TOKENS = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"\r", b"\r\n",
    b"\n\n", b",", b",,", b";", b'"', b"'", b"\\", b"\\u0000", b"%s", b"%n", b"[", b"]", b"{", b"}",
    b"<", b">", b"&", b"#", b"=", b"nan", b"NaN", b"inf", b"-Infinity", b"null", b"true", b"-",
    b"1e999", b"-1e999", b"99999999999999999999999", b"1" * 5000, b"0x10", b"1_0", b"\xc2\xb2",
    b"../../escaped/", b"/tmp/escaped/", b"__import__('os')", b" ", b"\t", b"\x0b", b"\xe2\x80\xa8",
)  # fmt: skip
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


# ------------------------------------------------------------------ bytes
def empty(data: bytes, rng: Rng) -> bytes:
    """Nothing is left, or blanks."""
    return (b"", b" ", b"\n", b"\0" * 64)[rng.integers(4)]


def truncate(data: bytes, rng: Rng) -> bytes:
    """The end is missing."""
    return data[: rng.integers(len(data) + 1)]


def flip_bits(data: bytes, rng: Rng) -> bytes:
    """Up to eight bits are wrong."""
    if not data:
        return data
    array = np.frombuffer(data, np.uint8).copy()
    for place in rng.integers(len(array), size=rng.integers(1, 9)):
        array[place] ^= 1 << rng.integers(8)
    return array.tobytes()


def overwrite(data: bytes, rng: Rng) -> bytes:
    """A stretch is zeros, ones or noise."""
    start, length = rng.integers(len(data) + 1), rng.integers(1, 65)
    block = (b"\0" * length, b"\xff" * length, rng.bytes(length))[rng.integers(3)]
    return data[:start] + block + data[start + length :]


def remove(data: bytes, rng: Rng) -> bytes:
    """A stretch is missing."""
    start = rng.integers(len(data) + 1)
    return data[:start] + data[start + rng.integers(1, 65) :]


def repeat(data: bytes, rng: Rng) -> bytes:
    """A stretch is there again, somewhere."""
    start, place = rng.integers(len(data) + 1, size=2)
    piece = data[start : start + rng.integers(1, 257)]
    return data[:place] + piece * rng.integers(1, 5) + data[place:]


def insert_token(data: bytes, rng: Rng) -> bytes:
    """Something that parsers treat specially."""
    place = rng.integers(len(data) + 1)
    return data[:place] + TOKENS[rng.integers(len(TOKENS))] + data[place:]


def replace_number(data: bytes, rng: Rng) -> bytes:
    """A number in a text is another one, or none."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return insert_token(data, rng)
    match = found[rng.integers(len(found))]
    return data[: match.start()] + TOKENS[rng.integers(len(TOKENS))] + data[match.end() :]


def change_encoding(data: bytes, rng: Rng) -> bytes:
    """Line ends, byte order marks and encodings of other systems."""
    text = data.decode("utf-8", errors="replace")
    return (
        data.replace(b"\n", b"\r\n"),
        data.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + data,
        text.encode("utf-16"),
        text.encode("utf-32"),
        data + b"\x1a",
    )[rng.integers(6)]


BYTES: tuple[Mutator, ...] = (empty, truncate, flip_bits, overwrite, remove, repeat, insert_token)
TEXT: tuple[Mutator, ...] = (
    *BYTES,
    replace_number,
    replace_number,
    replace_number,
    change_encoding,
)


# ------------------------------------------------------------------ tables and settings
def change_cell(data: bytes, rng: Rng) -> bytes:
    """A cell, a line, or the order of the lines of a table."""
    lines = data.split(b"\n")
    row = rng.integers(len(lines))
    separator = next((mark for mark in (b",", b"=", b"\t", b" ") if mark in lines[row]), b",")
    cells = lines[row].split(separator)
    cell = rng.integers(len(cells))
    action = rng.integers(6)
    if action == 0:
        cells.pop(cell)
    elif action == 1:
        cells.insert(cell, cells[cell])
    elif action == 2:
        lines.insert(row, lines[row])
    elif action == 3:
        rng.shuffle(lines)
        return b"\n".join(lines)
    else:
        value = VALUES[rng.integers(len(VALUES))]
        cells[cell] = str(value)[:6000].encode("utf-8", errors="surrogatepass")
    lines[row] = separator.join(cells)
    return b"\n".join(lines)


TABLE: tuple[Mutator, ...] = (*TEXT, change_cell, change_cell, change_cell, change_cell)


# ------------------------------------------------------------------ nested values
def change_value(value: Any, rng: Rng) -> Any:
    """One thing inside of nested dicts and lists is dropped, renamed, doubled or replaced."""
    parent, key = _place(value, rng)
    if parent is None:
        return _odd_value(rng)
    action = rng.integers(6)
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, dict):
        parent[f"{key}_"] = parent.pop(key)
    elif action == 1:
        parent.insert(key, copy.deepcopy(parent[key]))
    elif action == 2:
        parent[key] = _deep(rng)
    elif action == 3:
        other, place = _place(value, rng)
        parent[key] = copy.deepcopy(value if other is None else other[place])
    else:
        parent[key] = _odd_value(rng)
    return value


def _odd_value(rng: Rng) -> Any:
    return copy.deepcopy(VALUES[rng.integers(len(VALUES))])


def _deep(rng: Rng) -> Any:
    """A list in a list in a list, deeper than parsers like it; limited so that dumps can write."""
    value: Any = 1
    for _ in range(int(rng.choice([3, 100, 300]))):
        value = [value] if rng.integers(2) else {"a": value}
    return value


def _place(value: Any, rng: Rng) -> tuple[Any, Any]:
    """A random container inside of a value, and one of its keys."""
    parent = key = None
    while isinstance(value, (dict, list)) and len(value):
        if parent is not None and rng.random() < 0.25:
            break
        parent = value
        key = list(value)[rng.integers(len(value))] if isinstance(value, dict) else None
        key = int(rng.integers(len(value))) if key is None else key
        value = value[key]
    return parent, key


def _deep_text(data: bytes, rng: Rng) -> bytes:
    """Brackets within brackets, which no program would write, in the place of a number."""
    depth = int(rng.choice([1_000, 100_000]))
    opening, closing = ((b"[", b"]"), (b'{"a":', b"}"))[rng.integers(2)]
    nested = opening * depth + b"1" + closing * (depth if rng.integers(2) else 0)
    found = list(_NUMBER.finditer(data))
    if not found:
        return nested
    match = found[rng.integers(len(found))]
    return data[: match.start()] + nested + data[match.end() :]


def change_json(data: bytes, rng: Rng) -> bytes:
    """A JSON file with another value somewhere; the file is still JSON."""
    value = json.loads(data)
    for _ in range(rng.integers(1, 4)):
        value = change_value(value, rng)
    try:
        return json.dumps(value).encode()
    except RecursionError:  # deep values inside of deep values
        return data


def change_name(data: bytes, rng: Rng) -> bytes:
    """A text in a JSON file, perhaps the name of a video or image, leads elsewhere."""
    value = json.loads(data)
    texts = []
    stack = [value]
    while stack:
        item = stack.pop()
        for key in item if isinstance(item, dict) else range(len(item)):
            if isinstance(item[key], str):
                texts.append((item, key))
            elif isinstance(item[key], (dict, list)):
                stack.append(item[key])
    if texts:
        # The few texts of short lists, such as videos, are as likely as those of long ones.
        kinds = sorted({str(key) for _, key in texts})
        kind = kinds[rng.integers(len(kinds))]
        same = [place for place in texts if str(place[1]) == kind]
        item, key = same[rng.integers(len(same))]
        item[key] = TRAVERSALS[rng.integers(len(TRAVERSALS))]
    return json.dumps(value).encode()


def repeat_key(data: bytes, rng: Rng) -> bytes:
    """A JSON object that has a key twice."""
    keys = list(re.finditer(rb'"\w+": ', data))
    if not keys:
        return data
    match = keys[rng.integers(len(keys))]
    return data[: match.start()] + match.group() + b"null, " + data[match.start() :]


JSON: tuple[Mutator, ...] = (
    *TEXT,
    repeat_key,
    _deep_text,
    *(change_json,) * 14,
    *(change_name,) * 3,
)


def change_json_line(data: bytes, rng: Rng) -> bytes:
    """One line of a file with a JSON value in each line."""
    lines = data.rstrip(b"\n").split(b"\n")
    row = rng.integers(len(lines))
    lines[row] = change_json(lines[row], rng)
    return b"\n".join(lines)


JSON_LINES: tuple[Mutator, ...] = (*TEXT, _deep_text, *(change_json_line,) * 10)


# ------------------------------------------------------------------ XML
def change_element(data: bytes, rng: Rng) -> bytes:
    """An element is missing, doubled, empty or has another text."""
    elements = list(re.finditer(rb"<(\w+)>[^<]*</\1>", data))
    match = elements[rng.integers(len(elements))]
    name = match.group(1)
    value = str(VALUES[rng.integers(len(VALUES))])[:6000].encode("utf-8", errors="surrogatepass")
    new = (
        b"",
        match.group() * 2,
        b"<" + name + b"/>",
        b"<" + name + b">" + value + b"</" + name + b">",
        b"<" + name + b"><a>1</a></" + name + b">",
    )[rng.integers(5)]
    return data[: match.start()] + new + data[match.end() :]


def add_entities(data: bytes, rng: Rng) -> bytes:
    """A document type: a file of the machine, an address, or a text that grows without bound."""
    bomb = b'<!ENTITY e0 "haha">' + b"".join(
        b'<!ENTITY e%d "%s">' % (i, b"&e%d;" % (i - 1) * 10) for i in range(1, 12)
    )
    entity = (
        bomb,
        b'<!ENTITY e11 SYSTEM "file:///etc/hostname">',
        b'<!ENTITY e11 SYSTEM "http://127.0.0.1:9/x">',
        b'<!ENTITY e11 "%s">' % (b"a" * 100_000),
    )[rng.integers(4)]
    body = data.split(b"?>", 1)[-1]
    body = re.sub(rb"(<folder>)[^<]*", rb"\1&e11;", body, count=1)
    text = b"<!DOCTYPE a [" + entity + b"]>" + body
    return text.decode().encode("utf-16") if rng.integers(4) == 0 else text


def nest_elements(data: bytes, rng: Rng) -> bytes:
    """Elements in elements in elements."""
    depth = int(rng.choice([100, 50_000]))
    return data.replace(b"<size>", b"<size>" + b"<a>" * depth + b"</a>" * depth, 1)


XML: tuple[Mutator, ...] = (
    *TEXT,
    *(change_element,) * 6,
    add_entities,
    add_entities,
    nest_elements,
)


# ------------------------------------------------------------------ zip archives
def change_members(data: bytes, rng: Rng) -> bytes:
    """Members with names that lead elsewhere, links, doubles, and sizes that are no truth."""
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(target, "w") as sink:
        members = source.infolist()
        chosen = rng.integers(len(members))
        action = rng.integers(6)
        for i, member in enumerate(members):
            content, info = source.read(member), copy.copy(member)
            if i == chosen and action == 0:
                info.filename = TRAVERSALS[rng.integers(len(TRAVERSALS))]
            elif i == chosen and action == 1:
                info.external_attr = 0o120777 << 16
                content = b"/tmp"
            elif i == chosen and action == 2:
                content = b"\0" * 3_000_000
                info.compress_type = zipfile.ZIP_DEFLATED
            elif i == chosen and action == 3:
                info.filename = members[0].filename + "/below"
            elif i == chosen and action == 4:
                info.compress_type = int(rng.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
            sink.writestr(info, content)
            if i == chosen and action == 5:
                sink.writestr(info, content)
    return target.getvalue()


def change_header(data: bytes, rng: Rng) -> bytes:
    """A field of the headers of a zip archive: version, flags, method, checksum, sizes, names."""
    starts = [match.start() for match in re.finditer(rb"PK(\x01\x02|\x03\x04|\x05\x06)", data)]
    if not starts:
        return flip_bits(data, rng)
    start = starts[rng.integers(len(starts))]
    place = start + int(rng.integers(4, 46))
    value = struct.pack("<I", int(rng.choice([0, 1, 99, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])))
    size = int(rng.choice([1, 2, 4]))
    return data[:place] + value[:size] + data[place + size :]


ZIP: tuple[Mutator, ...] = (*BYTES, *(change_members,) * 5, *(change_header,) * 5)


# ------------------------------------------------------------------ a case
def mutate(data: bytes, mutators: tuple[Mutator, ...], rng: Rng) -> bytes:
    """One to three mutations; those that need a sound file come first."""
    data = mutators[rng.integers(len(mutators))](data, rng)
    raw = [mutator for mutator in mutators if mutator in BYTES]
    for _ in range(int(rng.choice([0, 0, 1, 2]))):
        data = raw[rng.integers(len(raw))](data, rng)
    return data
