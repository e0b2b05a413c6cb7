"""Reports of detections, single objects and instances say what the evaluation says."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace

import numpy as np
import pycocotools.mask as coco_mask
import pytest
import report_runs
from sot_datasets import build, vot
from sot_layout import got10k

from mmtrack.apis.report import NoGroundTruth, encode_pictures, gather_report, plan_pictures
from mmtrack.apis.report.instances import shrink_masks
from mmtrack.apis.report.least_score import best_least_score
from mmtrack.core.bbox import bbox_iou
from mmtrack.core.visualization.report import BoxColumns, Video, write_page
from mmtrack.core.visualization.report.model import CORRECT, FIRST_ERROR
from mmtrack.datasets import GOT10kDataset, VOTDataset

FIRST, SECOND = FIRST_ERROR, FIRST_ERROR + 1


def headline(report):
    return {column.name: value for column, value in report.headline}


def greedy_matches(video, label, frame, thr=0.5):
    """COCO's matching of a frame by hand: best score first, each takes the best free object."""
    found, truth = video.results, video.truth
    rows = np.flatnonzero((found.frames == frame) & (found.labels == label))
    free = list(np.flatnonzero((truth.frames == frame) & (truth.labels == label)))
    rows = rows[np.argsort(-found.scores[rows], kind="stable")]
    matched = {}
    for row in rows:
        if not free:
            break
        ious = bbox_iou(found.boxes[row : row + 1], truth.boxes[free])[0]
        best = int(np.argmax(ious))
        if ious[best] >= thr:
            matched[row] = free.pop(best)
    return rows, matched, free


def test_detections(vid, report_of):
    report = report_of(vid)
    wanted = vid.dataset.evaluate(vid.raw, metric="bbox", logger="silent")
    for name, value in headline(report).items():
        known = wanted[f"bbox_{name}"]
        assert value == pytest.approx(known, abs=5e-5) or (np.isnan(value) and known == -1)
    found = 0
    for video in report.videos:
        for frame in range(len(video.frame_numbers)):
            for label in set(video.truth.labels) | set(video.results.labels):
                rows, matched, free = greedy_matches(video, label, frame)
                assert (video.truth.states[free] == SECOND).all()
                for row in rows:
                    right = row in matched
                    assert video.results.states[row] == (CORRECT if right else FIRST)
                    if right:
                        score = video.truth.found_scores[matched[row]]
                        assert score == pytest.approx(video.results.scores[row])
                        found += 1
    assert found > 10
    rows = report.tables[0].rows
    assert rows["OVERALL"][0] == headline(report)["mAP"]
    assert rows["OVERALL"][-1] == sum(rows[video.name][-1] for video in report.videos)
    assert all(0 < rows[video.name][0] <= 1 for video in report.videos)


@pytest.mark.parametrize("key", ["vid", "vis"])
def test_reports_open_at_the_best_f1(request, report_of, key):
    report = report_of(request.getfixturevalue(key))

    def f1(threshold):
        kept = [
            v.results.states[v.results.scores.astype(np.float32) >= threshold]
            for v in report.videos
        ]  # noqa: E501
        right = sum(int((states == CORRECT).sum()) for states in kept)
        boxes = sum(int((states != 0).sum()) for states in kept)
        return 2 * right / (boxes + sum(int((v.truth.states != 0).sum()) for v in report.videos))

    scores = np.concatenate([video.results.scores for video in report.videos]).astype(np.float32)
    assert f1(report.least_score) == max(map(f1, scores)) > f1(-1)
    assert f"{report.least_score:.3f}" in report.notes[-1]


def test_boxes_of_equal_scores_stay_together():
    scores, states = np.array([0.9, 0.5, 0.5, 0.5, 0.5]), np.array([CORRECT, CORRECT, *[FIRST] * 3])
    found = BoxColumns.make(np.zeros(5), np.zeros((5, 4)), scores=scores, states=states)
    objects = BoxColumns.make(np.zeros(2), np.zeros((2, 4)), states=np.full(2, CORRECT))
    # F1 is 2/3 at 0.9 and 4/7 at 0.5, but would be 1 with one of the four boxes of 0.5
    video = replace(video_of(1), results=found, truth=objects)
    assert best_least_score([video]) == pytest.approx(0.9)


def test_nothing_is_hidden_where_nothing_is_right():
    wrong = BoxColumns.make([0], np.zeros((1, 4)), states=np.array([FIRST]))
    empty = video_of(1).results
    assert best_least_score([replace(video_of(1), results=wrong, truth=empty)]) is None
    assert best_least_score([replace(video_of(1), truth=empty)]) is None


def test_further_metrics_join_the_head(video_tracks, report_of):
    boxes = [[rows[:, 1:] for rows in frame] for frame in video_tracks.raw["track_bboxes"]]
    results = {**video_tracks.raw, "det_bboxes": boxes}
    run = report_runs.finish(
        video_tracks.results.parent / "both", {
            "type": "CocoVideoDataset", "ann_file": video_tracks.dataset.ann_file,
            "img_prefix": video_tracks.dataset.img_prefix, "ref_img_sampler": None,
            "pipeline": [], "classes": ("pedestrian",),
        },
        lambda dataset, rng: results,
    )  # fmt: skip
    report = report_of(run, {"metric": ["track", "bbox"]})
    wanted = run.dataset.evaluate(results, metric="bbox", logger="silent")
    assert headline(report)["bbox_mAP"] == wanted["bbox_mAP"]
    assert report.task == "MOT"


def test_instances(vis, report_of):
    report = report_of(vis, mask_width=80)
    wanted = vis.dataset.evaluate(vis.raw, logger="silent")
    for name, value in headline(report).items():
        assert value == pytest.approx(wanted[f"segm_{name}"], abs=5e-5)
    for video in report.videos:
        found, truth = video.results, video.truth
        assert (found.states[found.ids == 900] == FIRST).all()
        assert set(truth.ids[truth.states == SECOND]) >= {i for i in truth.ids if i % 4 == 3}
        right = found.states == CORRECT
        assert right.any()
        assert (found.partners[right] == found.ids[right]).all()
        assert (truth.partners[truth.states == CORRECT] == truth.ids[truth.states == CORRECT]).all()
        assert len(found.masks) == len(found)
        assert found.mask_size == truth.mask_size == (48, 80)
        for boxes in (found, truth):
            area = coco_mask.area([{"size": [48, 80], "counts": m} for m in boxes.masks])
            around = np.prod(boxes.boxes[:, 2:] - boxes.boxes[:, :2], axis=1) / 4
            assert (area[around > 50] > 0).all()
            assert (area <= 1.6 * around + 40).all()


def test_no_instances_at_all(vis, report_of, tmp_path):
    nothing = {
        "track_bboxes": [[rows[:0] for rows in frame] for frame in vis.raw["track_bboxes"]],
        "track_masks": [[[] for _ in frame] for frame in vis.raw["track_masks"]],
    }
    (tmp_path / "results.pkl").write_bytes(pickle.dumps(nothing))
    report = report_of(vis._replace(results=tmp_path / "results.pkl"))
    assert headline(report)["mAP"] == 0
    assert all((video.truth.states == SECOND).all() for video in report.videos)
    assert write_page(tmp_path / "report.html", report, [[] for _ in report.videos]) > 0


@pytest.mark.parametrize("key", ["vid", "vis"])
@pytest.mark.parametrize("column", [-1, -3], ids=["score", "corner"])
def test_results_that_are_not_finite_are_named(request, report_of, tmp_path, key, column):
    run = request.getfixturevalue(key)
    raw = copy.deepcopy(run.raw)
    frames = raw["det_bboxes" if key == "vid" else "track_bboxes"]
    place, rows = next((i, r) for i, f in enumerate(frames[3:], 3) for r in f if len(r))
    rows[0, column] = np.nan
    (tmp_path / "results.pkl").write_bytes(pickle.dumps(raw))
    name = run.dataset.data_infos[place]["filename"]
    for truth in (True, False):
        with pytest.raises(ValueError, match=f"{name}: the row .*nan.* is not finite"):
            report_of(run._replace(results=tmp_path / "results.pkl"), truth=truth)


def test_small_masks_are_kept_and_large_ones_shrink():
    mask = np.zeros((40, 100), np.uint8, order="F")
    mask[10:30, 20:60] = 1
    rle = coco_mask.encode(mask)
    texts, size = shrink_masks([rle], 100)
    assert (texts, size) == ([rle["counts"].decode()], (40, 100))
    texts, size = shrink_masks([rle], 50)
    assert size == (20, 50)
    small = coco_mask.decode({"size": [20, 50], "counts": texts[0]})
    np.testing.assert_array_equal(small, mask[::2, ::2])
    assert shrink_masks([], 50) == ([], None)


def test_single_objects(sot, report_of):
    report = report_of(sot)
    wanted = sot.dataset.evaluate(sot.raw, logger="silent")
    for name, value in headline(report).items():
        assert 100 * value == pytest.approx(wanted[name], abs=5e-4)
    boxes = np.array(sot.raw["track_bboxes"])
    ends = np.cumsum(sot.dataset.num_frames_per_video)
    for v, video in enumerate(report.videos):
        info = sot.dataset.get_ann_infos_from_video(v)
        own = boxes[ends[v] - len(video.frame_numbers) : ends[v]]
        overlaps = bbox_iou(own[:, :4], info["bboxes"], aligned=True)
        states = np.where(overlaps == 0, FIRST, np.where(overlaps > 0.5, CORRECT, SECOND))
        states[~info["visible"]] = 0
        assert video.results.states.tolist() == states.tolist()
        assert {FIRST, SECOND, CORRECT} <= set(states.tolist())
        np.testing.assert_allclose(video.over_time["overlap"][info["visible"]],
                                   overlaps[info["visible"]])  # fmt: skip
        np.testing.assert_allclose(video.results.scores, own[:, 4])
    success = report.charts[0].lines["Success"]
    assert 100 * success.mean() == pytest.approx(wanted["success"], abs=5e-4)


def test_restarts_of_vot(tmp_path):
    dataset = build(VOTDataset, tmp_path, vot(tmp_path, length=6))
    rows = []
    for v in range(2):
        for frame, polygon in enumerate(dataset.get_ann_infos_from_video(v)["bboxes"]):
            rows.append(np.array([*polygon[:2], *polygon[4:6], 0.9]))
            if v == 0 and frame in (0, 5):
                rows[-1] = np.array([1.0, 0.0])
            if v == 0 and frame in (3, 4):
                rows[-1] = np.array([2.0 if frame == 3 else 0.0, 0.0])
    results = {"track_bboxes": rows}
    run = report_runs.Run(None, tmp_path / "results.json", dataset, results)
    run.results.write_text(json.dumps({"track_bboxes": [row.tolist() for row in rows]}))
    options = {"interval": [1, 4]}
    report = gather_report(report_runs.empty_report(), dataset, str(run.results), options)
    wanted = dataset.evaluate(results, logger="silent", **options)
    assert headline(report) == pytest.approx(wanted)
    first = report.videos[0].results
    assert first.frames.tolist() == [1, 2, 3]
    assert first.states.tolist() == [CORRECT, CORRECT, FIRST]
    assert report.tables[0].rows["bag"][2] == 1
    assert report.videos[0].truth.polygons.shape == (6, 8)


def test_hidden_boxes_are_said_to_be_hidden(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "test"))
    with pytest.raises(NoGroundTruth, match="not public"):
        gather_report(report_runs.empty_report(), dataset, "results.pkl", {})


def test_images_without_videos_are_refused(video_tracks):
    dataset = report_runs.build_dataset({
        "type": "CocoVideoDataset", "ann_file": video_tracks.dataset.ann_file,
        "img_prefix": "", "ref_img_sampler": None, "pipeline": [], "load_as_video": False,
        "test_mode": True,
    })  # fmt: skip
    with pytest.raises(ValueError, match="has no videos"):
        gather_report(report_runs.empty_report(), dataset, str(video_tracks.results), {})


# ------------------------------------------------------------------ pictures
def video_of(length, paths=True):
    boxes = BoxColumns.make(np.zeros(0), np.zeros((0, 4)))
    names = [f"{i}.jpg" for i in range(length)] if paths else None
    return Video("v", (8, 8), np.arange(length), boxes, picture_paths=names)


@pytest.mark.parametrize(
    ("lengths", "most", "counts"),
    [((5, 100, 100), 65, (5, 30, 30)), ((3, 4), 100, (3, 4)), ((9,), 0, (0,)), ((9, 9), 1, (0, 1))],
)
def test_pictures_are_shared_fairly(lengths, most, counts):
    plan = plan_pictures([video_of(length) for length in lengths], most)
    assert tuple(map(len, plan)) == counts
    for frames, length in zip(plan, lengths, strict=True):
        assert list(frames) == sorted(set(frames))
        if len(frames) > 1:
            assert (frames[0], frames[-1]) == (0, length - 1)


def test_frames_with_rare_errors_have_pictures():
    states = np.where(np.arange(100) % 2, FIRST_ERROR, CORRECT).astype(np.uint8)  # 50 of a kind
    states[[30, 31, 77]] = FIRST_ERROR + 2
    found = BoxColumns.make(np.arange(100), np.zeros((100, 4)), states=states)
    (frames,) = plan_pictures([replace(video_of(100), results=found)], 10)
    assert len(set(frames)) == 10
    assert {0, 30, 31, 77, 99} <= set(frames)
    assert np.diff(frames).max() <= 30  # the others are spread
    (frames,) = plan_pictures([replace(video_of(100), results=found)], 1)
    assert list(frames) == [0]


def test_videos_without_files_get_no_pictures():
    plan = plan_pictures([video_of(5, paths=False), video_of(5)], 100)
    assert tuple(map(len, plan)) == (0, 5)


def test_a_missing_picture_is_named_with_the_remedy():
    with pytest.raises(FileNotFoundError, match=r"0\.jpg does not exist.*--no-images"):
        encode_pictures([video_of(2)], [np.array([0])], 100)


def test_tao_shows_tracks_and_its_own_scores(tmp_path, report_of):
    run = report_runs.tao_run(tmp_path)
    report = report_of(run)
    wanted = run.dataset.evaluate(run.raw, metric="track", logger="silent")
    assert headline(report) == {k: v for k, v in wanted.items() if not isinstance(v, str)}
    assert report.kinds == ()
    assert all(len(video.results) and len(video.truth) for video in report.videos)
