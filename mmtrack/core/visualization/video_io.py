"""Read frames from videos, folders, cameras and streams, write videos and folders, one by one."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol

import cv2
import numpy as np

from mmtrack.utils.file_io import atomic_write, natural_key
from mmtrack.utils.image_header import check_pixel_count

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
VIDEO_EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg")
STREAM_SCHEMES = ("rtsp://", "rtsps://", "rtmp://", "http://", "https://", "udp://", "tcp://")
DEFAULT_FPS = 25.0
# Frames per second that are believed; a damaged header can say anything.
SLOWEST, FASTEST = 0.01, 1000.0
MOST_TICKS = 65535  # MPEG-4 part 2 divides a second into no more
# A container's frame count may be an estimate from its duration; more missing than this is damage.
TRUNCATION_TOLERANCE = 0.02
# Bytes that close an image file; a file without them was cut off while being copied.
IMAGE_ENDS = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND"}
IMAGE_TAIL = 65536


class FrameSource(Protocol):
    """Frames in order of time.

    Attributes:
        name: What is read, for messages.
        fps: Frames per second, None where the source does not know.
        length: Number of frames, None where it is not known beforehand.
    """

    name: str
    fps: float | None
    length: int | None

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield ``(H, W, 3)`` uint8 BGR images."""


class FrameSink(Protocol):
    """Receives frames; what was written appears under its name when it is closed."""

    def write(self, image: np.ndarray) -> None:
        """Add a ``(H, W, 3)`` uint8 BGR image."""

    def close(self) -> None:
        """Finish the output."""

    def __enter__(self) -> FrameSink:
        """Use as a context: closed at the end, given up where an error happens."""

    def __exit__(self, *exception: object) -> None:
        """End of the context."""


def open_source(name: str) -> FrameSource:
    """Open what a user names as input.

    Args:
        name: A folder of images, a video file, the index of a camera (``'0'``) or the address of
            a stream (``rtsp://...``, ``http://...``).

    Raises:
        FileNotFoundError: nothing of that name exists.
        ValueError: it holds no readable frame.
    """
    if os.path.isdir(name):
        return FolderSource(name)
    if os.path.isfile(name):
        return VideoFileSource(name)
    if name.isdigit() or name.lower().startswith(STREAM_SCHEMES):
        return LiveSource(name)
    raise FileNotFoundError(
        f"input {name} does not exist; give a video file, a folder of images, "
        "the index of a camera, or an address such as rtsp://..."
    )


def open_sink(name: str, fps: float) -> FrameSink:
    """Open what a user names as output: a video file by its extension, else a folder of images.

    Raises:
        FileExistsError: the folder is not empty.
        ValueError: the frame rate is not positive, or a video is asked for in a format that is
            not written.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".mp4":
        return VideoFileWriter(name, fps)
    if suffix in VIDEO_EXTENSIONS or suffix in IMAGE_EXTENSIONS:
        raise ValueError(f"output {name}: give a name that ends in .mp4, or a folder for images")
    return FolderWriter(name)


class FolderSource:
    """The images of a folder in natural order: ``frame_2.jpg`` before ``frame_10.jpg``.

    Raises:
        ValueError: no images, or names that do not say the order.
    """

    def __init__(self, folder: str) -> None:
        self.name = folder
        self.fps: float | None = None
        self.paths = sorted_frames(folder)
        self.length: int | None = len(self.paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(read_image, self.paths)


class VideoFileSource:
    """A video file.

    Attributes:
        size: Height and width that the file states.

    Raises:
        ValueError: it cannot be decoded; while iterating, it ends long before its stated end.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        with _capture(path) as capture:
            if not capture.isOpened() or not capture.grab():
                raise ValueError(
                    f"{path} cannot be read as a video: damaged or truncated, or in a format this "
                    f"OpenCV does not know. `ffprobe {path}` tells more"
                )
            count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
            self.fps: float | None = _stated_rate(capture)
            sides = cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH
            self.size: tuple[int, int] = tuple(int(capture.get(side)) for side in sides)
        self.length: int | None = int(count) if count > 0 else None

    def __iter__(self) -> Iterator[np.ndarray]:
        count = 0
        with _capture(self.name) as capture:
            while (image := _read_next(capture)) is not None:
                count += 1
                yield image
        if self.length is not None and count < self.length * (1 - TRUNCATION_TOLERANCE) - 1:
            raise ValueError(
                f"{self.name} is damaged or truncated: only {count} of {self.length} frames can be "
                "decoded. `ffmpeg -i IN -c:v copy OUT.mp4` saves the part that can be read"
            )


class LiveSource:
    """A camera or a stream; it ends when the source stops sending.

    Raises:
        ValueError: it cannot be opened.
    """

    def __init__(self, address: str) -> None:
        self.name = f"camera {address}" if address.isdigit() else address
        self.length: int | None = None
        self._address = int(address) if address.isdigit() else address
        with _capture(self._address) as capture:
            if not capture.isOpened():
                raise ValueError(
                    f"{self.name} cannot be opened: check the index or address, and the network"
                )
            self.fps: float | None = _stated_rate(capture)

    def __iter__(self) -> Iterator[np.ndarray]:
        with _capture(self._address) as capture:
            while (image := _read_next(capture)) is not None:
                yield image


class VideoFileWriter:
    """Writes an mp4 (MPEG-4 part 2) that gets its name when it is complete.

    Args:
        path: File to write; missing folders are created, an older file is replaced at the end.
        fps: Frames per second, see :func:`encodable_rate`.

    Raises:
        ValueError: the frame rate cannot be written; frames change their size.
        RuntimeError: this OpenCV cannot encode mp4.
    """

    def __init__(self, path: str | os.PathLike, fps: float) -> None:
        self.path = Path(path)
        self.fps = encodable_rate(fps)
        self._writer: cv2.VideoWriter | None = None
        self._temporary: str | None = None
        self._size: tuple[int, int] | None = None

    def write(self, image: np.ndarray) -> None:
        """Add a frame ``(H, W, 3)`` uint8, BGR; all frames have the size of the first."""
        size = (image.shape[1], image.shape[0])
        if self._writer is None:
            self._open(size)
        if size != self._size:
            raise ValueError(
                f"{self.path}: a frame is {size[0]}x{size[1]}, the first one was "
                f"{self._size[0]}x{self._size[1]}; write frames of different size to a folder"
            )
        self._writer.write(np.ascontiguousarray(image))

    def bytes_written(self) -> int:
        """Size of the file up to now; the encoder may hold back the last frames."""
        return 0 if self._temporary is None else os.path.getsize(self._temporary)

    def close(self) -> None:
        """Finish the file and give it its name; without any frame nothing appears."""
        if self._writer is not None:
            self._writer.release()
            os.replace(self._temporary, self.path)
        self._writer = self._temporary = None

    def abort(self) -> None:
        """Give up and remove what was written."""
        if self._writer is not None:
            self._writer.release()
            os.unlink(self._temporary)
        self._writer = self._temporary = None

    def __enter__(self) -> VideoFileWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close() if kind is None else self.abort()

    def _open(self, size: tuple[int, int]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The encoder chooses the container by the extension, so the temporary name keeps it.
        handle, self._temporary = tempfile.mkstemp(
            dir=self.path.parent, prefix=f".{self.path.stem}.", suffix=self.path.suffix
        )
        os.close(handle)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(self._temporary, 0o666 & ~umask)  # mkstemp creates files for the owner alone
        code = cv2.VideoWriter_fourcc(*"mp4v")
        self._writer = cv2.VideoWriter(self._temporary, code, self.fps, size)
        self._size = size
        if not self._writer.isOpened():
            os.unlink(self._temporary)
            self._writer = None
            raise RuntimeError(f"{self.path}: this OpenCV has no mp4 encoder; write to a folder")


class FolderWriter:
    """Writes ``000000.jpg``, ``000001.jpg``, ... into a new or empty folder.

    Raises:
        FileExistsError: the folder holds files already.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.count = 0
        if self.folder.is_dir() and any(self.folder.iterdir()):
            raise FileExistsError(
                f"output folder {folder} is not empty; frames of two runs would mix. "
                "Name a new folder or empty this one"
            )

    def write(self, image: np.ndarray) -> None:
        """Add a frame ``(H, W, 3)`` uint8, BGR."""
        done, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        if not done:
            raise ValueError(f"frame {self.count} cannot be encoded, its shape is {image.shape}")
        with atomic_write(self.folder / f"{self.count:06d}.jpg", "wb") as file:
            file.write(code.tobytes())
        self.count += 1

    def close(self) -> None:
        """Nothing is left to do: every image is complete."""

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def encodable_rate(fps: float) -> float:
    """The nearest frame rate that an mp4 (MPEG-4 part 2) can have.

    OpenCV writes a rate as a fraction of a power of ten with at most three decimals. The encoder
    takes no numerator above 65535, so that rates above 65 keep fewer of them: 119.921 becomes
    119.92.

    Raises:
        ValueError: the rate is none, or lies outside of 0.01 to 65535.
    """
    if not SLOWEST <= fps <= MOST_TICKS:
        raise ValueError(
            f"the frame rate of a video must be from {SLOWEST} to {MOST_TICKS}, but is {fps:g}"
        )
    decimals = max(d for d in range(4) if fps * 10**d <= MOST_TICKS)
    return round(float(fps), decimals)


def sorted_frames(folder: str) -> list[str]:
    """Image files of a folder in natural order.

    Raises:
        ValueError: there is none, several have no number, or two have the same place.
    """
    names = [n for n in os.listdir(folder) if n.lower().endswith(IMAGE_EXTENSIONS)]
    names = sorted((n for n in names if not n.startswith(".")), key=natural_key)
    if not names:
        raise ValueError(f"folder {folder} holds no images ({', '.join(IMAGE_EXTENSIONS)})")
    stems = [Path(name).stem for name in names]
    for first, second, a, b in zip(stems, stems[1:], names, names[1:], strict=False):
        if natural_key(first) == natural_key(second):
            raise ValueError(f"folder {folder}: {a} and {b} claim the same place in the order")
    bare = [n for n, stem in zip(names, stems, strict=True) if not any(map(str.isdigit, stem))]
    if bare and len(names) > 1:
        raise ValueError(
            f"folder {folder}: {bare[0]} has no number, so the order of the frames is unknown; "
            "name them like frame_0001.jpg"
        )
    return [os.path.join(folder, name) for name in names]


def read_image(path: str) -> np.ndarray:
    """Decode an image file, ``(H, W, 3)`` uint8, BGR.

    Raises:
        ValueError: damaged or cut off. OpenCV would fill the rest with grey.
    """
    data = Path(path).read_bytes()
    for start, end in IMAGE_ENDS.items():
        if data.startswith(start) and end not in data[-IMAGE_TAIL:]:
            raise ValueError(f"{path} is truncated: the end of the image is missing")
    check_pixel_count(data, path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error:  # a header that OpenCV does not believe
        image = None
    if image is None:
        raise ValueError(f"{path} cannot be decoded as an image ({len(data)} bytes)")
    return image


@contextlib.contextmanager
def _capture(source: str | int) -> Iterator[cv2.VideoCapture]:
    capture = cv2.VideoCapture(source)
    try:
        yield capture
    finally:
        capture.release()


def _stated_rate(capture: cv2.VideoCapture) -> float | None:
    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if SLOWEST <= fps < FASTEST else None


def _read_next(capture: cv2.VideoCapture) -> np.ndarray | None:
    done, image = capture.read()
    return image if done else None
