"""Results of detection and tracking as rows of the result files of TAO."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DETECTION_WIDTH, TRACK_WIDTH = 5, 6


def stack_results(
    per_image: Sequence[Sequence[np.ndarray]], width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes of all images and classes in one table.

    Args:
        per_image: One list over classes of arrays ``(n, width)`` for each image.
        width: Columns of the arrays.

    Returns:
        Rows ``(N, width)`` float64, and the image and the class of each ``(N,)``.
    """
    arrays = [np.zeros((0, width))]
    images, labels = [], []
    for image, per_class in enumerate(per_image):
        for label, rows in enumerate(per_class):
            if len(rows):
                arrays.append(np.asarray(rows, np.float64).reshape(-1, width))
                images += [image] * len(rows)
                labels += [label] * len(rows)
    return np.concatenate(arrays), np.array(images, np.int64), np.array(labels, np.int64)


def detection_rows(
    per_image: Sequence[Sequence[np.ndarray]], img_ids: Sequence[int], cat_ids: Sequence[int]
) -> list[dict]:
    """Boxes as dicts of ``image_id``, ``bbox`` (x, y, width, height), ``score``, ``category_id``.

    Args:
        per_image: One list over classes of arrays ``(n, 5)`` x1y1x2y2-score for each image.
        img_ids: Id of each image.
        cat_ids: Category of each class.

    Raises:
        ValueError: a class has no category.
    """
    table, images, labels = stack_results(per_image, DETECTION_WIDTH)
    return [
        {"image_id": img_ids[image], "bbox": box, "score": score, "category_id": category}
        for image, category, (*box, score) in zip(
            images, _categories(labels, cat_ids), _to_xywh(table), strict=True
        )
    ]


def track_rows(
    per_image: Sequence[Sequence[np.ndarray]], infos: Sequence[dict], cat_ids: Sequence[int]
) -> list[dict]:
    """Boxes of tracks as dicts, with ``video_id`` and a ``track_id`` that no other video has.

    Args:
        per_image: One list over classes of arrays ``(n, 6)`` id-x1y1x2y2-score for each image.
        infos: The images; those of a video follow each other.
        cat_ids: Category of each class.

    Raises:
        ValueError: a class has no category.
    """
    table, images, labels = stack_results(per_image, TRACK_WIDTH)
    videos = np.array([info["video_id"] for info in infos], np.int64)
    ids = _unique_ids(table[:, 0].astype(np.int64), videos[images], videos)
    return [
        {
            "image_id": infos[image]["id"],
            "bbox": box,
            "score": score,
            "video_id": infos[image]["video_id"],
            "category_id": category,
            "track_id": track_id,
        }
        for image, category, track_id, (*box, score) in zip(
            images,
            _categories(labels, cat_ids),
            ids.tolist(),
            _to_xywh(table[:, 1:]),
            strict=True,
        )
    ]


def _unique_ids(ids: np.ndarray, videos_of_ids: np.ndarray, videos: np.ndarray) -> np.ndarray:
    """Ids raised by the highest of each earlier video, plus one; ``ids`` and result ``(N,)``."""
    order = videos[np.sort(np.unique(videos, return_index=True)[1])]
    unique, offset = ids.copy(), 0
    for video in order:
        own = videos_of_ids == video
        if own.any():
            unique[own] += offset
            offset += int(ids[own].max()) + 1
    return unique


def _categories(labels: np.ndarray, cat_ids: Sequence[int]) -> list[int]:
    if len(labels) and labels.max() >= len(cat_ids):
        raise ValueError(
            f"there is a result of class {labels.max()}, but the annotation file has "
            f"{len(cat_ids)} of the categories: was the model trained on other ones?"
        )
    return np.asarray(cat_ids, np.int64)[labels].tolist()


def _to_xywh(rows: np.ndarray) -> list[list[float]]:
    """x1y1x2y2-score ``(N, 5)`` as x, y, width, height, score."""
    rows = rows.copy()
    rows[:, 2:4] -= rows[:, :2]
    return rows.tolist()
