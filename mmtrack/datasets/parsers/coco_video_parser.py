"""Annotations of videos: COCO with the lists ``videos`` and ``instance_id`` on top."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from .columnar_coco import ColumnarCOCO, id_list
from .columns import NumberColumn
from .lazy_objects import Groups, LazyDataset

_NO_VIDEOS = (
    "Convert the data to the CocoVID format (tools/convert_datasets), or, for images without "
    "videos, set load_as_video=False in the data set (load_img_as_vid=True of CocoVID)."
)
_ALL: list[int] = []  # the documented default
_VIDEO_INDICES = ("videos", "vidToImgs", "vidToInstances", "instancesToImgs")


class CocoVID(ColumnarCOCO):
    """Annotations in the CocoVID format.

    On top of ``COCO``: ``videos`` (by id), ``vidToImgs`` (ids of the images of a video, sorted by
    ``frame_id``), ``vidToInstances`` and ``instancesToImgs`` (in the order of the annotations).

    Args:
        annotation_file: JSON file; None makes an empty object.
        load_img_as_vid: Make each image a video where the file has no ``videos``.
        name: What messages call the file, where ``annotation_file`` is a temporary copy.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is broken, has no ``videos``, or objects miss a field or the frames
            of a video are not numbered 0, 1, 2, ...; the message names the place.
    """

    def __init__(
        self,
        annotation_file: str | os.PathLike | None = None,
        load_img_as_vid: bool = False,
        name: str | None = None,
    ):
        self.load_img_as_vid = load_img_as_vid
        super().__init__(annotation_file, name)

    def convert_img_to_vid(self, dataset: dict) -> dict:
        """Make each image a video of one frame, and each annotation an instance.

        Args:
            dataset: Content of a COCO file, which is changed.

        Returns:
            The same dict: with ``videos`` (id and name of the images), ``video_id`` and
            ``frame_id`` 0 of the images, ``video_id`` and ``instance_id`` of the annotations.
        """
        dataset["videos"] = []
        for img in dataset.get("images", []):
            dataset["videos"].append({"id": img["id"], "name": img["file_name"]})
            img.update(video_id=img["id"], frame_id=0)
        for ann in dataset.get("annotations", []):
            ann.update(video_id=ann["image_id"], instance_id=ann["id"])
        return dataset

    def createIndex(self) -> None:
        """Make the indices of what ``dataset`` holds now.

        Raises:
            ValueError: see the class.
        """
        if "videos" not in self.dataset and self.load_img_as_vid:
            self._images_to_videos()
        super().createIndex()
        for name in _VIDEO_INDICES:
            self.__dict__.pop(name, None)
        if "videos" not in self.dataset:
            raise ValueError(f"{self.file_name} has no list 'videos'. {_NO_VIDEOS}")
        self._check_named("videos")
        self._check_frames()

    def _images_to_videos(self) -> None:
        """``convert_img_to_vid`` on the columns, or on the dicts where there are no columns."""
        if not isinstance(self.dataset, LazyDataset):
            self.convert_img_to_vid(self.dataset)
            return
        self.require("images", "id", "file_name")
        self.check_texts("images", "file_name")
        if not len(self._table("images")):
            self.dataset["videos"] = []
            return
        names = self._table("images").columns.columns["file_name"].take(slice(None))
        img_ids = self.ids("images", "id")
        self.dataset["videos"] = [
            {"id": i, "name": name} for i, name in zip(img_ids.tolist(), names, strict=True)
        ]
        new = {
            "images": {"video_id": img_ids, "frame_id": np.zeros_like(img_ids)},
            "annotations": {
                "video_id": self.ids("annotations", "image_id"),
                "instance_id": self.ids("annotations", "id"),
            },
        }
        for key, fields in new.items():
            if key in self._tables:
                columns = self._tables[key].columns.columns
                columns.update({name: NumberColumn(ids) for name, ids in fields.items()})

    def _check_frames(self) -> None:
        """Raise an error unless the frames of every video are numbered 0, 1, 2, ..."""
        frame_ids, videos = self._frames()
        order = np.lexsort((frame_ids, videos))
        frame_ids, videos = frame_ids[order], videos[order]
        starts = np.flatnonzero(np.diff(videos, prepend=videos[:1] - 1))
        counts = np.diff(starts, append=len(videos))
        expected = np.arange(len(videos)) - np.repeat(starts, counts)
        wrong = np.flatnonzero(frame_ids != expected)
        if len(wrong):
            video, found, wanted = (int(x[wrong[0]]) for x in (videos, frame_ids, expected))
            raise ValueError(
                f"{self.file_name}: the frames of video {video} must have the frame_id 0, 1, 2, "
                f"... without gaps or repetitions, but {found} was found in the place of {wanted}."
            )
        unknown = np.setdiff1d(videos, [video["id"] for video in self.dataset["videos"]])
        if len(unknown):
            raise ValueError(
                f"{self.file_name}: images belong to video {unknown[0]}, which is not in 'videos'."
            )

    def _frames(self) -> tuple[np.ndarray, np.ndarray]:
        """``frame_id`` and ``video_id`` of all images, ``(N,)`` each."""
        for field in ("video_id", "frame_id"):
            missing = ~self._table("images").columns.has(field)
            if missing.any():
                self._raise_missing("images", field, missing, _NO_VIDEOS)
        return self.ids("images", "frame_id"), self.ids("images", "video_id")

    @cached_property
    def videos(self) -> dict:
        """Videos by id."""
        return {video["id"]: video for video in self.dataset["videos"]}

    @cached_property
    def vidToImgs(self) -> Groups:
        """Image ids by video id, sorted by frame."""
        frame_ids, videos = self._frames()
        order = np.argsort(frame_ids, kind="stable")
        return Groups(videos[order], self.ids("images", "id")[order])

    @cached_property
    def instancesToImgs(self) -> Groups:
        """Image ids by instance id."""
        instances, rows = self._optional("instance_id")
        return Groups(instances, self.ids("annotations", "image_id")[rows])

    @cached_property
    def vidToInstances(self) -> Groups:
        """Instance ids by video id, in order of appearance."""
        instances, rows = self._optional("instance_id", "video_id")
        videos, _ = self._optional("video_id", "instance_id")
        order = np.lexsort((rows, instances, videos))
        same = (np.diff(videos[order], prepend=0) == 0) & (
            np.diff(instances[order], prepend=0) == 0
        )
        same[:1] = False
        first = np.sort(order[~same])
        return Groups(videos[first], instances[first])

    def _optional(self, field: str, *also: str) -> tuple[np.ndarray, np.ndarray]:
        """Values and rows of the annotations that have a field (and others), ``(n,)`` each."""
        columns = self._table("annotations").columns
        rows = columns.has(field)
        for other in also:
            rows = rows & columns.has(other)
        values = columns.integers(field)
        if values is None and rows.any():
            raise ValueError(f"{self.file_name}: {field!r} of annotations must be integers.")
        rows = np.flatnonzero(rows)
        return (np.zeros(0, np.int64) if values is None else values[rows]), rows

    def get_vid_ids(self, vidIds: int | Iterable[int] = _ALL) -> list[int]:
        """Ids of all videos, or the given ids, each once."""
        return list(dict.fromkeys(id_list(vidIds))) or list(self.videos)

    def get_img_ids_from_vid(self, vidId: int) -> list[int]:
        """Ids of the images of a video, sorted by frame."""
        return list(self.vidToImgs.get(vidId, []))

    def get_ins_ids_from_vid(self, vidId: int) -> list[int]:
        """Ids of the instances of a video, in order of appearance."""
        return list(self.vidToInstances.get(vidId, []))

    def get_img_ids_from_ins_id(self, insId: int) -> list[int]:
        """Ids of the images that show an instance, in the order of the annotations."""
        return list(self.instancesToImgs.get(insId, []))

    def load_vids(self, ids: int | Iterable[int] = _ALL) -> list[dict]:
        """Videos of some ids, or of one; without an argument all videos."""
        if ids is _ALL:
            return list(self.videos.values())
        return [self.videos[i] for i in id_list(ids)]
