"""Four-legged animals that share a build and differ in their coat.

Out of focus, or smeared by motion, stripes and patches fade: a single frame then leaves open
which animal it shows, because the mean colours overlap; other frames of the video tell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ..sprite import Sprite
from .props import DrawnFigure

PHASES = 8
GRAZING = PHASES  # pose after those of the gait
SPECIES = ("cattle", "horse", "lion", "tiger", "zebra")

_LEG, _LEG_TOP = 0.78, 0.85  # metres: length of a leg, and height of the joint
_SWING = 0.5  # radians that a leg swings to each side
_LEGS = ((0.58, 0.0), (0.48, 0.5), (-0.5, 0.25), (-0.6, 0.75))  # joint and phase of each
_COATS = {  # colours of the coat, darkest and lightest, blue, green, red
    "cattle": ((175, 180, 185), (232, 236, 240)),
    "horse": ((70, 74, 80), (165, 168, 172)),
    "lion": ((36, 68, 105), (70, 112, 160)),
    "tiger": ((50, 125, 195), (85, 160, 238)),
    "zebra": ((195, 198, 200), (236, 238, 240)),
}
_DARK = (30, 34, 44)


@dataclass(frozen=True)
class Coat:
    """Looks of one animal.

    Attributes:
        base: Colour of the coat, blue, green, red.
        marks: Colour of stripes or patches.
        stripe: Metres from stripe to stripe; None for no stripes.
        phase: Where the stripes begin, radians.
        patches: Centres and half axes of patches ``(n, 4)``, metres.
    """

    base: tuple[int, int, int]
    marks: tuple[int, int, int]
    stripe: float | None
    phase: float
    patches: np.ndarray


def random_coat(rng: np.random.Generator, species: str) -> Coat:
    """Looks of an animal of one of ``SPECIES``."""
    low, high = (np.array(colour, float) for colour in _COATS[species])
    base = low + rng.uniform() * (high - low) + rng.uniform(-8, 8, 3)
    marks = np.array(_DARK) + rng.uniform(-10, 14)
    places = rng.uniform((-0.85, 0.4, 0.06, 0.06), (1.25, 1.75, 0.12, 0.12), (70, 4))
    return Coat(
        base=tuple(int(value) for value in base.clip(0, 255)),
        marks=tuple(int(value) for value in marks.clip(0, 255)),
        stripe=rng.uniform(0.13, 0.17) if species in ("tiger", "zebra") else None,
        phase=rng.uniform(0, 2 * math.pi),
        patches=places if species == "cattle" else places[:0],
    )


class CoatedFigure(DrawnFigure):
    """An animal in profile; heading 0 looks to the right, 1 to the left.

    Args:
        resolution: Pixels per metre.
        coat: Its looks.
    """

    headings = 2

    def __init__(self, resolution: float, coat: Coat):
        super().__init__(resolution, (2.7, 2.0))
        self.coat = coat

    @property
    def width(self) -> float:
        """Width of the shadow in metres."""
        return 1.5

    def sprite(self, pose: int, heading: int) -> Sprite:
        """The drawing; heading 1 is the mirror image of heading 0."""
        if heading:
            return self.look(pose, 0).mirrored()
        return self.draw(self.shapes_of(pose))

    def shapes_of(self, pose: int) -> list:
        """Far legs, tail, body, near legs, neck and head."""
        shade = tuple(int(0.7 * value) for value in self.coat.base)
        legs = [_leg(joint, phase, pose) for joint, phase in _LEGS]
        tail = np.array([(-0.72, 1.35), (-0.98, 0.95), (-0.9, 0.92), (-0.66, 1.2)])
        shapes = [("polygon", leg, shade) for leg in legs[1::2]]
        shapes.append(("polygon", tail, shade))
        shapes.append(("ellipse", np.array([(0.0, 1.1), (0.8, 0.38)]), self.coat.base))
        shapes += [("polygon", leg, self.coat.base) for leg in legs[::2]]
        return shapes + self._head(grazing=pose == GRAZING)

    def _head(self, *, grazing: bool) -> list:
        """Neck, head and eye; an animal that grazes holds them low."""
        tip = np.array((1.1, 0.55) if grazing else (1.02, 1.62))
        neck = np.array([(0.45, 1.4), (0.75, 1.0), tip + (0.1, -0.1), tip + (-0.14, 0.1)])
        muzzle = tip + ((0.1, -0.12) if grazing else (0.2, -0.08))
        return [
            ("polygon", neck, self.coat.base),
            ("ellipse", np.array([tip, (0.16, 0.15)]), self.coat.base),
            ("ellipse", np.array([muzzle, (0.14, 0.1)]), self.coat.base),
            ("ellipse", np.array([tip + (0.04, 0.05), (0.03, 0.03)]), _DARK),
        ]

    def decorate(
        self, colours: np.ndarray, mask: np.ndarray, ground: np.ndarray, unit: float
    ) -> None:
        """Paint stripes and patches onto the body."""
        if self.coat.stripe is not None:
            y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
            x, y = (x - ground[0]) / unit, (ground[1] - y) / unit
            wave = 2 * math.pi * (x + 0.04 * np.sin(5 * y)) / self.coat.stripe + self.coat.phase
            colours[(mask > 0) & (np.sin(wave) > 0) & (y > 0.3)] = self.coat.marks
        body = np.zeros_like(mask)
        for x, y, wide, tall in self.coat.patches:
            centre = np.round(ground + np.array([x, -y]) * unit).astype(int)
            axes = np.round(np.array([wide, tall]) * unit).astype(int)
            cv2.ellipse(body, centre.tolist(), axes.tolist(), 0, 0, 360, 255, -1)
        colours[(mask > 0) & (body > 0)] = self.coat.marks


def _leg(joint: float, phase: float, pose: int) -> np.ndarray:
    """Corners of a leg; all legs are upright in the pose that grazes."""
    angle = 0.0
    if pose != GRAZING:
        angle = _SWING * math.sin(2 * math.pi * (pose / PHASES + phase))
    foot = (joint + _LEG * math.sin(angle), _LEG_TOP - _LEG * math.cos(angle))
    top = _LEG_TOP + 0.15
    return np.array(
        [
            (joint - 0.1, top),
            (joint + 0.1, top),
            (foot[0] + 0.06, foot[1]),
            (foot[0] - 0.06, foot[1]),
        ]
    )
