"""ImageNet VID and DET as they are downloaded: Data/, Annotations/ and Lists/.

The videos show animals whose coats tell them apart, recorded by a camera that loses its focus
and smears what moves.

Reference: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmtrack.datasets.imagenet_vid_classes import VID_SYNSETS

from ..casting import SceneSpec, crowd_scene
from ..optics import MOMENTS, Recording, defocused, failing_optics, sharp_optics
from ..savanna import savanna_scene
from ..scene import CATEGORIES, Frame, Scene, seeded
from .base import CAMERAS, Progress, RenderOptions, option, write_image

_PERSON = "n00007846"  # one of the classes that ImageNet DET alone has
_SYNSETS = {**VID_SYNSETS, "person": _PERSON, "static_person": _PERSON}
_MOMENT = 6  # frame of a scene that is photographed
_LEAST_SEEN = 0.15  # share of an object below which annotators leave it out
_OCCLUDED = 0.5  # visible share below which an object counts as occluded
_LEAST_SIDE = 4  # pixels
_KEY_FRAMES = 15  # frames of a video that detectors are trained with
_BLUR = 1 / 26  # largest circle of confusion relative to the height of a frame


@dataclass(frozen=True)
class ILSVRCOptions(RenderOptions):
    """Options of ImageNet VID and DET."""

    videos: int = option(12, "number of training videos")
    val_videos: int = option(6, "number of validation videos")
    frames: int = option(40, "frames of each video")
    fps: int = option(15, "frames per second; fewer means larger steps between frames")
    animals: int = option(3, "animals in the picture on average")
    images: int = option(40, "number of DET images with classes of VID")
    other_images: int = option(10, "number of DET images with other classes alone")
    sharp: bool = option(False, "always in focus, with short exposures")


def write_ilsvrc(folder: Path, options: ILSVRCOptions, progress: Progress) -> None:
    """Write Data/, Annotations/ and Lists/ of VID and DET."""
    (folder / "Lists").mkdir()
    _write_split(folder, "train", options.videos, options, progress)
    _write_split(folder, "val", options.val_videos, options, progress)
    listed = []
    for number in range(options.images):
        path = f"train/ILSVRC2014_train_0000/ILSVRC2014_train_{number:08d}"
        _write_photo(folder, path, options, savanna_scene, options.animals)
        listed.append(f"{path} 1\n")
        progress()
    for number in range(options.other_images):
        _write_photo(folder, f"train/{_PERSON}/{_PERSON}_{number}", options, crowd_scene, 4)
        progress()
    (folder / "Lists" / "DET_train_30classes.txt").write_text("".join(listed))


def _write_split(
    folder: Path, split: str, count: int, options: ILSVRCOptions, progress: Progress
) -> None:
    """Videos of a split and their list."""
    lines = []
    for number in range(count):
        name = f"ILSVRC2015_{split}_{number:08d}"
        path = f"train/ILSVRC2015_VID_train_0000/{name}" if split == "train" else f"val/{name}"
        recording = _record(name, CAMERAS[number % len(CAMERAS)], options)
        for index, frame in enumerate(recording):
            _write_pair(folder, "VID", f"{path}/{index:06d}", frame)
            progress()
        if split == "train":
            keys = np.unique(np.linspace(1, options.frames, _KEY_FRAMES).astype(int))
            lines += [f"{path} 1 {key} {options.frames}\n" for key in keys]
        else:
            lines.append(f"{path} 1 0 {options.frames}\n")
    name = "VID_train_15frames.txt" if split == "train" else "VID_val_videos.txt"
    (folder / "Lists" / name).write_text("".join(lines))


def _record(name: str, camera: str, options: ILSVRCOptions) -> Recording:
    """A video of animals."""
    spec = SceneSpec(
        name, options.seed, options.size, MOMENTS * options.frames, MOMENTS * options.fps,
        options.animals, camera,
    )  # fmt: skip
    optics = sharp_optics(options.frames)
    if not options.sharp:
        rng = seeded(options.seed, f"optics of {name}")
        optics = failing_optics(rng, options.frames, _BLUR * options.size[1])
    return Recording(savanna_scene(spec), optics)


def _write_photo(
    folder: Path,
    path: str,
    options: ILSVRCOptions,
    make_scene: Callable[[SceneSpec], Scene],
    count: int,
) -> None:
    """A picture of DET; photographs are sharper than videos."""
    spec = SceneSpec(path, options.seed, options.size, 2 * _MOMENT, options.fps, count)
    frame = make_scene(spec).render(_MOMENT)
    if not options.sharp:
        radius = seeded(options.seed, f"optics of {path}").uniform(0, 0.5 * _BLUR)
        frame = replace(frame, image=defocused(frame.image, radius * options.size[1]))
    _write_pair(folder, "DET", path, frame)


def _write_pair(folder: Path, kind: str, path: str, frame: Frame) -> None:
    """A frame below Data/ and its boxes below Annotations/."""
    image = folder / "Data" / kind / f"{path}.JPEG"
    boxes = folder / "Annotations" / kind / f"{path}.xml"
    for file in (image, boxes):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_image(image, frame.image)
    boxes.write_text(describe(frame, path, with_tracks=kind == "VID"))


def describe(frame: Frame, path: str, *, with_tracks: bool) -> str:
    """The XML file of a frame: boxes in whole pixels, cut at the border of the frame.

    Args:
        frame: The frame.
        path: File below Data/VID or Data/DET, without ending.
        with_tracks: Write ``trackid``, ``occluded`` and ``generated``, as in VID.
    """
    height, width = frame.image.shape[:2]
    parent, _, name = path.rpartition("/")
    parts = [
        f"<annotation>\n\t<folder>{parent}</folder>\n\t<filename>{name}</filename>\n"
        "\t<source>\n\t\t<database>synthetic</database>\n\t</source>\n"
        f"\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t</size>\n"
    ]
    first = np.clip(frame.bboxes[:, :2], 0, (width, height))
    last = np.clip(frame.bboxes[:, :2] + frame.bboxes[:, 2:], 0, (width, height))
    corners = np.rint(np.concatenate((first, last), axis=1)).astype(int)
    seen = (frame.visibility >= _LEAST_SEEN) & np.all(last - first >= _LEAST_SIDE, axis=1)
    for row in np.flatnonzero(seen):
        synset = _SYNSETS.get(CATEGORIES[frame.categories[row]])
        if synset is not None:
            flags = {"occluded": int(frame.visibility[row] < _OCCLUDED), "generated": 0}
            track = int(frame.ids[row]) - 1
            parts.append(_object(synset, corners[row].tolist(), track, flags, with_tracks))
    return "".join([*parts, "</annotation>\n"])


def _object(
    synset: str, corners: list[int], track: int, flags: dict[str, int], with_tracks: bool
) -> str:
    """An object with corners x1, y1, x2, y2."""
    x1, y1, x2, y2 = corners
    lines = [f"<trackid>{track}</trackid>"] if with_tracks else []
    lines.append(f"<name>{synset}</name>")
    lines.append(
        f"<bndbox><xmax>{x2}</xmax><xmin>{x1}</xmin><ymax>{y2}</ymax><ymin>{y1}</ymin></bndbox>"
    )
    if with_tracks:
        lines += [f"<{key}>{value}</{key}>" for key, value in flags.items()]
    return "\t<object>\n" + "".join(f"\t\t{line}\n" for line in lines) + "\t</object>\n"


def count_ilsvrc(options: ILSVRCOptions) -> int:
    """Frames and images that will be written."""
    videos = (options.videos + options.val_videos) * options.frames
    return videos + options.images + options.other_images
