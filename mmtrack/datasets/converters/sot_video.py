"""Videos of single object tracking benchmarks on disk, and lists of them for the data sets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import read_text

from .images import IMAGE_ENDINGS

INFOS_HEADER = "(video_path,annotation_path,start_frame_id,end_frame_id)"


class MissingSplitError(FileNotFoundError):
    """A split of a data set that was not downloaded."""


@dataclass(frozen=True)
class SOTVideo:
    """One object in one video; paths are relative to the root of the data set.

    Attributes:
        name: Name of the video.
        images: Folder of its images.
        annotation: File of its boxes, one line per frame.
        first: Number in the name of its first image.
        last: Number in the name of its last image.
        template: Name of an image, given its number.
        skipped_lines: Lines of the annotation file before the first frame.
        hidden: Only the box of the first frame is public.
        labels: Files with one number per frame, by the key that the number gets in CocoVID.
    """

    name: str
    images: str
    annotation: str
    first: int
    last: int
    template: str = "%08d.jpg"
    skipped_lines: int = 0
    hidden: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.last - self.first + 1


def frame_numbers(folder: str | os.PathLike) -> tuple[int, int]:
    """Lowest and highest number in the names of the images of a folder.

    Raises:
        FileNotFoundError: there is no such folder, or no numbered image in it.
    """
    numbers = [
        int(stem)
        for stem, ending in map(os.path.splitext, _entries(folder))
        if stem.isdecimal() and ending.lower() in IMAGE_ENDINGS
    ]
    if not numbers:
        raise FileNotFoundError(f"{os.fspath(folder)} holds no images named by their frame number")
    return min(numbers), max(numbers)


def folders_in(folder: str | os.PathLike) -> list[str]:
    """Names of the folders in a folder, sorted.

    Raises:
        FileNotFoundError: there is no such folder, or none in it.
    """
    names = [name for name in _entries(folder) if not name.startswith(".")]
    names = sorted(name for name in names if os.path.isdir(os.path.join(folder, name)))
    if not names:
        raise FileNotFoundError(f"{os.fspath(folder)} holds no folders of videos")
    return names


def read_names(path: str | os.PathLike) -> list[str]:
    """The lines of a file that are not blank.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no text in UTF-8.
    """
    return [line.strip() for line in read_text(path).split("\n") if line.strip()]


def write_infos(path: str | os.PathLike, videos: Iterable[SOTVideo]) -> None:
    """Write the list of videos that the data sets read."""
    with atomic_write(path) as file:
        file.write(INFOS_HEADER + "\n")
        for video in videos:
            file.write(f"{video.images},{video.annotation},{video.first},{video.last}\n")


def existing_labels(root: Path, folder: str, names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Those label files of a video that exist.

    Args:
        root: Root of the data set.
        folder: Folder of the video below it.
        names: For each key the names that its file may have.
    """
    found = {}
    for key, candidates in names.items():
        for name in candidates:
            if (root / folder / name).is_file():
                found[key] = f"{folder}/{name}"
                break
    return found


def _entries(folder: str | os.PathLike) -> list[str]:
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {os.fspath(folder)}")
    return os.listdir(folder)
