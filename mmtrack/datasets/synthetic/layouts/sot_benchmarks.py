"""Layouts of LaSOT, GOT-10k, TrackingNet, OTB100, UAV123 and VOT."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmtrack.datasets.converters.sot_benchmarks import find_otb100, find_uav123
from mmtrack.datasets.converters.sot_video import write_infos

from .base import Progress, option, video_specs
from .sot import SOTOptions, SOTTestOptions, TargetPath, record

_GOT10K_COVERS = 8  # cover.label counts visible eighths
_CUT = 0.98  # share inside of the frame below which GOT-10k calls an object cut
_OCCLUDED = 0.8  # visible share below which VOT calls an object occluded
# Videos of one class of LaSOT: four of twenty are for testing.
_LASOT_TEST = (1, 5, 10, 12)
_LASOT_CLASS = "person"


@dataclass(frozen=True)
class GOT10kOptions(SOTOptions):
    """Options of GOT-10k."""

    val_videos: int = option(3, "number of validation videos")


@dataclass(frozen=True)
class VOTOptions(SOTTestOptions):
    """Options of VOT; the expected overlap of VOT2018 needs videos of more than 100 frames."""

    frames: int = option(120, "frames of each video")


def write_lasot(folder: Path, options: SOTOptions, progress: Progress) -> None:
    """Write LaSOTBenchmark/<class>/<class>-<n> with img/, groundtruth.txt and both label files.

    Numbers are those of the official split; further test videos have no place in it.

    Raises:
        ValueError: more test videos are wanted than the class has.
    """
    if options.test_videos > len(_LASOT_TEST):
        raise ValueError(f"--test-videos is at most {len(_LASOT_TEST)}, the test videos of a class")
    train = (number for number in range(1, 10**6) if number not in _LASOT_TEST)
    numbers = [next(train) for _ in range(options.videos)] + [*_LASOT_TEST[: options.test_videos]]
    for spec in video_specs(options, [f"{_LASOT_CLASS}-{number}" for number in numbers]):
        target = folder / "LaSOTBenchmark" / _LASOT_CLASS / spec.name
        path = record(spec, target / "img", "%08d.jpg", 1, progress)
        _write_rows(target / "groundtruth.txt", np.round(path.bboxes), "%d")
        outside = path.absent & (path.inside == 0)
        for name, flags in (("full_occlusion", path.absent & ~outside), ("out_of_view", outside)):
            (target / f"{name}.txt").write_text(",".join(map(str, flags.astype(int))) + "\n")


def write_got10k(folder: Path, options: GOT10kOptions, progress: Progress) -> None:
    """Write train/, val/ and test/ with list.txt, and the numbers of the VOT split of train/."""
    splits = {"Train": options.videos, "Val": options.val_videos, "Test": options.test_videos}
    for split, count in splits.items():
        root = folder / split.lower()
        root.mkdir()
        names = [f"GOT-10k_{split}_{number:06d}" for number in range(1, count + 1)]
        (root / "list.txt").write_text("".join(f"{name}\n" for name in names))
        for spec in video_specs(options, names):
            path = record(spec, root / spec.name, "%08d.jpg", 1, progress)
            bboxes = path.bboxes[:1] if split == "Test" else path.bboxes
            _write_rows(root / spec.name / "groundtruth.txt", bboxes, "%.4f")
            if split != "Test":
                _write_got10k_labels(root / spec.name, path)
    numbers = range(options.videos)
    held_out = math.ceil(options.videos / 4)
    for part, chosen in (("train", numbers[:-held_out]), ("val", numbers[-held_out:])):
        text = "".join(f"{number}\n" for number in chosen)
        (folder / "train" / f"got10k_vot_{part}_split.txt").write_text(text)


def _write_got10k_labels(folder: Path, path: TargetPath) -> None:
    """absence.label, cover.label and cut_by_image.label, one number per frame."""
    cover = np.ceil(path.visibility * _GOT10K_COVERS).astype(int)
    labels = {
        "absence": path.absent,
        "cover": np.where(path.absent, 0, cover),
        "cut_by_image": path.inside < _CUT,
    }
    for name, values in labels.items():
        _write_rows(folder / f"{name}.label", values.astype(int)[:, None], "%d")


def write_trackingnet(folder: Path, options: SOTOptions, progress: Progress) -> None:
    """Write TRAIN_0, TRAIN_1 and TEST with frames/ and anno/; test boxes end after the first."""
    chunks = {"TRAIN_0": 0, "TRAIN_1": 1, "TEST": None}
    for chunk, turn in chunks.items():
        numbers = range(options.videos)[turn::2] if turn is not None else range(options.test_videos)
        split = "test" if turn is None else "train"
        (folder / chunk / "anno").mkdir(parents=True)
        (folder / chunk / "frames").mkdir()
        for spec in video_specs(options, [f"{split}{number:04d}_0" for number in numbers]):
            frames = folder / chunk / "frames" / spec.name
            path = record(spec, frames, "%d.jpg", 0, progress)
            bboxes = path.bboxes[:1] if chunk == "TEST" else path.bboxes
            _write_rows(folder / chunk / "anno" / f"{spec.name}.txt", bboxes, "%.4f")


def write_otb100(folder: Path, options: SOTTestOptions, progress: Progress) -> None:
    """Write data/<video> with img/ and groundtruth_rect.txt, and the list of the videos."""
    for spec in video_specs(options, _numbered("Walker", options.videos)):
        target = folder / "data" / spec.name
        path = record(spec, target / "img", "%04d.jpg", 1, progress)
        _write_rows(target / "groundtruth_rect.txt", np.round(path.bboxes), "%d")
    write_infos(folder / "annotations" / "otb100_infos.txt", find_otb100(folder))


def write_uav123(folder: Path, options: SOTTestOptions, progress: Progress) -> None:
    """Write data_seq/UAV123/<video>, anno/UAV123/<video>.txt, and the list of the videos."""
    (folder / "anno" / "UAV123").mkdir(parents=True)
    for spec in video_specs(options, _numbered("walker", options.videos)):
        images = folder / "data_seq" / "UAV123" / spec.name
        path = record(spec, images, "%06d.jpg", 1, progress)
        bboxes = np.round(path.bboxes)
        bboxes[path.absent] = np.nan
        _write_rows(folder / "anno" / "UAV123" / f"{spec.name}.txt", bboxes, "%g")
    write_infos(folder / "annotations" / "uav123_infos.txt", find_uav123(folder))


def write_vot(folder: Path, options: VOTOptions, progress: Progress) -> None:
    """Write data/<video> with color/, polygons in groundtruth.txt and tags, and data/list.txt."""
    names = _numbered("walker", options.videos)
    for spec in video_specs(options, names):
        target = folder / "data" / spec.name
        path = record(spec, target / "color", "%08d.jpg", 1, progress)
        _write_rows(target / "groundtruth.txt", path.polygons, "%.4f")
        moving = np.full(len(path.bboxes), spec.camera != "static")
        for tag, flags in (("occlusion", path.visibility < _OCCLUDED), ("camera_motion", moving)):
            _write_rows(target / f"{tag}.tag", flags.astype(int)[:, None], "%d")
    (folder / "data" / "list.txt").write_text("".join(f"{name}\n" for name in names))


def count_sot(options: SOTOptions) -> int:
    """Frames that will be rendered."""
    return (options.videos + options.test_videos) * options.frames


def count_got10k(options: GOT10kOptions) -> int:
    """Frames that will be rendered."""
    return count_sot(options) + options.val_videos * options.frames


def count_sot_test(options: SOTTestOptions) -> int:
    """Frames that will be rendered."""
    return options.videos * options.frames


def _numbered(stem: str, count: int) -> list[str]:
    return [f"{stem}{number}" for number in range(1, count + 1)]


def _write_rows(path: Path, rows: Iterable[np.ndarray], form: str) -> None:
    """A line of numbers, separated by commas, per frame."""
    lines = (",".join(form % value for value in row) for row in rows)
    path.write_text("".join(line + "\n" for line in lines))
