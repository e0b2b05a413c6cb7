"""Many images as one: a sheet of pictures, or an animation, as bytes for a page or a notebook."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import mmcv
import numpy as np

GAP = 4  # pixels between the pictures of a sheet
PAPER = 255  # their background: white
BAR = 20  # pixels for a caption above a picture


def tile_images(
    images: Sequence[np.ndarray],
    columns: int = 3,
    width: int | None = None,
    captions: Sequence[str] | None = None,
) -> np.ndarray:
    """Arrange images in rows.

    Args:
        images: ``(H, W, 3)`` uint8, BGR; they may differ in size.
        columns: Images in a row.
        width: Width of every image on the sheet in pixels, heights follow; by default images keep
            their size.
        captions: A text above each image; letters that do not fit its width are cut off.

    Returns:
        The sheet, ``(H', W', 3)`` uint8, BGR, on white.

    Raises:
        ValueError: there are no images, ``columns`` or ``width`` is less than 1, or there is not
            one caption for each image.
    """
    _check(images, width)
    if columns < 1:
        raise ValueError(f"columns must be at least 1, but is {columns}")
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"{len(captions)} captions do not fit {len(images)} images")
    tiles = [_resized(image, width) for image in images]
    if captions is not None:
        tiles = [_captioned(tile, text) for tile, text in zip(tiles, captions, strict=True)]
    rows = [tiles[i : i + columns] for i in range(0, len(tiles), columns)]
    cell = max(tile.shape[1] for tile in tiles)
    heights = [max(tile.shape[0] for tile in row) for row in rows]
    used = min(columns, len(tiles))
    shape = (sum(heights) + GAP * (len(rows) - 1), cell * used + GAP * (used - 1), 3)
    sheet = np.full(shape, PAPER, np.uint8)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            left = column * (cell + GAP)
            sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        top += height + GAP
    return sheet


def encode_jpeg(image: np.ndarray, quality: int = 85) -> bytes:
    """An image ``(H, W, 3)`` uint8, BGR, as the content of a JPEG file.

    Args:
        image: The image.
        quality: From 1 to 100.
    """
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def encode_gif(
    images: Sequence[np.ndarray], fps: float = 10, width: int | None = 320, colors: int = 96
) -> bytes:
    """Images of one size as the content of an animated GIF file that repeats for ever.

    Args:
        images: ``(H, W, 3)`` uint8, BGR.
        fps: Frames per second; the format counts in hundredths of a second.
        width: Width of the animation in pixels, the height follows; None keeps the size.
        colors: Of the palette that all frames share, 2 to 256; fewer make a smaller file.

    Raises:
        ValueError: there are no images, their sizes differ, or a number is out of its range.
    """
    from PIL import Image

    _check(images, width)
    sizes = {image.shape for image in images}
    if len(sizes) > 1:
        raise ValueError(f"the images of an animation must have one size, but have {sorted(sizes)}")
    if not (0 < fps <= 100 and 2 <= colors <= 256):
        raise ValueError(
            f"fps must be within (0, 100] and colors within 2 to 256, but are {fps} and {colors}"
        )
    frames = [Image.fromarray(_resized(image, width)[..., ::-1].copy()) for image in images]
    # One palette from samples of the whole animation: colours do not jump from frame to frame.
    samples = frames[:: max(1, len(frames) // 8)]
    strip = Image.fromarray(np.concatenate([np.asarray(frame) for frame in samples]))
    # An octree keeps the colours of thin lines; Pillow's default, median cut, drops rare colours.
    palette = strip.quantize(colors, method=Image.Quantize.FASTOCTREE)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    content = io.BytesIO()
    first.save(
        content,
        format="GIF",
        save_all=True,
        append_images=rest,
        duration=round(100 / fps) * 10,
        loop=0,
    )
    return content.getvalue()


def _check(images: Sequence[np.ndarray], width: int | None) -> None:
    if not len(images):
        raise ValueError("there are no images to put together")
    if width is not None and width < 1:
        raise ValueError(f"width must be at least 1 pixel, but is {width}")


def _resized(image: np.ndarray, width: int | None) -> np.ndarray:
    if width is None or width == image.shape[1]:
        return image
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    shrinks = width < image.shape[1]
    return mmcv.imresize(image, (width, height), interpolation="area" if shrinks else "bilinear")


def _captioned(image: np.ndarray, text: str) -> np.ndarray:
    bar = np.full((BAR, image.shape[1], 3), PAPER, np.uint8)
    cv2.putText(bar, text, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([bar, image])
