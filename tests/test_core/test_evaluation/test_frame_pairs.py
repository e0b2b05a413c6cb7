"""Overlapping boxes of every frame, against a loop over all pairs."""

import numpy as np
import pytest

from mmtrack.core.evaluation import frame_pairs
from mmtrack.core.evaluation.frame_pairs import box_areas, compact, overlapping_pairs, pair_frames


def loop_over_pairs(gts, results):
    """(sequence, frame, gt id, result id) -> IoU of all overlapping boxes."""
    found = {}
    for seq, (gt, res) in enumerate(zip(gts, results, strict=True)):
        for i in range(len(gt)):
            for j in np.flatnonzero(res.frames == gt.frames[i]):
                (ax, ay, aw, ah), (bx, by, bw, bh) = gt.boxes[i], res.boxes[j]
                w = min(ax + aw, bx + bw) - max(ax, bx)
                h = min(ay + ah, by + bh) - max(ay, by)
                if w > 0 and h > 0:
                    key = seq, int(gt.frames[i]), int(gt.ids[i]), int(res.ids[j])
                    found[key] = w * h / (aw * ah + bw * bh - w * h)
    return found


def as_dict(pairs, gts, results):
    gt_rows = [(s, f, i) for s, t in enumerate(gts) for f, i in zip(t.frames, t.ids, strict=True)]
    ids = np.concatenate([t.ids for t in results])
    return {
        (*map(int, gt_rows[pairs.gt.source[g]]), int(ids[pairs.results.source[r]])): float(iou)
        for g, r, iou in zip(pairs.gt_rows, pairs.result_rows, pairs.ious, strict=True)
    }


@pytest.mark.parametrize("cells", [1, 100, 32768], ids=["one-frame", "few-frames", "all"])
def test_pairs_are_those_of_a_loop(scene, empty_table, monkeypatch, cells):
    monkeypatch.setattr(frame_pairs, "BLOCK_CELLS", cells)
    gts, results = zip(*(scene(seed, frames=8, objects=3 + seed) for seed in range(3)), strict=True)
    gts, results = [*gts, empty_table, gts[0]], [*results, results[0], empty_table]
    pairs = pair_frames(gts, results)
    want = loop_over_pairs(gts, results)
    found = as_dict(pairs, gts, results)
    assert found.keys() == want.keys()
    np.testing.assert_allclose([found[k] for k in want], list(want.values()), rtol=1e-12)
    assert pairs.num_seqs == 5
    assert np.all(np.diff(pairs.frames) >= 0)
    assert np.all(np.diff(pairs.gt_rows) >= 0)


def test_rows_in_any_order_of_frames_give_the_same_pairs(scene):
    gt, res = scene(5)
    order = np.random.default_rng(0).permutation(len(res))
    plain, mixed = pair_frames([gt], [res]), pair_frames([gt], [res[order]])
    shuffled = [res[order]]
    assert as_dict(plain, [gt], [res]) == as_dict(mixed, [gt], shuffled)


def test_keep_equals_pairing_the_kept_rows(scene):
    gt, res = scene(6)
    pairs = pair_frames([gt], [res])
    rng = np.random.default_rng(0)
    keep_gt, keep_res = rng.random(len(gt)) < 0.6, rng.random(len(res)) < 0.6
    kept = pairs.keep(keep_gt, keep_res)
    gt_left, res_left = gt[pairs.gt.source[keep_gt]], res[pairs.results.source[keep_res]]
    again = pair_frames([gt_left], [res_left])
    np.testing.assert_array_equal(kept.gt_rows, again.gt_rows)
    np.testing.assert_array_equal(kept.result_rows, again.result_rows)
    np.testing.assert_array_equal(kept.ious, again.ious)
    assert kept.gt.track_lengths.sum() == keep_gt.sum()


def test_no_boxes_at_all(empty_table):
    pairs = pair_frames([empty_table], [empty_table])
    assert len(pairs) == 0
    assert pairs.num_seqs == 1
    assert len(pair_frames([], [])) == 0


def test_boxes_that_only_touch_or_have_no_area_are_no_pairs(table):
    gt = table((1, 1, 0, 0, 10, 10), (1, 2, 50, 50, 0, 0))
    res = table((1, 1, 10, 0, 10, 10), (1, 2, 50, 50, 0, 0), (1, 3, 0, 0, 10, 0))
    assert len(pair_frames([gt], [res])) == 0


@pytest.mark.parametrize(
    "values",
    [[5, 3, 5, 9], [7], [-4, 2, -4], [1, 10**12, 5], [], list(range(50, 0, -1))],
    ids=["ints", "one", "negative", "far", "none", "descending"],
)
def test_compact_equals_unique(values):
    values = np.array(values, np.int64)
    names, index = np.unique(values, return_inverse=True)
    found = compact(values)
    np.testing.assert_array_equal(found[0], names)
    np.testing.assert_array_equal(found[1], index)


def test_intersections_in_pixels():
    gt, res = np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 2, 4, 4], [9, 9, 1, 1]])
    rows, cols, shared = overlapping_pairs(gt, np.array([0]), res, np.array([0, 0]))
    assert (rows.tolist(), cols.tolist(), shared.tolist()) == ([0], [0], [4.0])
    assert box_areas(res).tolist() == [16.0, 1.0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((4, 7, np.nan, 0, 5, 5), r"results of sequence B: frame 4, id 7 has the box \[nan"),
        ((4, 7, 0, np.inf, 5, 5), r"sequence B: frame 4, id 7 has the box \[0.0, inf"),
        ((4, 7, 0, 0, -5, 5), "width and height of at least 0"),
        ((3, 2, 0, 0, 5, 5), "results of sequence B: frame 3 contains id 2 more than once"),
        ((4, -1, 0, 0, 5, 5), "frame 4 has id -1, a detection without identity"),
    ],
    ids=["nan", "inf", "negative", "doubled", "no-id"],
)
def test_bad_rows_are_named(table, row, message):
    good = table((3, 2, 0, 0, 5, 5))
    with pytest.raises(ValueError, match=message):
        pair_frames([good, good], [good, table((3, 2, 0, 0, 5, 5), row)], ["A", "B"])
