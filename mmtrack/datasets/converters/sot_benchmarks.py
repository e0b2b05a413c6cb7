"""Find the videos of LaSOT, GOT-10k, TrackingNet, OTB100, UAV123 and VOT in their official layouts.

A new benchmark is one function that returns its videos; lists of videos and CocoVID files follow
from them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mmtrack.datasets.parsers.sot_txt import parse_infos
from mmtrack.utils.reading import read_text

from .sot_video import (
    MissingSplitError,
    SOTVideo,
    existing_labels,
    folders_in,
    frame_numbers,
    read_names,
)

LASOT_SPLITS = ("train", "test")
GOT10K_SPLITS = ("train", "test", "val")
GOT10K_VOT_SPLITS = ("train_vot", "val_vot")
TRACKINGNET_SPLITS = ("train", "test")
TRACKINGNET_CHUNKS = 12
VOT_TYPES = (
    "vot2018",
    "vot2018_lt",
    "vot2019",
    "vot2019_lt",
    "vot2019_rgbd",
    "vot2019_rgbt",
    "vot2020",
    "vot2020_rgbt",
    "vot2021",
)
_LASOT_LABELS = {"full_occlusion": ("full_occlusion.txt",), "out_of_view": ("out_of_view.txt",)}
_GOT10K_LABELS = {
    "absence": ("absence.label",),
    "cover": ("cover.label",),
    "cut_by_image": ("cut_by_image.label",),
}
# Keys of CocoVID and what the challenges call them, by years.
_VOT_LABELS = {
    "camera_motion": ("camera_motion.label", "camera_motion.tag"),
    "illustration_change": ("illum_change.label", "illum_change.tag"),
    "motion_change": ("motion_change.label", "motion_change.tag"),
    "occlusion": ("occlusion.label", "occlusion.tag"),
    "size_change": ("size_change.label", "size_change.tag"),
}
_OTB100_TEMPLATES = {"Board": "%05d.jpg"}
_OTB100_SKIPPED_LINES = {"Tiger1": 5}


def find_lasot(root: str | os.PathLike, split: str, test_names: Sequence[str]) -> list[SOTVideo]:
    """Videos of LaSOT: ``<class>/<class>-<n>`` with img/ and groundtruth.txt.

    Args:
        root: Folder of the classes.
        split: ``'train'`` or ``'test'``.
        test_names: Videos of the test split; all others are for training.

    Raises:
        MissingSplitError: nothing of the split is there.
        FileNotFoundError: a video has no images.
        ValueError: there is no such split.
    """
    _check_split("LaSOT", split, LASOT_SPLITS)
    root, test_names = Path(root), set(test_names)
    videos = []
    for category in folders_in(root):
        for name in folders_in(root / category):
            if (name in test_names) != (split == "test"):
                continue
            folder = f"{category}/{name}"
            first, last = frame_numbers(root / folder / "img")
            labels = existing_labels(root, folder, _LASOT_LABELS)
            video = (name, f"{folder}/img", f"{folder}/groundtruth.txt", first, last)
            videos.append(SOTVideo(*video, labels=labels))
    return _found(videos, root, split)


def find_got10k(root: str | os.PathLike, split: str) -> list[SOTVideo]:
    """Videos of GOT-10k: ``<split>/<video>`` with images and groundtruth.txt.

    Their names are in ``<split>/list.txt``. The splits train_vot and val_vot choose videos of the
    training split by the numbers, from 0, in ``train/got10k_vot_{train,val}_split.txt``.

    Args:
        root: Folder of the splits.
        split: ``'train'``, ``'test'``, ``'val'``, ``'train_vot'`` or ``'val_vot'``.

    Raises:
        MissingSplitError: the split or its list is missing.
        FileNotFoundError: a video has no images.
        ValueError: there is no such split, or a number is out of range.
    """
    _check_split("GOT-10k", split, GOT10K_SPLITS + GOT10K_VOT_SPLITS)
    root, part = Path(root), split.removesuffix("_vot")
    folder = "train" if split in GOT10K_VOT_SPLITS else split
    if not (root / folder).is_dir():
        raise MissingSplitError(f"there is no folder {root / folder}")
    listed = root / folder / "list.txt"
    names = read_names(listed) if listed.is_file() else folders_in(root / folder)
    if split in GOT10K_VOT_SPLITS:
        names = _chosen(names, root / folder / f"got10k_vot_{part}_split.txt")
    videos = []
    for name in names:
        images = f"{folder}/{name}"
        _, last = frame_numbers(root / images)
        labels = existing_labels(root, images, _GOT10K_LABELS)
        video = (name, images, f"{images}/groundtruth.txt", 1, last)
        videos.append(SOTVideo(*video, hidden=split == "test", labels=labels))
    return _found(videos, root, split)


def find_trackingnet(
    root: str | os.PathLike, split: str, chunks: Sequence[int] = tuple(range(TRACKINGNET_CHUNKS))
) -> list[SOTVideo]:
    """Videos of TrackingNet: ``<chunk>/frames/<video>`` and ``<chunk>/anno/<video>.txt``.

    Args:
        root: Folder of TRAIN_0 to TRAIN_11 and TEST.
        split: ``'train'`` or ``'test'``.
        chunks: Numbers of the training chunks to take; those that are not there are left out.

    Raises:
        MissingSplitError: nothing of the split is there.
        FileNotFoundError: a video has no images.
        ValueError: there is no such split or chunk.
    """
    _check_split("TrackingNet", split, TRACKINGNET_SPLITS)
    wrong = [chunk for chunk in chunks if not 0 <= chunk < TRACKINGNET_CHUNKS]
    if wrong:
        raise ValueError(f"TrackingNet has chunks 0 to {TRACKINGNET_CHUNKS - 1}, not {wrong}")
    root = Path(root)
    folders = ["TEST"] if split == "test" else [f"TRAIN_{chunk}" for chunk in chunks]
    videos = []
    for folder in folders:
        frames = root / folder / "frames"
        for name in folders_in(frames) if frames.is_dir() else ():
            images = f"{folder}/frames/{name}"
            _, last = frame_numbers(root / images)
            video = (name, images, f"{folder}/anno/{name}.txt", 0, last, "%d.jpg")
            videos.append(SOTVideo(*video, hidden=split == "test"))
    return _found(videos, root, split)


def find_otb100(root: str | os.PathLike, infos: str | os.PathLike | None = None) -> list[SOTVideo]:
    """Videos of OTB100: ``data/<video>`` with img/ and groundtruth_rect*.txt.

    Some videos start late or have several objects, which only the fixed list of videos tells.
    Videos that are not in the list go from their first image to their last.

    Args:
        root: Folder of data/.
        infos: The fixed list; None for none.

    Raises:
        FileNotFoundError: there are no videos, or one has no ground truth.
    """
    root, listed = Path(root), listed_videos(infos)
    videos = []
    for name in folders_in(root / "data"):
        images = f"data/{name}/img"
        rows = [row for row in listed if row["video_path"] == images]
        if rows:
            pairs = [(r["ann_path"], r["start_frame_id"], r["end_frame_id"]) for r in rows]
        else:
            files = sorted((root / "data" / name).glob("groundtruth_rect*.txt"))
            if not files:
                raise FileNotFoundError(f"{root / 'data' / name} has no groundtruth_rect*.txt")
            first, last = frame_numbers(root / images)
            pairs = [(f"data/{name}/{file.name}", first, last) for file in files]
        template = _OTB100_TEMPLATES.get(name, "%04d.jpg")
        skipped = _OTB100_SKIPPED_LINES.get(name, 0)
        videos += [SOTVideo(name, images, *pair, template, skipped) for pair in pairs]
    return videos


def find_uav123(root: str | os.PathLike, infos: str | os.PathLike | None = None) -> list[SOTVideo]:
    """Videos of UAV123: ``data_seq/UAV123/<video>`` and ``anno/UAV123/<object>.txt``.

    Some videos are cut into several parts, which only the fixed list of videos tells. Annotations
    that are not in the list belong to the video of the same name.

    Args:
        root: Folder of data_seq/ and anno/.
        infos: The fixed list; None for none.

    Raises:
        FileNotFoundError: there are no annotations, or a video has no images.
    """
    root = Path(root)
    listed = {row["ann_path"]: row for row in listed_videos(infos)}
    videos = []
    files = sorted((root / "anno" / "UAV123").glob("*.txt"))
    for file in files:
        annotation = f"anno/UAV123/{file.name}"
        row = listed.get(annotation)
        if row is None:
            images = f"data_seq/UAV123/{file.stem}"
            first, last = frame_numbers(root / images)
        else:
            images, first, last = (row[k] for k in ("video_path", "start_frame_id", "end_frame_id"))
        videos.append(SOTVideo(file.stem, images, annotation, first, last, "%06d.jpg"))
    if not videos:
        raise FileNotFoundError(f"there are no annotations in {root / 'anno' / 'UAV123'}")
    return videos


def find_vot(root: str | os.PathLike) -> list[SOTVideo]:
    """Videos of a VOT challenge: ``data/<video>`` with color/ and groundtruth.txt.

    Their names are in ``data/list.txt``; without it all folders are taken.

    Args:
        root: Folder of data/.

    Raises:
        FileNotFoundError: there are no videos.
    """
    data = Path(root) / "data"
    listed = data / "list.txt"
    videos = []
    for name in read_names(listed) if listed.is_file() else folders_in(data):
        folder = f"data/{name}"
        _, last = frame_numbers(data / name / "color")
        labels = existing_labels(Path(root), folder, _VOT_LABELS)
        video = (name, f"{folder}/color", f"{folder}/groundtruth.txt", 1, last)
        videos.append(SOTVideo(*video, labels=labels))
    return videos


def _check_split(benchmark: str, split: str, splits: Sequence[str]) -> None:
    if split not in splits:
        raise ValueError(f"{benchmark} has the splits {', '.join(splits)}, not {split!r}")


def _found(videos: list[SOTVideo], root: Path, split: str) -> list[SOTVideo]:
    if not videos:
        raise MissingSplitError(f"there are no videos of the {split} split in {root}")
    return videos


def _chosen(names: Sequence[str], path: Path) -> list[str]:
    """Those names whose numbers, from 0, are in a file."""
    if not path.is_file():
        raise MissingSplitError(f"there is no {path}")
    try:
        return [names[int(line)] for line in read_names(path)]
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path}: expected numbers from 0 to {len(names) - 1}: {error}") from error


def listed_videos(infos: str | os.PathLike | None) -> list[dict]:
    """Rows of a fixed list of videos; none without a list."""
    return [] if infos is None else parse_infos(read_text(infos), os.fspath(infos))
