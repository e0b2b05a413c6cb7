"""Text files of single object tracking: lists of videos, and tables of numbers."""

from __future__ import annotations

import re
import warnings
from io import StringIO

import numpy as np

INFO_FIELDS = ("video_path", "ann_path", "start_frame_id", "end_frame_id")
INFO_HELP = "video_path,annotation_path,start_frame_id,end_frame_id"
# A wrong number of frames must not fill the memory; these are four days of video.
MOST_FRAMES, _DIGITS = 10_000_000, 12
_LARGEST_BOX = 1e8  # pixels, far beyond any image
NUMBER = re.compile(r"[-+]?(?:nan|inf|\d*\.?\d+(?:e[-+]?\d+)?)", re.IGNORECASE)


class SOTFormatError(ValueError):
    """A text file of a single object tracking data set that does not follow its format."""


def parse_infos(text: str, name: str) -> list[dict]:
    """Parse a list of videos.

    The first line is a comment. Every other line is ``video_path,annotation_path,start,end``; both
    frame numbers belong to the video.

    Args:
        text: Content of the file.
        name: Name of the file, for errors.

    Returns:
        One dict per video: ``video_path``, ``ann_path``, ``start_frame_id``, ``end_frame_id``.

    Raises:
        SOTFormatError: A line misses a field, a frame number is no whole number, the last frame
            comes before the first, or there is no video; the message names the line.
    """
    infos = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        problem = _problem_of_info(line)
        if number == 1:
            if problem is None:
                warnings.warn(f"{name}: the first line is a comment; {line!r} is not read")
            continue
        if problem is not None:
            raise SOTFormatError(
                f"{name}, line {number}: {problem} in {line.strip()!r:.200}; expected {INFO_HELP}"
            )
        video_path, ann_path, start, end = (field.strip() for field in line.split(","))
        values = (video_path, ann_path, int(start), int(end))
        infos.append(dict(zip(INFO_FIELDS, values, strict=True)))
    if not infos:
        raise SOTFormatError(f"{name} lists no videos; expected lines {INFO_HELP}")
    return infos


def _problem_of_info(line: str) -> str | None:
    """What is wrong with a line of a list of videos."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != len(INFO_FIELDS) or not all(fields):
        return f"{len([f for f in fields if f])} fields"
    if not all(field.isascii() and field.isdecimal() for field in fields[2:]):
        return "frame numbers that are no whole numbers"
    if max(map(len, fields[2:])) > _DIGITS or int(fields[3]) - int(fields[2]) >= MOST_FRAMES:
        return f"more than {MOST_FRAMES:,} frames"
    return "the last frame before the first" if int(fields[3]) < int(fields[2]) else None


def parse_table(text: str, name: str) -> np.ndarray:
    """Parse lines of numbers with anything between them that is no number.

    Args:
        text: Content of the file; ``nan`` is a number. Blank lines are left out.
        name: Name of the file, for errors.

    Returns:
        ``(N, k)`` float64; ``(0, 0)`` without lines.

    Raises:
        SOTFormatError: A line has another count of numbers than the first, or words.
    """
    first = text.lstrip().split("\n", 1)[0]
    if not first:
        return np.zeros((0, 0))
    delimiter = next((mark for mark in ",;\t" if mark in first), None)
    try:
        return np.loadtxt(StringIO(text), delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:  # another separator, or an error to be explained
        return _parse_anything(text, name)


def _parse_anything(text: str, name: str) -> np.ndarray:
    """`parse_table` that is ten times as slow and takes any separator."""
    lines = text.split("\n")
    rows = [NUMBER.findall(line) for line in lines]
    width = next((len(row) for row in rows if row), 0)
    for number, (line, row) in enumerate(zip(lines, rows, strict=True), 1):
        if line.strip() and len(row) != width:
            raise SOTFormatError(
                f"{name}, line {number}: {line.strip()!r:.200} has {len(row)} numbers, the first "
                f"line has {width}"
            )
    rows = [row for row in rows if row]
    return np.array(rows, np.float64).reshape(len(rows), width)


def check_boxes(boxes: np.ndarray, widths: tuple[int, ...], name: str) -> np.ndarray:
    """Check a table of boxes or polygons.

    Args:
        boxes: ``(N, k)``.
        widths: Counts of numbers that a row may have.
        name: Name of the file, for errors.

    Returns:
        The table.

    Raises:
        SOTFormatError: The table is empty, has another width, or values that are infinite or far
            beyond any image.
    """
    allowed = " or ".join(map(str, widths))
    if boxes.size == 0:
        raise SOTFormatError(f"{name} has no boxes; expected lines of {allowed} numbers")
    if boxes.shape[1] not in widths:
        raise SOTFormatError(f"{name} has {boxes.shape[1]} numbers a line, expected {allowed}")
    infinite = (np.abs(boxes) > _LARGEST_BOX).any(axis=1)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise SOTFormatError(
            f"{name}: box {row} is not finite, or far beyond any image: {boxes[row].tolist()}"
        )
    return boxes
