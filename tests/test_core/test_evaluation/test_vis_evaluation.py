"""Scores of mask tracks against trackeval, hand numbers and the reference."""

import copy

import numpy as np
import pycocotools.mask as coco_mask
import pytest
from trackeval.metrics.track_map import TrackMAP

from mmtrack.core.evaluation import eval_vis
from mmtrack.core.evaluation.vis import vis_average_precision

SIDES = {"small": 110, "medium": 180, "large": 300}


def box_mask(x, y, wide, tall, size):
    plane = np.zeros(size, np.uint8, order="F")
    plane[max(y, 0) : y + tall, max(x, 0) : x + wide] = 1
    code = coco_mask.encode(plane)
    return {"size": list(size), "counts": code["counts"].decode()} if plane.any() else None


def problem(seed, videos=5, classes=3, length=8, size=(420, 500)):
    """Objects of all sizes, and tracks: shifted ones, of wrong classes, and of nothing."""
    rng = np.random.default_rng(seed)
    data = {
        "categories": [{"id": 10 * c + 3, "name": f"c{c}"} for c in range(classes)],
        "videos": [
            {"id": 7 * v + 2, "height": size[0], "width": size[1], "length": length}
            for v in range(videos)
        ],
        "annotations": [],
    }
    found = []
    for video in data["videos"]:
        for side in SIDES.values():
            for _ in range(2):
                at, step = rng.integers(0, 150, 2), rng.integers(-6, 7, 2)
                category = int(rng.choice([c["id"] for c in data["categories"]]))
                shown = rng.uniform(size=length) < 0.85
                places = [at + t * step for t in range(length)]
                masks = [
                    box_mask(*places[t], side, side, size) if shown[t] else None
                    for t in range(length)
                ]
                data["annotations"].append(
                    {
                        "id": len(data["annotations"]) + 1,
                        "video_id": video["id"],
                        "category_id": category,
                        "iscrowd": 0,
                        "segmentations": masks,
                        "areas": [m and int(coco_mask.area(m)) for m in masks],
                    }
                )
                shift = rng.integers(-side // 6, side // 6 + 1, 2)
                # a gap changes the mean area, if frames without the object counted
                guess = [
                    box_mask(*(place + shift), side, side, size) if t < length - 1 else None
                    for t, place in enumerate(places)
                ]
                if rng.uniform() < 0.2:
                    category = data["categories"][0]["id"]
                found.append(
                    {
                        "video_id": video["id"],
                        "category_id": category,
                        "score": float(rng.uniform()),
                        "segmentations": guess,
                    }
                )
    return data, found


def by_trackeval(data, found):
    """AP over all, at 0.5 and 0.75, of small, medium and large objects, and AR."""
    metric = TrackMAP(
        {
            "USE_TIME_RANGES": False,
            "AREA_RANGES": [[0, 128**2], [128**2, 256**2], [256**2, 1e10]],
            "MAX_DETECTIONS": 100,
            "PRINT_CONFIG": False,
        }
    )
    per_class = {}
    for category in data["categories"]:
        of_videos = {}
        for video in data["videos"]:
            key = (video["id"], category["id"])
            truth, tracks = (
                [e for e in entries if (e["video_id"], e["category_id"]) == key]
                for entries in (data["annotations"], found)
            )
            tracks.sort(key=lambda track: -track["score"])
            areas = [
                [
                    np.mean([coco_mask.area(m) for m in e["segmentations"] if m] or [0])
                    for e in entries
                ]
                for entries in (truth, tracks)
            ]
            of_videos[video["id"]] = metric.eval_sequence(
                {
                    "gt_track_ids": [i + 1 for i in range(len(truth))],
                    "dt_track_ids": [i + 1 for i in range(len(tracks))],
                    "gt_tracks": [dict(enumerate(e["segmentations"])) for e in truth],
                    "dt_tracks": [dict(enumerate(e["segmentations"])) for e in tracks],
                    "gt_track_areas": areas[0],
                    "dt_track_areas": areas[1],
                    "gt_track_iscrowd": [e["iscrowd"] for e in truth],
                    "dt_track_scores": np.array([e["score"] for e in tracks]),
                    "iou_type": "mask",
                }
            )
        per_class[category["name"]] = metric.combine_sequences(of_videos)
    total = metric.combine_classes_class_averaged(per_class)
    scores = {"mAP": total["AP_all"].mean(), "AR@100": total["AR_all"].mean()}
    scores.update(mAP_50=total["AP_all"][0], mAP_75=total["AP_all"][5])
    for name in "sml":
        scores[f"mAP_{name}"] = total[f"AP_area_{name}"].mean()
        scores[f"AR_{name}@100"] = total[f"AR_area_{name}"].mean()
    return scores


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_trackeval(seed):
    data, found = problem(seed)
    scores = vis_average_precision(found, data).scores
    wanted = by_trackeval(data, found)
    assert 0.1 < wanted["mAP"] < 0.9
    assert min(wanted[f"mAP_{name}"] for name in "sml") > 0
    for name, value in wanted.items():
        assert scores[name] == pytest.approx(value, abs=1e-9), name


def test_truth_against_itself_is_perfect():
    data, _ = problem(3)
    tracks = [{**entry, "score": 0.5} for entry in data["annotations"]]
    scores = eval_vis(tracks, data, logger="silent")
    assert scores["segm_mAP_copypaste"] == " ".join(["1.0000"] * 6)
    assert list(scores) == [
        *("segm_mAP", "segm_mAP_50", "segm_mAP_75", "segm_mAP_s", "segm_mAP_m", "segm_mAP_l"),
        "segm_mAP_copypaste",
    ]


def small_problem():
    """A video of two frames with one object of 10 x 10, and a track in its first frame."""
    data = {
        "videos": [{"id": 1, "height": 20, "width": 30, "length": 2}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {
                "id": 1,
                "video_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "segmentations": [box_mask(0, 0, 10, 10, (20, 30))] * 2,
            }
        ],
    }
    track = {
        "video_id": 1,
        "category_id": 1,
        "score": 0.9,
        "segmentations": [box_mask(0, 0, 10, 10, (20, 30)), None],
    }
    return data, track


def test_half_of_an_object_counts_at_one_threshold():
    data, track = small_problem()  # IoU 100 / 200, found at the threshold of 0.5 only
    scores = eval_vis([track], data, logger="silent")
    assert scores["segm_mAP"] == pytest.approx(0.1)
    assert (scores["segm_mAP_50"], scores["segm_mAP_75"]) == (1, 0)
    assert scores["segm_mAP_m"] == -1


def test_no_tracks_score_zero():
    data, _ = small_problem()
    assert eval_vis([], data, logger="silent")["segm_mAP"] == 0


def test_masks_without_pixels_count_as_not_seen():
    data, track = small_problem()
    empty = {"size": [20, 30], "counts": [600]}
    with_empty = {**track, "segmentations": [track["segmentations"][0], empty]}
    assert eval_vis([with_empty], data, "silent") == eval_vis([track], data, "silent")
    nothing = {**track, "score": 0.1, "segmentations": [empty, None]}
    assert eval_vis([track, nothing], data, "silent") == eval_vis([track], data, "silent")


def test_videos_without_objects_cost_precision():
    data, track = small_problem()
    data["videos"].append({"id": 2, "height": 20, "width": 30, "length": 2})
    alone = eval_vis([track], data, "silent")
    assert alone == eval_vis([track], small_problem()[0], "silent")
    false_alarm = {**track, "video_id": 2, "score": 0.95}
    assert eval_vis([track, false_alarm], data, "silent")["segm_mAP_50"] == pytest.approx(0.5)


def test_crowds_are_neither_missed_nor_wrong():
    data, track = small_problem()
    crowd = {**data["annotations"][0], "id": 2, "iscrowd": 1}
    crowd["segmentations"] = [box_mask(15, 5, 10, 10, (20, 30))] * 2
    data["annotations"].append(crowd)
    in_crowd = {**track, "score": 0.95, "segmentations": crowd["segmentations"]}
    assert eval_vis([track, in_crowd], data, "silent")["segm_mAP_50"] == 1


def test_polygons_and_numbers_are_read():
    data, track = small_problem()
    corners = [[0, 0, 10, 0, 10, 10, 0, 10]]
    numbers = {"size": [20, 30], "counts": [0, *[10, 10] * 9, 10, 410]}
    data["annotations"][0]["segmentations"] = [corners, numbers]
    assert eval_vis([track], data, "silent")["segm_mAP"] == pytest.approx(0.1)


def test_inputs_are_left_alone():
    data, found = problem(4, videos=1)
    before = copy.deepcopy((data, found))
    eval_vis(found, data, "silent")
    assert (data, found) == before


def broken(data, track, change):
    data, track = copy.deepcopy(data), copy.deepcopy(track)
    change(data, track)
    return data, track


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, t: t.update(video_id=9), "track 0 is of video 9.*another data set"),
        (lambda d, t: t.update(category_id=40), r"track 0 has category 40.*\[1, 2\]"),
        (lambda d, t: t.update(score=float("nan")), "track 0 of video 1 has the score nan"),
        (lambda d, t: t.pop("segmentations"), "track 0 has no 'segmentations'"),
        (lambda d, t: t["segmentations"].append(None), "for 3 frames, but video 1 has 2"),
        (
            lambda d, t: t.update(segmentations=[box_mask(0, 0, 5, 5, (30, 20)), None]),
            r"track 0, video 1, frame 0: the mask has height and width \[30, 20\]",
        ),
        (
            lambda d, t: d["annotations"][0].update(segmentations=[None, [[1, 2, 3, 4]]]),
            "annotation 1, video 1, frame 1: polygon 0 has 4 coordinates",
        ),
        (lambda d, t: d["annotations"][0].update(category_id=3), "annotation 1 has category 3"),
        (lambda d, t: d["annotations"].clear(), "no objects to evaluate against.*--format-only"),
        (lambda d, t: d.pop("annotations"), "no list 'annotations'"),
        (lambda d, t: d["videos"][0].pop("width"), "video 1 of the annotations has no 'width'"),
    ],
)
def test_bad_input_is_named(change, message):
    data, track = broken(*small_problem(), change)
    with pytest.raises(ValueError, match=message):
        eval_vis([track], data, "silent")
