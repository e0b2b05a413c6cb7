"""Archives that the evaluation servers of GOT-10k and TrackingNet take."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np

from mmtrack.utils.archive import write_zip

# GOT-10k wants the time of every frame; nothing is ranked by it.
_FRAME_TIME = "0.0001"


def write_got10k_zip(path: str | os.PathLike, videos: Mapping[str, np.ndarray]) -> None:
    """Write the boxes of the GOT-10k test set for its server.

    The archive has, for each video, ``<video>/<video>_001.txt`` with a line ``x,y,w,h`` per frame
    and ``<video>/<video>_time.txt`` with the seconds per frame.

    Args:
        path: Archive to write; it appears when it is complete.
        videos: Boxes ``(N, 4)`` of each video by name: x, y, width, height in pixels.

    Raises:
        ValueError: a name is no plain file name, or boxes are malformed; the message names the
            video.
    """

    def members() -> Iterator[tuple[str, str]]:
        for name, bboxes in videos.items():
            yield f"{name}/{name}_001.txt", _lines(name, bboxes)
            yield f"{name}/{name}_time.txt", f"{_FRAME_TIME}\n" * len(bboxes)

    _write(path, videos, members())


def write_trackingnet_zip(path: str | os.PathLike, videos: Mapping[str, np.ndarray]) -> None:
    """Write the boxes of the TrackingNet test set for its server.

    The archive has a ``<video>.txt`` for each video with a line ``x,y,w,h`` per frame.

    Args:
        path: Archive to write; it appears when it is complete.
        videos: Boxes ``(N, 4)`` of each video by name: x, y, width, height in pixels.

    Raises:
        ValueError: as ``write_got10k_zip``.
    """
    _write(path, videos, ((f"{name}.txt", _lines(name, boxes)) for name, boxes in videos.items()))


def _write(
    path: str | os.PathLike,
    videos: Mapping[str, np.ndarray],
    members: Iterator[tuple[str, str]],
) -> None:
    if not videos:
        raise ValueError(f"there are no results to write to {os.fspath(path)}")
    for name in videos:
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise ValueError(f"{name!r} cannot name a video in an archive")
    write_zip(path, members)


def _lines(name: str, bboxes: np.ndarray) -> str:
    """A line of four numbers per box."""
    bboxes = np.asarray(bboxes, dtype=np.float64)
    if bboxes.ndim != 2 or bboxes.shape[1] != 4 or not len(bboxes):
        raise ValueError(f"{name}: expected boxes (N, 4), found an array {bboxes.shape}")
    if not np.isfinite(bboxes).all():
        frame = int(np.flatnonzero(~np.isfinite(bboxes).all(1))[0])
        raise ValueError(f"{name}, frame {frame}: box {bboxes[frame].tolist()} is not finite")
    return "".join("{:.4f},{:.4f},{:.4f},{:.4f}\n".format(*row) for row in bboxes.tolist())
