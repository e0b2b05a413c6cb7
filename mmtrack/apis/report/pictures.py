"""Small WebP pictures of frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from mmtrack.core.visualization import read_image
from mmtrack.core.visualization.report import Video
from mmtrack.core.visualization.report.model import FIRST_ERROR

DEFAULT_QUALITY = 70


def plan_pictures(videos: Sequence[Video], most: int) -> list[np.ndarray]:
    """Frames of each video to show a picture of, when there may be only so many in all.

    Every video gets the same number, except that short ones do not take more than they have.
    Half of the pictures of a video may go to frames with errors, rare kinds before common ones;
    the others are spread evenly, with its first and its last frame.

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
    return [_frames_to_show(video, share) for video, share in zip(videos, shares, strict=True)]


def _frames_to_show(video: Video, share: int) -> np.ndarray:
    """As many frames of a video as its share says, ascending."""
    length = len(video.frame_numbers)
    if share == length:
        return np.arange(length)
    weights = _error_weights(video)
    worst = np.argsort(-weights, kind="stable")[: share // 2]
    worst = worst[weights[worst] > 0]
    others = np.setdiff1d(np.arange(length), worst)
    even = np.linspace(0, len(others) - 1, share - len(worst)).round().astype(int)
    return np.sort(np.concatenate((worst, others[even])))


def _error_weights(video: Video) -> np.ndarray:
    """Sum over the errors of each frame of 1 / (errors of that kind in the video), ``(F,)``."""
    weights = np.zeros(len(video.frame_numbers))
    for boxes in filter(None, (video.results, video.truth)):
        for kind in np.unique(boxes.states[boxes.states >= FIRST_ERROR]):
            frames = boxes.frames[boxes.states == kind]
            weights += np.bincount(frames, minlength=len(weights)) / len(frames)
    return weights


def encode_picture(path: str, width: int, quality: int) -> bytes:
    """A WebP of an image file, at most ``width`` pixels wide.

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
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()


def encode_pictures(
    videos: Sequence[Video],
    plan: Sequence[np.ndarray],
    width: int,
    on_picture: Callable[[], None] | None = None,
    *,
    quality: int = DEFAULT_QUALITY,
) -> list[list[tuple[int, bytes]]]:
    """Pictures of the planned frames, ``(frame, WebP)`` for each video.

    Args:
        videos: The videos.
        plan: Frames of each video, see :func:`plan_pictures`.
        width: Largest width of a picture in pixels.
        on_picture: Called after each picture (progress).
        quality: Of the compression, 1 to 100.
    """
    encode = partial(encode_picture, width=width, quality=quality)
    pictures = []
    with ThreadPoolExecutor(2) as pool:  # OpenCV works outside of the interpreter's lock
        for video, frames in zip(videos, plan, strict=True):
            paths = [video.picture_paths[frame] for frame in frames]
            encoded = []
            for frame, data in zip(frames.tolist(), pool.map(encode, paths), strict=True):
                encoded.append((frame, data))
                if on_picture is not None:
                    on_picture()
            pictures.append(encoded)
    return pictures
