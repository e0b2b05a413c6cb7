"""Four-legged animals that differ in build: a single frame tells which is which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..sprite import Sprite
from .props import DrawnFigure

GAIT_PHASES = 4
_SWING = 0.35  # of the length of a leg, to both sides
_MARGIN = 0.3  # metres around an animal
_EYE = (20, 20, 20)

Colour = tuple[int, int, int]
Shapes = list[tuple[str, np.ndarray, Colour]]


@dataclass(frozen=True)
class Build:
    """Proportions and looks of a kind of animal, in metres.

    Attributes:
        length: From chest to rump.
        shoulder: Height of the back.
        trunk: Thickness of the body.
        neck: Length of the neck.
        rise: How far the neck goes up for each metre forwards.
        head: Length of the head.
        legs: Thickness of the legs.
        coats: Colours to choose from, blue, green, red.
        pattern: ``'plain'``, ``'stripes'`` or ``'spots'``.
        marks: Colour of the pattern, of hooves and crest.
        speed: Slowest and fastest walk in metres per second.
    """

    length: float
    shoulder: float
    trunk: float
    neck: float
    rise: float
    head: float
    legs: float
    coats: tuple[Colour, ...]
    pattern: str = "plain"
    marks: Colour = (40, 40, 46)
    speed: tuple[float, float] = (1.0, 2.0)


ANIMALS = {
    "dog": Build(
        0.8, 0.62, 0.28, 0.24, 1.2, 0.3, 0.09,
        ((60, 84, 120), (40, 44, 50), (150, 170, 190), (70, 110, 160)), speed=(1.4, 2.6),
    ),
    "horse": Build(
        1.7, 1.5, 0.6, 0.75, 1.3, 0.6, 0.17,
        ((36, 54, 92), (60, 62, 70), (130, 140, 150), (40, 70, 130)), speed=(1.6, 3.0),
    ),
    "zebra": Build(
        1.5, 1.3, 0.55, 0.6, 1.2, 0.5, 0.15, ((225, 228, 230),), "stripes", speed=(1.4, 2.6),
    ),
    "giraffe": Build(
        1.4, 1.7, 0.55, 1.35, 3.0, 0.42, 0.15, ((150, 195, 225),), "spots", (45, 85, 140),
        speed=(1.2, 2.2),
    ),
    "cat": Build(
        0.5, 0.36, 0.16, 0.1, 1.0, 0.17, 0.06, ((70, 130, 200), (60, 60, 64), (190, 200, 210)),
        speed=(1.0, 2.0),
    ),
    "cow": Build(
        1.9, 1.35, 0.75, 0.35, 0.3, 0.55, 0.2, ((215, 222, 228),), "spots", (50, 56, 66),
        speed=(0.8, 1.6),
    ),
    "deer": Build(
        1.2, 1.0, 0.4, 0.55, 2.0, 0.36, 0.09, ((70, 115, 165), (80, 130, 185)), "spots",
        (170, 205, 225), speed=(1.4, 3.0),
    ),
    "sheep": Build(
        1.0, 0.8, 0.52, 0.16, 0.6, 0.28, 0.09, ((205, 215, 220), (225, 230, 232)),
        speed=(0.8, 1.6),
    ),
    "bear": Build(
        1.6, 1.1, 0.75, 0.22, 0.4, 0.45, 0.28, ((30, 48, 74), (40, 42, 46)), speed=(1.0, 2.0),
    ),
    "elephant": Build(
        2.4, 2.1, 1.2, 0.2, 0.2, 0.9, 0.42, ((120, 122, 128),), speed=(1.0, 1.8),
    ),
}  # fmt: skip


class AnimalFigure(DrawnFigure):
    """An animal that walks to the right; heading 1 is its mirror image.

    Args:
        resolution: Pixels per metre.
        build: Its kind.
        coat: Its colour, blue, green, red.
        size: Its size relative to the kind.
    """

    headings = 2

    def __init__(self, resolution: float, build: Build, coat: Colour, size: float = 1.0):
        self.build = build
        self.coat = coat
        self.size = size
        lean = build.neck / np.hypot(1, build.rise)
        tall = build.shoulder + build.neck + build.head
        wide = build.length + 2 * (lean + build.head + _MARGIN)  # the trunk is in the middle
        super().__init__(resolution, (size * wide, size * tall))

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        return self.size * self.build.length

    def sprite(self, pose: int, heading: int) -> Sprite:
        """A phase of the gait; heading 1 is the mirror image of heading 0."""
        if heading:
            return self.look(pose, 0).mirrored()
        shapes = [(kind, points * self.size, colour) for kind, points, colour in self.walk(pose)]
        return self.draw(shapes)

    def walk(self, pose: int) -> Shapes:
        """Shapes of a phase of the gait for an animal of size 1, from back to front."""
        build = self.build
        phase = 2 * np.pi * pose / GAIT_PHASES
        front, back = build.length * 0.4, -build.length * 0.4
        half = (build.length / 2, build.trunk / 2)
        centre = (0.0, build.shoulder - build.trunk / 2)
        return [
            *self._leg(front, np.sin(phase + np.pi), self._dark),
            *self._leg(back, np.sin(phase), self._dark),
            self._tail(back),
            ("ellipse", np.array([centre, half]), self.coat),
            *self._leg(front, np.sin(phase), self.coat),
            *self._leg(back, np.sin(phase + np.pi), self.coat),
            *self._pattern(centre[1]),
            *self._neck_and_head(),
        ]

    @property
    def _dark(self) -> Colour:
        """Colour of what lies in the shade."""
        return tuple(int(0.72 * value) for value in self.coat)

    def _leg(self, x: float, swing: float, colour: Colour) -> Shapes:
        """A leg with its hoof; ``swing`` is its place in the stride within [-1, 1]."""
        build = self.build
        belly = build.shoulder - build.trunk
        foot, half = x + _SWING * belly * swing, build.legs / 2
        top = belly + 0.3 * build.trunk
        ankle = 0.1 * top
        leg = [(x - 1.3 * half, top), (x + 1.3 * half, top), (foot + half, 0), (foot - half, 0)]
        hoof = [(foot - half, ankle), (foot + half, ankle), (foot + half, 0), (foot - half, 0)]
        return [("polygon", np.array(leg), colour), ("polygon", np.array(hoof), build.marks)]

    def _tail(self, x: float) -> tuple[str, np.ndarray, Colour]:
        trunk = self.build.trunk
        root = self.build.shoulder - 0.25 * trunk
        points = [(x, root), (x - 0.3 * trunk, root - 0.1), (x - 0.45 * trunk, root - trunk)]
        return "polygon", np.array(points), self._dark

    def _pattern(self, middle: float) -> Shapes:
        """Stripes across, or spots on, the trunk, whose axis has a height of ``middle``."""
        build, shapes = self.build, []
        for x in np.linspace(-0.4, 0.4, 7) * build.length:
            reach = 0.95 * build.trunk / 2 * np.sqrt(1 - (2 * x / build.length) ** 2)
            if build.pattern == "stripes":
                low, high = middle - reach, middle + reach
                stripe = [(x - 0.03, low), (x + 0.03, low), (x + 0.05, high), (x - 0.01, high)]
                shapes.append(("polygon", np.array(stripe), build.marks))
            elif build.pattern == "spots":
                radius = (0.04 * build.length,) * 2
                for y in (-0.5, 0.0, 0.5):
                    spot = (x + 0.05 * (y == 0), middle + y * reach)
                    shapes.append(("ellipse", np.array([spot, radius]), build.marks))
        return shapes

    def _neck_and_head(self) -> Shapes:
        """Crest, neck, head, muzzle, eye and ear."""
        build = self.build
        forward = np.array([1, build.rise]) / np.hypot(1, build.rise)
        across = np.array([forward[1], -forward[0]])
        root = np.array([0.38 * build.length, build.shoulder - 0.35 * build.trunk])
        tip = root + forward * (build.neck + 0.3 * build.trunk)
        thick, thin = 0.3 * build.trunk * across, 0.2 * build.trunk * across
        crest = [root - thick, tip - thin, tip - 1.5 * thin]
        neck = [root - thick, root + thick, tip + thin, tip - thin]
        shapes = [
            ("polygon", np.array(crest), build.marks),
            ("polygon", np.array(neck), self.coat),
        ]
        # In lengths of the head: centre from the tip of the neck, and half axes.
        for centre, axes, colour in (
            ((0.15, 0.0), (0.4, 0.24), self.coat),
            ((0.45, -0.12), (0.24, 0.15), self._dark),
            ((0.2, 0.06), (0.05, 0.05), _EYE),
        ):
            ellipse = np.array([tip + build.head * np.array(centre), build.head * np.array(axes)])
            shapes.append(("ellipse", ellipse, colour))
        ear = tip + np.array([[-0.05, 0.15], [0.1, 0.2], [-0.02, 0.5]]) * build.head
        return [*shapes, ("polygon", ear, self._dark)]
