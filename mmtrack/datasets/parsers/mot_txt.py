"""Text files of the MOTChallenge layout: boxes (gt.txt, det.txt, results) and seqinfo.ini.

Format: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", section 4 and table 3.
"""

from __future__ import annotations

import configparser
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import read_text

MIN_COLUMNS, MAX_COLUMNS = 6, 10
COLUMN_HELP = "frame,id,x1,y1,width,height[,confidence[,class,visibility | ,x,y,z]]"
# Trackers go through all frames up to the last, so that a wrong number could keep them busy for
# ever. Ten million frames are four days of video.
MOST_FRAMES = 10_000_000
_LARGEST_ID = 2**53  # beyond, whole numbers are not exact
_LARGEST_BOX = 1e8  # pixels, far beyond any image
# MOT15 and result files end in three world coordinates (-1 where unknown), which take the places
# of class and visibility; the count of columns tells the two layouts apart.
WORLD_COLUMNS = 10


class MOTFormatError(ValueError):
    """A MOTChallenge text file that does not follow the format."""


def _lines(path: str) -> Iterator[tuple[int, str]]:
    """Line numbers (from 1) and contents of the lines that are not blank."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _explain_unreadable(path: str) -> str:
    """Find the first line that is no row of numbers and say what is wrong with it."""
    expected = None
    for number, line in _lines(path):
        cells = line.split(",")
        for column, cell in enumerate(cells, 1):
            try:
                float(cell)
            except ValueError:
                return f"line {number}: column {column} is {cell!r:.60}, not a number"
        if expected is not None and len(cells) != expected:
            return f"line {number} has {len(cells)} columns, the lines before it have {expected}"
        expected = len(cells)
    return "the file is no table of numbers"


def _first_problem(values: np.ndarray, *, allow_empty: bool) -> tuple[int, str] | None:
    """First row that breaks a rule of the format, and the rule.

    Args:
        values: Rows of the file ``(N, C)``.
        allow_empty: Accept boxes whose width or height is 0.
    """
    whole = values[:, [0, 1, 7]] if values.shape[1] in (8, 9) else values[:, :2]
    sizes = values[:, 4:6]
    rules = (
        (~np.isfinite(values).all(axis=1), "a value is not finite (NaN or infinity)"),
        ((whole != np.round(whole)).any(axis=1), "frame, id and class must be whole numbers"),
        (values[:, 0] < 1, "frames are counted from 1"),
        (values[:, 0] > MOST_FRAMES, f"there are at most {MOST_FRAMES:,} frames"),
        ((np.abs(whole) > _LARGEST_ID).any(axis=1), "the id or class is no plausible number"),
        (
            (np.abs(values[:, 2:6]) > _LARGEST_BOX).any(axis=1),
            "the box lies far beyond any image",
        ),
        ((sizes < 0).any(axis=1), "width or height is negative"),
        (
            (sizes == 0).any(axis=1) & (not allow_empty),
            "the box has no area; remove the row, or read the file with drop_empty=True",
        ),
    )
    found = [(int(np.argmax(bad)), rule) for bad, rule in rules if bad.any()]
    return min(found, key=lambda item: item[0]) if found else None


def _check(path: str, values: np.ndarray, *, allow_empty: bool) -> None:
    columns = values.shape[1]
    if not MIN_COLUMNS <= columns <= MAX_COLUMNS:
        raise MOTFormatError(
            f"{path}: {columns} columns, expected {MIN_COLUMNS} to {MAX_COLUMNS}: {COLUMN_HELP}"
        )
    problem = _first_problem(values, allow_empty=allow_empty)
    if problem is not None:
        row, rule = problem
        number, line = next(item for i, item in enumerate(_lines(path)) if i == row)
        raise MOTFormatError(f"{path}, line {number}: {rule}: {line!r:.200}")


def _load_rows(path: str) -> np.ndarray:
    with warnings.catch_warnings():
        # A sequence without any box is normal; its file is empty.
        warnings.filterwarnings("ignore", message=".*input contained no data")
        try:
            return np.loadtxt(path, delimiter=",", ndmin=2, comments=None, encoding="utf-8-sig")
        except ValueError as error:
            reason = _explain_unreadable(path)
            raise MOTFormatError(f"{path}: {reason}; expected {COLUMN_HELP}") from error


def read_mot_txt(path: str | os.PathLike, *, drop_empty: bool = False) -> MOTTable:
    """Read boxes of one sequence: gt.txt, det.txt or a result file.

    Rows are ``frame,id,x1,y1,width,height`` and, as far as the file has them, confidence, class
    and visibility. In files of ten columns the last three are world coordinates, which are left
    out. Rows may come in any order (gt.txt of MOT17 goes by identity) and are sorted by frame,
    keeping the order of the file within a frame. An empty file is a sequence without boxes.

    Args:
        path: The text file.
        drop_empty: Leave out boxes of width or height 0, which trackers write for objects at the
            border of the image, with a warning. Without it such a box is an error.

    Returns:
        The boxes, origin and frame numbers as in the file.

    Raises:
        FileNotFoundError: There is no such file.
        MOTFormatError: Wrong columns, a value that is not finite, fractional frame, id or class,
            a frame below 1, a box without area; the message names file and line.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"MOTChallenge file {path} does not exist")
    values = _load_rows(path)
    if values.size == 0:
        return MOTTable.from_columns(np.zeros(0), np.zeros(0), np.zeros((0, 4)))
    _check(path, values, allow_empty=drop_empty)
    if drop_empty:
        keep = (values[:, 4:6] > 0).all(axis=1)
        if not keep.all():
            warnings.warn(f"{path}: {np.sum(~keep)} boxes without area left out", stacklevel=2)
            values = values[keep]
    values = values[np.argsort(values[:, 0], kind="stable")]
    columns = values.shape[1]
    known = columns != WORLD_COLUMNS
    return MOTTable.from_columns(
        values[:, 0],
        values[:, 1],
        values[:, 2:6],
        scores=values[:, 6] if columns > 6 else None,
        classes=values[:, 7] if columns > 7 and known else None,
        visibility=values[:, 8] if columns > 8 and known else None,
    )


def write_mot_txt(path: str | os.PathLike, table: MOTTable, *, columns: int | None = None) -> None:
    """Write the boxes of one sequence, three digits behind the point.

    Args:
        path: The text file; missing folders are created.
        table: Boxes; rows are written in their order.
        columns: 7 for detections (up to the confidence), 9 for ground truth (with class and
            visibility), 10 for results (three times -1 at the end). By default 9 where a class is
            known, else 10.

    Raises:
        ValueError: A value is not finite, or `columns` is none of the above.
    """
    if columns is None:
        columns = 9 if np.any(table.classes >= 0) else 10
    values = np.concatenate((table.boxes, table.scores[:, None]), axis=1)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(
            f"cannot write {os.fspath(path)}: row {row} (frame {table.frames[row]}, id "
            f"{table.ids[row]}) is not finite: {values[row].tolist()}"
        )
    box = "%d,%d,%.3f,%.3f,%.3f,%.3f,"
    head = [table.frames, table.ids, *table.boxes.T, table.scores]
    if columns == 9:
        rows, form = zip(*head, table.classes, table.visibility, strict=True), box + "%g,%d,%g\n"
    elif columns in (7, 10):
        tail = ",-1,-1,-1" if columns == 10 else ""
        rows, form = zip(*head, strict=True), f"{box}%.3f{tail}\n"
    else:
        raise ValueError(f"columns is {columns}, expected 7, 9 or 10")
    with atomic_write(path) as file:
        file.writelines(form % row for row in rows)


@dataclass(frozen=True)
class SeqInfo:
    """What seqinfo.ini says about a sequence; None where the file is silent.

    Attributes:
        name: Name of the sequence.
        im_dir: Folder of the images below the folder of the sequence.
        frame_rate: Frames per second.
        length: Count of frames.
        width: Width of the images in pixels.
        height: Height of the images in pixels.
        im_ext: Ending of the image files with its point.
    """

    name: str
    im_dir: str | None
    frame_rate: float | None
    length: int
    width: int | None
    height: int | None
    im_ext: str | None


def _number(text: str) -> float:
    """A frame rate: whole numbers stay whole, 29.97 keeps its fraction."""
    value = float(text)
    if not 0 < value < MOST_FRAMES:
        raise ValueError("a frame rate is above zero")
    return int(value) if value.is_integer() else value


def _count(text: str) -> int:
    """A number of frames or pixels."""
    if not 1 <= int(text) <= MOST_FRAMES:
        raise ValueError(f"expected 1 to {MOST_FRAMES}")
    return int(text)


# key in the file, field, type
SEQINFO_FIELDS = (
    ("name", "name", str),
    ("imDir", "im_dir", str),
    ("frameRate", "frame_rate", _number),
    ("seqLength", "length", _count),
    ("imWidth", "width", _count),
    ("imHeight", "height", _count),
    ("imExt", "im_ext", str),
)
SEQINFO_KEYS = tuple(key for key, _, _ in SEQINFO_FIELDS)


def read_seqinfo(
    path: str | os.PathLike, required: Sequence[str] = ("name", "seqLength")
) -> SeqInfo:
    """Read seqinfo.ini.

    Args:
        path: The file.
        required: Keys that must be there; `SEQINFO_KEYS` for all. Detections without images come
            with the name and the length alone.

    Raises:
        FileNotFoundError: There is no such file.
        MOTFormatError: The file has no section ``[Sequence]``, lacks required keys (all are
            named), or a value has the wrong type.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"sequence description {path} does not exist")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path), source=path)
        section = parser["Sequence"]
    except (configparser.Error, KeyError) as error:
        raise MOTFormatError(f"{path}: no section [Sequence] with key=value lines") from error
    missing = [key for key in required if not section.get(key, "").strip()]
    if missing:
        raise MOTFormatError(f"{path}: missing in [Sequence]: {', '.join(missing)}")
    fields = {}
    for key, field, kind in SEQINFO_FIELDS:
        text = section.get(key, "").strip()
        try:
            fields[field] = kind(text) if text else None
        except ValueError as error:
            raise MOTFormatError(
                f"{path}: {key} is {text!r:.60}, expected a number above zero"
            ) from error
    return SeqInfo(**fields)


def write_seqinfo(path: str | os.PathLike, info: SeqInfo) -> None:
    """Write seqinfo.ini with the known fields in the order of the benchmark."""
    values = ((key, getattr(info, field)) for key, field, _ in SEQINFO_FIELDS)
    with atomic_write(path) as file:
        file.write("[Sequence]\n")
        file.writelines(f"{key}={value}\n" for key, value in values if value is not None)
