"""OPE scores against a loop over frames and thresholds, and hand numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mmtrack.core.evaluation import eval_sot_ope
from mmtrack.core.evaluation.sot import ope_curves


def random_videos(seed, lengths=(37, 5, 61)):
    rng = np.random.default_rng(seed)
    truths, guesses = [], []
    for length in lengths:
        corner, size = rng.uniform(0, 200, (length, 2)), rng.uniform(10, 80, (length, 2))
        truth = np.concatenate((corner, corner + size), 1)
        truths.append(truth)
        guesses.append(truth + rng.normal(0, 12, (length, 4)))
    return truths, guesses


def plain_ope(guesses, truths, visible=None):
    """Frame by frame, threshold by threshold."""
    success, norm, precise = [], [], []
    for number, (guess, truth) in enumerate(zip(guesses, truths, strict=True)):
        passed, near, nearer = np.zeros(21), 0, 0
        for frame, (p, g) in enumerate(zip(guess, truth, strict=True)):
            width, height = g[2] - g[0], g[3] - g[1]
            if not (width > 0 and height > 0) or (visible and not visible[number][frame]):
                continue
            inter = max(min(p[2], g[2]) - max(p[0], g[0]), 0) * max(
                min(p[3], g[3]) - max(p[1], g[1]), 0
            )
            union = (p[2] - p[0]) * (p[3] - p[1]) + width * height - inter
            dx, dy = (p[0] + p[2] - g[0] - g[2]) / 2, (p[1] + p[3] - g[1] - g[3]) / 2
            for step in range(21):
                passed[step] += inter / union > step / 20
            near += (dx**2 + dy**2) ** 0.5 <= 20
            nearer += ((dx / width) ** 2 + (dy / height) ** 2) ** 0.5 <= 0.2
        success.append(passed.mean() / len(truth))
        norm.append(nearer / len(truth))
        precise.append(near / len(truth))
    return {
        "success": 100 * np.mean(success),
        "norm_precision": 100 * np.mean(norm),
        "precision": 100 * np.mean(precise),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hidden", [False, True], ids=["all", "visible"])
def test_as_a_plain_loop(seed, hidden):
    truths, guesses = random_videos(seed)
    truths[0][3:9] = 0  # absent
    truths[2][7] = np.nan
    rng = np.random.default_rng(seed)
    visible = [rng.uniform(size=len(t)) < 0.7 for t in truths] if hidden else None
    expected = plain_ope(guesses, truths, visible)
    assert eval_sot_ope(guesses, truths, visible) == pytest.approx(expected)
    rows = [[*map(np.copy, guess)] for guess in guesses]
    assert eval_sot_ope(rows, truths, visible_infos=visible) == pytest.approx(expected)
    scored = [[np.array([*row, 0.9], np.float32) for row in guess] for guess in guesses]
    assert eval_sot_ope(scored, truths, visible) == pytest.approx(expected, abs=0.5)


def test_curves_are_monotonous_and_give_the_scores():
    truths, guesses = random_videos(9)
    curves = ope_curves(guesses, truths)
    assert curves.success.shape == (3, 21)
    assert curves.norm_precision.shape == curves.precision.shape == (3, 51)
    assert np.all(np.diff(curves.success, axis=1) <= 0)
    assert np.all(np.diff(curves.precision, axis=1) >= 0)
    assert np.all(np.diff(curves.norm_precision, axis=1) >= 0)
    assert curves.scores() == eval_sot_ope(guesses, truths)


def test_hand_numbers():
    truth = np.array([[0, 0, 100, 100.0]] * 4)
    moved = truth + np.array([[0], [20], [21], [1000]])
    # shares 100, 64 / 136, 62.41 / 137.59 and none; thresholds below them 20 (1 is not above 1),
    # 10, 10, 0; distances 0, 28.3, 29.7; over the size 0, 0.283, 0.297
    scores = eval_sot_ope([moved], [truth])
    assert scores["success"] == pytest.approx(100 * (20 + 10 + 10) / 21 / 4)
    assert scores["precision"] == 25
    assert scores["norm_precision"] == 25
    sideways = truth + np.array([20.0, 0, 20, 0])
    exact = eval_sot_ope([sideways], [truth])
    assert exact["precision"] == exact["norm_precision"] == 100, "both limits belong to it"


def test_videos_weigh_the_same():
    short, long = np.array([[0, 0, 9, 9.0]]), np.array([[0, 0, 9, 9.0]] * 9)
    assert eval_sot_ope([short, long + 100], [short, long])["precision"] == 50


def test_hidden_frames_stay_in_the_count():
    truth = np.array([[0, 0, 9, 9.0]] * 4)
    visible = [np.array([True, False, False, False])]
    assert eval_sot_ope([truth], [truth], visible)["precision"] == 25


def test_inputs_are_not_changed():
    truths, guesses = random_videos(1)
    copies = [t.copy() for t in truths], [g.copy() for g in guesses]
    eval_sot_ope(guesses, truths)
    for after, before in zip((truths, guesses), copies, strict=True):
        for a, b in zip(after, before, strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g, t, v: (g[:2], t, v), "results hold 2 videos, annotations 3"),
        (lambda g, t, v: ([g[0][:-1], *g[1:]], t, v), "video 0: results have 36 frames.*37"),
        (lambda g, t, v: (g, t, [v[0], v[1], v[2][1:]]), "video 2: visible_infos have 60"),
        (lambda g, t, v: ([], [], None), "no videos"),
        (lambda g, t, v: ([g[0][:0]], [t[0][:0]], None), "video 0 has no frames"),
    ],
    ids=["videos", "frames", "visible", "nothing", "empty"],
)
def test_inputs_that_do_not_belong_together(change, message):
    truths, guesses = random_videos(0)
    visible = [np.ones(len(t), bool) for t in truths]
    with pytest.raises(ValueError, match=message):
        eval_sot_ope(*change(guesses, truths, visible))


def test_tracked_nan_is_named():
    truths, guesses = random_videos(0)
    guesses[1][3, 2] = np.nan
    with pytest.raises(ValueError, match="video 1, frame 3"):
        eval_sot_ope(guesses, truths)
