"""What every layout has: options, a count of frames, and a function that writes files.

A new layout is one file: a frozen dataclass of options whose fields carry their help text, and a
``write`` function; it is registered in ``layouts/__init__.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path

import cv2
import numpy as np

from ..casting import SceneSpec

CAMERAS = ("static", "pan", "handheld", "zoom")
_JPEG_QUALITY = 92

Progress = Callable[[], None]


def option(default: object, text: str) -> Field:
    """A field of a layout's options with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class RenderOptions:
    """Options of all layouts."""

    seed: int = option(0, "seed of the data set; the same seed gives the same bytes")
    size: tuple[int, int] = option((640, 360), "width and height of the frames, as 640x360")

    def __post_init__(self):
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"--{spec.name.replace('_', '-')} must not be negative: {value}")


@dataclass(frozen=True)
class Layout:
    """A data set that can be synthesised.

    Attributes:
        name: What it is called on the command line.
        description: What is written, for ``--help``.
        options: Its options with their defaults.
        write: ``write(folder, options, progress)`` fills a folder and calls ``progress`` after
            every frame.
        count: Number of frames that will be rendered.
    """

    name: str
    description: str
    options: RenderOptions
    write: Callable[[Path, RenderOptions, Progress], None]
    count: Callable[[RenderOptions], int]


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a frame as JPEG.

    Raises:
        OSError: the file cannot be written, for example because the disk is full.
    """
    if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]):
        raise OSError(f"cannot write image {path}")


def video_specs(
    options: RenderOptions, names: Sequence[str], cameras: Sequence[str] = CAMERAS
) -> list[SceneSpec]:
    """One scene per name; cameras take turns.

    Args:
        options: Options with ``frames``, ``fps`` and ``people``.
        names: Names of the videos.
        cameras: Camera movements to use.
    """
    return [
        SceneSpec(
            name=name,
            seed=options.seed,
            size=options.size,
            length=options.frames,
            fps=options.fps,
            people=options.people,
            camera=cameras[index % len(cameras)],
        )
        for index, name in enumerate(names)
    ]
