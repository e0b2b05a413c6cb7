"""Videos of one object: choose it in a scene, render the frames and note where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mmtrack.core.bbox import bbox_iou
from mmtrack.core.bbox.region import rectangles_to_polygons

from ..casting import SceneSpec, street_scene
from ..scene import CATEGORIES, Frame, Scene
from .base import Progress, RenderOptions, option, write_image

TARGETS = ("person", "car")  # what is tracked; everything else is there to distract and to hide
_LOOKS = 6  # frames that a target is judged by, spread over the video
_LEAST_VISIBLE = 0.6  # of the target in the first frame
_TAKES = 20  # scenes that are tried for a video
_ABSENT = 0.02  # share of the target that nobody would notice
_WHOLE = 0.8  # visible share from which the outline is that of the whole target


@dataclass(frozen=True)
class SOTOptions(RenderOptions):
    """Options of all layouts with one object per video."""

    videos: int = option(6, "number of videos to train with")
    test_videos: int = option(3, "number of videos to test with")
    frames: int = option(60, "frames of each video")
    fps: int = option(15, "frames per second; fewer means larger steps between frames")
    people: int = option(5, "people in the picture on average")


@dataclass(frozen=True)
class SOTTestOptions(RenderOptions):
    """Options of layouts that are only for testing."""

    videos: int = option(4, "number of videos")
    frames: int = option(60, "frames of each video")
    fps: int = option(15, "frames per second; fewer means larger steps between frames")
    people: int = option(5, "people in the picture on average")


@dataclass(frozen=True)
class TargetPath:
    """Where the object of a video is; rows are frames.

    Attributes:
        bboxes: ``(N, 4)`` x, y, width, height of the part inside of the frame, without what hides
            it; zeros where it is not seen.
        visibility: Share of it that is seen, ``(N,)``.
        inside: Share of its box inside of the frame, ``(N,)``.
        polygons: ``(N, 8)`` corners of a rotated rectangle around it; where it is not seen, those
            of the last frame.
    """

    bboxes: np.ndarray
    visibility: np.ndarray
    inside: np.ndarray
    polygons: np.ndarray

    @property
    def absent(self) -> np.ndarray:
        """Whether nothing of it is seen, ``(N,)``."""
        return self.visibility < _ABSENT


def record(
    spec: SceneSpec, folder: Path, template: str, first: int, progress: Progress
) -> TargetPath:
    """Render a video and write its frames.

    Args:
        spec: The scene; other takes of it are tried until one has an object to track.
        folder: Where the images go; it is created.
        template: Name of an image, given its number.
        first: Number of the first image.
        progress: Called after each frame.

    Raises:
        ValueError: no scene has an object to track.
    """
    scene, target = _cast(spec)
    folder.mkdir(parents=True)
    rows = []
    for number, frame in enumerate(scene, first):
        write_image(folder / (template % number), frame.image)
        rows.append(_look_at(frame, target, spec.size))
        progress()
    return _path(rows)


def _cast(spec: SceneSpec) -> tuple[Scene, int]:
    """A scene and the id of the object to track."""
    for take in range(_TAKES):
        name = spec.name if take == 0 else f"{spec.name}, take {take + 1}"
        scene = street_scene(replace(spec, name=name))
        target = _choose_target(scene)
        if target is not None:
            return scene, target
    raise ValueError(
        f"{spec.name}: none of {_TAKES} scenes starts with an object to track; use more --people "
        "or larger frames"
    )


def _choose_target(scene: Scene) -> int | None:
    """Id of the object that stays in sight and moves most; None if none can be seen at first."""
    steps = np.unique(np.linspace(0, len(scene) - 1, _LOOKS).astype(int))
    looks = [scene.render(int(step)).without_pixels() for step in steps]
    wanted = [CATEGORIES.index(name) for name in TARGETS]
    scores = {}
    for row in np.flatnonzero(looks[0].visibility >= _LEAST_VISIBLE):
        if looks[0].categories[row] in wanted:
            number = int(looks[0].ids[row])
            scores[number] = sum(_worth(look, number, looks[0].bboxes[row]) for look in looks)
    return max(scores, key=scores.get) if scores else None


def _worth(look: Frame, number: int, start: np.ndarray) -> float:
    """How much a frame speaks for an object: it is seen, and away from where it started."""
    rows = np.flatnonzero(look.ids == number)
    if not len(rows):
        return 0.0
    corners = [np.concatenate((b[:2], b[:2] + b[2:]))[None] for b in (start, look.bboxes[rows[0]])]
    moved = 1 - bbox_iou(*corners, aligned=True)[0]
    return float(look.visibility[rows[0]] * (1 + moved))


def _look_at(frame: Frame, target: int, size: tuple[int, int]) -> tuple | None:
    """Box, visibility, share inside and outline of an object; None if it is not in the frame."""
    rows = np.flatnonzero(frame.ids == target)
    if not len(rows):
        return None
    row = int(rows[0])
    corner, extent = frame.bboxes[row, :2], frame.bboxes[row, 2:]
    first, last = np.clip(corner, 0, size), np.clip(corner + extent, 0, size)
    bbox = np.concatenate((first, last - first))
    inside = float(bbox[2:].prod() / extent.prod())
    visibility = float(frame.visibility[row])
    if visibility >= _WHOLE:
        polygon = _rotated_box(frame.mask(row))
    else:
        polygon = rectangles_to_polygons(frame.bboxes[row : row + 1])[0]
    return bbox, visibility, inside, polygon


def _rotated_box(mask: np.ndarray) -> np.ndarray:
    """Corners ``(8,)`` of the smallest rotated rectangle around the pixels of a mask."""
    hull = cv2.convexHull(cv2.findNonZero(mask.view(np.uint8))).reshape(-1, 1, 2)
    # Pixel i covers [i, i + 1).
    corners = hull + np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
    around = cv2.minAreaRect(corners.reshape(-1, 2).astype(np.float32))
    return cv2.boxPoints(around).astype(float).reshape(-1)


def _path(rows: list[tuple | None]) -> TargetPath:
    """Gather the frames of a video."""
    count = len(rows)
    path = TargetPath(np.zeros((count, 4)), np.zeros(count), np.zeros(count), np.zeros((count, 8)))
    polygon = rows[0][3]
    for index, row in enumerate(rows):
        if row is not None:
            path.visibility[index], path.inside[index], polygon = row[1:]
            if row[1] >= _ABSENT:
                path.bboxes[index] = row[0]
        path.polygons[index] = polygon
    return path
