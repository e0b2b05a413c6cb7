"""Small JPEG pictures of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from mmtrack.core.visualization import read_image
from mmtrack.core.visualization.report import Video

QUALITY = 72


def plan_pictures(videos: Sequence[Video], most: int) -> list[np.ndarray]:
    """Frames of each video to show a picture of, when there may be only so many in all.

    Every video gets the same number, except that short ones do not take more than they have;
    the frames are spread evenly over a video, with its first and its last.

    Args:
        videos: The videos; those without picture files get none.
        most: Number of pictures of all videos together.

    Returns:
        Indices of frames, ascending, for each video.
    """
    lengths = np.array([len(v.frame_numbers) if v.picture_paths else 0 for v in videos], int)
    shares = np.zeros(len(videos), int)
    left = max(0, most)
    # the shortest first, so that what they leave goes to the longer ones
    order = np.argsort(lengths, kind="stable")
    for place, video in enumerate(order):
        shares[video] = min(lengths[video], left // (len(order) - place))
        left -= shares[video]
    return [
        np.unique(np.linspace(0, max(0, length - 1), share).round().astype(int))
        for length, share in zip(lengths, shares, strict=True)
    ]


def encode_picture(path: str, width: int) -> bytes:
    """A JPEG of an image file, at most ``width`` pixels wide.

    Raises:
        FileNotFoundError: there is no such file; the message says what to do.
    """
    try:
        image = read_image(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"frame {path} does not exist: correct the folder of the images, or give --no-images"
        ) from None
    if image.shape[1] > width:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def encode_pictures(
    videos: Sequence[Video],
    plan: Sequence[np.ndarray],
    width: int,
    on_picture: Callable[[], None] | None = None,
) -> list[list[tuple[int, bytes]]]:
    """Pictures of the planned frames, ``(frame, JPEG)`` for each video.

    Args:
        videos: The videos.
        plan: Frames of each video, see :func:`plan_pictures`.
        width: Largest width of a picture in pixels.
        on_picture: Called after each picture (progress).
    """
    pictures = []
    with ThreadPoolExecutor(2) as pool:  # OpenCV works outside of the interpreter's lock
        for video, frames in zip(videos, plan, strict=True):
            paths = [video.picture_paths[frame] for frame in frames]
            encoded = []
            for frame, jpeg in zip(
                frames.tolist(), pool.map(encode_picture, paths, [width] * len(paths)), strict=True
            ):
                encoded.append((frame, jpeg))
                if on_picture is not None:
                    on_picture()
            pictures.append(encoded)
    return pictures
