"""TAO and LVIS layouts: many categories, of which each video or image is annotated for a few.

References: Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object", ECCV 2020, section
    3; Gupta et al., "LVIS: A Dataset for Large Vocabulary Instance Segmentation", CVPR 2019,
    section 2, about negative and not exhaustively annotated categories.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pycocotools.mask as coco_mask

from ..casting import SceneSpec
from ..menagerie import ALL_KINDS, annotated_rows, menagerie_scene
from ..scene import Frame, seeded
from .base import CAMERAS, Progress, RenderOptions, option, write_image
from .youtube_vis import outlines

# Kind, name and synset in LVIS, its frequency there, and its id in COCO where it has one.
_SHOWN = (
    ("person", "person", "person.n.01", "f", 1),
    ("car", "car_(automobile)", "car.n.01", "f", 3),
    ("truck", "truck", "truck.n.01", "f", 8),
    ("dog", "dog", "dog.n.01", "f", 18),
    ("horse", "horse", "horse.n.01", "f", 19),
    ("zebra", "zebra", "zebra.n.01", "c", 24),
    ("giraffe", "giraffe", "giraffe.n.01", "c", 25),
    ("cat", "cat", "cat.n.01", "c", 17),
    ("cow", "cow", "beef.n.01", "c", 21),
    ("deer", "deer", "deer.n.01", "c", None),
    ("sheep", "sheep", "sheep.n.01", "r", 20),
    ("bear", "bear", "bear.n.01", "r", 23),
    ("elephant", "elephant", "elephant.n.01", "r", 22),
)
# Categories of LVIS that the scenes do not show: they are only ever absent.
_UNSEEN = ("accordion", "banana", "canoe", "drone", "eggplant", "guitar", "hammock", "igniter")
_STEP = 30  # TAO annotates one frame a second of videos with 30
_UNKNOWN, _PARTLY = 0.12, 0.15  # shares of present categories not annotated, and not in full
_NEGATIVES = 3  # categories known to be absent, per video or image
_MOMENT = 1  # frame of a scene that is photographed for LVIS


@dataclass(frozen=True)
class TAOOptions(RenderOptions):
    """Options of TAO."""

    videos: int = option(8, "number of training videos")
    val_videos: int = option(4, "number of validation videos")
    test_videos: int = option(2, "number of test videos")
    frames: int = option(12, "annotated frames of each video; no others are rendered")
    fps: int = option(6, "frames per second; fewer means larger steps between frames")
    objects: int = option(6, "objects of each video")


@dataclass(frozen=True)
class LVISOptions(RenderOptions):
    """Options of LVIS."""

    images: int = option(60, "number of training images")
    val_images: int = option(20, "number of validation images")
    objects: int = option(7, "objects of each image")


@dataclass
class _Coverage:
    """What is annotated in a video or image, as category ids.

    Attributes:
        annotated: Categories with objects.
        partly: Those of them of which only one object is.
        negative: Categories known to be absent.
        first: The object that is annotated of each of ``partly``, once one was met.
    """

    annotated: frozenset[int]
    partly: frozenset[int]
    negative: list[int]
    first: dict[int, int] = field(default_factory=dict)

    @classmethod
    def draw(cls, seed: int, name: str, present: Iterable[int]) -> _Coverage:
        """Draw for a video or image that shows some categories."""
        rng = seeded(seed, f"coverage of {name}")
        present = sorted(present)
        luck = rng.uniform(size=len(present))
        known = [c for c, value in zip(present, luck, strict=True) if value >= _UNKNOWN]
        known = known or present[:1]
        partly = [c for c, value in zip(known, rng.uniform(size=len(known)), strict=True)
                  if value < _PARTLY]  # fmt: skip
        absent = [c["id"] for c in categories() if c["id"] not in present]
        negative = sorted(rng.permutation(absent)[:_NEGATIVES].tolist())
        return cls(frozenset(known), frozenset(partly), negative)

    def takes(self, category: int, number: int) -> bool:
        """Whether an object is annotated: all of its category, or the first one only."""
        if category not in self.annotated:
            return False
        return category not in self.partly or self.first.setdefault(category, number) == number

    def lists(self) -> dict[str, list[int]]:
        """The lists in a json file."""
        return {
            "neg_category_ids": self.negative,
            "not_exhaustive_category_ids": sorted(self.partly),
        }


def categories() -> list[dict]:
    """Categories as LVIS describes them."""
    shown = [(name, synset, frequency) for _, name, synset, frequency, _ in _SHOWN]
    named = [*shown, *((name, f"{name}.n.01", "r") for name in _UNSEEN)]
    return [
        {"id": i, "name": name, "synset": synset, "frequency": frequency, "synonyms": [name]}
        for i, (name, synset, frequency) in enumerate(sorted(named), 1)
    ]


def _category_of_kind() -> dict[str, int]:
    ids = {category["name"]: category["id"] for category in categories()}
    return {kind: ids[name] for kind, name, *_ in _SHOWN}


def write_tao(folder: Path, options: TAOOptions, progress: Progress) -> None:
    """Write {train,val,test}/ and annotations/ with the official files."""
    target = folder / "annotations"
    target.mkdir()
    splits = {
        "train": ("train", options.videos, "train"),
        "val": ("validation", options.val_videos, "val"),
        "test": ("test_without_annotations", options.test_videos, "test"),
    }
    for split, (name, count, images) in splits.items():
        data = {"categories": categories(), "videos": [], "images": [], "annotations": [],
                "tracks": []}  # fmt: skip
        for number in range(1, count + 1):
            spec = SceneSpec(
                f"{split}_{number:04d}",
                options.seed,
                options.size,
                options.frames,
                options.fps,
                options.objects,
                CAMERAS[(number - 1) % len(CAMERAS)],
            )
            _add_video(data, folder, f"{images}/Synthetic/{spec.name}", spec, progress)
        if split == "test":
            data["annotations"], data["tracks"] = [], []
        (target / f"{name}.json").write_text(json.dumps(data))
    judged = [c for c in categories() if c["name"] not in _UNSEEN]
    (target / "test_categories.json").write_text(json.dumps(judged))


def _add_video(data: dict, folder: Path, name: str, spec: SceneSpec, progress: Progress) -> None:
    """Render a video and add it with what is annotated in it."""
    (folder / name).mkdir(parents=True)
    ids = _category_of_kind()
    video_id = len(data["videos"]) + 1
    seen = []
    for index, frame in enumerate(menagerie_scene(spec, ALL_KINDS)):
        file_name = f"{name}/frame{_STEP * index + 1:04d}.jpg"
        write_image(folder / file_name, frame.image)
        image_id = len(data["images"]) + 1
        size = {"width": spec.size[0], "height": spec.size[1]}
        data["images"].append(
            {"id": image_id, "video_id": video_id, "frame_index": _STEP * index,
             "file_name": file_name, "video": name, **size}
        )  # fmt: skip
        boxes = frame.visible_bboxes()
        for row, kind in annotated_rows(frame):
            seen.append((image_id, int(frame.ids[row]), ids[kind], boxes[row].tolist()))
        progress()
    coverage = _Coverage.draw(spec.seed, spec.name, {category for _, _, category, _ in seen})
    data["videos"].append(
        {"id": video_id, "name": name, "width": spec.size[0], "height": spec.size[1],
         **coverage.lists()}
    )  # fmt: skip
    tracks: dict[int, int] = {}
    for image_id, actor, category, bbox in seen:
        if not coverage.takes(category, actor):
            continue
        if actor not in tracks:
            tracks[actor] = len(data["tracks"]) + 1
            data["tracks"].append(
                {"id": tracks[actor], "category_id": category, "video_id": video_id}
            )
        data["annotations"].append(
            {"id": len(data["annotations"]) + 1, "image_id": image_id, "video_id": video_id,
             "track_id": tracks[actor], "category_id": category, "bbox": bbox,
             "area": bbox[2] * bbox[3], "iscrowd": 0}
        )  # fmt: skip


def write_lvis(folder: Path, options: LVISOptions, progress: Progress) -> None:
    """Write {train,val}/, the files of LVIS v0.5, and those of COCO to merge with."""
    target = folder / "annotations"
    target.mkdir()
    for split, count in (("train", options.images), ("val", options.val_images)):
        (folder / split).mkdir()
        lvis = {"categories": categories(), "images": [], "annotations": []}
        coco = {"categories": _coco_categories(), "images": [], "annotations": []}
        for number in range(1, count + 1):
            spec = SceneSpec(
                f"lvis-{split}-{number}", options.seed, options.size, 2 * _MOMENT,
                people=options.objects,
            )  # fmt: skip
            frame = menagerie_scene(spec, ALL_KINDS).render(_MOMENT)
            write_image(folder / split / f"{number:012d}.jpg", frame.image)
            _add_image(lvis, coco, split, spec, frame)
            progress()
        (target / f"lvis_v0.5_{split}.json").write_text(json.dumps(lvis))
        (target / f"instances_{split}2017.json").write_text(json.dumps(coco))
    synsets = {
        kind: {"coco_cat_id": coco_id, "synset": synset}
        for kind, _, synset, _, coco_id in _SHOWN
        if coco_id is not None
    }
    (target / "coco_to_lvis_synset.json").write_text(json.dumps(synsets))


def _coco_categories() -> list[dict]:
    found = [(coco_id, kind) for kind, _, _, _, coco_id in _SHOWN if coco_id is not None]
    return [{"id": coco_id, "name": kind} for coco_id, kind in sorted(found)]


def _add_image(lvis: dict, coco: dict, split: str, spec: SceneSpec, frame: Frame) -> None:
    """Add an image: what is annotated of it in LVIS, and all of its categories in COCO."""
    number = len(lvis["images"]) + 1
    in_lvis, in_coco = _category_of_kind(), {c["name"]: c["id"] for c in coco["categories"]}
    rows = annotated_rows(frame)
    coverage = _Coverage.draw(spec.seed, spec.name, {in_lvis[kind] for _, kind in rows})
    image = {"id": number, "width": spec.size[0], "height": spec.size[1]}
    old_name = f"COCO_{split}2014_{number:012d}.jpg"
    lvis["images"].append({**image, "file_name": old_name, **coverage.lists()})
    coco["images"].append({**image, "file_name": f"{number:012d}.jpg"})
    for row, kind in rows:
        shape = _shape(frame.mask(row))
        if coverage.takes(in_lvis[kind], row):
            _add_object(lvis, number, in_lvis[kind], shape)
        if kind in in_coco:
            _add_object(coco, number, in_coco[kind], {**shape, "iscrowd": 0})


def _shape(mask: np.ndarray) -> dict:
    """Polygons of a mask, their box and their area."""
    polygons = outlines(mask)
    code = coco_mask.merge(coco_mask.frPyObjects(polygons, *mask.shape))
    return {
        "segmentation": polygons,
        "bbox": coco_mask.toBbox(code).tolist(),
        "area": float(coco_mask.area(code)),
    }


def _add_object(data: dict, image_id: int, category_id: int, fields: dict) -> None:
    ann_id = len(data["annotations"]) + 1
    data["annotations"].append(
        {"id": ann_id, "image_id": image_id, "category_id": category_id, **fields}
    )


def count_tao(options: TAOOptions) -> int:
    """Frames that will be rendered."""
    return (options.videos + options.val_videos + options.test_videos) * options.frames


def count_lvis(options: LVISOptions) -> int:
    """Images that will be rendered."""
    return options.images + options.val_images
