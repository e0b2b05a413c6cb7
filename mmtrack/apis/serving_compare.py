"""Compare what a server answered with what the same model answers here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.core.visualization import open_source

SHOWN = 10  # differences that are listed


class Tolerance(NamedTuple):
    """What two machines may differ by; one machine with the same threads differs by nothing.

    Attributes:
        pixels: Sides and places of boxes.
        score: Scores. An object whose score is as near to the threshold may be missing.
        overlap: Lowest IoU of two masks of an object.
        levels: Change of a pixel, of 255, that does not count.
        changed: Share of the pixels of a frame that may change more than that.
    """

    pixels: float = 1.0
    score: float = 0.01
    overlap: float = 0.95
    levels: int = 48
    changed: float = 0.01


class VideoDifference(NamedTuple):
    """How two videos differ.

    Attributes:
        problems: Differences beyond the tolerance, one line each.
        frames: Frames compared.
        worst: Largest share of changed pixels in a frame.
    """

    problems: list[str]
    frames: int
    worst: float


def compare_videos(served: str, local: str, tolerance: Tolerance) -> VideoDifference:
    """Compare two video files frame by frame; one frame of each is in memory.

    Raises:
        ValueError: one of them cannot be decoded.
    """
    problems, worst, frames = [], 0.0, 0
    for frame, (a, b) in enumerate(zip_longest(open_source(served), open_source(local))):
        if a is None or b is None:
            shorter = "served" if a is None else "local"
            problems.append(f"the {shorter} video ends after {frame} frames, the other goes on")
            break
        if a.shape != b.shape:
            problems.append(f"frame {frame}: served {a.shape}, local {b.shape}")
            break
        frames += 1
        changed = np.abs(a.astype(np.int16) - b).max(axis=2) > tolerance.levels
        share = float(changed.mean())
        worst = max(worst, share)
        if share > tolerance.changed:
            problems.append(f"frame {frame}: {share:.2%} of the pixels differ")
    return VideoDifference(problems, frames, worst)


def compare_results(
    served: dict[str, Any], local: dict[str, Any], score_thr: float, tolerance: Tolerance
) -> list[str]:
    """Compare two answers in JSON.

    Args:
        served: Of the server.
        local: Of the model here.
        score_thr: Threshold that both were asked with.
        tolerance: What they may differ by.

    Returns:
        Differences, one line each.
    """
    names = [name for name in local if name != "frames"]
    problems = [
        f"{name}: served {served.get(name)}, local {local[name]}"
        for name in names
        if served.get(name) != local[name]
    ]
    for mine, other in zip(served["frames"], local["frames"], strict=False):
        place = f"frame {other['frame_id']}"
        pairs = _pairs(mine["objects"], other["objects"])
        for a, b in pairs:
            problems += [f"{place}: {text}" for text in _differences(a, b, score_thr, tolerance)]
    return problems


def listed(problems: list[str]) -> str:
    """Differences as lines of text, shortened."""
    more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return "\n".join([*problems[:SHOWN], *more])


def _pairs(mine: list[dict], other: list[dict]) -> Iterator[tuple[dict | None, dict | None]]:
    """Objects that belong together: by id, else the nearest of the same class."""
    rest = list(mine)
    for b in other:
        same = [a for a in rest if (a.get("id"), a.get("label")) == (b.get("id"), b.get("label"))]
        a = min(same, key=lambda a: _distance(a, b), default=None)
        if a is not None:
            rest.remove(a)
        yield a, b
    for a in rest:
        yield a, None


def _distance(a: dict, b: dict) -> float:
    """Largest difference of the numbers of two boxes, in pixels."""
    return float(np.abs(np.subtract(a["bbox"], b["bbox"])).max())


def _differences(
    a: dict | None, b: dict | None, score_thr: float, tolerance: Tolerance
) -> Iterator[str]:
    """What differs between an object of the server (a) and one from here (b)."""
    if a is None or b is None:
        only, side = (a, "served") if b is None else (b, "local")
        if _score(only) > score_thr + tolerance.score:
            yield f"{_name(only)} with score {only['score']} is in the {side} result only"
        return
    if _distance(a, b) > tolerance.pixels:
        yield f"{_name(b)}: box {a['bbox']} served, {b['bbox']} local"
    if abs(_score(a) - _score(b)) > tolerance.score:
        yield f"{_name(b)}: score {a['score']} served, {b['score']} local"
    if "mask" in b and (overlap := _overlap(a, b)) < tolerance.overlap:
        yield f"{_name(b)}: the masks overlap by {overlap:.3f}"


def _overlap(a: dict, b: dict) -> float:
    """IoU of the masks of two objects; 1 where both are empty, 0 where one is missing."""
    if "mask" not in a or a["mask"]["size"] != b["mask"]["size"]:
        return 0.0
    masks = [a["mask"], b["mask"]]
    union = float(coco_mask.area(coco_mask.merge(masks)))
    both = float(coco_mask.area(coco_mask.merge(masks, intersect=True)))
    return both / union if union else 1.0


def _score(entry: dict) -> float:
    """Score of an object; that of a box which the client gave is 1."""
    return 1.0 if entry["score"] is None else entry["score"]


def _name(entry: dict) -> str:
    parts = [f"{key} {entry[key]}" for key in ("id", "class") if entry.get(key) is not None]
    return f"object ({', '.join(parts)})" if parts else "the object"
