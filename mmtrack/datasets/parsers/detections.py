"""Detections and ground truth of many sequences, from the layouts that people have them in."""

from __future__ import annotations

import os
import re

import numpy as np

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.utils.file_io import leads_out, natural_key

from .mot_txt import MOST_FRAMES, read_mot_txt, read_seqinfo
from .public_detections import load_public_detections

_DIGITS = 12  # of the number of a frame, with its zeros


def _sequence_folders(folder: str, file: str) -> dict[str, str]:
    """Sequence name to ``folder/SEQUENCE/file``, for those that have the file."""
    names = sorted(os.listdir(folder), key=natural_key)
    paths = {name: os.path.join(folder, name, *file.split("/")) for name in names}
    return {name: path for name, path in paths.items() if os.path.isfile(path)}


def read_detections(path: str) -> dict[str, MOTTable]:
    """Read detections of one or many sequences.

    Args:
        path: A folder in the MOTChallenge layout (``SEQUENCE/det/det.txt``), a folder of
            ``SEQUENCE.txt`` files, one text file (named after its sequence, or ``det.txt`` in the
            folder ``det`` of its sequence), or a ``.json``, ``.pkl`` or ``.npz`` file as of
            :func:`load_public_detections`.

    Returns:
        Sequence name to its boxes; classes count from 1 where the file has them.

    Raises:
        FileNotFoundError: There is no such path, or the folder holds no detections.
        ValueError: A file does not follow its format; the message names file and place.
    """
    path = os.path.normpath(os.fspath(path))
    if os.path.isdir(path):
        return _read_folder(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"detections {path} do not exist")
    if path.endswith((".json", ".pkl", ".pickle", ".npz")):
        return _by_sequence(load_public_detections(path), path)
    return {_sequence_of_file(path): read_mot_txt(path)}


def _read_folder(path: str) -> dict[str, MOTTable]:
    files = _sequence_folders(path, "det/det.txt")
    if not files and os.path.isfile(os.path.join(path, "det", "det.txt")):
        files = {os.path.basename(os.path.abspath(path)): os.path.join(path, "det", "det.txt")}
    if not files:
        texts = sorted((n for n in os.listdir(path) if n.endswith(".txt")), key=natural_key)
        files = {os.path.splitext(name)[0]: os.path.join(path, name) for name in texts}
    if not files:
        raise FileNotFoundError(
            f"no detections in {path}: expected SEQUENCE/det/det.txt or SEQUENCE.txt files"
        )
    return {name: read_mot_txt(file) for name, file in files.items()}


def _sequence_of_file(path: str) -> str:
    """``.../TUD-Campus/det/det.txt`` is of TUD-Campus, ``TUD-Campus.txt`` too."""
    stem = os.path.splitext(os.path.basename(path))[0]
    folder = os.path.dirname(os.path.abspath(path))
    if stem == "det" and os.path.basename(folder) == "det":
        return os.path.basename(os.path.dirname(folder))
    return stem


def _by_sequence(entries: dict[str, list[np.ndarray]], path: str) -> dict[str, MOTTable]:
    """Group boxes by the sequence and frame that the image names tell.

    Args:
        entries: Image name such as ``MOT17-02/img1/000001.jpg`` to one array per class, ``(n, 5)``
            x1, y1, x2, y2, score.
        path: Where the entries come from, for messages.
    """
    if not isinstance(entries, dict):
        raise ValueError(
            f"{path}: detections without image names belong to one annotation file; expected "
            "{det_bboxes: {file_name: [one array per class]}}"
        )
    sequences: dict[str, list[np.ndarray]] = {}
    for name, per_class in sorted(entries.items(), key=lambda item: natural_key(item[0])):
        sequence, frame = _sequence_and_frame(name, path)
        # an image without boxes still makes its sequence known
        rows = sequences.setdefault(sequence, [])
        for label, boxes in enumerate(per_class):
            boxes = np.asarray(boxes, np.float64).reshape(-1, 5)
            head = np.tile([frame, label + 1], (len(boxes), 1))
            rows.append(np.concatenate((head, boxes), axis=1))
    tables = {}
    for sequence, rows in sequences.items():
        table = np.concatenate([*rows, np.zeros((0, 7))])
        table[:, 4:6] -= table[:, 2:4]
        tables[sequence] = MOTTable.from_columns(
            table[:, 0],
            np.full(len(table), -1),
            table[:, 2:6],
            scores=table[:, 6],
            classes=table[:, 1],
        )
    return tables


def _sequence_and_frame(name: str, path: str) -> tuple[str, int]:
    parts = name.replace("\\", "/").split("/")
    number = re.search(r"([0-9]+)\.\w+$", parts[-1])
    if len(parts) < 2 or number is None:
        raise ValueError(
            f"{path}: image name {name!r} does not tell sequence and frame; expected a name such "
            "as MOT17-02-DPM/img1/000001.jpg"
        )
    folders = parts[:-2] if len(parts) > 2 and parts[-2] == "img1" else parts[:-1]
    sequence, frame = folders[-1], int(number.group(1)[-_DIGITS:])
    if leads_out(sequence):
        raise ValueError(f"{path}: {sequence!r} of image name {name!r} cannot name a sequence")
    if len(number.group(1)) > _DIGITS or not 1 <= frame <= MOST_FRAMES:
        raise ValueError(
            f"{path}: image name {name!r} ends in frame {number.group(1):.20}; frames are counted "
            f"from 1 to {MOST_FRAMES:,}"
        )
    return sequence, frame


def read_ground_truth(folder: str, names: list[str]) -> dict[str, MOTTable]:
    """Read ``folder/SEQUENCE/gt/gt.txt`` of the named sequences that have it.

    Raises:
        FileNotFoundError: None of the sequences has ground truth there.
    """
    found = _sequence_folders(folder, "gt/gt.txt") if os.path.isdir(folder) else {}
    tables = {name: read_mot_txt(found[name]) for name in names if name in found}
    if not tables:
        raise FileNotFoundError(
            f"no ground truth for {', '.join(names[:5])} in {folder}: expected "
            f"{os.path.join(folder, names[0], 'gt', 'gt.txt')}"
        )
    return tables


def read_sequence_lengths(folder: str, names: list[str]) -> dict[str, int]:
    """Frame counts that ``folder/SEQUENCE/seqinfo.ini`` tell, where there are such files."""
    found = _sequence_folders(folder, "seqinfo.ini") if os.path.isdir(folder) else {}
    return {name: read_seqinfo(found[name]).length for name in names if name in found}
