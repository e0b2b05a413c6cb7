"""A report from a folder of MOTChallenge result files, without a config."""

from __future__ import annotations

import os
import os.path as osp
from dataclasses import replace

import numpy as np

from mmtrack.core.evaluation import MOTTable
from mmtrack.core.visualization import read_image, sorted_frames
from mmtrack.core.visualization.report import Report
from mmtrack.datasets.parsers.detections import read_ground_truth, read_sequence_lengths
from mmtrack.datasets.parsers.mot_txt import SeqInfo, read_mot_txt, read_seqinfo
from mmtrack.utils.file_io import natural_key

from .frames import Frames
from .mot import mot_report, score_tables

_IMAGE_FOLDER = "img1"


def read_result_folder(folder: str) -> dict[str, MOTTable]:
    """Results by name of the sequence from ``SEQUENCE.txt`` files.

    Raises:
        FileNotFoundError: the folder has no such file.
    """
    names = sorted((n for n in os.listdir(folder) if n.endswith(".txt")), key=natural_key)
    if not names:
        raise FileNotFoundError(f"{folder} has no SEQUENCE.txt files of tracks")
    return {osp.splitext(n)[0]: read_mot_txt(osp.join(folder, n), drop_empty=True) for n in names}


def gather_mot_folder(
    base: Report,
    folder: str,
    gt_folder: str | None,
    benchmark: str | None = None,
    image_folder: str | None = None,
    *,
    pictures: bool = True,
) -> Report:
    """Fill a report from result files.

    Args:
        base: Title and facts of the report.
        folder: Folder of ``SEQUENCE.txt`` files.
        gt_folder: Folder of ``SEQUENCE/gt/gt.txt``, and of the images; None for results alone.
        benchmark: Rules of scoring; None for those of MOT15 where the ground truth names no
            classes and those of MOT17 elsewhere, as tools/track_detections.py does.
        image_folder: Folder of ``SEQUENCE/img1``; None for `gt_folder`.
        pictures: Whether to look for images at all.

    Raises:
        FileNotFoundError: no results, or no ground truth of any sequence.
        ValueError: a file that does not follow its format.
    """
    tables = read_result_folder(folder)
    truth = read_ground_truth(gt_folder, list(tables)) if gt_folder else {}
    root = image_folder or gt_folder
    frames = [
        _frames(name, root, [tables[name], truth.get(name)], pictures=pictures) for name in tables
    ]
    if not truth:
        return mot_report(base, frames, tables, {}, None)
    if benchmark is None:
        known = any((table.classes >= 0).any() for table in truth.values())
        benchmark = "MOT17" if known else "MOT15"
    lengths = read_sequence_lengths(gt_folder, list(truth))
    scored = score_tables(truth, tables, benchmark=benchmark, seq_lengths=lengths or None)
    base = replace(base, facts={**base.facts, "rules": benchmark})
    return mot_report(base, frames, tables, truth, scored)


def _frames(
    name: str, root: str | None, tables: list[MOTTable | None], *, pictures: bool
) -> Frames:
    """Frames of a sequence: what seqinfo.ini says, else what the files and boxes tell."""
    boxes = [table for table in tables if table is not None]
    folder = osp.join(root, name) if root else None
    info = _seqinfo(folder)
    files = _pictures(folder, info) if pictures else None
    length = info.length if info else max(int(table.frames.max(initial=1)) for table in boxes)
    if files is not None and len(files) < length:
        raise ValueError(
            f"{osp.dirname(files[0])} has {len(files)} images, but {name} has {length} frames; "
            "give --no-images, or --images with another folder"
        )
    return Frames(name, np.arange(length) + 1, _size(info, files, boxes), files)


def _seqinfo(folder: str | None) -> SeqInfo | None:
    path = osp.join(folder, "seqinfo.ini") if folder else ""
    return read_seqinfo(path) if osp.isfile(path) else None


def _pictures(folder: str | None, info: SeqInfo | None) -> list[str] | None:
    if folder is None:
        return None
    images = osp.join(folder, (info.im_dir if info else None) or _IMAGE_FOLDER)
    return sorted_frames(images) if osp.isdir(images) else None


def _size(
    info: SeqInfo | None, pictures: list[str] | None, boxes: list[MOTTable]
) -> tuple[int, int]:
    """Width and height: of seqinfo.ini, of the first image, or just around all boxes."""
    if info is not None and info.width and info.height:
        return info.width, info.height
    if pictures:
        height, width = read_image(pictures[0]).shape[:2]
        return width, height
    ends = np.concatenate([table.boxes[:, :2] + table.boxes[:, 2:] for table in boxes])
    width, height = np.ceil(ends.max(axis=0, initial=1)).astype(int)
    return int(width), int(height)
