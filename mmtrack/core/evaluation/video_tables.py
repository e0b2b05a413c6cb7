"""Tables of boxes from the per-image lists of models and the annotations of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .mot_table import MOTTable


@dataclass(frozen=True)
class LabelledTable:
    """Boxes of one video in the order of its images, frames counted from 1.

    Attributes:
        table: The boxes, ``N`` rows.
        labels: Class of each box, ``(N,)`` int64.
    """

    table: MOTTable
    labels: np.ndarray

    def of_class(self, label: int) -> MOTTable:
        """Boxes of one class."""
        return self.table[self.labels == label]


def check_layout(
    results: list[list[list[np.ndarray]]],
    annotations: list[list[dict]],
    classes: Sequence[str] | None,
) -> list[str]:
    """Check that results and annotations have the same videos, images and classes.

    Args:
        results: Per video, image and class: rows ``(n, 6)``.
        annotations: Per video and image: a dict.
        classes: Names of the classes; None where unknown.

    Returns:
        Names of the classes, or their numbers as text.

    Raises:
        ValueError: a number does not agree; the message says which video.
    """
    if len(results) != len(annotations):
        raise ValueError(
            f"results have {len(results)} videos and annotations {len(annotations)}; both need one "
            "entry per video"
        )
    for v, (video, truth) in enumerate(zip(results, annotations, strict=True)):
        if len(video) != len(truth):
            raise ValueError(
                f"video {v}: results have {len(video)} images and annotations {len(truth)}; both "
                "need one entry per image"
            )
    counts = {len(image) for video in results for image in video}
    expected = len(classes) if classes is not None else max(counts, default=0)
    if counts - {expected}:
        raise ValueError(
            f"images have results of {sorted(counts)} classes, where {expected} are expected "
            f"({'the length of `classes`' if classes is not None else 'the same for every image'})"
        )
    if expected == 0:
        raise ValueError("there are no results to evaluate: no class in any image")
    return [str(name) for name in (range(expected) if classes is None else classes)]


def results_of_video(video: list[list[np.ndarray]], number: int) -> LabelledTable:
    """Results of all images and classes of one video.

    Args:
        video: Per image and class: rows ``(n, 6)`` of id, x1, y1, x2, y2, score.
        number: Number of the video, for messages.
    """
    arrays = [array for image in video for array in image]
    counts = np.fromiter(map(len, arrays), np.int64, len(arrays))
    filled = [np.asarray(array, np.float64) for array in arrays if len(array)]
    rows = np.concatenate([np.empty((0, 6)), *filled])
    if not np.isfinite(rows[:, 0]).all():
        raise ValueError(f"results of video {number} contain a track id that is not finite")
    classes = len(video[0]) if video else 0
    image, label = np.divmod(np.arange(len(arrays)), max(classes, 1))
    table = _table(np.repeat(image, counts), rows[:, 0], rows[:, 1:5])
    return LabelledTable(table, np.repeat(label, counts))


def objects_of_video(video: list[dict], number: int, num_classes: int) -> LabelledTable:
    """Annotated objects of all images of one video.

    Args:
        video: Per image a dict with ``bboxes (n, 4)`` x1y1x2y2, ``labels``, ``instance_ids (n,)``.
        number: Number of the video, for messages.
        num_classes: Number of classes that results have.
    """
    for frame, image in enumerate(video, 1):
        missing = {"bboxes", "labels", "instance_ids"} - set(image)
        if missing:
            raise ValueError(f"annotations of video {number}, image {frame}: no {sorted(missing)}")
    boxes, images = _stack([image["bboxes"] for image in video])
    ids = _join([image["instance_ids"] for image in video])
    labels = _join([image["labels"] for image in video])
    unknown = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(unknown):
        raise ValueError(
            f"annotations of video {number}, image {images[unknown[0]] + 1}: label "
            f"{labels[unknown[0]]}, while results have {num_classes} classes"
        )
    return LabelledTable(_table(images, ids, boxes), labels)


def regions_of_video(video: list[dict], *, by_class: bool) -> LabelledTable:
    """Ignored regions of all images of one video; label -1 unless ``by_class``.

    Args:
        video: Per image a dict with ``bboxes_ignore (k, 4)`` x1y1x2y2 and, where regions belong
            to classes, ``labels_ignore (k,)``.
        by_class: Whether to read ``labels_ignore``.
    """
    boxes, images = _stack([image.get("bboxes_ignore", ()) for image in video])
    labels = np.full(len(boxes), -1)
    if by_class:
        wanting = [i for i in np.unique(images) if "labels_ignore" not in video[i]]
        if wanting:
            raise ValueError(
                f"ignore_by_classes needs `labels_ignore` beside `bboxes_ignore`; image "
                f"{wanting[0] + 1} has none"
            )
        labels = _join([image.get("labels_ignore", ()) for image in video])
    return LabelledTable(_table(images, np.zeros(len(boxes)), boxes), labels)


def _table(images: np.ndarray, ids: np.ndarray, corners: np.ndarray) -> MOTTable:
    boxes = np.array(corners, np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    return MOTTable.from_columns(images + 1, ids, boxes)


def _stack(arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of all images ``(N, 4)`` and the image of each ``(N,)``."""
    boxes = [np.reshape(array, (-1, 4)) for array in arrays]
    images = np.repeat(np.arange(len(boxes)), [len(array) for array in boxes])
    return np.concatenate([np.empty((0, 4)), *boxes]), images


def _join(columns: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0), *map(np.ravel, columns)]).astype(np.int64)
