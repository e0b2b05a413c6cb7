"""Average precision by speed of objects, against plain loops."""

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmtrack.core.evaluation import coco_ap
from mmtrack.core.evaluation.vid_speed import (
    SPEEDS,
    motion_ious,
    speed_average_precision,
    speed_groups,
    speed_table,
)

CATEGORIES = (4, 2)


def iou(a, b):
    """Overlap of two boxes x, y, width, height."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(width, 0) * max(height, 0)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def plain_motion(boxes, tracks, frames):
    means = []
    for i in range(len(boxes)):
        near = [
            iou(boxes[i], boxes[j])
            for j in range(len(boxes))
            if tracks[j] == tracks[i] and 0 < abs(frames[j] - frames[i]) <= 10
        ]
        means.append(np.mean(near) if near else np.nan)
    return np.array(means)


def test_motion_by_hand():
    # one pixel a frame to the right, ten pixels wide: overlaps 9/11 and 8/12
    boxes = np.array([[t, 0, 10, 4] for t in range(3)])
    motion = motion_ious(boxes, np.zeros(3, int), np.arange(3))
    middle, end = 9 / 11, (9 / 11 + 8 / 12) / 2
    np.testing.assert_allclose(motion, [end, middle, end])
    assert speed_groups(motion).tolist() == [2, 2, 2]


def test_motion_is_that_of_plain_loops():
    rng = np.random.default_rng(0)
    tracks = rng.integers(0, 4, 150)
    frames = rng.integers(0, 40, 150)  # with gaps, and some objects twice in a frame
    boxes = np.column_stack((rng.uniform(0, 10, (150, 2)), rng.uniform(5, 20, (150, 2))))
    before = boxes.copy()
    motion = motion_ious(boxes, tracks, frames)
    np.testing.assert_allclose(motion, plain_motion(boxes, tracks, frames))
    np.testing.assert_array_equal(boxes, before)
    order = rng.permutation(150)
    np.testing.assert_allclose(
        motion_ious(boxes[order], tracks[order], frames[order]), motion[order]
    )


def test_neighbours_end_after_ten_frames():
    boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 4], [2, 0, 4, 4]])
    motion = motion_ious(boxes, np.zeros(3, int), np.array([0, 10, 21]))
    np.testing.assert_allclose(motion, [1, 1, np.nan])
    assert motion_ious(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, int)).shape == (0,)


def test_groups_at_the_thresholds():
    motion = np.array([1, 0.9001, 0.9, 0.8, 0.7, 0.6999, 0, np.nan])
    assert speed_groups(motion).tolist() == [1, 1, 2, 2, 2, 3, 3, 0]


def match(objects, ignored, found, threshold):
    """For each detection of an image, best first: 1 right, 0 wrong, None ignored."""
    taken, outcome = set(), []
    for box, _ in found:
        best, state = None, 0
        for wanted in (False, True):  # objects that count come before ignored ones
            overlaps = [
                (iou(box, objects[k]), k)
                for k in range(len(objects))
                if ignored[k] == wanted and k not in taken and iou(box, objects[k]) >= threshold
            ]
            if overlaps and best is None:
                best, state = max(overlaps)[1], None if wanted else 1
        if best is not None:
            taken.add(best)
        outcome.append(state)
    return outcome


def plain_ap(images, threshold):
    """101-point interpolated AP; images: (objects, ignored, detections (box, score))."""
    rows, wanted = [], 0
    for objects, ignored, found in images:
        found = sorted(found, key=lambda row: -row[1])
        wanted += sum(not flag for flag in ignored)
        states = match(objects, ignored, found, threshold)
        rows += [(score, s) for (_, score), s in zip(found, states, strict=True) if s is not None]
    if not wanted:
        return None
    rows.sort(key=lambda row: -row[0])
    right = np.cumsum([s for _, s in rows]) if rows else np.zeros(0)
    recall, precision = right / wanted, right / np.arange(1, len(rows) + 1)
    points = [
        max((p for r, p in zip(recall, precision, strict=True) if r >= x - 1e-12), default=0)
        for x in np.linspace(0, 1, 101)
    ]
    return float(np.mean(points))


def problem(seed=0, frames=12):
    """A video whose objects move at three speeds, and noisy detections."""
    rng = np.random.default_rng(seed)
    truth = {
        "images": [{"id": 7 * t + 3, "width": 200, "height": 100} for t in range(frames)],
        "annotations": [],
        "categories": [{"id": c, "name": f"c{c}"} for c in sorted(CATEGORIES)],
    }
    tracks, times, found = [], [], []
    for track in range(9):
        step, start = (0.05, 0.4, 6)[track % 3], rng.uniform(0, 60, 2)
        size, category = rng.uniform(20, 40, 2), CATEGORIES[track % 2]
        for t in range(frames):
            if track == 8 and t:  # seen once
                break
            box = [*(start + step * t).tolist(), *size.tolist()]
            image = truth["images"][t]["id"]
            truth["annotations"].append(
                {
                    "id": len(tracks) + 1,
                    "image_id": image,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
            tracks.append(track)
            times.append(t)
            for _ in range(int(rng.integers(0, 3))):
                noise = rng.normal(0, 2, 4)
                found.append((image, category, (np.array(box) + noise).tolist()))
    for image in truth["images"]:
        for category in CATEGORIES:
            found.append((image["id"], category, [*rng.uniform(0, 150, 2).tolist(), 25.0, 25.0]))
    detections = [
        {"image_id": i, "category_id": c, "bbox": box, "score": float(score)}
        for (i, c, box), score in zip(found, rng.permutation(len(found)) + 1, strict=True)
    ]
    boxes = np.array([ann["bbox"] for ann in truth["annotations"]])
    return truth, motion_ious(boxes, np.array(tracks), np.array(times)), detections


def images_of(truth, groups, detections, category, group):
    for image in truth["images"]:
        rows = [
            k
            for k, ann in enumerate(truth["annotations"])
            if ann["image_id"] == image["id"] and ann["category_id"] == category
        ]
        yield (
            [truth["annotations"][k]["bbox"] for k in rows],
            [bool(groups[k] != group) for k in rows],
            [
                (d["bbox"], d["score"])
                for d in detections
                if d["image_id"] == image["id"] and d["category_id"] == category
            ],
        )


@pytest.mark.parametrize("library", ["fastest", "pycocotools"])
def test_scores_are_those_of_plain_loops(monkeypatch, library):
    if library == "pycocotools":
        monkeypatch.setattr(coco_ap, "coco_eval_classes", lambda: (COCO, COCOeval))
    truth, motion, detections = problem()
    groups = speed_groups(motion)
    assert sorted(set(groups.tolist())) == [0, 1, 2, 3]
    expected = {}
    for g, speed in enumerate(SPEEDS, 1):
        for key, thresholds in (("mAP_50", (0.5,)), ("mAP", np.arange(0.5, 1, 0.05))):
            aps = [
                plain_ap(list(images_of(truth, groups, detections, c, g)), threshold)
                for c in CATEGORIES
                for threshold in thresholds
            ]
            expected[f"{key}_{speed}"] = np.mean([ap for ap in aps if ap is not None])
    found = speed_average_precision(truth, motion, detections, cat_ids=CATEGORIES)
    assert set(found.scores) == set(expected)
    for key, value in expected.items():
        assert found.scores[key] == pytest.approx(value, abs=1e-6), key
        assert 0.05 < value < 0.98, key
    assert found.class_aps.shape == (2, 3)
    np.testing.assert_allclose(
        found.class_aps.mean(axis=0), [found.scores[f"mAP_{s}"] for s in SPEEDS]
    )
    assert found.counts.sum() == np.count_nonzero(groups)
    assert "c4" in speed_table(found, ["c4", "c2"])
    assert speed_table(found).count("mAP") == 2


def test_missing_speeds_and_no_detections():
    truth, _, detections = problem(1)
    motion = np.full(len(truth["annotations"]), 0.5)
    found = speed_average_precision(truth, motion, detections, cat_ids=CATEGORIES, iou_thrs=[0.75])
    assert (found.scores["mAP_slow"], found.scores["mAP_medium"]) == (-1, -1)
    assert 0 < found.scores["mAP_fast"] < 1
    assert "mAP_50_fast" not in found.scores
    assert np.isnan(found.class_aps[:, :2]).all()
    nothing = speed_average_precision(truth, motion, [], cat_ids=CATEGORIES)
    assert nothing.scores["mAP_fast"] == 0
