"""Things beside people: cars, lamp posts, kiosks and people on benches."""

from __future__ import annotations

import cv2
import numpy as np

from ..sprite import Sprite
from .appearance import Appearance
from .base import Figure
from .person import PersonFigure
from .skeleton import SITTING

_OVERSAMPLING = 2


class DrawnFigure(Figure):
    """A figure drawn with polygons in metres.

    Args:
        resolution: Pixels per metre.
        extent: Width and height in metres.
    """

    def __init__(self, resolution: float, extent: tuple[float, float]):
        super().__init__(resolution)
        self.extent = extent

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        return self.extent[0]

    def shapes(self) -> list[tuple[str, np.ndarray, tuple[int, int, int]]]:
        """Shapes from back to front: kind, points, colour.

        A ``'polygon'`` has points ``(n, 2)``, an ``'ellipse'`` its centre and half axes
        ``(2, 2)``; metres, x from the middle, y up from the ground.
        """
        raise NotImplementedError

    def decorate(
        self, colours: np.ndarray, mask: np.ndarray, ground: np.ndarray, unit: float
    ) -> None:
        """Paint a pattern over the shapes, in place.

        Args:
            colours: The drawing, ``(h, w, 3)`` uint8, zero where ``mask`` is.
            mask: 255 where the figure is, ``(h, w)`` uint8.
            ground: Pixel ``(x, y)`` of the point that stands on the ground.
            unit: Pixels per metre of the drawing.
        """

    def sprite(self, pose: int, heading: int) -> Sprite:
        """The drawing; heading 1 is its mirror image."""
        if heading:
            return self.look(pose, 0).mirrored()
        return self.draw(self.shapes())

    def draw(self, shapes: list[tuple[str, np.ndarray, tuple[int, int, int]]]) -> Sprite:
        """Draw shapes as described in :meth:`shapes`."""
        unit = self.resolution * _OVERSAMPLING
        width, height = (int((value + 0.2) * unit) for value in self.extent)
        colours = np.zeros((height, width, 3), np.uint8)
        mask = np.zeros((height, width), np.uint8)
        ground = np.array([width / 2, height - 0.1 * unit])
        for kind, points, colour in shapes:
            for plane, value in ((colours, colour), (mask, 255)):
                if kind == "polygon":
                    corners = ground + points * (unit, -unit)
                    cv2.fillPoly(plane, [np.round(corners).astype(np.int32)], value)
                else:
                    centre = np.round(ground + points[0] * (unit, -unit)).astype(int)
                    axes = np.maximum(np.round(points[1] * unit), 1).astype(int)
                    cv2.ellipse(plane, centre.tolist(), axes.tolist(), 0, 0, 360, value, -1)
        self.decorate(colours, mask, ground, unit)
        light = np.linspace(1.1, 0.75, height, dtype=np.float32)[:, None, None]
        colours = np.clip(colours * light, 0, 255).astype(np.uint8)
        size = (width // _OVERSAMPLING, height // _OVERSAMPLING)
        return Sprite.from_drawing(
            cv2.resize(colours, size, interpolation=cv2.INTER_AREA),
            cv2.resize(mask, size, interpolation=cv2.INTER_AREA),
            tuple(ground / _OVERSAMPLING),
            self.resolution,
        )


def _box(left: float, bottom: float, right: float, top: float) -> np.ndarray:
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])


class CarFigure(DrawnFigure):
    """A passenger car in profile.

    Args:
        resolution: Pixels per metre.
        paint: Colour, blue, green, red.
    """

    headings = 2

    def __init__(self, resolution: float, paint: tuple[int, int, int]):
        super().__init__(resolution, (4.4, 1.5))
        self.paint = paint

    def shapes(self) -> list:
        """Body, cabin, windows, lights and wheels."""
        glass, tyre = (96, 84, 70), (34, 34, 36)
        cabin = np.array([(-1.5, 0.85), (-1.1, 1.45), (0.5, 1.45), (1.15, 0.85)])
        window = np.array([(-1.3, 0.88), (-1.02, 1.36), (-0.32, 1.36), (-0.32, 0.88)])
        front = np.array([(-0.22, 0.88), (-0.22, 1.36), (0.44, 1.36), (0.92, 0.88)])
        hull = np.array(
            [(-2.15, 0.3), (2.15, 0.3), (2.2, 0.62), (1.9, 0.82), (1.2, 0.9), (-2.05, 0.9)]
        )
        shapes = [
            ("polygon", cabin, self.paint),
            ("polygon", hull, self.paint),
            ("polygon", _box(-2.15, 0.3, 2.15, 0.42), tuple(int(0.6 * v) for v in self.paint)),
            ("polygon", window, glass),
            ("polygon", front, glass),
            ("polygon", _box(1.95, 0.58, 2.18, 0.72), (190, 240, 250)),
            ("polygon", _box(-2.14, 0.6, -1.98, 0.78), (40, 40, 190)),
        ]
        for centre in (-1.3, 1.3):
            place = (centre, 0.33)
            shapes.append(("ellipse", np.array([place, (0.33, 0.33)]), tyre))
            shapes.append(("ellipse", np.array([place, (0.17, 0.17)]), (170, 170, 176)))
        return shapes


class TruckFigure(DrawnFigure):
    """A small lorry in profile.

    Args:
        resolution: Pixels per metre.
        paint: Colour of the cabin, blue, green, red.
        cargo: Colour of the box.
    """

    headings = 2

    def __init__(self, resolution: float, paint: tuple, cargo: tuple):
        super().__init__(resolution, (5.0, 2.4))
        self.paint = paint
        self.cargo = cargo

    def shapes(self) -> list:
        """Box, cabin, window, frame and wheels."""
        cabin = [(1.1, 0.4), (2.4, 0.4), (2.4, 1.2), (2.0, 2.0), (1.1, 2.0)]
        window = [(1.45, 1.25), (2.22, 1.25), (1.9, 1.85), (1.45, 1.85)]
        shapes = [
            ("polygon", _box(-2.4, 0.55, 1.0, 2.35), self.cargo),
            ("polygon", _box(-2.2, 0.8, 0.8, 0.95), tuple(int(0.7 * v) for v in self.cargo)),
            ("polygon", np.array(cabin), self.paint),
            ("polygon", np.array(window), (96, 84, 70)),
            ("polygon", _box(-2.4, 0.38, 2.4, 0.55), (50, 50, 52)),
            ("polygon", _box(2.3, 0.6, 2.42, 0.8), (190, 240, 250)),
        ]
        for centre in (-1.6, 1.65):
            shapes.append(("ellipse", np.array([(centre, 0.4), (0.4, 0.4)]), (34, 34, 36)))
            shapes.append(("ellipse", np.array([(centre, 0.4), (0.18, 0.18)]), (160, 160, 166)))
        return shapes


class LampPostFigure(DrawnFigure):
    """A slim post that hides little of anybody."""

    def __init__(self, resolution: float):
        super().__init__(resolution, (0.9, 3.8))

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        return 0.4

    def shapes(self) -> list:
        """Foot, pole and lamp."""
        metal = (70, 74, 66)
        return [
            ("polygon", _box(-0.05, 0, 0.05, 3.5), metal),
            ("polygon", _box(-0.11, 0, 0.11, 0.5), (54, 58, 52)),
            ("polygon", _box(-0.4, 3.45, 0.4, 3.52), metal),
            ("ellipse", np.array([(-0.32, 3.4), (0.12, 0.1)]), (200, 236, 246)),
            ("ellipse", np.array([(0.32, 3.4), (0.12, 0.1)]), (200, 236, 246)),
        ]


class KioskFigure(DrawnFigure):
    """An advertising column that hides whoever walks behind it.

    Args:
        resolution: Pixels per metre.
        paint: Colour of its body.
        poster: Colour of the poster on it.
    """

    def __init__(self, resolution: float, paint: tuple, poster: tuple):
        super().__init__(resolution, (1.0, 2.5))
        self.paint = paint
        self.poster = poster

    def shapes(self) -> list:
        """Body, poster, foot and roof."""
        return [
            ("polygon", _box(-0.4, 0, 0.4, 2.2), self.paint),
            ("polygon", _box(-0.3, 0.6, 0.3, 1.9), self.poster),
            ("ellipse", np.array([(0.0, 1.35), (0.2, 0.3)]), (235, 235, 235)),
            ("polygon", _box(-0.44, 0, 0.44, 0.2), (70, 70, 70)),
            ("polygon", np.array([(-0.5, 2.2), (0.5, 2.2), (0.3, 2.5), (-0.3, 2.5)]), (60, 80, 60)),
        ]


class BenchFigure(DrawnFigure):
    """A bench to sit on."""

    def __init__(self, resolution: float):
        super().__init__(resolution, (1.6, 0.85))

    def shapes(self) -> list:
        """Back, seat and feet."""
        wood, iron = (52, 92, 132), (52, 52, 54)
        return [
            ("polygon", _box(-0.75, 0.62, 0.75, 0.82), wood),
            ("polygon", _box(-0.75, 0.4, 0.75, 0.5), wood),
            ("polygon", _box(-0.68, 0, -0.6, 0.65), iron),
            ("polygon", _box(0.6, 0, 0.68, 0.65), iron),
        ]


class SeatedFigure(PersonFigure):
    """A person who sits and stays: MOTChallenge's static person."""

    def __init__(self, appearance: Appearance, resolution: float):
        super().__init__(appearance, [SITTING], resolution)
