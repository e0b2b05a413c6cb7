"""Read files that somebody else made: whatever is wrong with one ends in an error that names it."""

from __future__ import annotations

import codecs
import contextlib
import csv
import errno
import json
import lzma
import os
import pickle
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

# What parsers and the code behind them raise on content that they do not expect. OSError is not
# among them: the system's own errors (no such file, no permission, full disk) stay as they are.
CONTENT_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
    RecursionError,
    MemoryError,
    NotImplementedError,
    SyntaxError,
    SystemError,  # of NumPy, about types in damaged pickles
    ParseError,
    csv.Error,
    lzma.LZMAError,
    pickle.UnpicklingError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_LONGEST_REASON = 300
_OTHER_TEXT = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # no UTF-8, as decoding says
_LARGEST_NUMBER = 1e300  # so that sums of them stay finite


class UnreadableFileError(ValueError):
    """A file whose content is not what it should be; the message names the file."""


@contextlib.contextmanager
def reading(
    path: str | os.PathLike, remedy: str = "", problem: str = "cannot be read"
) -> Iterator[None]:
    """Turn errors about the content of a file into one that names the file.

    Meant for the code at the border that decodes a file and takes it apart, not for what is done
    with the values afterwards. Checks inside of the block that say more come first: a
    ``ValueError`` or ``KeyError`` whose text has the name already passes unchanged.

    Args:
        path: The file.
        remedy: End of the message.
        problem: What the message says of the file before it gives the reason; may be empty where
            the reason is a sentence.

    Raises:
        UnreadableFileError: the block found something that it did not expect.
    """
    name = os.fspath(path)
    try:
        yield
    except CONTENT_ERRORS as error:
        if isinstance(error, (ValueError, KeyError)) and name in str(error):
            raise
        raise _unreadable(name, problem, error, remedy) from error
    except OSError as error:
        # A damaged archive can name a place before its start, where the system cannot go; and bz2
        # reports damage as a plain OSError without a number.
        numberless = type(error) is OSError and error.errno is None
        if not (error.errno == errno.EINVAL or numberless) or error.filename is not None:
            raise
        raise _unreadable(name, problem, error, remedy) from error


def _unreadable(name: str, problem: str, error: BaseException, remedy: str) -> UnreadableFileError:
    head = f"{name} {problem}" if problem else name
    text = f"{head}: {reason_of(error)}"
    return UnreadableFileError(f"{text}. {remedy}" if remedy else text)


def reason_of(error: BaseException) -> str:
    """What an error says about the content of a file, in words for users."""
    if isinstance(error, RecursionError):
        return "values are nested too deeply"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is; it is damaged, or was made to do harm"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} ({error.object[error.start]:#04x}) is no {error.encoding} text"
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing" if error.args else "a key is missing"
    text = " ".join(str(error).split())[:_LONGEST_REASON]
    # These are about values of a wrong kind; what Python says about them helps beside its name.
    if isinstance(error, (TypeError, AttributeError, LookupError, ArithmeticError, AssertionError)):
        return f"a value is not what it should be ({type(error).__name__}: {text})"
    return text or type(error).__name__


def read_text(path: str | os.PathLike) -> str:
    """Content of a UTF-8 text file; a byte order mark at its start is left out.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableFileError: it is no UTF-8 text.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {os.fspath(path)}")
    with open(path, "rb") as file:
        return decode_text(file.read(), path)


def decode_text(data: bytes, path: str | os.PathLike) -> str:
    """Text of a UTF-8 file that was read already; line ends of all systems become that of Unix.

    Args:
        data: Content of the file.
        path: The file, for the message.

    Raises:
        UnreadableFileError: it is no UTF-8 text.
    """
    with reading(path, "Save it as UTF-8 text."):
        if b"\0" in data and not data.startswith(_OTHER_TEXT):
            raise ValueError("it has zero bytes, so it is no text")
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | os.PathLike) -> Any:  # noqa: ANN401 - any JSON value
    """Content of a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableFileError: it is no JSON.
    """
    text = read_text(path)
    with reading(path, "Is it a complete JSON file?"):
        return json.loads(text)


def read_json_object(path: str | os.PathLike) -> dict[str, Any]:
    """Content of a JSON file that holds one object.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableFileError: it is no JSON, or another value.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise UnreadableFileError(
            f"{os.fspath(path)} holds a {type(content).__name__}, expected a JSON object"
        )
    return content


def check_object(value: object, fields: Mapping[str, tuple[type, ...]], where: str) -> None:
    """Check an object of a JSON file.

    Args:
        value: Should be a dict.
        fields: What it must have, with the types that are taken. A boolean is no number.
        where: File and place, for the message.

    Raises:
        UnreadableFileError: it is no dict, misses a field, or a field has another type.
    """
    if not isinstance(value, dict):
        raise UnreadableFileError(f"{where} is {value!r:.60}, expected an object")
    for name, types in fields.items():
        if name not in value:
            raise UnreadableFileError(f"{where} has no {name!r}")
        found = value[name]
        if not isinstance(found, types) or (isinstance(found, bool) and bool not in types):
            wanted = " or ".join(kind.__name__ for kind in types)
            raise UnreadableFileError(f"{where}: {name!r} is {found!r:.60}, expected {wanted}")


def check_objects(values: object, fields: Mapping[str, tuple[type, ...]], where: str) -> list[dict]:
    """Check a list of objects of a JSON file, see :func:`check_object`, and return it."""
    if not isinstance(values, list):
        raise UnreadableFileError(f"{where} is {values!r:.60}, expected a list of objects")
    for index, value in enumerate(values):
        known = f" (id {value['id']!r:.30})" if isinstance(value, dict) and "id" in value else ""
        check_object(value, fields, f"{where}[{index}]{known}")
    return values


def is_number(value: object, size: int | None = None) -> bool:
    """Whether a JSON value is a finite number, or a list of so many of them."""
    if size is not None:
        return (
            isinstance(value, list)
            and len(value) == size
            and all(is_number(number) for number in value)
        )
    return isinstance(value, (int, float)) and abs(value) < _LARGEST_NUMBER
