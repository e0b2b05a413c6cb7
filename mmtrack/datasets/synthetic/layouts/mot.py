"""MOTChallenge layout: MOT15, MOT16, MOT17 and MOT20, and DanceTrack which follows it.

Reference: Milan et al., "MOT16: A Benchmark for Multi-Object Tracking", 2016, section 4.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmtrack.core.evaluation.mot_table import MOTTable
from mmtrack.datasets.mot_results import FILE_ORIGIN
from mmtrack.datasets.parsers.mot_txt import SeqInfo, write_mot_txt, write_seqinfo

from ..casting import SceneSpec, stage_scene, street_scene
from ..scene import CATEGORIES, Frame, Scene, seeded
from .base import Progress, RenderOptions, option, video_specs, write_image

PEDESTRIAN = 1
# MOTChallenge class of each category: pedestrian, static person, car, occluder on the ground.
MOT_CLASSES = np.array([PEDESTRIAN, 7, 3, 9])
_PERSON = CATEGORIES.index("person")
# Annotators recognise somebody at the border of a frame once this share of the body is in it.
_LEAST_INSIDE = 0.15

# Numbers of the official videos; further ones follow.
_NUMBERS = {
    "MOT15": ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), (21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)),
    "MOT16": ((2, 4, 5, 9, 10, 11, 13), (1, 3, 6, 7, 8, 12, 14)),
    "MOT17": ((2, 4, 5, 9, 10, 11, 13), (1, 3, 6, 7, 8, 12, 14)),
    "MOT20": ((1, 2, 3, 5), (4, 6, 7, 8)),
}


@dataclass(frozen=True)
class Detector:
    """How a public detector errs.

    Attributes:
        recall: Share of fully visible people that it finds.
        jitter: Spread of its box edges relative to the size of the box.
        clutter: False boxes per frame.
    """

    recall: float
    jitter: float
    clutter: float


DETECTORS = {
    "DPM": Detector(0.75, 0.07, 1.0),
    "FRCNN": Detector(0.93, 0.035, 0.3),
    "SDP": Detector(0.97, 0.025, 0.2),
}


@dataclass(frozen=True)
class MOTOptions(RenderOptions):
    """Options of the MOTChallenge layouts."""

    sequences: int = option(4, "number of training videos")
    test_sequences: int = option(2, "number of test videos")
    frames: int = option(60, "frames of each training video")
    test_frames: int = option(60, "frames of each test video")
    fps: int = option(15, "frames per second; fewer means larger steps between frames")
    people: int = option(8, "people in the picture on average")
    test_gt: bool = option(
        False, "also write the ground truth of the test videos, which the benchmark keeps"
    )


@dataclass(frozen=True)
class MOT17Options(MOTOptions):
    """Options of MOT17."""

    triplets: bool = option(
        False,
        "write each video three times with the detections of DPM, FRCNN and SDP, as MOT17 does",
    )


@dataclass(frozen=True)
class DanceTrackOptions(RenderOptions):
    """Options of the DanceTrack layout."""

    sequences: int = option(4, "number of training videos")
    val_sequences: int = option(2, "number of validation videos")
    test_sequences: int = option(1, "number of test videos, without ground truth")
    frames: int = option(60, "frames of each video")
    fps: int = option(20, "frames per second")
    people: int = option(7, "dancers")


def sequence_numbers(benchmark: str, split: int, count: int) -> list[int]:
    """Numbers of the videos of a split: the official ones, then from 41 (training) or 71 on."""
    official = _NUMBERS[benchmark][split]
    further = range(41 + 30 * split, 41 + 30 * split + max(count - len(official), 0))
    return [*official, *further][:count]


def _inside_share(bboxes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Share of each box ``(n, 4)``, x, y, width, height, that lies in the frame."""
    first = np.clip(bboxes[:, :2], 0, size)
    last = np.clip(bboxes[:, :2] + bboxes[:, 2:], 0, size)
    return (last - first).prod(axis=1) / bboxes[:, 2:].prod(axis=1)


def ground_truth(
    frames: Iterable[tuple[int, Frame]], size: tuple[int, int], *, with_classes: bool
) -> MOTTable:
    """Rows of gt.txt, whose pixels count from 1.

    Args:
        frames: Frame numbers from 1, and frames.
        size: Width and height of the frames.
        with_classes: Write all categories with class and visibility; people alone otherwise.
    """
    parts = []
    for number, frame in frames:
        kept = _inside_share(frame.bboxes, size) >= _LEAST_INSIDE
        if not with_classes:
            kept &= frame.categories == _PERSON
        parts.append(
            np.column_stack(
                (
                    np.full(kept.sum(), number),
                    frame.ids[kept],
                    frame.bboxes[kept] + (FILE_ORIGIN, FILE_ORIGIN, 0, 0),
                    frame.categories[kept] == _PERSON,  # others are marked not to be evaluated
                    MOT_CLASSES[frame.categories[kept]],
                    frame.visibility[kept].round(4),
                )
            )
        )
    rows = np.concatenate(parts)
    classes = (rows[:, 7], rows[:, 8]) if with_classes else ()
    return MOTTable.from_columns(rows[:, 0], rows[:, 1], rows[:, 2:6], rows[:, 6], *classes)


def public_detections(
    rng: np.random.Generator, truth: MOTTable, detector: Detector, length: int, size: tuple
) -> MOTTable:
    """Noisy detections of the people in a ground truth with visibilities.

    Args:
        rng: Source of the noise.
        truth: Ground truth with classes.
        detector: How it errs.
        length: Number of frames.
        size: Width and height of the frames.
    """
    people = truth[truth.classes == PEDESTRIAN]
    # Recall falls to nothing where little of a person is seen.
    chance = detector.recall * np.clip((people.visibility - 0.15) / 0.35, 0, 1)
    people = people[rng.uniform(size=len(people)) < chance]
    noise = rng.normal(0, detector.jitter, people.boxes.shape) * np.tile(people.boxes[:, 2:], 2)
    found = people.boxes + noise
    found[:, 2:] = np.maximum(found[:, 2:], 2)
    scores = np.clip(rng.normal(0.55 + 0.4 * people.visibility, 0.08), 0.05, 1)
    count = rng.poisson(detector.clutter * length)
    height = rng.uniform(0.15, 0.5, count) * size[1]
    wide = np.stack((0.4 * height, height), 1)
    corner = rng.uniform(0, 1, (count, 2)) * (np.array(size) - 0.5 * wide) + FILE_ORIGIN
    frames = np.concatenate((people.frames, rng.integers(1, length + 1, count)))
    boxes = np.concatenate((found, np.concatenate((corner, wide), 1)))
    scores = np.concatenate((scores, rng.uniform(0.05, 0.6, count)))
    order = np.lexsort((-scores, frames))
    return MOTTable.from_columns(
        frames[order], np.full(len(order), -1), boxes[order], scores[order]
    )


def write_sequence(
    folder: Path, scene: Scene, progress: Progress, *, digits: int = 6
) -> list[tuple[int, Frame]]:
    """Render a video to ``<folder>/img1`` and describe it in seqinfo.ini.

    Returns:
        Frame numbers from 1, and the frames without their pixels.
    """
    (folder / "img1").mkdir(parents=True)
    seen = []
    for number, frame in enumerate(scene, 1):
        write_image(folder / "img1" / f"{number:0{digits}d}.jpg", frame.image)
        seen.append((number, frame.without_pixels()))
        progress()
    _write_seqinfo(folder, scene)
    return seen


def _write_seqinfo(folder: Path, scene: Scene) -> None:
    width, height = scene.frame_size
    info = SeqInfo(folder.name, "img1", scene.fps, len(scene), width, height, ".jpg")
    write_seqinfo(folder / "seqinfo.ini", info)


def _write_mot_video(
    split: Path, spec: SceneSpec, benchmark: str, options: MOTOptions, progress: Progress
) -> None:
    """One video with ground truth and public detections, once or for each detector."""
    detectors = [""]
    if benchmark == "MOT17":
        detectors = list(DETECTORS) if options.triplets else ["FRCNN"]
    folders = [split / "-".join(filter(None, (spec.name, name))) for name in detectors]
    scene = street_scene(spec)
    frames = write_sequence(folders[0], scene, progress)
    for folder in folders[1:]:
        shutil.copytree(folders[0] / "img1", folder / "img1")
        _write_seqinfo(folder, scene)
    full = ground_truth(frames, spec.size, with_classes=True)
    truth = full if benchmark != "MOT15" else ground_truth(frames, spec.size, with_classes=False)
    with_truth = split.name == "train" or options.test_gt
    for folder, name in zip(folders, detectors, strict=True):
        rng = seeded(options.seed, f"detections of {folder.name}")
        detector = DETECTORS[name or "FRCNN"]
        found = public_detections(rng, full, detector, len(scene), spec.size)
        (folder / "det").mkdir()
        write_mot_txt(folder / "det" / "det.txt", found, columns=10 if benchmark != "MOT17" else 7)
        if with_truth:
            write_mot_txt(folder / "gt" / "gt.txt", truth)


def write_mot(benchmark: str, folder: Path, options: MOTOptions, progress: Progress) -> None:
    """Write train/ and test/ of a benchmark.

    Args:
        benchmark: ``'MOT15'``, ``'MOT16'``, ``'MOT17'`` or ``'MOT20'``.
        folder: Where to.
        options: Options.
        progress: Called after each frame.
    """
    splits = {
        "train": (options.sequences, options.frames),
        "test": (options.test_sequences, options.test_frames),
    }
    for index, (split, (count, length)) in enumerate(splits.items()):
        numbers = sequence_numbers(benchmark, index, count)
        names = [f"{benchmark}-{number:02d}" for number in numbers]
        for spec in video_specs(replace(options, frames=length), names):
            _write_mot_video(folder / split, spec, benchmark, options, progress)


def count_mot(options: MOTOptions) -> int:
    """Frames that will be rendered."""
    training = options.sequences * options.frames
    return training + options.test_sequences * options.test_frames


def _dancetrack_splits(options: DanceTrackOptions) -> dict[str, int]:
    return {
        "train": options.sequences,
        "val": options.val_sequences,
        "test": options.test_sequences,
    }


def write_dancetrack(folder: Path, options: DanceTrackOptions, progress: Progress) -> None:
    """Write train/, val/ and test/ of DanceTrack."""
    first = 1
    for split, count in _dancetrack_splits(options).items():
        names = [f"dancetrack{number:04d}" for number in range(first, first + count)]
        first += count
        for spec in video_specs(options, names, ("static", "handheld")):
            target = folder / split / spec.name
            frames = write_sequence(target, stage_scene(spec), progress, digits=8)
            if split != "test":
                # DanceTrack states neither class nor visibility: both are always 1.
                truth = ground_truth(frames, spec.size, with_classes=False)
                ones = np.ones(len(truth))
                truth = MOTTable.from_columns(
                    truth.frames, truth.ids, truth.boxes, ones, ones, ones
                )
                write_mot_txt(target / "gt" / "gt.txt", truth)


def count_dancetrack(options: DanceTrackOptions) -> int:
    """Frames that will be rendered."""
    return sum(_dancetrack_splits(options).values()) * options.frames
