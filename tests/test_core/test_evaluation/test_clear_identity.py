"""CLEAR and identity counts, against motmetrics and hand counts."""

import motmetrics
import numpy as np
import pytest
from motmetrics.distances import boxiou

from mmtrack.core.evaluation.clear import clear_counts, clear_scores
from mmtrack.core.evaluation.frame_pairs import pair_frames
from mmtrack.core.evaluation.identity import identity_counts, identity_scores

SCENES = {
    "plain": {},
    "crossing": {"spread": 30, "objects": 9, "swap": 0.3},
    "tiny-threshold": {"spread": 20, "objects": 8, "swap": 0.5, "iou_thr": 0.05},
    "strict": {"iou_thr": 0.75},
    "mostly-missed": {"miss": 0.8},
    "clutter": {"clutter": 15.0},
    "one-object": {"objects": 2, "swap": 0.0, "frames": 6},
}


def judge(gts, results, iou_thr=0.5):
    """Scores of each sequence and overall by motmetrics."""
    events = []
    for gt, res in zip(gts, results, strict=True):
        accumulator = motmetrics.MOTAccumulator()
        for frame in np.union1d(gt.frames, res.frames):
            a, b = gt[gt.frames == frame], res[res.frames == frame]
            distances = 1 - boxiou(a.boxes[:, None], b.boxes[None])
            distances[distances > 1 - iou_thr] = np.nan
            accumulator.update(a.ids, b.ids, distances, frameid=int(frame))
        events.append(accumulator)
    table = motmetrics.metrics.create().compute_many(
        events,
        metrics=motmetrics.metrics.motchallenge_metrics,
        names=list(map(str, range(len(gts)))),
        generate_overall=True,
    )
    return table.rename(columns=motmetrics.io.motchallenge_metric_names).to_dict("index")


def scores_of(gts, results, iou_thr=0.5):
    pairs = pair_frames(gts, results)
    clear, identity = clear_counts(pairs, iou_thr), identity_counts(pairs, iou_thr)
    parts = {str(i): slice(i, i + 1) for i in range(len(gts))} | {"OVERALL": slice(None)}
    return {
        name: {**clear_scores(clear.total(part)), **identity_scores(identity.total(part))}
        for name, part in parts.items()
    }


def assert_same(found, want):
    assert found.keys() == want.keys()
    for name, row in want.items():
        assert found[name].keys() == row.keys()
        np.testing.assert_allclose(
            [found[name][key] for key in row], list(row.values()), rtol=1e-12, err_msg=name
        )


@pytest.mark.parametrize("kind", SCENES)
def test_equals_motmetrics(scene, kind):
    options = dict(SCENES[kind])
    iou_thr = options.pop("iou_thr", 0.5)
    gts, results = zip(*(scene(seed, **options) for seed in range(4)), strict=True)
    assert_same(scores_of(gts, results, iou_thr), judge(gts, results, iou_thr))


def test_scenes_reach_every_event(scene):
    gts, results = zip(*(scene(seed, **SCENES["crossing"]) for seed in range(4)), strict=True)
    overall = scores_of(gts, results)["OVERALL"]
    assert min(overall[key] for key in ("IDs", "IDt", "IDa", "IDm", "FM", "PT")) > 0, overall


def test_of_two_objects_with_one_track_the_first_row_continues(table):
    # a: track 5 moves from object 1 to object 2; then both objects overlap it
    box, other = (0, 0, 10, 10), (100, 0, 10, 10)
    gt = table((1, 1, *box), (2, 2, *box), (3, 2, *box), (3, 1, *box))
    res = table((1, 5, *box), (2, 5, *box), (3, 5, *box), (3, 6, *other))
    found = scores_of([gt], [res])["0"]
    assert_same({"x": found}, {"x": judge([gt], [res])["0"]})
    assert (found["IDt"], found["IDm"], found["FN"], found["FP"]) == (1, 1, 1, 1)


def test_hand_count(table):
    # object 1 is seen in frames 1-4, found as track 1, missed, then found as track 2 twice
    gt = table(*((t, 1, 0, 0, 10, 10) for t in (1, 2, 3, 4)))
    res = table((1, 1, 0, 0, 10, 10), (3, 2, 0, 0, 10, 5), (4, 2, 0, 0, 10, 10))
    found = scores_of([gt], [res])["OVERALL"]
    assert found["IDs"] == 1
    assert found["IDa"] == 1
    assert found["FM"] == 1
    assert (found["FN"], found["FP"], found["PT"]) == (1, 0, 1)
    assert found["MOTA"] == 1 - 2 / 4
    assert found["MOTP"] == pytest.approx(0.5 / 3)
    assert found["IDF1"] == pytest.approx(2 * 2 / 7)
    assert found["IDR"] == 2 / 4


def test_ground_truth_against_itself_is_perfect(scene):
    gt, _ = scene(1)
    found = scores_of([gt], [gt])["OVERALL"]
    assert [found[k] for k in ("MOTA", "IDF1", "Rcll", "Prcn")] == [1, 1, 1, 1]
    assert [found[k] for k in ("MOTP", "FP", "FN", "IDs", "FM", "IDt")] == [0, 0, 0, 0, 0, 0]
    assert found["MT"] == found["GT"] == 6


def test_a_far_box_lowers_precision_and_leaves_recall(scene, table):
    gt, res = scene(2)
    plain = scores_of([gt], [res])["OVERALL"]
    rows = np.c_[res.frames, res.ids, res.boxes]
    more = scores_of([gt], [table(*rows, (1, 9999, 9000, 9000, 5, 5))])["OVERALL"]
    assert more["Rcll"] == plain["Rcll"]
    assert more["FP"] == plain["FP"] + 1
    assert more["Prcn"] < plain["Prcn"]


@pytest.mark.parametrize("missing", ["results", "ground truth", "both"])
def test_one_side_empty(scene, empty_table, missing):
    gt, res = scene(3)
    gt = empty_table if missing in ("ground truth", "both") else gt
    res = empty_table if missing in ("results", "both") else res
    found = scores_of([gt], [res])["OVERALL"]
    assert found["FN"] == len(gt)
    assert found["FP"] == len(res)
    assert np.isnan(found["MOTP"])
    assert np.isnan(found["Prcn"]) == (len(res) == 0)
    assert found["ML"] == found["GT"]


def test_overall_counts_are_sums(scene):
    gts, results = zip(*(scene(seed) for seed in range(3)), strict=True)
    found = scores_of(gts, results)
    for key in ("FP", "FN", "IDs", "FM", "GT", "MT"):
        assert found["OVERALL"][key] == sum(found[str(i)][key] for i in range(3))
