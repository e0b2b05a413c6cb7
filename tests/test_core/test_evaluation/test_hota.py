"""HOTA, against trackeval and a hand count."""

import numpy as np
import pytest
import trackeval

from mmtrack.core.evaluation.frame_pairs import pair_frames
from mmtrack.core.evaluation.hota import ALPHAS, hota_counts, hota_curves, hota_scores

SCENES = {
    "plain": {},
    "crossing": {"spread": 30, "objects": 9, "swap": 0.3},
    "dense": {"spread": 10, "objects": 14, "noise": 12.0, "frames": 12},
    "mostly-missed": {"miss": 0.8},
    "clutter": {"clutter": 15.0},
    "exact": {"noise": 0.0},
}


def judge(gts, results):
    """Curves of each sequence and of the union by trackeval."""
    metric = trackeval.metrics.HOTA()
    iou = trackeval.datasets.MotChallenge2DBox._calculate_box_ious
    found = {}
    for seq, (gt, res) in enumerate(zip(gts, results, strict=True)):
        last = int(max(gt.frames.max(initial=0), res.frames.max(initial=0)))
        gt_names, gt_ids = np.unique(gt.ids, return_inverse=True)
        res_names, res_ids = np.unique(res.ids, return_inverse=True)
        frames = range(1, last + 1)
        found[seq] = metric.eval_sequence(
            {
                "num_timesteps": last,
                "num_gt_ids": len(gt_names),
                "num_tracker_ids": len(res_names),
                "num_gt_dets": len(gt),
                "num_tracker_dets": len(res),
                "gt_ids": [gt_ids[gt.frames == t] for t in frames],
                "tracker_ids": [res_ids[res.frames == t] for t in frames],
                "similarity_scores": [
                    iou(gt.boxes[gt.frames == t], res.boxes[res.frames == t]) for t in frames
                ],
            }
        )
    return {**found, "OVERALL": metric.combine_sequences(found)}


def assert_same(gts, results):
    counts = hota_counts(pair_frames(gts, results))
    for name, want in judge(gts, results).items():
        part = counts.total() if name == "OVERALL" else counts.total(slice(name, name + 1))
        curves, scores = hota_curves(part), hota_scores(part)
        for key, curve in curves.items():
            np.testing.assert_allclose(curve, want[key], rtol=1e-10, err_msg=f"{name} {key}")
            assert scores[key] == pytest.approx(np.mean(want[key]), rel=1e-10)
        for key in ("HOTA(0)", "LocA(0)", "HOTALocA(0)"):
            assert scores[key] == pytest.approx(want[key], rel=1e-10)
        np.testing.assert_array_equal(part.matches, want["HOTA_TP"])


@pytest.mark.parametrize("kind", SCENES)
def test_equals_trackeval(scene, kind):
    assert_same(*zip(*(scene(seed, **SCENES[kind]) for seed in range(4)), strict=True))


@pytest.mark.parametrize("missing", ["results", "ground truth"])
def test_a_sequence_with_one_side_empty(scene, empty_table, missing):
    (gt, res), (other_gt, other_res) = scene(1), scene(2)
    pair = (gt, empty_table) if missing == "results" else (empty_table, res)
    assert_same([pair[0], other_gt], [pair[1], other_res])


def test_thresholds_are_those_of_trackeval():
    np.testing.assert_array_equal(ALPHAS, trackeval.metrics.HOTA().array_labels)


def test_hand_count(table):
    # one object for four frames, exactly found, under two ids of two frames each
    gt = table(*((t, 1, 0, 0, 10, 10) for t in (1, 2, 3, 4)))
    res = table(*((t, 1 + (t > 2), 0, 0, 10, 10) for t in (1, 2, 3, 4)))
    scores = hota_scores(hota_counts(pair_frames([gt], [res])).total())
    assert scores["DetA"] == 1
    assert scores["AssA"] == pytest.approx(0.5)  # 2 / (4 + 2 - 2) at each of the four matches
    assert scores["AssRe"] == pytest.approx(0.5)
    assert scores["AssPr"] == 1
    assert scores["HOTA"] == pytest.approx(np.sqrt(0.5))
    assert scores["LocA"] == 1


def test_overlap_counts_up_to_its_threshold(table):
    # IoU 0.5 holds for 0.05 ... 0.5: ten of nineteen thresholds
    gt, res = table((1, 1, 0, 0, 10, 10)), table((1, 1, 0, 0, 10, 5))
    scores = hota_scores(hota_counts(pair_frames([gt], [res])).total())
    assert scores["HOTA"] == pytest.approx(10 / 19)


def test_ground_truth_against_itself_is_perfect(scene):
    gt, _ = scene(1)
    scores = hota_scores(hota_counts(pair_frames([gt], [gt])).total())
    assert all(value == pytest.approx(1) for value in scores.values()), scores
