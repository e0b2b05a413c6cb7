"""Cut the people out of MOTChallenge sequences and list them for re-identification."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmtrack.utils.file_io import atomic_write

from .mot import PEDESTRIAN, MOTSequence

_THREADS = 4  # OpenCV reads, cuts and writes without holding the interpreter's lock


@dataclass(frozen=True)
class ReIDRules:
    """Which boxes become crops.

    Attributes:
        visibility: Boxes less visible than this are left out.
        min_crops: People with fewer crops are left out.
        max_crops: Of people with more crops, this many are drawn.
        seed: Seed of that draw.
    """

    visibility: float = 0.3
    min_crops: int = 8
    max_crops: int = 1000
    seed: int = 0


@dataclass(frozen=True)
class _Crop:
    """One crop: row and column range of an image, and the file it goes to."""

    window: tuple[slice, slice]
    path: Path


def crop_identities(
    sequences: Iterable[MOTSequence],
    folder: str | os.PathLike,
    rules: ReIDRules | None = None,
    progress: Callable[[], None] | None = None,
) -> list[list[str]]:
    """Write ``<folder>/<video>_<id>/<k>.jpg`` for every person.

    Each image is read once.

    Args:
        sequences: Videos with ground truth.
        folder: Where to; created.
        rules: Which boxes count.
        progress: Called after each image.

    Returns:
        For each person, sorted by folder name, the paths of the crops relative to ``folder``.

    Raises:
        FileNotFoundError: a sequence has no ground truth.
        ValueError: an image cannot be read.
    """
    folder = Path(folder)
    rules = rules or ReIDRules()
    rng = np.random.default_rng(rules.seed)
    people: dict[str, list[str]] = {}
    for sequence in sequences:
        jobs, found = _plan(sequence, folder, rules, rng)
        people.update(found)
        for name in found:
            (folder / name).mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(_cut, jobs.keys(), jobs.values()):
                if progress is not None:
                    progress()
    return [people[name] for name in sorted(people)]


def _plan(
    sequence: MOTSequence, folder: Path, rules: ReIDRules, rng: np.random.Generator
) -> tuple[dict[Path, list[_Crop]], dict[str, list[str]]]:
    """Crops by image, and crop names by person."""
    truth = sequence.ground_truth()
    if truth is None:
        raise FileNotFoundError(f"{sequence.folder / 'gt' / 'gt.txt'} does not exist")
    size = np.array([sequence.info.width, sequence.info.height])
    first = np.clip(np.floor(truth.boxes[:, :2]), 0, size).astype(int)
    last = np.clip(np.ceil(truth.boxes[:, :2] + truth.boxes[:, 2:]), 0, size).astype(int)
    usable = (truth.classes == PEDESTRIAN) & (truth.visibility >= rules.visibility)
    usable &= (last > first).all(axis=1)
    images = [sequence.folder.parent / sequence.file_name(i) for i in range(len(sequence.images))]
    image_of = dict(zip(sequence.frames, images, strict=True))
    jobs: dict[Path, list[_Crop]] = {image: [] for image in images}
    people: dict[str, list[str]] = {}
    for track in np.unique(truth.ids[usable]).tolist():
        rows = np.flatnonzero(usable & (truth.ids == track))
        if len(rows) < rules.min_crops:
            continue
        if len(rows) > rules.max_crops:
            rows = np.sort(rng.choice(rows, rules.max_crops, replace=False))
        name = f"{sequence.name}_{track:06d}"
        people[name] = [f"{name}/{k:06d}.jpg" for k in range(len(rows))]
        for row, crop in zip(rows.tolist(), people[name], strict=True):
            (left, top), (right, bottom) = first[row].tolist(), last[row].tolist()
            window = (slice(top, bottom), slice(left, right))
            jobs[image_of[int(truth.frames[row])]].append(_Crop(window, folder / crop))
    return jobs, people


def _cut(image_path: Path, crops: list[_Crop]) -> None:
    """Read an image and write its crops."""
    if not crops:
        return
    image = cv2.imread(str(image_path))
    if image is None:
        raise ValueError(f"{image_path} cannot be read as an image")
    for crop in crops:
        if not cv2.imwrite(str(crop.path), image[crop.window]):
            raise OSError(f"cannot write {crop.path}")


def write_reid_lists(
    people: list[list[str]], folder: str | os.PathLike, val_split: float
) -> tuple[str, str]:
    """Write the lists of a data set of crops.

    Args:
        people: Crop names by person; the first share of them trains.
        folder: Receives ``train_<percent>.txt``, ``val_<percent>.txt`` with labels from 0 each,
            and ``train.txt`` with all people, those for validation after the others.
        val_split: Share of people kept for validation, at least 0 and below 1.

    Returns:
        Names of the first two files.

    Raises:
        ValueError: the share is out of range, or nobody is left.
    """
    if not 0 <= val_split < 1:
        raise ValueError(f"the share of people for validation is {val_split}, expected [0, 1)")
    if not people:
        raise ValueError(
            "nobody has enough crops; lower the visibility threshold or the least number of crops"
        )
    count = int(round(len(people) * (1 - val_split), 6))
    percent = round(100 * val_split)
    names = (f"train_{100 - percent}.txt", f"val_{percent}.txt")
    for name, part in zip(
        (*names, "train.txt"), (people[:count], people[count:], people), strict=True
    ):
        with atomic_write(Path(folder) / name) as file:
            for label, crops in enumerate(part):
                file.writelines(f"{crop} {label}\n" for crop in crops)
    return names
