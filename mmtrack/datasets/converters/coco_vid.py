"""Collect videos, images and annotations and write them as one CocoVID json file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from mmtrack.utils.file_io import atomic_write


@dataclass
class IdCounter:
    """Next ids; share one counter between files whose ids must differ."""

    video: int = 1
    image: int = 1
    annotation: int = 1


@dataclass
class CocoVidWriter:
    """A CocoVID file in the making.

    Attributes:
        categories: Names.
        counter: Source of the ids.
        with_videos: False writes plain COCO.
        first_category: Id of the first category; the others count on.
        category_fields: More keys of some categories, by name.
    """

    categories: tuple[str | int, ...]
    counter: IdCounter = field(default_factory=IdCounter)
    with_videos: bool = True
    first_category: int = 1
    category_fields: dict[str | int, dict] = field(default_factory=dict)
    videos: list[dict] = field(default_factory=list)
    images: list[dict] = field(default_factory=list)
    annotations: list[dict] = field(default_factory=list)
    extra: dict = field(default_factory=dict)

    def add_video(self, name: str, **fields: object) -> int:
        """Add a video and return its id."""
        self.videos.append({"id": self.counter.video, "name": name, **fields})
        self.counter.video += 1
        return self.videos[-1]["id"]

    def add_image(self, file_name: str, width: int, height: int, **fields: object) -> int:
        """Add an image and return its id."""
        image = {"id": self.counter.image, "file_name": file_name, "height": height, "width": width}
        self.images.append({**image, **fields})
        self.counter.image += 1
        return image["id"]

    def add_annotation(
        self, image_id: int, category_id: int, bbox: list[float], **fields: object
    ) -> int:
        """Add a box and return its id.

        Args:
            image_id: Its image.
            category_id: Id of a category.
            bbox: x, y, width, height in pixels.
            **fields: More keys; ``area`` is the box's where not given, ``iscrowd`` is False.
        """
        annotation = {
            "id": self.counter.annotation,
            "image_id": image_id,
            "category_id": category_id,
            "bbox": bbox,
            "area": bbox[2] * bbox[3],
            "iscrowd": False,
        }
        self.annotations.append({**annotation, **fields})
        self.counter.annotation += 1
        return annotation["id"]

    def as_dict(self) -> dict:
        """Content of the file."""
        named = [
            {"id": i, "name": name, **self.category_fields.get(name, {})}
            for i, name in enumerate(self.categories, self.first_category)
        ]
        videos = {"videos": self.videos} if self.with_videos else {}
        return {
            "categories": named,
            **videos,
            "images": self.images,
            "annotations": self.annotations,
            **self.extra,
        }

    def write(self, path: str | os.PathLike) -> None:
        """Write the file; the same content gives the same bytes."""
        with atomic_write(path) as file:
            json.dump(self.as_dict(), file)

    def summary(self) -> str:
        """What is in the file, in words."""
        videos = f"{len(self.videos)} videos, " if self.with_videos else ""
        return f"{videos}{len(self.images)} images, {len(self.annotations)} boxes"
