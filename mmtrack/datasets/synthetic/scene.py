"""A scene: figures that move over painted ground in front of a camera, rendered frame by frame."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from .compositor import Canvas
from .figures import Figure
from .geometry import CameraPath, Ground
from .motion import Track
from .sprite import Sprite

CATEGORIES = (
    *("person", "static_person", "car", "occluder"),
    *("truck", "dog", "horse", "giraffe", "zebra", "cattle", "lion", "tiger"),
    *("cat", "cow", "deer", "sheep", "bear", "elephant"),
)


def seeded(seed: int, name: str) -> np.random.Generator:
    """Generator for a named part of a data set, independent of all other parts."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


@dataclass(frozen=True)
class Actor:
    """One figure with its path.

    Attributes:
        figure: What is drawn.
        track: Where, when, in which pose.
        category: One of ``CATEGORIES``.
    """

    figure: Figure
    track: Track
    category: str


@dataclass(frozen=True)
class Frame:
    """A rendered frame with everything known about it; rows belong together.

    Attributes:
        image: ``(H, W, 3)`` uint8, blue, green, red.
        ids: Actor ids ``(n,)`` int64, from 1, ordered from far to near.
        categories: Index into ``CATEGORIES``, ``(n,)`` int64.
        bboxes: ``(n, 4)`` float64, x, y, width, height in pixels: extent of the whole
            silhouette including what is hidden or outside of the frame. Opaque pixel ``i``
            covers ``[i, i + 1)``.
        visibility: Visible pixels over all pixels of the silhouette, ``(n,)`` in [0, 1].
        heads: Boxes of the heads like ``bboxes``; NaN for figures without one.
        labels: ``(H, W)`` uint16; 0 is background, ``k`` the ``k``-th row.
    """

    image: np.ndarray
    ids: np.ndarray
    categories: np.ndarray
    bboxes: np.ndarray
    visibility: np.ndarray
    heads: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def without_pixels(self) -> Frame:
        """The same frame with empty image and label map, to keep many of."""
        return replace(
            self, image=np.empty((0, 0, 3), np.uint8), labels=np.empty((0, 0), np.uint16)
        )

    def mask(self, row: int) -> np.ndarray:
        """Visible pixels of one figure, ``(H, W)`` bool."""
        return self.labels == row + 1

    def visible_bboxes(self) -> np.ndarray:
        """Extent of the visible pixels of each figure, ``(n, 4)``; zeros where there are none."""
        masks = (self.mask(row).view(np.uint8) for row in range(len(self)))
        boxes = [cv2.boundingRect(mask) for mask in masks]
        return np.array(boxes, float).reshape(-1, 4)


class _Place(NamedTuple):
    """An actor in a frame."""

    distance: float
    number: int
    actor: Actor
    step: int
    x: float
    y: float
    resolution: float


class Scene:
    """Everything needed to render a video.

    Args:
        name: Name of the video.
        frame_size: Width and height of the frames.
        fps: Frames per second.
        picture: Surroundings ``(h, w, 3)``, larger than a frame.
        ground: Geometry of the picture.
        camera: Movement of the camera; its length is that of the video.
        actors: All figures; position in the list + 1 is the id.
        grain: Sensor noise, ``(H + margin, W + margin, 3)`` uint8 around 128.
    """

    def __init__(
        self,
        name: str,
        frame_size: tuple[int, int],
        fps: float,
        picture: np.ndarray,
        ground: Ground,
        camera: CameraPath,
        actors: list[Actor],
        grain: np.ndarray,
    ):
        self.name = name
        self.frame_size = frame_size
        self.fps = fps
        self.picture = np.clip(picture, 0, 255).astype(np.uint8)
        self.ground = ground
        self.camera = camera
        self.actors = actors
        self.grain = grain

    def __len__(self) -> int:
        return len(self.camera.zoom)

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.render(index) for index in range(len(self)))

    def render(self, index: int) -> Frame:
        """Render one frame; frames may be asked for in any order.

        Args:
            index: Counted from 0.

        Raises:
            IndexError: the video has no such frame.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} frames, there is no frame {index}")
        canvas = Canvas(self._view(index))
        places = self._places(index)
        for place in places:
            width = place.actor.figure.width * place.resolution
            canvas.shade(place.x + 0.15 * width, place.y, 1.5 * width, 0.42 * width)
        rows = self._paste_all(canvas, places)
        cv2.addWeighted(canvas.image, 1, self._grain(index), 1, -128, dst=canvas.image)
        return _account(canvas, rows)

    def _view(self, index: int) -> np.ndarray:
        """Background of a frame."""
        (left, top), (width, height) = self.camera.origin[index], self.frame_size
        if self.camera.zoom[index] == 1 and left == int(left) and top == int(top):
            return self.picture[int(top) :, int(left) :][:height, :width].copy()
        matrix = self.camera.matrix(index)
        matrix[:, 2] += (matrix[0, 0] - 1) / 2  # from pixel corners to pixel centres
        return cv2.warpAffine(self.picture, matrix, self.frame_size, flags=cv2.INTER_LINEAR)

    def _grain(self, index: int) -> np.ndarray:
        """Sensor noise: a window of a larger noise picture, different in each frame."""
        margin = self.grain.shape[0] - self.frame_size[1]
        shift = np.random.default_rng([index, 1]).integers(0, margin + 1, 2)
        return self.grain[shift[0] :, shift[1] :][: self.frame_size[1], : self.frame_size[0]]

    def _places(self, index: int) -> list[_Place]:
        """Actors of a frame from far to near."""
        zoom, (left, top) = self.camera.zoom[index], self.camera.origin[index]
        found = []
        for number, actor in enumerate(self.actors, 1):
            step = index - actor.track.start
            if not 0 <= step < len(actor.track):
                continue
            distance = actor.track.distance[step]
            x, y, resolution = self.ground.project(actor.track.across[step], distance)
            found.append(
                _Place(
                    distance,
                    number,
                    actor,
                    step,
                    zoom * (x - left),
                    zoom * (y - top),
                    zoom * resolution,
                )
            )
        return sorted(found, key=lambda place: (-place.distance, place.number))

    def _paste_all(self, canvas: Canvas, places: list[_Place]) -> list[tuple]:
        """Paint the actors; rows of id, category, extent, area and head of those in the frame."""
        width, height = self.frame_size
        rows = []
        for place in places:
            track = place.actor.track
            sprite = place.actor.figure.look(track.poses[place.step], track.headings[place.step])
            where = (place.x, place.y, place.resolution)
            extent, area = canvas.paste(sprite, *where, len(rows) + 1)
            left, top, wide, tall = extent
            if left < width and top < height and left + wide > 0 and top + tall > 0:
                category = CATEGORIES.index(place.actor.category)
                rows.append((place.number, category, extent, area, _head_box(sprite, *where)))
        return rows


def _account(canvas: Canvas, rows: list[tuple]) -> Frame:
    """Gather what is known about the frame."""
    count = len(rows)
    columns = tuple(zip(*rows, strict=True)) if rows else ((),) * 5
    ids, categories, extents, areas, heads = columns
    visible = canvas.visible_areas(count)
    return Frame(
        image=canvas.image,
        ids=np.array(ids, np.int64),
        categories=np.array(categories, np.int64),
        bboxes=np.array(extents, float).reshape(-1, 4),
        visibility=visible / np.maximum(np.array(areas, float), 1),
        heads=np.array(heads, float).reshape(-1, 4),
        labels=canvas.labels,
    )


def _head_box(sprite: Sprite, x: float, y: float, resolution: float) -> tuple:
    """Head of a figure in the frame, x, y, width, height; NaN without one."""
    if sprite.head is None:
        return (math.nan,) * 4
    scale = resolution / sprite.resolution
    left, top, width, height = sprite.head
    return (
        x + (left - sprite.anchor[0]) * scale,
        y + (top - sprite.anchor[1]) * scale,
        width * scale,
        height * scale,
    )
