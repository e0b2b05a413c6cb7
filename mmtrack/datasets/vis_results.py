"""Results of video instance segmentation as tracks of the YouTube-VIS challenge."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmtrack.core.mask import rle_as_text
from mmtrack.utils.archive import write_zip
from mmtrack.utils.file_io import atomic_write

RESULT_FILE = "results.json"
SUBMISSION_FILE = "submission_file.zip"


def video_tracks(
    boxes: Sequence[Sequence[np.ndarray]],
    masks: Sequence[Sequence[Sequence[dict]]],
    video_id: int,
    cat_ids: Sequence[int],
) -> list[dict]:
    """Gather the frames of a video into one entry per track.

    Where an id occurs twice in a frame the later mask counts: MaskTrackRCNNTracker, which by
    default lets two detections have an instance, puts the better one there.

    Args:
        boxes: For each frame one array ``(n, 6)`` id-x1y1x2y2-score per class.
        masks: For each frame one list of ``n`` compressed run lengths per class.
        video_id: The video.
        cat_ids: Category of each class.

    Returns:
        Dicts of ``video_id``, ``score`` (mean over its frames), ``category_id`` (most frequent;
        the first of equally frequent ones) and ``segmentations`` (run lengths with text, or None,
        per frame), in the order of appearance.

    Raises:
        ValueError: boxes and masks do not belong together, or a class has no category; the
            message names the frame.
    """
    segmentations: dict[int, list] = {}
    scores, labels = defaultdict(list), defaultdict(list)
    for frame, (frame_boxes, frame_masks) in enumerate(zip(boxes, masks, strict=True)):
        place = f"frame {frame} of video {video_id}"
        _check_frame(frame_boxes, frame_masks, len(cat_ids), place)
        for number, (label, score, mask) in _by_id(frame_boxes, frame_masks).items():
            own = segmentations.setdefault(number, [None] * len(boxes))
            own[frame] = rle_as_text(mask)
            scores[number].append(score)
            labels[number].append(label)
    return [
        {
            "video_id": video_id,
            "score": sum(scores[number]) / len(scores[number]),
            "category_id": cat_ids[int(np.bincount(labels[number]).argmax())],
            "segmentations": own,
        }
        for number, own in segmentations.items()
    ]


def _by_id(boxes: Sequence, masks: Sequence) -> dict[int, tuple[int, float, dict]]:
    """Class, score and mask of each id of a frame; the later one of two with the same id."""
    return {
        int(row[0]): (label, float(row[-1]), mask)
        for label, rows in enumerate(boxes)
        for row, mask in zip(rows, masks[label], strict=True)
    }


def _check_frame(boxes: Sequence, masks: Sequence, num_categories: int, place: str) -> None:
    counts, mask_counts = ([len(group) for group in groups] for groups in (boxes, masks))
    if counts != mask_counts:
        raise ValueError(
            f"{place} has {sum(counts)} boxes and {sum(mask_counts)} masks, or they are of "
            "different classes"
        )
    surplus = [label for label in range(num_categories, len(counts)) if counts[label]]
    if surplus:
        raise ValueError(
            f"{place} has a result of class {surplus[0]}, but the annotation file has "
            f"{num_categories} categories: was the model trained on other ones?"
        )


def write_submission(folder: str | os.PathLike, tracks: Sequence[dict]) -> str:
    """Write what the server of YouTube-VIS takes.

    Args:
        folder: Receives ``results.json`` and ``submission_file.zip``, which holds that file.
        tracks: As of :func:`video_tracks`, of all videos.

    Returns:
        Path of the json file.
    """
    text = json.dumps(list(tracks))
    path = Path(folder) / RESULT_FILE
    with atomic_write(path) as file:
        file.write(text)
    write_zip(Path(folder) / SUBMISSION_FILE, [(RESULT_FILE, text)])
    return str(path)
