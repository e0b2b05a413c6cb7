"""Track AP of TAO against trackeval's own reader and metric, and hand numbers."""

import contextlib
import copy
import io
import json

import numpy as np
import pytest
import trackeval
from trackeval.metrics.track_map import TrackMAP

from mmtrack.core.evaluation.tao import BoxTrack, box_track_ious, tao_track_ap

GROUPS = ("area_s", "area_m", "area_l", "time_s", "time_m", "time_l")


def problem(seed, videos=6, classes=5):
    """Sparsely annotated videos, and tracks: near, of other classes, and of nothing."""
    rng = np.random.default_rng(seed)
    data = {"videos": [], "images": [], "annotations": [], "tracks": []}
    data["categories"] = [{"id": 7 * c + 2, "name": f"c{c}"} for c in range(classes)]
    # Objects of the last category are called otherwise in some places.
    data["categories"][-1]["merged"] = [{"id": 1000, "name": "old"}]
    ids = [c["id"] for c in data["categories"]]
    found = []
    for v in range(1, videos + 1):
        length = int(rng.integers(8, 16))
        negative, partly = rng.choice(ids, 2, replace=False)
        data["videos"].append(
            {
                "id": v,
                "name": f"train/v{v}",
                "neg_category_ids": [int(negative)],
                "not_exhaustive_category_ids": [int(partly)],
            }
        )
        order = rng.permutation(length)
        images = {}
        for t in order:
            images[t] = len(data["images"]) + 1
            data["images"].append({"id": images[t], "video_id": v, "frame_index": int(30 * t)})
        for _ in range(8):
            category = int(rng.choice([*ids, 1000]))
            if category == negative:
                continue
            size, at = rng.choice([20, 60, 150]), rng.uniform(0, 200, 2)
            step = rng.uniform(-5, 5, 2)
            frames = range(int(rng.integers(0, 3)), int(rng.integers(4, length + 1)))
            track = len(data["tracks"]) + 1
            data["tracks"].append({"id": track, "category_id": category, "video_id": v})
            other = category if rng.uniform() < 0.85 else int(rng.choice(ids))
            drawn = rng.uniform() < 0.85
            shift = rng.uniform(-0.3, 0.3, 2) * size
            for t in frames:
                box = [*(at + t * step).tolist(), float(size), float(size)]
                data["annotations"].append(
                    {
                        "id": len(data["annotations"]) + 1,
                        "image_id": images[t],
                        "video_id": v,
                        "track_id": track,
                        "category_id": category,
                        "bbox": box,
                    }
                )
                if drawn and rng.uniform() < 0.9:
                    found.append(
                        {
                            "image_id": images[t],
                            "video_id": v,
                            "track_id": track,
                            "category_id": other,
                            "bbox": [box[0] + shift[0], box[1] + shift[1], *box[2:]],
                            "score": float(rng.uniform()),
                        }
                    )
        found += noise(rng, v, images, [*ids, int(negative)])
    return data, found


def noise(rng, video, images, ids):
    """Tracks of a few frames at random places."""
    rows = []
    for number in range(6):
        category, at = int(rng.choice(ids)), rng.uniform(0, 250, 2).tolist()
        for t in range(int(rng.integers(1, 6))):
            rows.append(
                {
                    "image_id": images[t],
                    "video_id": video,
                    "track_id": 1000 * video + number,
                    "category_id": category,
                    "bbox": [*at, 50.0, 50.0],
                    "score": float(rng.uniform(0, 0.8)),
                }
            )
    return rows


def by_trackeval(folder, data, found):
    """Scores of trackeval, which reads the files itself."""
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.json").write_text(json.dumps(data))
    (folder / "trackers" / "ours" / "data").mkdir(parents=True)
    (folder / "trackers" / "ours" / "data" / "rows.json").write_text(json.dumps(found))
    settings = {
        "GT_FOLDER": str(folder / "gt"),
        "TRACKERS_FOLDER": str(folder / "trackers"),
        "TRACKERS_TO_EVAL": ["ours"],
        "PRINT_CONFIG": False,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.TAO(settings)
        metric = TrackMAP({"IOU_THRESHOLDS": np.array([0.5, 0.75]), "PRINT_CONFIG": False})
        per_class = {}
        for name in dataset.class_list:
            results = {}
            for sequence in dataset.seq_list:
                raw = dataset.get_raw_seq_data("ours", sequence)
                results[sequence] = metric.eval_sequence(
                    dataset.get_preprocessed_seq_data(raw, name)
                )
            per_class[name] = metric.combine_sequences(results)
        total = metric.combine_classes_class_averaged(per_class)
    scores = {"AP": total["AP_all"].mean(), "AP50": total["AP_all"][0]}
    scores["AP75"] = total["AP_all"][1]
    for short, name in zip(("s", "m", "l", "st", "mt", "lt"), GROUPS, strict=True):
        values = total[f"AP_{name}"]
        scores[f"AP{short}"] = values[values > -1].mean() if (values > -1).any() else -1
    return scores


@pytest.mark.parametrize("seed", [0, 1])
def test_scores_are_those_of_trackeval(tmp_path, seed):
    data, found = problem(seed)
    before = copy.deepcopy((data, found))
    scores = tao_track_ap(found, data)
    assert (data, found) == before
    wanted = by_trackeval(tmp_path, data, found)
    assert 0.05 < wanted["AP"] < 0.9
    assert scores == pytest.approx(wanted, abs=1e-9)


def test_truth_against_itself_is_perfect():
    data, _ = problem(2)
    rows = [{**ann, "score": 0.5} for ann in data["annotations"]]
    scores = tao_track_ap(rows, data)
    assert [scores[name] for name in ("AP", "AP50", "AP75")] == pytest.approx([1] * 3)


def test_overlap_by_hand():
    boxes = np.array([[0, 0, 10, 10], [10, 0, 10, 10], [20, 0, 10, 10]], float)
    track = BoxTrack(1, 1, np.array([0, 1, 2]), boxes, 0.5)
    part = BoxTrack(1, 1, np.array([1, 3]), boxes[:2] + [15, 0, 0, 0], 0.5)
    # Frame 1: 5 x 10 shared; 300 and 200 pixels in all frames.
    assert box_track_ious([track], [part, track]).tolist() == [[50 / 450, 1.0]]
    assert box_track_ious([], [track]).shape == (0, 1)


def tiny():
    """A video of two images; a cat is annotated, dogs are absent, birds are not known."""
    names = enumerate(("cat", "dog", "bird", "fish"), 1)
    data = {
        "videos": [{"id": 1, "neg_category_ids": [2], "not_exhaustive_category_ids": [4]}],
        "images": [{"id": t, "video_id": 1, "frame_index": t} for t in (5, 6)],
        "categories": [{"id": i, "name": name} for i, name in names],
        "annotations": [
            {"id": t, "image_id": t, "instance_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}
            for t in (5, 6)
        ],
    }
    return data, [row(5, 1, 1), row(6, 1, 1)]


def row(image, track, category, score=0.5, box=(0, 0, 9, 9)):
    return {
        "image_id": image,
        "track_id": track,
        "category_id": category,
        "score": score,
        "bbox": list(box),
    }


def test_what_is_not_annotated_is_not_judged():
    data, found = tiny()
    assert tao_track_ap(found, data)["AP"] == pytest.approx(1)
    # A second cat is wrong; a dog, which the video is known not to have, too.
    assert tao_track_ap([*found, row(5, 2, 1, 0.9, (50, 50, 9, 9))], data)["AP"] == pytest.approx(
        0.5
    )
    data["annotations"] += [
        {"id": 9, "image_id": 7, "instance_id": 3, "category_id": 2, "bbox": [0, 0, 9, 9]}
    ]
    data["images"].append({"id": 7, "video_id": 2, "frame_index": 0})
    data["videos"].append({"id": 2, "neg_category_ids": [], "not_exhaustive_category_ids": []})
    dog = row(7, 3, 2)
    assert tao_track_ap([*found, dog], data)["AP"] == pytest.approx(1)
    assert tao_track_ap([*found, dog, row(5, 4, 2, 0.9)], data)["AP"] == pytest.approx(0.75)
    data["videos"][0]["neg_category_ids"] = []
    assert tao_track_ap([*found, dog, row(5, 4, 2, 0.9)], data)["AP"] == pytest.approx(1)
    # The video does not say how many cats it has.
    data["videos"][0]["not_exhaustive_category_ids"] = [1]
    more = [*found, dog, row(5, 2, 1, 0.9, (50, 50, 9, 9))]
    assert tao_track_ap(more, data)["AP"] == pytest.approx(1)


def test_the_best_300_boxes_of_an_image_count():
    data, found = tiny()
    crowd = [row(t, n, 3, 0.9) for t in (5, 6) for n in range(10, 310)]
    assert tao_track_ap([*found, *crowd], data)["AP"] == pytest.approx(0)
    assert tao_track_ap([*found, *crowd[:299], *crowd[300:-1]], data)["AP"] == pytest.approx(1)


def test_no_tracks():
    assert tao_track_ap([], tiny()[0])["AP"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d, r: d["videos"][0].pop("neg_category_ids"), "video 1 has no 'neg_category_ids'"),
        (lambda d, r: r[0].update(image_id=99), "results: there is no image 99"),
        (lambda d, r: r[0].update(category_id=8), "results: image 5 has an object of category 8"),
        (lambda d, r: r[1].update(image_id=5), "results: track 1 has two boxes in image 5"),
        (lambda d, r: d["annotations"].clear(), "no objects to evaluate against"),
    ],
)
def test_bad_input(change, message):
    data, found = tiny()
    change(data, found)
    with pytest.raises(ValueError, match=message):
        tao_track_ap(found, data)
