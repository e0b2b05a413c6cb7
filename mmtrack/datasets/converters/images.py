"""Find the images of a video and their size."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from mmtrack.utils.file_io import natural_key
from mmtrack.utils.reading import reading

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp")
_ORIENTATION_TAG = 274
_ROTATED = (5, 6, 7, 8)  # orientations of the Exif standard whose rows are columns


def list_images(folder: str | os.PathLike) -> list[str]:
    """Names of the images in a folder, in natural order.

    Raises:
        FileNotFoundError: there is no such folder, or no image in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no image folder {folder}")
    names = [p.name for p in folder.iterdir() if p.suffix.lower() in IMAGE_ENDINGS]
    if not names:
        raise FileNotFoundError(f"{folder} holds no images ({', '.join(IMAGE_ENDINGS)})")
    return sorted(names, key=natural_key)


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """Width and height of an image as OpenCV loads it, from its header alone.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no image.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no image {os.fspath(path)}")
    try:
        with reading(path, problem="cannot be read as an image"), Image.open(path) as image:
            width, height = image.size
            # OpenCV turns pictures upright while loading.
            turned = image.getexif().get(_ORIENTATION_TAG) in _ROTATED
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be read as an image: {error}") from error
    return (height, width) if turned else (width, height)
