"""The frames of the videos of a data set: numbers, size, picture files."""

from __future__ import annotations

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmtrack.datasets import CocoVideoDataset


@dataclass(frozen=True)
class Frames:
    """Frames of one video.

    Attributes:
        name: Name of the video.
        numbers: Number of each frame as files count it, ascending, ``(F,)`` int64.
        size: Width and height in pixels.
        pictures: File of each frame, or None.
    """

    name: str
    numbers: np.ndarray
    size: tuple[int, int]
    pictures: Sequence[str] | None

    def index_of(self, numbers: np.ndarray) -> np.ndarray:
        """Position of frames by their number.

        Raises:
            ValueError: the video has no frame of a number.
        """
        at = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        wrong = np.flatnonzero(self.numbers[at] != numbers)
        if len(wrong):
            raise ValueError(
                f"{self.name}: there are boxes of frame {numbers[wrong[0]]}, but the frames are "
                f"{self.numbers[0]} to {self.numbers[-1]}: are the results of other videos?"
            )
        return at


def frames_of_dataset(dataset: CocoVideoDataset) -> list[Frames]:
    """Frames of each video of a data set in the CocoVID format, in the order of its results."""
    videos = []
    for positions in dataset.positions_of_videos():
        infos = [dataset.data_infos[i] for i in positions]
        numbers = [info.get("mot_frame_id", info["frame_id"] + 1) for info in infos]
        videos.append(
            Frames(
                name=str(dataset.coco.videos[infos[0]["video_id"]]["name"]),
                numbers=np.array(numbers, np.int64),
                size=(int(infos[0]["width"]), int(infos[0]["height"])),
                pictures=[osp.join(dataset.img_prefix or "", i["filename"]) for i in infos],
            )
        )
    return videos
