"""The matches are those that COCO's average precision is computed from."""

import numpy as np
import pytest

from mmtrack.core.evaluation.coco_ap import coco_average_precision
from mmtrack.core.evaluation.coco_matches import match_detections

NOTHING, RIGHT, WRONG, MISSED = 0, 1, 2, 3


def annotation(image, box, category=1, iscrowd=0):
    return {"image_id": image, "category_id": category, "bbox": list(box),
            "area": box[2] * box[3], "iscrowd": iscrowd}  # fmt: skip


def detection(image, box, score, category=1):
    return {"image_id": image, "category_id": category, "bbox": list(box), "score": score}


def truth(annotations, images=2):
    return {
        "images": [{"id": i, "width": 500, "height": 500} for i in range(1, images + 1)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
    }


def test_by_hand():
    """Two detections on one object, one of another class, one on a crowd, one on nothing."""
    box, crowd = (10, 10, 40, 40), (200, 200, 100, 100)
    gt = truth([annotation(1, box), annotation(1, crowd, iscrowd=1), annotation(2, box)])
    found = [
        detection(1, (12, 10, 40, 40), 0.6),
        detection(1, box, 0.9),
        detection(1, (210, 210, 30, 30), 0.8),
        detection(1, box, 0.7, category=2),
        detection(2, (400, 400, 40, 40), 0.5),
    ]
    matches = match_detections(gt, found, cat_ids=[1, 2])
    assert matches.detections.tolist() == [WRONG, RIGHT, NOTHING, WRONG, WRONG]
    assert matches.objects.tolist() == [RIGHT, NOTHING, MISSED]
    assert matches.partners.tolist() == [-1, 0, -1, -1, -1]
    np.testing.assert_array_equal(matches.found_scores, [0.9, np.nan, np.nan])


def test_nothing_found_and_other_categories():
    gt = truth([annotation(1, (0, 0, 9, 9)), annotation(1, (0, 0, 9, 9), category=2)])
    matches = match_detections(gt, [], cat_ids=[1])
    assert matches.objects.tolist() == [MISSED, NOTHING]
    assert matches.detections.shape == matches.partners.shape == (0,)


def test_average_precision_follows_from_the_matches():
    """AP at one threshold, computed by hand from the states, is that of the evaluation."""
    rng = np.random.default_rng(1)
    annotations, found = [], []
    for image in range(1, 21):
        for _ in range(rng.integers(1, 5)):
            box = [*rng.uniform(0, 300, 2), *rng.uniform(40, 90, 2)]
            annotations.append(annotation(image, box))
            if rng.uniform() < 0.8:
                shifted = [*(box[:2] + rng.normal(0, 8, 2)), *box[2:]]
                found.append(detection(image, shifted, float(rng.uniform())))
        found.append(detection(image, [*rng.uniform(0, 300, 2), 50, 50], float(rng.uniform())))
    gt = truth(annotations, images=20)
    copies = [dict(entry) for entry in found]
    wanted = coco_average_precision(gt, copies, cat_ids=[1], iou_thrs=[0.5]).scores["mAP"]
    matches = match_detections(gt, found, cat_ids=[1], iou_thr=0.5)
    order = np.argsort([-entry["score"] for entry in found], kind="stable")
    right = np.cumsum(matches.detections[order] == RIGHT)
    recall, precision = right / len(annotations), right / np.arange(1, len(found) + 1)
    best = [precision[recall >= r - 1e-12].max(initial=0) for r in np.linspace(0, 1, 101)]
    assert np.mean(best) == pytest.approx(wanted)
    assert 0.3 < wanted < 0.95
    threshold = 0.5
    seen = [entry for entry in found if entry["score"] >= threshold]
    again = match_detections(gt, [dict(e) for e in seen], cat_ids=[1], iou_thr=0.5)
    np.testing.assert_array_equal(again.objects == RIGHT, matches.found_scores >= threshold)
