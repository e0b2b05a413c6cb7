"""ImageNet VID and DET: XML files of boxes, lists of frames, and their conversion to CocoVID.

Reference: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015; the
lists are those of Zhu et al., "Deep Feature Flow for Video Recognition", CVPR 2017.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from mmtrack.core.utils import usable_cores
from mmtrack.datasets.imagenet_vid_classes import OTHER_CLASSES, VID_CLASSES, VID_SYNSETS
from mmtrack.utils.reading import reading

from .coco_vid import CocoVidWriter
from .sot_video import read_names

_CATEGORY_IDS = {synset: i for i, synset in enumerate(VID_SYNSETS.values(), 1)}
_ENCODE_NAMES = {name: {"encode_name": synset} for name, synset in VID_SYNSETS.items()}
_CHUNK = 256  # files that a process reads at a time
_DIGITS = 7  # of a number of frames; more would be weeks of video
_FEW_FILES = 2000  # below, starting processes takes longer than reading
_LARGEST_BOX = 1e8  # pixels
_CORNERS = ("xmin", "ymin", "xmax", "ymax")

Progress = Callable[[], None]


@dataclass(frozen=True)
class XMLObject:
    """An object of an XML file.

    Attributes:
        synset: What it is, as WordNet's number.
        bbox: x, y, width, height in pixels.
        track: Number of the object in its video; None for images.
        occluded: It is partly hidden.
        generated: The box was interpolated.
    """

    synset: str
    bbox: list[int | float]
    track: int | None
    occluded: bool
    generated: bool


@dataclass(frozen=True)
class XMLImage:
    """Content of an XML file: size of the image in pixels, and its objects, perhaps none."""

    width: int
    height: int
    objects: tuple[XMLObject, ...]


@dataclass(frozen=True)
class VIDVideo:
    """A video as the lists describe it.

    Attributes:
        path: Folder below ``Data/VID`` and ``Annotations/VID``.
        length: Number of frames.
        train_frames: Frames to train on, counted from 0, in the order of the list.
    """

    path: str
    length: int
    train_frames: tuple[int, ...] = ()


def read_xml(path: str | os.PathLike) -> XMLImage:
    """Read the annotations of one image.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken; the message names it and what is missing.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no annotation file {os.fspath(path)}") from error
    with reading(path, problem="is no XML file"):
        # Only a document type can define entities, which name other files or grow without bound.
        # Encodings in which it would look different have zero bytes.
        if b"<!DOCTYPE" in data or b"\0" in data:
            raise ValueError("it has a document type, or is no UTF-8 text")
        root = ElementTree.fromstring(data)
    with reading(path, problem=""):
        return XMLImage(
            width=_side(_text(root, "size/width")),
            height=_side(_text(root, "size/height")),
            objects=tuple(_read_object(item) for item in root.iterfind("object")),
        )


def _read_object(item: ElementTree.Element) -> XMLObject:
    left, top, right, bottom = (_number(_text(item, f"bndbox/{key}")) for key in _CORNERS)
    if not all(abs(value) < _LARGEST_BOX for value in (left, top, right, bottom)):
        raise ValueError(f"box {[left, top, right, bottom]} is not finite, or far from any image")
    if right < left or bottom < top:
        raise ValueError(f"box {[left, top, right, bottom]} ends before it begins")
    track = item.findtext("trackid")
    return XMLObject(
        synset=_text(item, "name"),
        bbox=[left, top, right - left, bottom - top],
        track=None if track is None else int(track),
        occluded=item.findtext("occluded", "0").strip() == "1",
        generated=item.findtext("generated", "0").strip() == "1",
    )


def _text(item: ElementTree.Element, path: str) -> str:
    text = item.findtext(path)
    if text is None or not text.strip():
        raise ValueError(f"<{item.tag}> has no <{path.replace('/', '><')}>")
    return text.strip()


def _side(text: str) -> int:
    """Width or height of an image."""
    value = int(text)
    if not 1 <= value < _LARGEST_BOX:
        raise ValueError(f"an image has no side of {value} pixels")
    return value


def _number(text: str) -> int | float:
    """Whole numbers stay integers, as in published annotation files."""
    return int(text) if text.lstrip("-").isdecimal() else float(text)


def read_all(paths: Sequence[Path], progress: Progress) -> Iterator[XMLImage]:
    """Read many files in order, on all cores where that pays."""
    if len(paths) < _FEW_FILES:
        for path in paths:
            progress()
            yield read_xml(path)
        return
    with ProcessPoolExecutor(usable_cores()) as pool:
        for image in pool.map(read_xml, paths, chunksize=_CHUNK):
            progress()
            yield image


def vid_training_videos(root: str | os.PathLike) -> list[VIDVideo]:
    """Videos of ``Lists/VID_train_15frames.txt``, in its order.

    Its lines are ``<folder> 1 <frame from 1> <number of frames>``.

    Raises:
        FileNotFoundError: there is no list.
        ValueError: a line is malformed or contradicts another one.
    """
    path = Path(root) / "Lists" / "VID_train_15frames.txt"
    lengths: dict[str, int] = {}
    frames: dict[str, list[int]] = {}
    for number, fields in _lines(path, 4):
        video, frame, length = fields[0], *_integers(path, number, fields[2:4])
        known = lengths.setdefault(video, length)
        if not 1 <= frame <= length or known != length:
            raise ValueError(
                f"{path}, line {number}: frame {frame} of {length} does not fit the video "
                f"{video} of {known} frames"
            )
        frames.setdefault(video, []).append(frame - 1)
    return [VIDVideo(video, lengths[video], tuple(frames[video])) for video in lengths]


def vid_validation_videos(root: str | os.PathLike) -> list[VIDVideo]:
    """Videos of ``Lists/VID_val_videos.txt``: folder first, number of frames last on a line.

    Raises:
        FileNotFoundError: there is no list.
        ValueError: a line is malformed.
    """
    path = Path(root) / "Lists" / "VID_val_videos.txt"
    videos = []
    for number, fields in _lines(path, 2):
        (length,) = _integers(path, number, fields[-1:])
        videos.append(VIDVideo(fields[0], length))
    return videos


def _lines(path: Path, least: int) -> Iterator[tuple[int, list[str]]]:
    """Numbers from 1 and fields of the lines of a list.

    Raises:
        FileNotFoundError: there is no such list.
        ValueError: the list is empty, or a line has too few fields.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no list {path}; see docs/en/dataset.md for the layout")
    lines = read_names(path)
    if not lines:
        raise ValueError(f"{path} is empty")
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if len(fields) < least:
            raise ValueError(f"{path}, line {number}: expected {least} fields, got {line!r}")
        yield number, fields


def _integers(path: Path, number: int, fields: Iterable[str]) -> list[int]:
    fields = list(fields)
    if not all(field.isdecimal() and len(field) <= _DIGITS for field in fields):
        raise ValueError(f"{path}, line {number}: expected numbers, got {' '.join(fields)!r}")
    return [int(field) for field in fields]


def convert_vid(
    root: str | os.PathLike, videos: Sequence[VIDVideo], progress: Progress = lambda: None
) -> CocoVidWriter:
    """Make a CocoVID file of videos of ImageNet VID.

    File names are relative to ``Data/VID``. Instance ids count from 1 over all videos. A frame
    without objects stays, without annotations.

    Args:
        root: Folder with ``Annotations/VID``.
        videos: Videos to convert.
        progress: Called after each frame.

    Raises:
        FileNotFoundError: an XML file is missing.
        ValueError: an XML file is broken, or has an object of an unknown class or without
            ``trackid``.
    """
    folder = Path(root) / "Annotations" / "VID"
    writer = CocoVidWriter(VID_CLASSES, category_fields=_ENCODE_NAMES)
    names = [f"{v.path}/{frame:06d}" for v in videos for frame in range(v.length)]
    images = read_all([folder / f"{name}.xml" for name in names], progress)
    instances: dict[tuple[int, int], int] = {}
    for video in videos:
        video_id = writer.add_video(video.path, vid_train_frames=list(video.train_frames))
        flagged = set(video.train_frames)
        for frame in range(video.length):
            name, image = f"{video.path}/{frame:06d}", next(images)
            image_id = writer.add_image(
                f"{name}.JPEG", image.width, image.height, frame_id=frame, video_id=video_id,
                is_vid_train_frame=frame in flagged,
            )  # fmt: skip
            for item in image.objects:
                category, track = _known(item, folder / f"{name}.xml")
                writer.add_annotation(
                    image_id,
                    category,
                    item.bbox,
                    video_id=video_id,
                    instance_id=instances.setdefault((video_id, track), len(instances) + 1),
                    occluded=item.occluded,
                    generated=item.generated,
                )
    return writer


def _known(item: XMLObject, path: Path) -> tuple[int, int]:
    """Category and track of an object in a video."""
    if item.synset not in _CATEGORY_IDS:
        raise ValueError(
            f"{path}: class {item.synset!r} is none of the 30 of ImageNet VID (synsets such as "
            f"{next(iter(_CATEGORY_IDS))})"
        )
    if item.track is None:
        raise ValueError(f"{path}: an object has no <trackid>")
    return _CATEGORY_IDS[item.synset], item.track


def det_training_images(root: str | os.PathLike) -> tuple[list[str], list[str]]:
    """Training images of ImageNet DET, as paths without ending.

    Returns:
        Those of ``Lists/DET_train_30classes.txt`` in its order, and all other images that have
        an XML file below ``Annotations/DET/train``, sorted.

    Raises:
        FileNotFoundError: there is no list, or no folder of annotations.
    """
    listed = [
        fields[0] for _, fields in _lines(Path(root) / "Lists" / "DET_train_30classes.txt", 1)
    ]
    listed = list(dict.fromkeys(listed))
    folder = Path(root) / "Annotations" / "DET"
    if not (folder / "train").is_dir():
        raise FileNotFoundError(f"there is no folder {folder / 'train'}")
    found = {
        Path(parent, name).relative_to(folder).with_suffix("").as_posix()
        for parent, _, names in os.walk(folder / "train")
        for name in names
        if name.endswith(".xml")
    }
    return listed, sorted(found.difference(listed))


def convert_det(
    root: str | os.PathLike,
    listed: Sequence[str],
    others: Sequence[str],
    progress: Progress = lambda: None,
) -> CocoVidWriter:
    """Make a COCO file of the training images of ImageNet DET.

    Listed images come first, with ``is_vid_train_frame``; the others follow without.
    The classes of ImageNet VID keep their ids; all others become a 31st category. File names are
    relative to ``Data/DET``. An image without objects stays, without annotations.

    Args:
        root: Folder with ``Annotations/DET``.
        listed: Images to train on, see ``det_training_images``.
        others: All other images.
        progress: Called after each image.

    Raises:
        FileNotFoundError: an XML file is missing.
        ValueError: an XML file is broken.
    """
    folder = Path(root) / "Annotations" / "DET"
    categories = (*VID_CLASSES, OTHER_CLASSES)
    writer = CocoVidWriter(categories, with_videos=False, category_fields=_ENCODE_NAMES)
    names = [*listed, *others]
    images = read_all([folder / f"{name}.xml" for name in names], progress)
    for number, (name, image) in enumerate(zip(names, images, strict=True)):
        image_id = writer.add_image(
            f"{name}.JPEG", image.width, image.height, is_vid_train_frame=number < len(listed)
        )
        for item in image.objects:
            category = _CATEGORY_IDS.get(item.synset, len(categories))
            writer.add_annotation(image_id, category, item.bbox)
    return writer
