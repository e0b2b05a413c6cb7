"""Convert videos of single object tracking benchmarks to CocoVID, and the scripts that do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from mmtrack.datasets.parsers.sot_txt import SOTFormatError, check_boxes, parse_table
from mmtrack.utils.reading import read_text

from .coco_vid import CocoVidWriter
from .images import image_size
from .script import converter_arguments, progress_bar
from .sot_video import MissingSplitError, SOTVideo, write_infos

# Nobody names the objects: there is one category, and both its id and its name are 0.
_CATEGORY = 0
_LARGEST_LABEL = 2**31
_MASK = "m"  # VOT challenges from 2020 on have lines with masks, which begin so

Finders = Mapping[str, Callable[[], list[SOTVideo]]]


def sot_arguments(
    description: str, input_help: str, output_help: str, splits: Iterable[str] = ()
) -> argparse.ArgumentParser:
    """Parser of a converter, with ``--split`` where the benchmark has splits."""
    parser = converter_arguments(description, input_help, output_help)
    if splits:
        choices = [*splits, "all"]
        parser.add_argument(
            "--split", choices=choices, default="all", help="split to convert; all is every one"
        )
    return parser


def generate_infos(
    finders: Finders,
    split: str,
    output: str | os.PathLike,
    pattern: str,
    report: Callable[[str], None] = print,
) -> None:
    """Write the lists of videos of some splits.

    Args:
        finders: For each split a function that finds its videos.
        split: One of the splits, or ``'all'``; those that are not there are then left out.
        output: Folder of the lists.
        pattern: Name of a list, with ``{split}`` in it.
        report: Gets a line about each split.

    Raises:
        FileNotFoundError: the split is not there, or none is.
    """
    for name, videos in _find(finders, split, report):
        path = Path(output) / pattern.format(split=name)
        write_infos(path, videos)
        report(f"{path}: {len(videos)} videos, {sum(map(len, videos))} frames")


def generate_json(
    root: str | os.PathLike,
    finders: Finders,
    split: str,
    output: str | os.PathLike,
    pattern: str,
    report: Callable[[str], None] = print,
) -> None:
    """Write some splits as CocoVID files.

    Args:
        root: Root of the data set.
        finders: As in ``generate_infos``.
        split: As there.
        output: Folder of the files.
        pattern: Name of a file, with ``{split}`` in it.
        report: Gets a line about each split.

    Raises:
        FileNotFoundError: the split or a file of it is not there.
        ValueError: annotations are malformed, or not one per frame.
    """
    for name, videos in _find(finders, split, report):
        step = progress_bar(len(videos), "videos")
        writer = convert_sot(root, videos, step)
        path = Path(output) / pattern.format(split=name)
        writer.write(path)
        report(f"{path}: {writer.summary()}")


def convert_sot(
    root: str | os.PathLike,
    videos: Iterable[SOTVideo],
    progress: Callable[[], None] = lambda: None,
) -> CocoVidWriter:
    """Make a CocoVID file of videos with one object each.

    Boxes stay as they are: 4 numbers, or 8 for the polygons of VOT. Frames without object (NaN in
    UAV123) and those whose box is not public have zeros; frames whose object is a mask have no
    annotation.

    Args:
        root: Root of the data set; file names are relative to it.
        videos: The videos.
        progress: Called after each.
    """
    writer = CocoVidWriter((_CATEGORY,), first_category=_CATEGORY)
    for video in videos:
        _add_video(writer, Path(root), video)
        progress()
    return writer


def read_boxes(root: Path, video: SOTVideo) -> np.ndarray:
    """Boxes of the frames of a video.

    Returns:
        ``(N, 4)`` x, y, width, height or ``(N, 8)`` corners; NaN where the object is a mask. Hidden
        boxes are zero.

    Raises:
        SOTFormatError: the file has malformed lines, or not one for each frame.
    """
    path = root / video.annotation
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    masks = np.array([line.lstrip().startswith(_MASK) for line in lines], bool)
    kept = [line for line, mask in zip(lines, masks, strict=True) if not mask]
    boxes = np.full((len(lines), 4), np.nan)
    if kept:
        table = check_boxes(parse_table("\n".join(kept), str(path)), (4, 8), str(path))
        boxes = np.full((len(lines), table.shape[1]), np.nan)
        boxes[~masks] = np.nan_to_num(table, nan=0.0)
    boxes = boxes[video.skipped_lines :]
    if video.hidden and len(boxes) < len(video):
        boxes = np.concatenate((boxes[:1], np.zeros((len(video) - 1, boxes.shape[1]))))
    return _one_per_frame(boxes, video, path)


def _add_video(writer: CocoVidWriter, root: Path, video: SOTVideo) -> None:
    """Add a video with its images and boxes."""
    name = video.template % video.first
    width, height = image_size(root / video.images / name)
    boxes = read_boxes(root, video)
    areas = np.abs(_areas(boxes))
    labels = {key: _read_labels(root / path, video) for key, path in video.labels.items()}
    video_id = writer.add_video(video.name, width=width, height=height)
    for index in range(len(video)):
        image_id = writer.add_image(
            f"{video.images}/{video.template % (video.first + index)}",
            width,
            height,
            video_id=video_id,
            frame_id=index,
        )
        if np.isnan(boxes[index]).any():
            continue
        writer.add_annotation(
            image_id,
            _CATEGORY,
            boxes[index].tolist(),
            area=float(areas[index]),
            video_id=video_id,
            instance_id=video_id,
            **{key: values[index] for key, values in labels.items()},
        )


def _areas(boxes: np.ndarray) -> np.ndarray:
    """Areas of boxes or quadrangles."""
    if boxes.shape[1] == 4:
        return boxes[:, 2] * boxes[:, 3]
    x, y = boxes[:, 0::2], boxes[:, 1::2]
    return 0.5 * np.sum(x * np.roll(y, -1, 1) - np.roll(x, -1, 1) * y, axis=1)


def _read_labels(path: Path, video: SOTVideo) -> list[int]:
    """One whole number per frame, separated by commas or line breaks."""
    values = parse_table(read_text(path), str(path)).ravel()
    wrong = ~(np.abs(values) < _LARGEST_LABEL) | (values != np.round(values))
    if wrong.any():
        raise SOTFormatError(
            f"{path}: value {int(np.argmax(wrong)) + 1} is {values[np.argmax(wrong)]}, expected a "
            "whole number"
        )
    return _one_per_frame(values, video, path).astype(int).tolist()


def _one_per_frame(values: np.ndarray, video: SOTVideo, path: Path) -> np.ndarray:
    if len(values) != len(video):
        raise SOTFormatError(
            f"{path} has {len(values)} lines, {video.images} has frames {video.first} to "
            f"{video.last}; is the data set complete?"
        )
    return values


def _find(
    finders: Finders, split: str, report: Callable[[str], None]
) -> Iterable[tuple[str, list[SOTVideo]]]:
    """Splits and their videos; with ``'all'`` those that are there."""
    if split != "all":
        yield split, finders[split]()
        return
    missing = []
    for name, find in finders.items():
        try:
            videos = find()
        except MissingSplitError as error:
            missing.append(error)
            report(f"{name} is left out: {error}")
            continue
        yield name, videos
    if len(missing) == len(finders):
        raise MissingSplitError(f"no split was found: {missing[0]}")
