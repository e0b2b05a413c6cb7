"""Where the ground, the camera and the frame are: metres to pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ground:
    """A flat ground seen by an upright pinhole camera.

    The picture plane is that of the unmoved camera; ``CameraPath`` turns it into the frame.

    Attributes:
        focal: Focal length in pixels.
        horizon: Row of the horizon in pixels.
        centre: Column of the optical axis in pixels.
        camera_height: Metres above the ground.
        near: Distance in metres of the nearest figures.
        far: Distance in metres of the farthest figures.
    """

    focal: float
    horizon: float
    centre: float
    camera_height: float
    near: float
    far: float

    def project(
        self, across: np.ndarray, distance: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Picture position and size of points on the ground.

        Args:
            across: Metres to the right of the optical axis, ``(N,)``.
            distance: Metres in front of the camera, ``(N,)``.

        Returns:
            Column, row, and pixels per metre there, each ``(N,)``.
        """
        resolution = self.focal / distance
        return (
            self.centre + across * resolution,
            self.horizon + self.camera_height * resolution,
            resolution,
        )

    def half_width(self, distance: np.ndarray | float, columns: float) -> np.ndarray | float:
        """Metres from the optical axis to the edge of a picture ``columns`` wide."""
        return columns / 2 / self.focal * distance


@dataclass(frozen=True)
class CameraPath:
    """Movement of the camera: frame = zoom * (picture - origin).

    Attributes:
        zoom: ``(T,)``.
        origin: Picture position of the frame's top left corner, ``(T, 2)``.
    """

    zoom: np.ndarray
    origin: np.ndarray

    def matrix(self, index: int) -> np.ndarray:
        """Affine matrix ``(2, 3)`` from picture to frame, for coordinates of pixel corners."""
        zoom, (x, y) = self.zoom[index], self.origin[index]
        return np.array([[zoom, 0, -zoom * x], [0, zoom, -zoom * y]])


def smooth_noise(rng: np.random.Generator, length: int, period: float) -> np.ndarray:
    """Random curve ``(length,)`` of about unit size whose bends are ``period`` samples apart.

    A sum of four sines with random phases: smooth for any length, and cheap.
    """
    time = np.arange(length)
    curve = np.zeros(length)
    for octave in range(4):
        phase = rng.uniform(0, 2 * np.pi)
        rate = rng.uniform(0.6, 1.4) * 2**octave / 4
        curve += np.sin(2 * np.pi * rate * time / period + phase) / 2 ** (octave / 2)
    return curve / 1.6


def camera_path(
    rng: np.random.Generator,
    kind: str,
    length: int,
    frame_size: tuple[int, int],
    picture_size: tuple[int, int],
    fps: float,
) -> CameraPath:
    """Draw a camera movement that never shows anything outside of the picture.

    Args:
        rng: Source of all choices.
        kind: ``'static'``, ``'pan'``, ``'handheld'`` or ``'zoom'``.
        length: Number of frames.
        frame_size: Width and height of a frame in pixels.
        picture_size: Width and height of the painted surroundings; larger than the frame.
        fps: Frames per second; movements are slower per frame at a higher rate.

    Raises:
        ValueError: for another ``kind``.
    """
    frame, picture = np.array(frame_size, float), np.array(picture_size, float)
    room = (picture - frame) / 2
    zoom = np.ones(length)
    shift = np.zeros((length, 2))
    if kind == "pan":
        period = rng.uniform(8, 14) * fps
        shift[:, 0] = 0.9 * np.sin(2 * np.pi * np.arange(length) / period + rng.uniform(0, 6.28))
        shift[:, 1] = 0.1 * smooth_noise(rng, length, 3 * fps)
    elif kind == "handheld":
        shift[:, 0] = 0.35 * smooth_noise(rng, length, 4 * fps)
        shift[:, 1] = 0.35 * smooth_noise(rng, length, 2 * fps)
        shift += 0.02 * rng.normal(size=shift.shape)
    elif kind == "zoom":
        zoom += 0.12 * (1 + smooth_noise(rng, length, 6 * fps).clip(-1, 1))
        shift[:, 0] = 0.3 * smooth_noise(rng, length, 6 * fps)
    elif kind != "static":
        raise ValueError(f"unknown camera movement {kind!r}; choose static, pan, handheld or zoom")
    view = frame / zoom[:, None]
    origin = (picture - view) / 2 + shift * room
    if kind == "static":
        origin = np.floor(origin)  # whole pixels need no interpolation
    return CameraPath(zoom, np.clip(origin, 0, picture - view))
