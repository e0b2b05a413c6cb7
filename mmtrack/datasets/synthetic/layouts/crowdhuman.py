"""CrowdHuman layout: single pictures of crowds, one JSON object per line.

Reference: Shao et al., "CrowdHuman: A Benchmark for Detecting Human in a Crowd", 2018, section 3.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..casting import SceneSpec, crowd_scene
from ..scene import CATEGORIES, Frame, seeded
from .base import Progress, RenderOptions, option, write_image

_LEAST_VISIBLE = 0.1  # annotators do not notice people of whom less is seen
_MOMENT = 6  # frame that is photographed; by then everybody is in a stride


@dataclass(frozen=True)
class CrowdHumanOptions(RenderOptions):
    """Options of the CrowdHuman layout."""

    images: int = option(60, "number of training images")
    val_images: int = option(20, "number of validation images")
    people: int = option(16, "people in a picture on average")


def describe(frame: Frame) -> list[dict]:
    """The entries of ``gtboxes``; people who sit are marked to be ignored.

    Boxes are full body (``fbox``), visible part (``vbox``) and head (``hbox``), x, y, width,
    height in whole pixels. People who are hardly seen are left out.
    """
    visible = frame.visible_bboxes()
    boxes = []
    for index in np.flatnonzero(frame.visibility >= _LEAST_VISIBLE).tolist():
        category = CATEGORIES[frame.categories[index]]
        if category not in ("person", "static_person"):
            continue
        person = category == "person"
        number = {"box_id": len(boxes)}
        extra = {**number, "occ": int(frame.visibility[index] < 1)} if person else {"ignore": 1}
        boxes.append(
            {
                "tag": "person" if person else "mask",
                "hbox": np.round(frame.heads[index]).astype(int).tolist(),
                "head_attr": {"ignore": 0, "occ": 0, "unsure": 0} if person else {},
                "fbox": frame.bboxes[index].astype(int).tolist(),
                "vbox": visible[index].astype(int).tolist(),
                "extra": extra,
            }
        )
    return boxes


def write_crowdhuman(folder: Path, options: CrowdHumanOptions, progress: Progress) -> None:
    """Write annotation_{train,val}.odgt and {train,val}/Images."""
    for split, count in (("train", options.images), ("val", options.val_images)):
        images = folder / split / "Images"
        images.mkdir(parents=True)
        lines = []
        for number in range(count):
            name = f"{split}-{number:06d}"
            people = int(seeded(options.seed, f"people of {name}").poisson(options.people))
            spec = SceneSpec(
                name, options.seed, options.size, length=2 * _MOMENT, people=max(people, 1)
            )
            frame = crowd_scene(spec).render(_MOMENT)
            write_image(images / f"{name}.jpg", frame.image)
            lines.append(json.dumps({"ID": name, "gtboxes": describe(frame)}) + "\n")
            progress()
        (folder / f"annotation_{split}.odgt").write_text("".join(lines))


def count_crowdhuman(options: CrowdHumanOptions) -> int:
    """Images that will be rendered."""
    return options.images + options.val_images
