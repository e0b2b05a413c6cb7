"""VOT measures against definitions written as loops, and hand numbers."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

from mmtrack.core.bbox import calculate_region_overlap
from mmtrack.core.evaluation import eval_sot_accuracy_robustness, eval_sot_eao

BOX = np.array([10.0, 10.0, 20.0, 20.0])
HALF = np.array([10.0, 10.0, 20.0, 10.0])  # overlap 1/2 with BOX
START, LOST, WAIT = np.array([1.0]), np.array([2.0]), np.array([0.0])


def video(seed, length, fails=(), skip=5, polygon=False):
    """A tracked video with failures."""
    rng = np.random.default_rng(seed)
    truth, found, restart = [], [], 0
    for frame in range(length):
        box = np.array([*rng.uniform(60, 90, 2), *rng.uniform(30, 60, 2)])
        guess = box + rng.uniform(-8, 8, 4)
        if polygon:
            x, y, w, h = box
            box = np.array([x + 5, y, x + w, y + 4, x + w - 5, y + h, x, y + h - 4])
        truth.append(box)
        if frame == restart:
            found.append(START)
        elif frame < restart:
            found.append(WAIT)
        elif frame in fails:
            found.append(LOST)
            restart = frame + skip
        else:
            found.append(guess)
    return found, truth


def plain_accuracy(results, annotations, burnin, size, ignore_unknown=True):
    total = weights = 0.0
    for found, truth in zip(results, annotations, strict=True):
        overlaps, since = [], None
        for row, box in zip(found, truth, strict=True):
            if len(row) == 1 and row[0] == 1:
                since = 0
            if len(row) == 1:
                counted = not ignore_unknown and row[0] != 1
                overlap = 0.0
            else:
                counted, overlap = True, calculate_region_overlap(row, box, size)
            if counted and since >= burnin:
                overlaps.append(overlap)
            since += 1
        total += np.mean(overlaps) * len(found)
        weights += len(found)
    return total / weights


def plain_eao(results, annotations, low, high, size):
    """Mean over lengths of the mean over parts of the mean overlap of that many frames."""
    parts = []
    for found, truth in zip(results, annotations, strict=True):
        part = None
        for row, box in zip(found, truth, strict=True):
            if len(row) == 1 and row[0] == 1:
                part = []
                parts.append((part, []))
            elif len(row) == 1 and row[0] == 2:
                parts[-1][1].append("lost")
            elif len(row) > 1:
                part.append(calculate_region_overlap(row, box, size))
    curve = []
    for length in range(low, min(high, max(map(len, results)) - 1) + 1):
        means = [sum(part[:length]) / length for part, lost in parts if lost or len(part) >= length]
        if means:
            curve.append(np.mean(means))
    return np.mean(curve)


@pytest.mark.parametrize("polygon", [False, True], ids=["boxes", "polygons"])
@pytest.mark.parametrize("size", [None, (110, 100)], ids=["free", "bounded"])
def test_as_loops(polygon, size):
    videos = [video(1, 60, (17, 40), polygon=polygon), video(2, 45, polygon=polygon),
              video(3, 50, (30,), polygon=polygon)]  # fmt: skip
    results, annotations = (list(side) for side in zip(*videos, strict=True))
    sizes = None if size is None else [size] * 3
    for burnin in (10, 3, 0):
        for ignore in (True, False):
            found = eval_sot_accuracy_robustness(
                results, annotations, burnin, ignore_unknown=ignore, videos_wh=sizes
            )
            expected = plain_accuracy(results, annotations, burnin, size, ignore)
            assert found["accuracy"] == pytest.approx(expected)
            assert found["num_fails"] == 3
            assert found["robustness"] == pytest.approx(100 * 3 / 155)
    for low, high in ((10, 35), (1, 1), (40, 300)):
        expected = plain_eao(results, annotations, low, high, size)
        found = eval_sot_eao(results, annotations, [low, high], videos_wh=sizes)
        assert found["eao"] == pytest.approx(expected)


def test_hand_numbers():
    """Overlap 1, 1/2, then lost; from there on the part counts as 0."""
    results = [[START, BOX, HALF, LOST, WAIT, START, BOX]]
    annotations = [np.tile(BOX, (7, 1))]
    assert eval_sot_eao(results, annotations, [1, 1]) == {"eao": 1.0}  # parts 1 and 1
    assert eval_sot_eao(results, annotations, [2, 2]) == {"eao": 0.75}  # the second is shorter
    assert eval_sot_eao(results, annotations, [3, 3]) == {"eao": 0.5}
    assert eval_sot_eao(results, annotations, [1, 3]) == {"eao": 0.75}
    found = eval_sot_accuracy_robustness(results, annotations, burnin=1)
    assert found["accuracy"] == pytest.approx(2.5 / 3)
    assert found["num_fails"] == 1
    found = eval_sot_accuracy_robustness(results, annotations, burnin=1, ignore_unknown=False)
    assert found["accuracy"] == pytest.approx(2.5 / 5)
    found = eval_sot_accuracy_robustness(results, annotations, burnin=2)
    assert found["accuracy"] == pytest.approx(0.5), "one frame after each start is left out"


def test_a_failure_says_nothing_about_lengths_that_no_video_has():
    results = [[START, LOST, WAIT, START, BOX, BOX]]
    annotations = [np.tile(BOX, (6, 1))]
    assert eval_sot_eao(results, annotations, [1, 2])["eao"] == 0.5
    assert eval_sot_eao(results, annotations, [3, 5])["eao"] == 0
    with pytest.warns(UserWarning, match="undefined"):
        assert np.isnan(eval_sot_eao(results, annotations, [6, 9])["eao"])


def test_perfect_tracker():
    results = [[START, *[BOX] * 30]]
    annotations = [np.tile(BOX, (31, 1))]
    assert eval_sot_eao(results, annotations, [5, 20])["eao"] == 1
    found = eval_sot_accuracy_robustness(results, annotations)
    assert found == {"accuracy": 1.0, "robustness": 0.0, "num_fails": 0.0}


def test_burnin_that_leaves_nothing():
    short = [START, BOX, BOX]
    annotations = [np.tile(BOX, (3, 1))]
    assert np.isnan(eval_sot_accuracy_robustness([short], annotations)["accuracy"])
    long = [START, *[HALF] * 20]
    found = eval_sot_accuracy_robustness([short, long], [*annotations, np.tile(BOX, (21, 1))])
    assert found["accuracy"] == 0.5


def test_first_result_that_is_a_region():
    """No start is reported, so nothing burns in; the curve begins in the first frame all the same.

    A restart later in the video has its burn-in.
    """
    annotations = [np.tile(BOX, (8, 1))]
    one_pass = [[HALF, BOX, BOX, BOX, BOX, BOX, BOX, BOX]]
    found = eval_sot_accuracy_robustness(one_pass, annotations, burnin=3)
    assert found["accuracy"] == pytest.approx((0.5 + 7) / 8)
    assert eval_sot_eao(one_pass, annotations, [1, 7])["eao"] == 1
    restarted = [[BOX, BOX, LOST, WAIT, START, HALF, HALF, BOX]]
    found = eval_sot_accuracy_robustness(restarted, annotations, burnin=3)
    assert found["accuracy"] == 1
    assert eval_sot_eao(restarted, annotations, [1, 1])["eao"] == pytest.approx(0.75)


def test_interval_that_no_video_reaches():
    with pytest.warns(UserWarning, match=r"100 frames.*\[100, 356\]"):
        found = eval_sot_eao([[START, BOX, BOX]], [np.tile(BOX, (3, 1))])
    assert np.isnan(found["eao"])


def test_rectangles_among_polygons():
    """Rows of either kind may alternate in results and annotations."""
    polygon = np.array([10, 10, 30, 10, 30, 30, 10, 30.0])
    five = np.array([10, 10, 20, 10, 30, 10, 30, 30, 10, 30.0])
    results = [[START, polygon, BOX, five]]
    annotations = [[BOX, BOX, polygon, polygon]]
    assert eval_sot_accuracy_robustness(results, annotations, burnin=1)["accuracy"] == 1


def test_twice_the_same_and_inputs_unchanged():
    found, truth = video(4, 40, (20,))
    before = copy.deepcopy((found, truth))
    first = eval_sot_eao([found], [truth], [5, 15])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert eval_sot_eao([found], [truth], [5, 15]) == first
    for side, old in zip((found, truth), before, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(side, old, strict=True))


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([[START, np.array([3.0])]], "video 0: frame 1: there is no state 3"),
        ([[START, np.array([1.0, 2, np.nan, 3])]], "video 0: frame 1: .*not finite"),
        ([[START, np.arange(6.0)]], "video 0: .*found 6"),
        ([[START]], "video 0: results have 1 frames, annotations 2"),
        ([], "results hold 0 videos, annotations 1"),
    ],
)
def test_malformed_results(results, message):
    annotations = [np.tile(BOX, (2, 1))]
    for evaluate in (eval_sot_eao, eval_sot_accuracy_robustness):
        with pytest.raises(ValueError, match=message):
            evaluate(results, annotations)


def test_empty_interval():
    with pytest.raises(ValueError, match="interval"):
        eval_sot_eao([[START]], [BOX[None]], [20, 10])
