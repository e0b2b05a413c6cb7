"""The COCO evaluation library that is chosen gives the numbers of pycocotools."""

import importlib.util

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmtrack.core.evaluation import coco_eval_classes


def stats(coco_class, eval_class, truth, found):
    coco = coco_class()
    coco.dataset = truth
    coco.createIndex()
    evaluation = eval_class(coco, coco.loadRes([dict(row) for row in found]), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return np.asarray(evaluation.stats[:12])


def problem(seed, images=6, objects=5):
    rng = np.random.default_rng(seed)
    truth = {
        "images": [{"id": i, "width": 200, "height": 200} for i in range(images)],
        "categories": [{"id": 1, "name": "a"}, {"id": 4, "name": "b"}],
        "annotations": [],
    }
    found = []
    for i in range(images * objects):
        box = [*rng.uniform(0, 100, 2), *rng.uniform(10, 100, 2)]
        row = {"image_id": i % images, "category_id": int(rng.choice([1, 4]))}
        truth["annotations"].append(
            {**row, "id": i + 1, "bbox": box, "area": box[2] * box[3], "iscrowd": int(i % 9 == 0)}
        )
        for _ in range(2):
            noisy = [float(v) for v in np.maximum(np.array(box) + rng.normal(0, 6, 4), 1)]
            found.append({**row, "bbox": noisy, "score": float(rng.random())})
    return truth, found


@pytest.mark.parametrize("seed", range(3))
def test_numbers_of_pycocotools(seed):
    truth, found = problem(seed)
    ours = stats(*coco_eval_classes(), truth, found)
    np.testing.assert_allclose(ours, stats(COCO, COCOeval, truth, found), atol=1e-12)
    assert 0 < ours[0] < 1


def test_pycocotools_serves_where_the_fast_library_is_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n: None if n == "faster_coco_eval" else find(n)
    )
    assert coco_eval_classes() == (COCO, COCOeval)
