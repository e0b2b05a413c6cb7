"""COCO and ImageNet VID, which single object trackers are trained on, as converted json files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from mmtrack.datasets.converters.coco_vid import CocoVidWriter
from mmtrack.datasets.imagenet_vid_classes import VID_CLASSES

from ..casting import SceneSpec, crowd_scene, street_scene
from ..scene import CATEGORIES, Frame
from .base import Progress, RenderOptions, option, video_specs, write_image

# The first three of COCO's categories, so that the ids of people and cars are the official ones.
_COCO_NAMES = ("person", "bicycle", "car")
_VID_NAMES = (*VID_CLASSES, "person")  # people are none of ImageNet's, but most of what moves here
_NAMES = {"person": "person", "static_person": "person", "car": "car"}  # of our categories
_MOMENT = 6  # frame of a scene that is photographed; by then everybody is in a stride
_LEAST_SEEN = 0.15  # share of an object below which annotators leave it out
_OCCLUDED = 0.5  # visible share below which ImageNet VID calls an object occluded
_KEY_FRAMES = 15  # frames of a video that detectors are trained with
_FOLDER = "ILSVRC2015_VID_{split}_0000"


@dataclass(frozen=True)
class COCOOptions(RenderOptions):
    """Options of COCO."""

    images: int = option(60, "number of training images")
    val_images: int = option(20, "number of validation images")
    people: int = option(8, "people in a picture on average")


@dataclass(frozen=True)
class ImageNetVIDOptions(RenderOptions):
    """Options of ImageNet VID."""

    videos: int = option(6, "number of training videos")
    val_videos: int = option(3, "number of validation videos")
    frames: int = option(60, "frames of each video")
    fps: int = option(15, "frames per second; fewer means larger steps between frames")
    people: int = option(5, "people in the picture on average")


def write_coco(folder: Path, options: COCOOptions, progress: Progress) -> None:
    """Write {train,val}2017/ and annotations/instances_{train,val}2017.json with masks."""
    for split, count in (("train", options.images), ("val", options.val_images)):
        images = folder / f"{split}2017"
        images.mkdir()
        writer = CocoVidWriter(_COCO_NAMES, with_videos=False)
        for number in range(1, count + 1):
            spec = SceneSpec(
                f"coco-{split}-{number}", options.seed, options.size, 2 * _MOMENT,
                people=options.people,
            )  # fmt: skip
            # Pictures of streets and of crowds take turns.
            scene = (street_scene if number % 2 else crowd_scene)(spec)
            frame = scene.render(_MOMENT)
            write_image(images / f"{number:012d}.jpg", frame.image)
            image_id = writer.add_image(f"{number:012d}.jpg", *spec.size)
            _add_masks(writer, image_id, frame)
            progress()
        writer.write(folder / "annotations" / f"instances_{split}2017.json")


def _add_masks(writer: CocoVidWriter, image_id: int, frame: Frame) -> None:
    """Boxes around the visible pixels of each object, and the pixels."""
    boxes = frame.visible_bboxes()
    for row, name in _named(frame):
        code = coco_mask.encode(np.asfortranarray(frame.mask(row), dtype=np.uint8))
        writer.add_annotation(
            image_id,
            _COCO_NAMES.index(name) + 1,
            boxes[row].tolist(),
            area=float(coco_mask.area(code)),
            segmentation={"size": list(code["size"]), "counts": code["counts"].decode()},
        )


def write_imagenet_vid(folder: Path, options: ImageNetVIDOptions, progress: Progress) -> None:
    """Write Data/VID/ and annotations/imagenet_vid_{train,val}.json."""
    for split, count in (("train", options.videos), ("val", options.val_videos)):
        names = [f"{split}_{number:08d}" for number in range(count)]
        writer = CocoVidWriter(_VID_NAMES)
        instances: dict[tuple[str, int], int] = {}
        for spec in video_specs(options, names):
            path = f"{split}/{_FOLDER.format(split=split)}/{spec.name}"
            (folder / "Data" / "VID" / path).mkdir(parents=True)
            _add_video(writer, folder / "Data" / "VID", path, spec, instances, progress)
        writer.write(folder / "annotations" / f"imagenet_vid_{split}.json")


def _add_video(
    writer: CocoVidWriter,
    root: Path,
    path: str,
    spec: SceneSpec,
    instances: dict[tuple[str, int], int],
    progress: Progress,
) -> None:
    """Render a video and add its images and boxes."""
    training = path.startswith("train/")
    keys = np.unique(np.linspace(0, spec.length - 1, _KEY_FRAMES).astype(int)).tolist()
    fields = {"vid_train_frames": keys} if training else {}
    video_id = writer.add_video(path, **fields)
    for index, frame in enumerate(street_scene(spec)):
        name = f"{path}/{index:06d}.JPEG"
        write_image(root / name, frame.image)
        image_id = writer.add_image(
            name, *spec.size, video_id=video_id, frame_id=index,
            is_vid_train_frame=training and index in keys,
        )  # fmt: skip
        first = np.clip(frame.bboxes[:, :2], 0, spec.size)
        last = np.clip(frame.bboxes[:, :2] + frame.bboxes[:, 2:], 0, spec.size)
        for row, category in _named(frame):
            key = (path, int(frame.ids[row]))
            writer.add_annotation(
                image_id,
                _VID_NAMES.index(category) + 1,
                [*first[row].tolist(), *(last[row] - first[row]).tolist()],
                video_id=video_id,
                instance_id=instances.setdefault(key, len(instances) + 1),
                occluded=bool(frame.visibility[row] < _OCCLUDED),
                generated=False,
            )
        progress()


def _named(frame: Frame) -> list[tuple[int, str]]:
    """Rows of the objects that annotators would see, and what these are."""
    names = [_NAMES.get(CATEGORIES[category]) for category in frame.categories]
    seen = frame.visibility >= _LEAST_SEEN
    return [(row, name) for row, name in enumerate(names) if name is not None and seen[row]]


def count_coco(options: COCOOptions) -> int:
    """Images that will be rendered."""
    return options.images + options.val_images


def count_imagenet_vid(options: ImageNetVIDOptions) -> int:
    """Frames that will be rendered."""
    return (options.videos + options.val_videos) * options.frames
