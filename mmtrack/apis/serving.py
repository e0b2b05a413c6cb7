"""Answer requests with a video: decode, run the model, return a drawn video or JSON.

Nothing here knows TorchServe; ``tools/torchserve/mmtrack_handler.py`` is the class around it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from mmtrack.core.visualization import VideoFileWriter, open_source
from mmtrack.core.visualization.video_io import DEFAULT_FPS, VideoFileSource

from .serving_request import (
    BAD_FIELD,
    TOO_LARGE,
    UNREADABLE,
    Limits,
    RequestError,
    VideoRequest,
    parse_request,
)
from .video_task import VideoTask, follows_one_object, video_task

CONFIG_FILE = "mmtrack_config.py"  # in the archive
LIMITS_SECTION = "limits"  # of the archive's settings
FOLDER_PREFIX = "mmtrack-serve-"
JSON, MP4 = "application/json", "video/mp4"
ERROR_NAMES = {BAD_FIELD: "BadRequest", TOO_LARGE: "TooLarge", UNREADABLE: "UnreadableVideo"}


class Answer(NamedTuple):
    """What goes back to a client.

    Attributes:
        status: 200, or 4xx for a request that cannot be answered.
        content_type: Of the body.
        body: A video, or JSON.
    """

    status: int
    content_type: str
    body: bytes


class VideoService:
    """Runs a model on the videos of requests, one after the other.

    Args:
        model: From :func:`~mmtrack.apis.init_model`, on its device.
        limits: What a request may cost.
    """

    def __init__(self, model: nn.Module, limits: Limits | None = None) -> None:
        self.model = model
        self.limits = limits or Limits()
        remove_stale_folders()

    def answer(self, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """Answer a request; a wrong one is answered with its error.

        Args:
            fields: See :func:`~mmtrack.apis.serving_request.parse_request`.
            headers: See there.
        """
        follows = follows_one_object(self.model)
        try:
            return self.run(parse_request(fields, self.limits, follows=follows, headers=headers))
        except RequestError as error:
            kind = ERROR_NAMES[error.status]
            text = {"code": error.status, "type": kind, "message": str(error)}
            return Answer(error.status, JSON, json.dumps(text, indent=2).encode())

    def run(self, request: VideoRequest) -> Answer:
        """Run the model on the video of a checked request.

        Raises:
            RequestError: the video cannot be decoded to its end, it or the answer is too large,
                or the first box does not fit.
        """
        task = video_task(self.model, request.score_thr, request.region)
        with request_folder() as folder:
            frames = DecodedFrames(folder, request.video, self.limits)
            images = fitting_first(frames, request.region)
            if request.output == "json":
                return Answer(200, JSON, found(task, images, frames, self._check_answer))
            path = folder / "answer.mp4"
            return Answer(200, MP4, drawn(task, images, frames.fps, path, self._check_answer))

    def _check_answer(self, size: int) -> None:
        """Refuse an answer that is too large to be sent; called while it grows."""
        limit = self.limits.max_answer_megabytes
        if size > limit * 2**20:
            raise RequestError(
                TOO_LARGE,
                f"the answer has more than {limit:g} MB, the limit of this server; send the video "
                "in parts, or ask for output=json",
            )


class DecodedFrames:
    """Frames of a video that came as bytes, decoded once, one at a time.

    Args:
        folder: Receives the file; decoders read no memory.
        video: Content of the file.
        limits: What it may cost.

    Raises:
        RequestError: not readable or too large; also while iterating.
    """

    def __init__(self, folder: Path, video: bytes, limits: Limits) -> None:
        self._path = folder / "request.mp4"  # decoders look at the content, not at the name
        self._path.write_bytes(video)
        self._limits = limits
        self._end = time.monotonic() + limits.max_seconds
        with self._client_errors():
            self._source = VideoFileSource(str(self._path))
        self.fps: float = self._source.fps or DEFAULT_FPS
        self._check_count(self._source.length or 0)
        self._check_pixels(*self._source.size)  # before memory is taken for them

    def __iter__(self) -> Iterator[np.ndarray]:
        # Errors of the consumer do not come by here: it runs while this generator is suspended.
        with self._client_errors():
            for count, image in enumerate(self._source, 1):
                self._check_count(count)
                self._check_time(count)
                self._check_pixels(*image.shape[:2])
                yield image

    def _check_count(self, count: int) -> None:
        if count > self._limits.max_frames:
            raise RequestError(
                TOO_LARGE,
                f"the video has {count} frames or more, the limit of this server is "
                f"{self._limits.max_frames}; send it in parts",
            )

    def _check_time(self, count: int) -> None:
        if time.monotonic() > self._end:
            raise RequestError(
                TOO_LARGE,
                f"after {count - 1} frames the time for a video is up, the limit of this server is "
                f"{self._limits.max_seconds:g} s; send it in parts",
            )

    def _check_pixels(self, height: int, width: int) -> None:
        if height * width > self._limits.max_pixels:
            raise RequestError(
                TOO_LARGE,
                f"the frames have {width} x {height} pixels, the limit of this server is "
                f"{self._limits.max_pixels} pixels",
            )

    @contextlib.contextmanager
    def _client_errors(self) -> Iterator[None]:
        """Turn the decoder's complaints into answers that do not name our temporary file."""
        try:
            yield
        except RequestError:
            raise
        except ValueError as error:
            # only the first sentence: the remedies after it are for files on this machine
            text = str(error).replace(str(self._path), "the video").split(". ")[0]
            raise RequestError(UNREADABLE, text) from None


def fitting_first(frames: Iterable[np.ndarray], region: np.ndarray | None) -> Iterator[np.ndarray]:
    """The frames, after a look whether a region can belong to the first one.

    Trackers cut out several times the size of the box; a box of a million pixels would take the
    memory of the machine.

    Args:
        frames: ``(H, W, 3)`` images.
        region: ``(4,)``, x1, y1, x2, y2 in pixels; None for none.

    Raises:
        RequestError: it lies outside, is larger than the frame, or narrower than a pixel.
    """
    for index, image in enumerate(frames):
        height, width = image.shape[:2]
        problem = None if index or region is None else _misfit(region, height, width)
        if problem is not None:
            x1, y1, x2, y2 = region
            raise RequestError(
                BAD_FIELD,
                f"init_bbox {x1:g},{y1:g},{x2 - x1:g},{y2 - y1:g} {problem}; the first frame has "
                f"{width} x {height} pixels",
            )
        yield image


def _misfit(region: np.ndarray, height: int, width: int) -> str | None:
    """Why a region cannot be an object of a frame; None if it can."""
    x1, y1, x2, y2 = region
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        return "lies outside"
    if x2 - x1 > width + 1 or y2 - y1 > height + 1:
        return "is larger than the frame"
    if min(x2 - x1, y2 - y1) < 1:
        return "is narrower than a pixel"
    return None


def found(
    task: VideoTask,
    images: Iterable[np.ndarray],
    frames: DecodedFrames,
    check_size: Callable[[int], None],
) -> bytes:
    """JSON of what a model finds in a video, as described in docs/en/serving.md.

    Args:
        task: The model.
        images: Frames of the video.
        frames: Where they come from.
        check_size: Gets the bytes of the rows after each frame, and may raise.
    """
    rows, size, written = [], (0, 0), 0
    for frame_id, image in enumerate(images):
        size = image.shape[:2]
        objects = task.objects(task.infer(image, frame_id))
        # kept as text, which takes less memory than the objects
        row = json.dumps({"frame_id": frame_id, "objects": objects}, allow_nan=False).encode()
        rows.append(row)
        written += len(row)
        check_size(written)
    head = {
        "task": task.name,
        "fps": frames.fps,
        "height": size[0],
        "width": size[1],
        "num_frames": len(rows),
    }
    start = json.dumps(head).removesuffix("}").encode()
    return b"".join([start, b', "frames": [', b", ".join(rows), b"]}"])


def drawn(
    task: VideoTask,
    images: Iterable[np.ndarray],
    fps: float,
    path: Path,
    check_size: Callable[[int], None],
) -> bytes:
    """Content of an mp4 file with the results drawn on the frames.

    Args:
        task: The model.
        images: Frames of the video.
        fps: Frames per second.
        path: The file.
        check_size: Gets the bytes of the file after each frame, and may raise.

    Raises:
        OSError: the file is not complete.
    """
    count = 0
    with VideoFileWriter(path, fps) as writer:
        for frame_id, image in enumerate(images):
            writer.write(task.draw(image, task.infer(image, frame_id)))
            check_size(writer.bytes_written())
            count += 1
    check_size(path.stat().st_size if count else 0)
    # OpenCV's encoder says nothing when the disk is full.
    try:
        complete = open_source(str(path)).length == count
    except ValueError:
        complete = False
    if not complete:
        raise OSError(f"the {count} drawn frames could not be written to {path}: disk full?")
    return path.read_bytes()


@contextlib.contextmanager
def request_folder() -> Iterator[Path]:
    """A folder for the files of one request, removed at its end; its name tells the process."""
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER_PREFIX}{os.getpid()}-") as folder:
        yield Path(folder)


def remove_stale_folders() -> None:
    """Remove folders of requests whose process was killed before it could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).split("-")[0]
        if pid.isdigit() and not _is_running(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)  # another worker may be at it as well


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # signal 0 only asks
    except ProcessLookupError:
        return False
    except PermissionError:  # a process of somebody else
        return True
    return True
