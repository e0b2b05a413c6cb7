"""Frames on which exported graphs are traced and compared."""

from __future__ import annotations

import os
from dataclasses import dataclass

import mmcv
import numpy as np

from mmtrack.datasets.synthetic import CATEGORIES, SceneSpec, street_scene

FRAMES = 3
SIZE = (640, 360)  # width, height


@dataclass(frozen=True)
class Clip:
    """A few frames and what is in them.

    Attributes:
        frames: Images ``(H, W, 3)`` uint8, BGR.
        bboxes: Objects in the first frame, ``(n, 4)`` float32, x1y1x2y2 in pixels; the first of
            them is followed by single object trackers.
    """

    frames: tuple[np.ndarray, ...]
    bboxes: np.ndarray

    @classmethod
    def rendered(cls) -> Clip:
        """People in a street, rendered; the same pixels on every machine."""
        scene = street_scene(SceneSpec("export", size=SIZE, length=FRAMES, people=6))
        frames = [scene.render(index) for index in range(FRAMES)]
        people = frames[0].categories == CATEGORIES.index("person")
        x, y, width, height = frames[0].visible_bboxes()[people].T
        bboxes = np.stack((x, y, x + width, y + height), axis=1).astype(np.float32)
        return cls(tuple(frame.image for frame in frames), bboxes)

    @classmethod
    def of_image(cls, path: str | os.PathLike) -> Clip:
        """One image, shown several times; the ninth in its middle stands for an object.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no image.
        """
        if not os.path.isfile(path):
            raise FileNotFoundError(f"image {path} does not exist")
        image = mmcv.imread(os.fspath(path))
        if image is None:
            raise ValueError(f"{path} is not an image that OpenCV can read")
        height, width = image.shape[:2]
        middle = np.array([[width, height, 2 * width, 2 * height]], np.float32) / 3
        return cls((image,) * FRAMES, middle)
