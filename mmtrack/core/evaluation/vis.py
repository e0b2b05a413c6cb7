"""Average precision of video instance segmentation: whole tracks of masks instead of boxes.

Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019, section 3.2. Everything but
    the overlap is the COCO protocol, with videos in the place of images.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from terminaltables import AsciiTable

from mmtrack.core.mask import MaskTrack, to_rle, track_ious

from .coco_ap import AP_NAMES, CocoScores, coco_from_dict, summarize_coco

# Objects are small, medium and large by their mean area over the frames that show them.
_LARGEST = 1e5**2
_AREA_RANGES = ([0, _LARGEST], [0, 128**2], [128**2, 256**2], [256**2, _LARGEST])
_MOST_TRACKS = (1, 10, 100)  # per video and category


class TrackCOCOeval(COCOeval):
    """pycocotools' evaluation where images are videos and annotations have a ``track``."""

    def __init__(self, target: COCO, found: COCO):
        super().__init__(target, found, "bbox")  # which leaves the masks alone
        self.params.areaRng = [list(limits) for limits in _AREA_RANGES]
        self.params.maxDets = list(_MOST_TRACKS)

    def computeIoU(self, imgId: int, catId: int) -> np.ndarray | list:
        """Overlap of the best tracks with the objects of a category in a video, ``(D, G)``."""
        objects, tracks = self._gts[imgId, catId], self._dts[imgId, catId]
        if not objects or not tracks:
            return []
        tracks = sorted(tracks, key=lambda item: -item["score"])[: self.params.maxDets[-1]]
        return track_ious([item["track"] for item in tracks], [item["track"] for item in objects])


class _Videos:
    """Annotations in the YouTube-VIS format, to look things up and to check against.

    Args:
        vis_anns: See :func:`eval_vis`.

    Raises:
        ValueError: a list is missing, or no object is annotated.
    """

    def __init__(self, vis_anns: dict[str, list[dict]]):
        for key in ("videos", "categories", "annotations"):
            if key not in vis_anns:
                raise ValueError(f"the annotations have no list {key!r}; is it a YouTube-VIS json?")
        if not vis_anns["annotations"]:
            raise ValueError(
                "the annotations hold no objects to evaluate against. The valid and test sets of "
                "YouTube-VIS are annotated on its server alone: use --format-only and hand in the "
                "zip."
            )
        for video in vis_anns["videos"]:
            missing = [key for key in ("id", "width", "height") if key not in video]
            if missing:
                raise ValueError(
                    f"video {video.get('id')} of the annotations has no {missing[0]!r}"
                )
        self.by_id = {video["id"]: video for video in vis_anns["videos"]}
        self.categories = {category["id"]: category for category in vis_anns["categories"]}
        # Where the file does not tell, all tracks of a video must have the length of the first.
        self.lengths = {v["id"]: v["length"] for v in vis_anns["videos"] if "length" in v}

    def check(self, entry: dict, name: str, *keys: str) -> None:
        """Raise an error unless an object or track fits these videos.

        Raises:
            ValueError: a key is missing, or video, category or number of frames are wrong.
        """
        missing = [key for key in ("video_id", "category_id", *keys) if key not in entry]
        if missing:
            raise ValueError(f"{name} has no {missing[0]!r}")
        video_id, category_id = entry["video_id"], entry["category_id"]
        if video_id not in self.by_id:
            raise ValueError(
                f"{name} is of video {video_id}, which the annotations do not have: the results "
                "are of another data set or split"
            )
        if category_id not in self.categories:
            raise ValueError(
                f"{name} has category {category_id}, but the annotations have the categories "
                f"{sorted(self.categories)}"
            )
        length = len(entry["segmentations"])
        if self.lengths.setdefault(video_id, length) != length:
            raise ValueError(
                f"{name} has segmentations for {length} frames, but video {video_id} has "
                f"{self.lengths[video_id]}"
            )

    def track(self, entry: dict, name: str) -> MaskTrack:
        """Masks of an object.

        Raises:
            ValueError: a mask is malformed, or does not have the size of the video.
        """
        video = self.by_id[entry["video_id"]]
        masks: list[dict | None] = [None] * len(entry["segmentations"])
        for frame, mask in enumerate(entry["segmentations"]):
            if not mask:
                continue
            try:
                masks[frame] = to_rle(mask, video["height"], video["width"])
            except ValueError as error:
                raise ValueError(f"{name}, video {video['id']}, frame {frame}: {error}") from error
        return MaskTrack.from_masks(masks)


def eval_vis(
    test_results: list[dict],
    vis_anns: dict[str, list[dict]],
    logger: logging.Logger | str | None = None,
) -> dict[str, float | str]:
    """Score tracks of masks.

    Args:
        test_results: One dict per track: ``video_id``, ``category_id``, ``score`` and
            ``segmentations``, for each frame of the video run lengths, or None where the object
            is not seen. A mask without pixels counts as not seen.
        vis_anns: ``videos`` (``id``, ``height``, ``width``), ``categories`` (``id``) and
            ``annotations`` (``video_id``, ``category_id``, ``segmentations``, optionally ``areas``
            and ``iscrowd``), as in the json files of YouTube-VIS. Masks may be polygons.
        logger: Where the table is printed.

    Returns:
        ``segm_mAP``, ``segm_mAP_50``, ``segm_mAP_75``, ``segm_mAP_s``, ``segm_mAP_m``,
        ``segm_mAP_l`` (mean area below 128 x 128, 256 x 256, and above), -1 where no object of the
        kind is annotated; ``segm_mAP_copypaste``, the same as text.

    Raises:
        ValueError: results or annotations are malformed, or do not belong together; the message
            names the track.
    """
    found = vis_average_precision(test_results, vis_anns)
    rows = [[name, f"{value:.4f}"] for name, value in found.scores.items()]
    print_log("\n" + AsciiTable([["score", "track_segm"], *rows]).table, logger=logger)
    scores: dict[str, Any] = {f"segm_{name}": round(found.scores[name], 4) for name in AP_NAMES}
    scores["segm_mAP_copypaste"] = " ".join(f"{found.scores[name]:.4f}" for name in AP_NAMES)
    return scores


def vis_average_precision(
    test_results: Sequence[dict], vis_anns: dict[str, list[dict]]
) -> CocoScores:
    """All scores of tracks of masks, also the recall; arguments are those of :func:`eval_vis`."""
    evaluation = evaluate_vis(test_results, vis_anns)
    return summarize_coco(evaluation, sorted(item["id"] for item in vis_anns["categories"]))


def evaluate_vis(test_results: Sequence[dict], vis_anns: dict[str, list[dict]]) -> TrackCOCOeval:
    """The evaluation after ``accumulate``; objects and tracks have the ids 1, 2, 3, ...

    Args:
        test_results: As of :func:`eval_vis`.
        vis_anns: As there.
    """
    videos = _Videos(vis_anns)
    objects = [
        _object(videos, entry, f"annotation {entry.get('id', i)}")
        for i, entry in enumerate(vis_anns["annotations"])
    ]
    tracks = [_track(videos, entry, f"track {i}") for i, entry in enumerate(test_results)]
    lists = {
        "images": [{"id": video_id} for video_id in videos.by_id],
        "categories": list(videos.categories.values()),
    }
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        evaluation = TrackCOCOeval(
            coco_from_dict(COCO, {**lists, "annotations": _numbered(objects)}),
            coco_from_dict(COCO, {**lists, "annotations": _numbered(tracks)}),
        )
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _object(videos: _Videos, entry: dict, name: str) -> dict:
    """What COCOeval needs to know of an annotated object."""
    videos.check(entry, name, "segmentations")
    track = videos.track(entry, name)
    areas = [area for area in entry.get("areas") or () if area]
    return {
        "image_id": entry["video_id"],
        "category_id": entry["category_id"],
        "iscrowd": int(entry.get("iscrowd", 0)),
        "area": sum(areas) / len(areas) if areas else track.mean_area,
        "track": track,
    }


def _track(videos: _Videos, entry: dict, name: str) -> dict:
    """What COCOeval needs to know of a resulting track."""
    videos.check(entry, name, "segmentations", "score")
    if not math.isfinite(entry["score"]):
        raise ValueError(f"{name} of video {entry['video_id']} has the score {entry['score']}")
    track = videos.track(entry, name)
    return {
        "image_id": entry["video_id"],
        "category_id": entry["category_id"],
        "score": float(entry["score"]),
        "area": track.mean_area,
        "track": track,
    }


def _numbered(entries: list[dict]) -> list[dict]:
    """Entries with ids from 1; COCOeval marks objects without a match with 0."""
    return [{**entry, "id": number} for number, entry in enumerate(entries, 1)]
