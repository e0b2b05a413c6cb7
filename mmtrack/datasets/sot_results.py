"""Read what trackers found in the videos of a data set, from files in common formats."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmtrack.utils.archive import open_archive, read_member
from mmtrack.utils.reading import decode_text, read_json_object, read_text, reading

from .parsers.sot_txt import check_boxes, parse_table

if TYPE_CHECKING:
    from .base_sot_dataset import BaseSOTDataset

_LARGEST_TEXT = 1 << 27  # bytes of the boxes of a video
_COPIES = re.compile(r"groundtruth\D*(\d*)$")  # groundtruth_rect.2.txt: second object of a video


def read_sot_results(path: str | os.PathLike, dataset: BaseSOTDataset) -> list[np.ndarray]:
    """Read tracked boxes of all videos of a data set.

    Args:
        path: One of: a json file that ``tools/test.py --out`` wrote; a folder or a zip archive
            with ``<video>.txt`` (TrackingNet and most trackers) or ``<video>/<video>_001.txt``
            (GOT-10k) for each video, lines of x, y, width, height.
        dataset: The data set.

    Returns:
        Boxes ``(N, 4)`` x1y1x2y2 of each video.

    Raises:
        FileNotFoundError: there is no such file, or no file of a video.
        ValueError: the results are of other videos or malformed; the message names the file.
    """
    path = Path(path)
    if path.is_dir():
        return _read_texts(str(path), dataset, *_open_folder(path))
    if not path.is_file():
        raise FileNotFoundError(f"there are no results {path}")
    if path.suffix == ".zip":
        with open_archive(path) as archive:
            names = archive.namelist()
            return _read_texts(str(path), dataset, names, lambda name: _member(archive, name))
    if path.suffix == ".json":
        content = read_json_object(path)
        with reading(path):
            return dataset.boxes_by_video(content)
    raise ValueError(
        f"{path} is no .json, .zip or folder of results; `tools/test.py --out results.json` writes "
        "one (pickles are not opened: they can run programs)"
    )


def video_names(dataset: BaseSOTDataset) -> list[str]:
    """Names of the videos of a data set, as result files use them.

    A video is named after its annotation file, or after that file's folder where all annotation
    files are called groundtruth; further objects of a video of OTB-100 get ``-2`` and so on.
    """
    return [_video_name(info["ann_path"]) for info in dataset.data_infos]


def _video_name(annotation: str) -> str:
    path = Path(annotation)
    copies = _COPIES.match(path.stem)
    if copies is None:
        return path.stem
    return path.parent.name + (f"-{copies[1]}" if copies[1] else "")


def _member(archive: zipfile.ZipFile, name: str) -> str:
    return decode_text(read_member(archive, name, _LARGEST_TEXT), f"{archive.filename}/{name}")


def _open_folder(folder: Path) -> tuple[Sequence[str], Callable[[str], str]]:
    """Names of the files in a folder of results, and a function that reads one."""
    files = [p for pattern in ("*.txt", "*/*.txt") for p in folder.glob(pattern)]
    return [p.relative_to(folder).as_posix() for p in files], lambda n: read_text(folder / n)


def _read_texts(
    source: str, dataset: BaseSOTDataset, files: Sequence[str], read: Callable[[str], str]
) -> list[np.ndarray]:
    """Boxes of each video from its text file."""
    files, videos = set(files), []
    names, lengths = video_names(dataset), dataset.num_frames_per_video
    for name, length in zip(names, lengths, strict=True):
        candidates = (f"{name}.txt", f"{name}/{name}_001.txt")
        found = next((file for file in candidates if file in files), None)
        if found is None:
            raise FileNotFoundError(f"{source} has no results of {name}: {' or '.join(candidates)}")
        where = f"{source}/{found}"
        boxes = check_boxes(parse_table(read(found), where), (4,), where)
        if len(boxes) != length:
            raise ValueError(f"{where} has {len(boxes)} boxes, the video {length} frames")
        videos.append(np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1))
    return videos
