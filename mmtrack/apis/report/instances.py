"""Video instance segmentation: tracks of masks, scored by average precision of whole tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.core.evaluation.coco_ap import CocoScores, summarize_coco
from mmtrack.core.evaluation.coco_matches import CocoMatches, read_matches
from mmtrack.core.evaluation.mot_errors import NO_ID
from mmtrack.core.evaluation.vis import evaluate_vis
from mmtrack.core.mask import encode_masks, to_rle
from mmtrack.core.visualization.report import (
    BoxColumns,
    Report,
    ScoreTable,
    Video,
)
from mmtrack.datasets import YouTubeVISDataset

from .detections import AP, AP_50, AP_75, KINDS, class_chart
from .frames import Frames, frames_of_dataset
from .least_score import best_least_score, note_on_least_score
from .mot import count, partner_ids
from .video_tracks import OVERALL, VideoBoxes, result_boxes

COLUMNS = (AP, AP_50, AP_75, count("objects", "annotated objects", ""))
NOTE = (
    "A track is right if it is matched to an object at an IoU of 0.5 over the whole video; all its "
    "boxes are shown so, with the mean score of the track, by which the evaluation ranks it."
)


@dataclass(frozen=True)
class _Scored:
    """All tracks and objects of a data set, and what the evaluation matched.

    Attributes:
        tracks: In the format of the benchmark.
        annotations: The lists of the benchmark: videos, categories, annotations.
        cat_ids: Ids of the categories, ascending.
        scores: Over all videos.
        matches: Of the tracks with the annotations.
    """

    tracks: list[dict]
    annotations: dict[str, list[dict]]
    cat_ids: list[int]
    scores: CocoScores
    matches: CocoMatches

    @classmethod
    def make(cls, tracks: list[dict], annotations: dict[str, list[dict]]) -> _Scored:
        """Evaluate."""
        evaluation = evaluate_vis(tracks, annotations)
        cat_ids = sorted(category["id"] for category in annotations["categories"])
        scores = np.array([track["score"] for track in tracks], np.float64)
        matches = read_matches(evaluation, len(annotations["annotations"]), scores)
        return cls(tracks, annotations, cat_ids, summarize_coco(evaluation, cat_ids), matches)

    def of_video(self, video_id: int) -> tuple[list[int], list[int]]:
        """Places of the tracks and of the objects of a video in their lists."""
        lists = (self.tracks, self.annotations["annotations"])
        return tuple([i for i, e in enumerate(own) if e["video_id"] == video_id] for own in lists)


def instance_report(
    base: Report, dataset: YouTubeVISDataset, results: dict, *, mask_width: int
) -> Report:
    """Fill a report with tracks of masks.

    Args:
        base: Title, facts and classes of the report.
        dataset: The data set, with annotations.
        results: Of a test run, with ``track_bboxes`` and ``track_masks``.
        mask_width: Masks wider than this are stored smaller.
    """
    tracks = dataset.format_results(results, save_as_json=False)
    scored = _Scored.make(tracks, dataset.convert_back_to_vis_format())
    videos, rows = [], {}
    for frames, group in zip(
        frames_of_dataset(dataset), dataset.positions_of_videos(), strict=True
    ):
        video_id = dataset.data_infos[group[0]]["video_id"]
        places, objects = scored.of_video(video_id)
        boxes = result_boxes([results["track_bboxes"][i] for i in group])
        # tracks are listed in the order of appearance
        place_of = dict(zip(dict.fromkeys(boxes.ids.tolist()), places, strict=True))
        masks = _result_masks(results, group, mask_width)
        truth = _objects(dataset, scored, objects, place_of, frames.size, mask_width)
        videos.append(_video(frames, _found(boxes, masks, scored, place_of), truth))
        rows[frames.name] = _video_row(scored, places, objects, video_id)
    least_score = best_least_score(videos)
    rows[OVERALL] = _row(scored.scores.scores, len(scored.annotations["annotations"]))
    names = {category["id"]: category["name"] for category in scored.annotations["categories"]}
    classes = [names[cat_id] for cat_id in scored.cat_ids]
    places = {video.name: v for v, video in enumerate(videos)}
    return replace(
        base,
        task="VIS",
        kinds=KINDS,
        headline=[(c, rows[OVERALL][k]) for k, c in enumerate(COLUMNS[:3])],
        tables=[
            ScoreTable("Scores of tracks", COLUMNS, rows, places, OVERALL),
            _class_table(classes, scored),
        ],
        charts=[class_chart(classes, scored.scores.class_aps)],
        videos=videos,
        notes=[*base.notes, NOTE, *note_on_least_score(least_score)],
        least_score=least_score,
    )


def unscored_instances(
    base: Report, dataset: YouTubeVISDataset, results: dict, *, mask_width: int
) -> Report:
    """Fill a report with tracks of masks alone, where there is no ground truth."""
    for key in ("track_bboxes", "track_masks"):
        if key not in results or len(results[key]) != len(dataset):
            raise ValueError(
                f"{dataset.ann_file} has {len(dataset)} images and needs as many entries of {key!r}"
            )
    videos = []
    for frames, group in zip(
        frames_of_dataset(dataset), dataset.positions_of_videos(), strict=True
    ):
        boxes = result_boxes([results["track_bboxes"][i] for i in group])
        masks, size = _result_masks(results, group, mask_width)
        found = BoxColumns.make(**vars(boxes), masks=masks, mask_size=size)
        videos.append(_video(frames, found, None))
    return replace(base, task="VIS", videos=videos)


def _video(frames: Frames, found: BoxColumns, truth: BoxColumns | None) -> Video:
    return Video(
        name=frames.name,
        size=frames.size,
        frame_numbers=frames.numbers,
        results=found,
        truth=truth,
        picture_paths=frames.pictures,
    )


def _row(scores: Mapping[str, float], num_objects: int) -> list[float]:
    """Scores of the columns; NaN where nothing is annotated."""
    values = [scores[column.name] for column in COLUMNS[:3]]
    return [*(float("nan") if value < 0 else value for value in values), num_objects]


def _video_row(
    scored: _Scored, places: Sequence[int], objects: Sequence[int], video_id: int
) -> list[float]:
    """Scores of one video by itself."""
    if not objects:
        return [float("nan")] * 3 + [0]
    part = {
        "categories": scored.annotations["categories"],
        "videos": [video for video in scored.annotations["videos"] if video["id"] == video_id],
        "annotations": [scored.annotations["annotations"][i] for i in objects],
    }
    own = _Scored.make([scored.tracks[i] for i in places], part)
    return _row(own.scores.scores, len(objects))


def _class_table(names: Sequence[str], scored: _Scored) -> ScoreTable:
    labels = np.array([item["category_id"] for item in scored.annotations["annotations"]])
    rows = {
        name: [ap, int((labels == cat_id).sum())]
        for name, cat_id, ap in zip(names, scored.cat_ids, scored.scores.class_aps, strict=True)
        if cat_id in labels
    }
    return ScoreTable("Annotated classes", [AP, COLUMNS[3]], rows)


def _found(
    boxes: VideoBoxes,
    masks: tuple[list[str], tuple[int, int] | None],
    scored: _Scored,
    place_of: Mapping[int, int],
) -> BoxColumns:
    """Boxes of a video with the state and score of their tracks.

    Args:
        boxes: Boxes of the video.
        masks: Their masks and the size of these.
        scored: Everything that was evaluated.
        place_of: Place of a track in the list of tracks by its id.
    """
    at = np.array([place_of[i] for i in boxes.ids.tolist()], np.int64)
    object_ids = np.array([item["id"] for item in scored.annotations["annotations"]], np.int64)
    boxes.partners = partner_ids(scored.matches.partners[at], object_ids)
    boxes.scores = np.array([scored.tracks[i]["score"] for i in at], np.float64)
    boxes.states = scored.matches.detections[at]
    return BoxColumns.make(**vars(boxes), masks=masks[0], mask_size=masks[1])


def _result_masks(
    results: dict, group: np.ndarray, width: int
) -> tuple[list[str], tuple[int, int] | None]:
    """Masks in the order of `result_boxes`: by image, then class."""
    rles = [rle for i in group for per_class in results["track_masks"][i] for rle in per_class]
    return shrink_masks(rles, width)


def shrink_masks(rles: Sequence[dict], width: int) -> tuple[list[str], tuple[int, int] | None]:
    """Run lengths as text of masks at most ``width`` pixels wide, and their height and width.

    Args:
        rles: Run lengths of pycocotools, all of one size.
        width: Largest width in pixels.
    """
    if not rles:
        return [], None
    height, full_width = (int(side) for side in rles[0]["size"])
    scale = min(1.0, width / full_width)
    size = (max(1, round(height * scale)), max(1, round(full_width * scale)))
    texts = []
    for rle in rles:
        if scale < 1:
            mask = cv2.resize(coco_mask.decode(rle), size[::-1], interpolation=cv2.INTER_NEAREST)
            rle = encode_masks(mask)
        counts = rle["counts"]
        texts.append(counts.decode("ascii") if isinstance(counts, bytes) else counts)
    return texts, size


def _objects(
    dataset: YouTubeVISDataset,
    scored: _Scored,
    objects: Sequence[int],
    place_of: Mapping[int, int],
    size: tuple[int, int],
    mask_width: int,
) -> BoxColumns:
    """Annotated boxes and masks of a video."""
    items = [scored.annotations["annotations"][i] for i in objects]
    seen = [(f, k) for k, item in enumerate(items) for f, box in enumerate(item["bboxes"]) if box]
    frames, which = np.array(seen, np.int64).reshape(-1, 2).T
    boxes = np.array([items[k]["bboxes"][f] for f, k in seen], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    rles = [to_rle(items[k]["segmentations"][f], size[1], size[0]) for f, k in seen]
    masks, mask_size = shrink_masks(rles, mask_width)
    at = np.array(objects, np.int64)[which]
    followed_by = {int(scored.matches.partners[place]): i for i, place in place_of.items()}
    labels = [dataset.cat2label[item["category_id"]] for item in items]
    return BoxColumns.make(
        frames,
        boxes,
        ids=np.array([item["id"] for item in items], np.int64)[which],
        labels=np.array(labels, np.int64)[which],
        states=scored.matches.objects[at],
        partners=np.array([followed_by.get(int(i), NO_ID) for i in at], np.int64),
        found_scores=scored.matches.found_scores[at],
        masks=masks,
        mask_size=mask_size,
    )
