"""Read large JSON annotation files piece by piece, without holding the text in memory.

An annotation file is one object whose large members are lists of objects. Such a list is decoded
in chunks of a few megabytes. Where a chunk ends is guessed and then proven: ``[`` + text + ``]``
is valid JSON exactly if the text, which starts with an element, also ends with an element.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

CHUNK_BYTES = 1 << 22
_ELEMENT_END = re.compile(rb"\}[ \t\r\n]*(?=,[ \t\r\n]*\{|\])")
_NO_SPACE = re.compile(rb"[^ \t\r\n]")
_NUMBER_CHARACTERS = frozenset("0123456789.eE+-")

DecodeList = Callable[[bytes], Any]


class BrokenJSON(ValueError):
    """The file is not the JSON object that was expected; the message says where and why."""


def decode_objects(text: bytes) -> list[dict]:
    """Decode a list of objects; the non-standard NaN and Infinity of Python are understood.

    Raises:
        ValueError: the text is not valid JSON.
    """
    try:
        objects = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if b"NaN" not in text and b"Infinity" not in text:
            raise ValueError(str(error)) from error
        objects = json.loads(text)
    if not all(type(item) is dict for item in objects):
        raise ValueError("expected objects '{...}' in the whole list")
    return objects


class JSONStream:
    """The members of the JSON object in a file, in the order of the file.

    Args:
        path: File.
        decode: Decodes the text of a list of objects; raises ``ValueError`` if the text is not
            valid JSON.
        chunk_bytes: Approximate size of the pieces of a list that are decoded at once.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        decode: DecodeList = decode_objects,
        chunk_bytes: int = CHUNK_BYTES,
    ):
        self.path = os.fspath(path)
        self.decode = decode
        self.chunk_bytes = chunk_bytes
        self._file = None
        self._at_end = False
        self._buffer = b""
        self._offset = 0  # of the buffer in the file

    def members(self) -> Iterator[tuple[str, Any]]:
        """Yield ``(key, value)``.

        A list of objects is given as an iterator over what ``decode`` returns for its chunks; it
        has to be used up before the next member is asked for. Any other value is given decoded.

        Raises:
            BrokenJSON: the text is not valid.
        """
        with open(self.path, "rb") as self._file:
            self._buffer, self._offset, self._at_end = b"", 0, False
            self._expect(b"{", "a JSON object")
            if self._peek() == b"}":
                return
            while True:
                key = self._take_value()
                if not isinstance(key, str):
                    raise self._error("expected a key in double quotes")
                self._expect(b":", "':'")
                if self._peek() == b"[" and self._next_byte(1) == b"{":
                    self._skip(1)
                    self._peek()
                    yield key, self._chunks()
                else:
                    yield key, self._take_value()
                if self._peek() == b"}":
                    return
                self._expect(b",", "',' or '}'")

    def _chunks(self) -> Iterator[Any]:
        """Decoded pieces of the list whose first element is next."""
        wanted = self.chunk_bytes
        while True:
            rows, end = None, 0
            while rows is None and wanted > 0:
                rows, end = self._try_chunk(wanted)
                if rows is None:
                    wanted //= 4
            if rows is None:
                rows, end = self._one_element()
            yield rows
            wanted = min(2 * max(wanted, 1 << 10), self.chunk_bytes)
            self._skip(end)
            if self._peek() == b"]":
                self._skip(1)
                return
            self._expect(b",", "',' or ']' in a list")
            self._peek()

    def _try_chunk(self, wanted: int) -> tuple[Any, int]:
        """Decode about ``wanted`` bytes; ``(None, 0)`` if they do not end with an element."""
        while len(self._buffer) < wanted + (1 << 16) and self._read_more():
            pass
        match = _ELEMENT_END.search(self._buffer, min(wanted, len(self._buffer)))
        if match is None:
            return None, 0
        try:
            return self.decode(b"[" + self._buffer[: match.end()] + b"]"), match.end()
        except ValueError:
            return None, 0  # the end was inside a nested value, or behind the end of the list

    def _one_element(self) -> tuple[Any, int]:
        """Decode the next element alone, where no guess of an end was right."""
        value, end = self._parse_value()
        if not isinstance(value, dict):
            raise self._error("expected an object '{...}' as in the rest of the list")
        try:
            return self.decode(b"[" + self._buffer[:end] + b"]"), end
        except ValueError as error:  # what Python's parser takes and msgspec does not
            raise self._error(str(error)) from error

    def _take_value(self) -> Any:
        """Decode one value of any kind and drop its text."""
        self._peek()
        value, end = self._parse_value()
        self._skip(end)
        return value

    def _parse_value(self) -> tuple[Any, int]:
        """The value at the start of the buffer, and the number of bytes that it takes."""
        while True:
            text = self._buffer.decode("utf-8", errors="surrogateescape")
            try:
                value, end = json.JSONDecoder().raw_decode(text)
                # a number may go on behind the end of the buffer
                if self._at_end or (text[end:] or text[-1])[0] not in _NUMBER_CHARACTERS:
                    return value, len(text[:end].encode("utf-8", errors="surrogateescape"))
            except json.JSONDecodeError as error:
                if self._at_end:
                    before = text[: error.pos].encode("utf-8", errors="surrogateescape")
                    raise self._error(error.msg, len(before)) from error
            self._read_more()

    def _read_more(self) -> bool:
        """Append the next piece of the file to the buffer; False at its end."""
        piece = b"" if self._at_end else self._file.read(self.chunk_bytes)
        self._at_end = not piece
        self._buffer += piece
        return bool(piece)

    def _skip(self, count: int) -> None:
        """Drop bytes from the start of the buffer."""
        self._buffer = self._buffer[count:]
        self._offset += count

    def _next_byte(self, start: int) -> bytes:
        """First byte at or after ``start`` that is not white space."""
        while True:
            match = _NO_SPACE.search(self._buffer, start)
            if match:
                return match.group()
            if not self._read_more():
                raise self._error("the file ends too early", len(self._buffer))

    def _peek(self) -> bytes:
        """First byte that is not white space, which becomes the start of the buffer."""
        byte = self._next_byte(0)
        self._skip(self._buffer.index(byte))
        return byte

    def _expect(self, byte: bytes, what: str) -> None:
        if self._peek() != byte:
            raise self._error(f"expected {what}")
        self._skip(1)

    def _error(self, message: str, position: int = 0) -> BrokenJSON:
        near = self._buffer[position : position + 40].decode("utf-8", errors="replace")
        where = f"at byte {self._offset + position}" + (f", near {near!r}" if near else "")
        return BrokenJSON(f"{message} {where}")
