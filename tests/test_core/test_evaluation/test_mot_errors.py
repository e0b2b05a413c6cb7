"""The list of errors has the errors that the scores count."""

import numpy as np
import pytest

from mmtrack.core.evaluation import (
    MOTTable,
    evaluate_mot_challenge,
    mot_challenge_curves,
    mot_challenge_errors,
    mot_challenge_judgement,
    mot_challenge_sequence_curves,
)

BOX = (10, 20, 30, 60)


def scene(seed, frames=30, objects=8):
    """Ground truth with distractors, and results with noise, gaps, switches and clutter."""
    rng = np.random.default_rng(seed)
    start, speed = rng.uniform(0, 300, (objects, 2)), rng.uniform(-5, 5, (objects, 2))
    gt, found = [], []
    for t in range(1, frames + 1):
        for i in range(objects):
            at = start[i] + speed[i] * t
            gt.append((t, i + 1, *at, 40, 80, 7 if i == 0 else 1))
            if rng.uniform() > 0.15:
                ident = i + 1 + 20 * (t > 12 and i % 2) + 50 * (t > 20 and i == 3)
                found.append((t, ident, *(at + rng.normal(0, 6, 2)), 40, 80))
        if rng.uniform() < 0.3:
            found.append((t, 200 + t, *rng.uniform(400, 500, 2), 40, 80))
    gt, found = np.array(gt, float), np.array(found, float)
    truth = MOTTable.from_columns(
        gt[:, 0], gt[:, 1], gt[:, 2:6], scores=(gt[:, 6] == 1), classes=gt[:, 6]
    )
    return truth, MOTTable.from_columns(found[:, 0], found[:, 1], found[:, 2:6])


@pytest.mark.parametrize("benchmark", ["MOT17", "MOT15"])
def test_counts_are_those_of_the_scores(benchmark):
    pairs = {f"s{seed}": scene(seed) for seed in (3, 1, 2)}
    gts = {name: gt for name, (gt, _) in pairs.items()}
    results = {name: found for name, (_, found) in pairs.items()}
    scores = evaluate_mot_challenge(gts, results, benchmark=benchmark, metrics=("CLEAR",))
    errors = mot_challenge_errors(gts, results, benchmark=benchmark)
    assert list(errors) == list(gts)
    for name, found in errors.items():
        counts = np.bincount(found.kinds, minlength=3).tolist()
        assert counts == [scores[name][key] for key in ("FP", "FN", "IDs")]
        assert min(counts) > 0
        assert (np.diff(found.frames) >= 0).all()


def test_every_error_by_hand(table):
    """Object 1 is followed by 5, lost, followed by 6; object 2 is missed; 9 follows nothing."""
    other = (200, 20, 30, 60)
    gt = table((1, 1, *BOX), (2, 1, *BOX), (3, 1, *BOX), (2, 2, *other))
    found = table((1, 5, *BOX), (3, 6, *BOX), (1, 9, *other))
    errors = mot_challenge_errors({"s": gt}, {"s": found}, benchmark="MOT15")["s"]
    assert errors.frames.tolist() == [1, 2, 2, 3]
    assert errors.kinds.tolist() == [0, 1, 1, 2]
    assert errors.result_ids.tolist() == [9, -1, -1, 6]
    assert errors.gt_ids.tolist() == [-1, 1, 2, 1]
    assert errors.previous_ids.tolist() == [-1, -1, -1, 5]
    np.testing.assert_array_equal(errors.boxes, [other, BOX, other, BOX])


def test_every_box_is_judged(table):
    """Object 1 is followed by 5, then 6; 9 stands on a distractor, 8 on nothing."""
    other, far = (200, 20, 30, 60), (400, 20, 30, 60)
    gt = table(
        (1, 1, *BOX), (2, 1, *BOX), (1, 2, *other), (2, 3, *far),
        classes=[1, 1, 7, 1], scores=[1, 1, 0, 1],
    )  # fmt: skip
    found = table((1, 9, *other), (1, 5, *BOX), (1, 8, *far), (2, 6, *BOX))
    judged = mot_challenge_judgement({"s": gt}, {"s": found})["s"]
    assert judged.objects.tolist() == [1, 1, 0, 3]
    assert judged.results.tolist() == [0, 1, 2, 4]
    assert judged.partners.tolist() == [-1, 0, -1, 1]
    assert judged.previous_ids.tolist() == [-1, -1, -1, 5]


def test_sequences_are_judged_by_themselves():
    pairs = {f"s{seed}": scene(seed) for seed in (3, 1, 2)}
    gts = {name: gt for name, (gt, _) in pairs.items()}
    results = {name: found for name, (_, found) in pairs.items()}
    together = mot_challenge_judgement(gts, results)
    for name in pairs:
        alone = mot_challenge_judgement({name: gts[name]}, {name: results[name]})[name]
        for ours, theirs in zip(vars(together[name]).values(), vars(alone).values(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert len(together[name].objects) == len(gts[name])


def test_nothing_wrong(table):
    gt = table((1, 1, *BOX))
    assert len(mot_challenge_errors({"s": gt}, {"s": gt}, benchmark="MOT15")["s"]) == 0


def test_curves_average_to_the_scores():
    gt, found = scene(5)
    scores = evaluate_mot_challenge({"s": gt}, {"s": found})["OVERALL"]
    curves = mot_challenge_curves({"s": gt}, {"s": found})
    for key in ("HOTA", "DetA", "AssA", "LocA"):
        assert curves[key].shape == (19,)
        assert curves[key].mean() == pytest.approx(scores[key])
    assert curves["HOTA"][0] > curves["HOTA"][-1]


def test_curves_of_sequences_average_to_their_scores():
    pairs = {f"s{seed}": scene(seed) for seed in (1, 2)}
    gts = {name: gt for name, (gt, _) in pairs.items()}
    results = {name: found for name, (_, found) in pairs.items()}
    scores = evaluate_mot_challenge(gts, results, metrics=("HOTA",))
    curves = mot_challenge_sequence_curves(gts, results)
    assert list(curves) == list(scores) == ["s1", "s2", "OVERALL"]
    for name in curves:
        assert curves[name]["AssA"].mean() == pytest.approx(scores[name]["AssA"])
