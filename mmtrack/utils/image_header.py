"""Look at the header of an image before OpenCV takes memory for its pixels."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from .reading import CONTENT_ERRORS


def check_pixel_count(data: bytes, name: str) -> None:
    """Refuse an image that a few bytes would blow up to gigabytes.

    The limit is Pillow's, 179 megapixels; ``PIL.Image.MAX_IMAGE_PIXELS`` changes it. Content that
    Pillow does not know is left to OpenCV, which refuses more than 2**30 pixels.

    Args:
        data: Content of the file.
        name: Name of the file, for the message.

    Raises:
        ValueError: the header announces too many pixels.
    """
    try:
        Image.open(BytesIO(data)).close()
    except Image.DecompressionBombError as error:
        raise ValueError(f"image {name} is too large: {error}") from error
    except (OSError, *CONTENT_ERRORS):
        return  # no image that Pillow knows; the decoder says what is wrong
