"""Average precision of tracks of boxes in the protocol of TAO.

A video is annotated for some categories only: those of its objects, and those known to be absent
(``neg_category_ids``). Tracks of other categories are not judged; those of categories that are not
exhaustively annotated are not blamed for finding more. Matching and precision are trackeval's.

Reference: Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object", ECCV 2020, section 4
    and supplement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from trackeval.metrics.track_map import TrackMAP

IOU_THRESHOLDS = (0.5, 0.75)
MOST_BOXES = 300  # per image, those of the highest scores
_VIDEO_KEYS = ("neg_category_ids", "not_exhaustive_category_ids")
# What trackeval calls its groups of tracks, by area and by number of frames.
_GROUPS = {
    "s": "area_s", "m": "area_m", "l": "area_l",
    "st": "time_s", "mt": "time_m", "lt": "time_l",
}  # fmt: skip


@dataclass(frozen=True)
class BoxTrack:
    """The boxes of an object in a video.

    Attributes:
        video_id: The video.
        category_id: Category of its first box.
        frames: Position of its images in the video, ascending, ``(n,)``.
        boxes: ``(n, 4)`` x, y, width, height.
        score: Mean score of the boxes; 0 for annotated objects.
    """

    video_id: int
    category_id: int
    frames: np.ndarray
    boxes: np.ndarray
    score: float

    @property
    def area(self) -> float:
        """Mean area of the boxes."""
        return float((self.boxes[:, 2] * self.boxes[:, 3]).mean())


class _TrackMAP(TrackMAP):
    """trackeval's metric with the overlap of tracks as array operations."""

    @staticmethod
    def _compute_track_ious(
        dt: Sequence[BoxTrack], gt: Sequence[BoxTrack], **_: object
    ) -> np.ndarray:
        return box_track_ious(dt, gt)


def box_track_ious(tracks: Sequence[BoxTrack], others: Sequence[BoxTrack]) -> np.ndarray:
    """Sum of the intersections over sum of the unions of tracks of a video, ``(D, G)``."""
    length = max((int(t.frames[-1]) + 1 for t in (*tracks, *others)), default=0)
    corners, areas = _dense(tracks, length)
    other_corners, other_areas = _dense(others, length)
    found = np.zeros((len(tracks), len(others)))
    for column, (own, own_areas) in enumerate(zip(other_corners, other_areas, strict=True)):
        first = np.maximum(corners[..., :2], own[:, :2])
        last = np.minimum(corners[..., 2:], own[:, 2:])
        shared = np.clip(last - first, 0, None).prod(-1).sum(-1)
        union = areas.sum(-1) + own_areas.sum() - shared
        found[:, column] = np.divide(shared, union, out=np.zeros(len(tracks)), where=union > 0)
    return found


def _dense(tracks: Sequence[BoxTrack], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners ``(N, T, 4)``, empty boxes where there are none, and areas ``(N, T)``."""
    corners, areas = np.zeros((len(tracks), length, 4)), np.zeros((len(tracks), length))
    corners[..., :2], corners[..., 2:] = np.inf, -np.inf
    for row, track in enumerate(tracks):
        corners[row, track.frames, :2] = track.boxes[:, :2]
        corners[row, track.frames, 2:] = track.boxes[:, :2] + track.boxes[:, 2:]
        areas[row, track.frames] = track.boxes[:, 2] * track.boxes[:, 3]
    return corners, areas


def tao_track_ap(
    results: Sequence[dict],
    ground_truth: dict[str, list[dict]],
    iou_thrs: Sequence[float] = IOU_THRESHOLDS,
) -> dict[str, float]:
    """Score tracks of boxes.

    Args:
        results: One dict per box: ``image_id``, ``track_id`` (unique within a video),
            ``category_id``, ``bbox`` (x, y, width, height) and ``score``.
        ground_truth: ``videos`` (``id``, ``neg_category_ids``, ``not_exhaustive_category_ids``),
            ``images`` (``id``, ``video_id``, ``frame_index`` or ``frame_id``), ``annotations``
            (``image_id``, ``track_id`` or ``instance_id``, ``category_id``, ``bbox``) and
            ``categories`` (``id``, optionally ``merged``: categories that count as this one).
        iou_thrs: IoU thresholds; 0.5 and 0.75 must be among them.

    Returns:
        ``AP`` (mean over the thresholds), ``AP50``, ``AP75``; ``APs``, ``APm``, ``APl`` by mean
        area (below 32 x 32, 96 x 96, and above); ``APst``, ``APmt``, ``APlt`` by number of
        annotated frames (up to 3, 10, and more). -1 where no object of the kind is annotated.

    Raises:
        ValueError: results or annotations are malformed, or do not belong together.
    """
    truth = _GroundTruth(ground_truth)
    tracks = truth.tracks(_best_boxes(results), "results", with_score=True)
    metric = _TrackMAP(
        {"IOU_THRESHOLDS": np.array(iou_thrs), "MAX_DETECTIONS": MOST_BOXES, "PRINT_CONFIG": False}
    )
    per_category = {
        category_id: metric.combine_sequences(
            {
                video_id: metric.eval_sequence(data)
                for video_id, data in truth.sequences(category_id, tracks)
            }
        )
        for category_id in sorted({track.category_id for track in truth.objects})
    }
    total = metric.combine_classes_class_averaged(per_category)
    scores = {"AP": _mean(total["AP_all"])}
    for name, threshold in (("AP50", 0.5), ("AP75", 0.75)):
        scores[name] = _mean(total["AP_all"][np.isclose(iou_thrs, threshold)])
    groups = {f"AP{short}": _mean(total[f"AP_{name}"]) for short, name in _GROUPS.items()}
    return {**scores, **groups}


def _mean(values: np.ndarray) -> float:
    """Mean of the values that exist; -1 if there are none."""
    values = values[values > -1]
    return float(values.mean()) if values.size else -1.0


def _best_boxes(results: Sequence[dict]) -> list[dict]:
    """At most ``MOST_BOXES`` per image, those with the highest scores, in the given order."""
    if not results:
        return []
    images = np.array([row["image_id"] for row in results])
    order = np.lexsort((-np.array([row["score"] for row in results]), images))
    starts = np.flatnonzero(np.diff(images[order], prepend=images[order[0]] - 1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    return [results[i] for i in np.sort(order[rank < MOST_BOXES])]


class _GroundTruth:
    """Annotations of TAO, to look things up."""

    def __init__(self, content: dict[str, list[dict]]):
        for video in content["videos"]:
            missing = [key for key in _VIDEO_KEYS if key not in video]
            if missing:
                raise ValueError(
                    f"video {video['id']} has no {missing[0]!r}, so that nobody knows what is "
                    "annotated in it; take the official json of TAO, or convert it again with "
                    "tools/convert_datasets/tao/tao2coco.py"
                )
        self.categories = {category["id"] for category in content["categories"]}
        self.merged = {
            other["id"]: category["id"]
            for category in content["categories"]
            for other in category.get("merged", ())
        }
        by_video = defaultdict(list)
        for image in content["images"]:
            by_video[image["video_id"]].append(image)
        self.places = {
            image["id"]: (video_id, frame)
            for video_id, images in by_video.items()
            for frame, image in enumerate(sorted(images, key=_frame_key))
        }
        if not content["annotations"]:
            raise ValueError(
                "the annotations hold no objects to evaluate against; the test set of TAO is "
                "annotated on its server alone: use --format-only"
            )
        rows = [{"track_id": ann.get("instance_id"), **ann} for ann in content["annotations"]]
        self.objects = self.tracks(rows, "annotations", with_score=False)
        self.videos = {video["id"]: video for video in content["videos"]}
        self.present = defaultdict(set)
        for track in self.objects:
            self.present[track.video_id].add(track.category_id)

    def tracks(self, rows: Sequence[dict], kind: str, *, with_score: bool) -> list[BoxTrack]:
        """Boxes gathered into tracks.

        Raises:
            ValueError: an image or a category is unknown, or a track has two boxes in an image.
        """
        if not rows:
            return []
        self._check(rows, kind)
        videos, frames = np.array([self.places[row["image_id"]] for row in rows]).T
        ids = np.array([row["track_id"] for row in rows])
        categories = np.array([self.merged.get(c, c) for c in (r["category_id"] for r in rows)])
        boxes = np.array([row["bbox"] for row in rows], np.float64)
        scores = np.array([row["score"] if with_score else 0.0 for row in rows], np.float64)
        order = np.lexsort((frames, ids, videos))
        same = (np.diff(videos[order]) == 0) & (np.diff(ids[order]) == 0)
        double = np.flatnonzero(same & (np.diff(frames[order]) == 0))
        if len(double):
            row = rows[order[double[0]]]
            raise ValueError(
                f"{kind}: track {row['track_id']} has two boxes in image {row['image_id']}"
            )
        return [
            BoxTrack(
                int(videos[group[0]]), int(categories[group[0]]), frames[group], boxes[group],
                float(scores[group].mean()),
            )
            for group in np.split(order, np.flatnonzero(~same) + 1)
        ]  # fmt: skip

    def _check(self, rows: Sequence[dict], kind: str) -> None:
        for row in rows:
            if row["image_id"] not in self.places:
                raise ValueError(
                    f"{kind}: there is no image {row['image_id']}; do they belong to other videos?"
                )
            if row["category_id"] not in self.categories and row["category_id"] not in self.merged:
                raise ValueError(
                    f"{kind}: image {row['image_id']} has an object of category "
                    f"{row['category_id']}, which is not in 'categories'"
                )

    def sequences(self, category_id: int, tracks: Sequence[BoxTrack]) -> Any:
        """Videos that say something about a category, as trackeval's metric takes them."""
        groups = defaultdict(lambda: ([], []))
        for place, entries in enumerate((self.objects, tracks)):
            for track in entries:
                if track.category_id == category_id:
                    groups[track.video_id][place].append(track)
        for video_id, (objects, found) in sorted(groups.items()):
            video = self.videos[video_id]
            known = category_id in self.present[video_id] | set(video["neg_category_ids"])
            found = sorted(found, key=lambda track: -track.score) if known else []
            if objects or found:
                yield (
                    video_id,
                    _sequence(objects, found, category_id in video["not_exhaustive_category_ids"]),
                )


def _frame_key(image: dict) -> int:
    return image["frame_index"] if "frame_index" in image else image["frame_id"]


def _sequence(objects: list[BoxTrack], found: list[BoxTrack], not_exhaustive: bool) -> dict:
    """Objects and tracks of a category in a video under trackeval's names."""
    data = {
        "not_exhaustively_labeled": not_exhaustive,
        "iou_type": "bbox",
        "dt_track_scores": np.array([track.score for track in found]),
    }
    for prefix, tracks in (("gt", objects), ("dt", found)):
        data[f"{prefix}_tracks"] = tracks
        data[f"{prefix}_track_ids"] = list(range(1, len(tracks) + 1))  # 0 means unmatched
        data[f"{prefix}_track_areas"] = [track.area for track in tracks]
        data[f"{prefix}_track_lengths"] = [len(track.frames) for track in tracks]
    return data
