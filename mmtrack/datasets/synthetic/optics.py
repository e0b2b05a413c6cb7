"""What a camera adds: an exposure that takes time, and a lens that loses its focus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from .scene import Frame, Scene

MOMENTS = 8  # moments of a scene between two frames of a video
_SHARP_RUN, _BLURRED_RUN = (2, 6), (4, 10)  # frames in a row
_SHORT, _LONG = 1, (5, MOMENTS)  # moments that the shutter is open


@dataclass(frozen=True)
class Optics:
    """State of the camera in each frame.

    Attributes:
        shutter: Moments that the shutter is open, ``(T,)`` int in [1, ``MOMENTS``].
        defocus: Radius of the circle of confusion in pixels, ``(T,)``; 0 is in focus.
    """

    shutter: np.ndarray
    defocus: np.ndarray


def sharp_optics(length: int) -> Optics:
    """A lens in focus and a short exposure."""
    return Optics(np.full(length, _SHORT), np.zeros(length))


def failing_optics(rng: np.random.Generator, length: int, radius: float) -> Optics:
    """A camera that loses and finds its focus and lengthens its exposure, again and again.

    Sharp and blurred runs of frames take turns. A blurred run is out of focus, most in its
    middle, and half of the runs are exposed for long, which smears whatever moves.

    Args:
        rng: Source of all choices.
        length: Number of frames.
        radius: Largest radius of the circle of confusion in pixels.
    """
    shutter, defocus = np.full(length, _SHORT), np.zeros(length)
    at = int(rng.integers(0, _SHARP_RUN[1]))
    while at < length:
        run = int(rng.integers(_BLURRED_RUN[0], _BLURRED_RUN[1] + 1))
        rows = slice(at, min(at + run, length))
        shape = np.sin(np.pi * (np.arange(run) + 0.5) / run) ** 0.5
        defocus[rows] = (rng.uniform(0.5, 1) * radius * shape)[: rows.stop - at]
        if rng.uniform() < 0.5:
            shutter[rows] = rng.integers(_LONG[0], _LONG[1] + 1)
        at += run + int(rng.integers(_SHARP_RUN[0], _SHARP_RUN[1] + 1))
    return Optics(shutter, defocus)


class Recording:
    """A scene as a camera records it.

    Boxes, ids and masks are those of the moment in the middle of the exposure.

    Args:
        scene: Rendered ``MOMENTS`` times as often as frames are recorded.
        optics: State of the camera in each frame.
    """

    def __init__(self, scene: Scene, optics: Optics):
        self.scene = scene
        self.optics = optics

    def __len__(self) -> int:
        return len(self.optics.shutter)

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.record(index) for index in range(len(self)))

    def record(self, index: int) -> Frame:
        """Record one frame, counted from 0."""
        middle = index * MOMENTS + MOMENTS // 2
        frame = self.scene.render(middle)
        image = frame.image
        open_for = int(self.optics.shutter[index])
        if open_for > 1:
            first = middle - open_for // 2
            total = np.zeros(image.shape, np.float32)
            for moment in range(first, first + open_for):
                total += image if moment == middle else self.scene.render(moment).image
            image = np.rint(total / open_for).astype(np.uint8)
        return replace(frame, image=defocused(image, float(self.optics.defocus[index])))


def defocused(image: np.ndarray, radius: float) -> np.ndarray:
    """Spread each pixel over a disc.

    Args:
        image: ``(H, W, 3)`` uint8.
        radius: In pixels; below half a pixel the image stays as it is.
    """
    if radius < 0.5:
        return image
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)  # the edge covers pixels in part
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE)
