"""Report data as one compact JSON text that may stand inside an HTML page.

Numbers of boxes are columns of little-endian bytes in base64, which a browser reads as typed arrays
without parsing them.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np

from mmtrack.core.visualization.palette import NO_IDENTITY, id_palette

from .model import BoxColumns, Chart, ErrorKind, Report, ScoreTable, Video

_INT16_MAX = 2**15 - 1
_COARSEST_STEP = 1 / 8  # of a pixel
_LEAST_DISTANCE = 45  # in CIELAB, between the colour of an identity and that of an error
# What could end the script element that the text stands in, or begin a comment in it.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def pack(report: Report, pictures: Sequence[Sequence[int]]) -> str:
    """The JSON text of a report.

    Args:
        report: The report.
        pictures: For each video the frames, ascending, of which the page has a picture.

    Returns:
        ASCII without ``<``, ``>`` and ``&``: whatever names and classes contain, they cannot leave
        the script element.
    """
    content = {
        "title": report.title,
        "task": report.task,
        "facts": dict(report.facts),
        "classes": list(report.classes),
        "kinds": [{**asdict(kind), "color": _hex(kind.color)} for kind in report.kinds],
        "palette": [_hex(color) for color in _palette(report.kinds)],
        "classColors": _class_colors(report),
        "headline": [{**asdict(c), "value": _number(value)} for c, value in report.headline],
        "tables": [_pack_table(table) for table in report.tables],
        "charts": [_pack_chart(chart) for chart in report.charts],
        "videos": [
            _pack_video(video, own) for video, own in zip(report.videos, pictures, strict=True)
        ],
        "notes": list(report.notes),
        "leastScore": report.least_score,
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.translate(_ESCAPES)


def _palette(kinds: Sequence[ErrorKind]) -> np.ndarray:
    """Colours of identities, without those that could be taken for an error, ``(n, 3)`` BGR."""
    colors = id_palette()
    errors = np.array([kind.color for kind in kinds], np.uint8).reshape(-1, 3)
    lab, error_lab = (
        cv2.cvtColor(rows[None].astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[0]
        for rows in (colors, np.concatenate((errors, [NO_IDENTITY])))
    )
    distances = np.linalg.norm(lab[:, None] - error_lab[None], axis=2)
    return colors[distances.min(axis=1) > _LEAST_DISTANCE]


def _class_colors(report: Report) -> list[int]:
    """Place of each class in the palette, whose first colours differ most: common classes first."""
    sides = [boxes for video in report.videos for boxes in (video.results, video.truth) if boxes]
    labels = np.concatenate([np.zeros(0, np.int64), *(boxes.labels for boxes in sides)])
    counts = np.bincount(labels, minlength=len(report.classes))
    return np.argsort(np.argsort(-counts, kind="stable")).tolist()


def _hex(bgr: Sequence[int]) -> str:
    blue, green, red = (int(v) for v in bgr)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _number(value: float | None) -> float | int | None:
    """A number of JSON; None for what is undefined."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _pack_table(table: ScoreTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [asdict(column) for column in table.columns],
        "rows": [
            {
                "name": name,
                "video": table.videos.get(name),
                "total": name == table.total,
                "values": [_number(value) for value in values],
            }
            for name, values in table.rows.items()
        ],
    }


def _pack_chart(chart: Chart) -> dict[str, Any]:
    if chart.kind == "bars":
        x, lines = list(chart.x), {n: [_number(v) for v in y] for n, y in chart.lines.items()}
    else:
        x, lines = _column(chart.x, "f4"), {n: _column(y, "f4") for n, y in chart.lines.items()}
    return {
        "title": chart.title,
        "xLabel": chart.x_label,
        "yLabel": chart.y_label,
        "kind": chart.kind,
        "range": chart.y_range,
        "x": x,
        "lines": lines,
    }


def _pack_video(video: Video, pictures: Sequence[int]) -> dict[str, Any]:
    for boxes in filter(None, (video.results, video.truth)):
        _check_boxes(video, boxes)
    return {
        "name": video.name,
        "size": [int(side) for side in video.size],
        "numbers": _column(video.frame_numbers, "i4"),
        "results": _pack_boxes(video.results, len(video.frame_numbers)),
        "truth": None
        if video.truth is None
        else _pack_boxes(video.truth, len(video.frame_numbers)),
        "charts": [_pack_chart(chart) for chart in video.charts],
        "overTime": {name: _column(values, "f4") for name, values in video.over_time.items()},
        "pictures": [int(frame) for frame in pictures],
    }


def _check_boxes(video: Video, table: BoxColumns) -> None:
    """Refuse coordinates that cannot be drawn, and ids that the page cannot hold."""
    limits = np.iinfo(np.int32)
    for wrong, words in (
        (~np.isfinite(table.boxes).all(axis=1), "must be finite"),
        ((table.ids < limits.min) | (table.ids > limits.max), f"must have an id <= {limits.max}"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            frame = video.frame_numbers[table.frames[row]]
            raise ValueError(
                f"{video.name}, frame {frame}: the box {table.boxes[row].tolist()} of id "
                f"{table.ids[row]} {words}"
            )


def _pack_boxes(table: BoxColumns, num_frames: int) -> dict[str, Any]:
    """Columns of boxes; rows of frame ``f`` are those from ``starts[f]`` to ``starts[f + 1]``."""
    starts = np.searchsorted(table.frames, np.arange(num_frames + 1))
    packed: dict[str, Any] = {
        "starts": _column(starts, "u4"),
        "boxes": _coordinates(table.boxes),
        "ids": _column(table.ids, "i4"),
        "labels": _column(table.labels, "u2"),
        "scores": _column(table.scores, "f4"),
        "states": _column(table.states, "u1"),
        "partners": _column(table.partners, "i4"),
    }
    if table.found_scores is not None:
        packed["foundScores"] = _column(table.found_scores, "f4")
    if table.polygons is not None:
        packed["polygons"] = _column(table.polygons, "f4")
    if table.masks:
        packed["masks"], packed["maskSize"] = list(table.masks), list(table.mask_size)
    return packed


def _column(values: np.ndarray, kind: str) -> list[Any]:
    """``[type, base64]`` of an array."""
    return [kind, _base64(np.asarray(values).astype(f"<{kind}"))]


def _coordinates(values: np.ndarray) -> list[Any]:
    """``['i2', base64, step]``: coordinates as multiples of a step that just lets them fit.

    The step is 1/16 of a pixel for frames of 2048 pixels; half the bytes of floats. A box far
    outside of the frame would make it too coarse for the others: then they stay floats.
    """
    largest = float(np.abs(values).max(initial=1.0))
    step = largest / _INT16_MAX
    if step > _COARSEST_STEP:
        return _column(values, "f4")
    return ["i2", _base64(np.rint(values / step).astype("<i2")), step]


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
