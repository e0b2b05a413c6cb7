"""Scores and submission files of single object tracking data sets."""

import os.path as osp
import zipfile

import numpy as np
import pytest
from sot_datasets import build, vot
from sot_layout import (
    got10k,
    lasot,
    perfect,
    write,
    write_infos,
)

from mmtrack.datasets import (
    GOT10kDataset,
    LaSOTDataset,
    TrackingNetDataset,
    VOTDataset,
)


@pytest.fixture
def lasot_test(tmp_path):
    return build(LaSOTDataset, tmp_path, lasot(tmp_path))


def test_perfect_results(lasot_test):
    scores = lasot_test.evaluate(perfect(lasot_test), metric="track", logger="silent")
    # an overlap of 1 does not exceed the last of 21 thresholds
    assert scores == {"success": 95.238, "norm_precision": 100.0, "precision": 100.0}


def test_only_visible_frames_are_scored(tmp_path):
    dataset = build(LaSOTDataset, tmp_path, lasot(tmp_path), only_eval_visible=True)
    scores = dataset.evaluate(perfect(dataset), logger="silent")
    assert scores["precision"] == round(100 * (4 / 6 + 6 / 8) / 2, 3)


def test_evaluation_does_not_change_results(lasot_test):
    results = perfect(lasot_test)
    before = [row.copy() for row in results["track_bboxes"]]
    lasot_test.evaluate(results, logger="silent")
    np.testing.assert_array_equal(before, results["track_bboxes"])


def test_results_of_other_videos(lasot_test):
    results = perfect(lasot_test)
    with pytest.raises(ValueError, match="have 13 frames, the 2 videos of .* 14: .*other videos"):
        lasot_test.evaluate({"track_bboxes": results["track_bboxes"][1:]})
    far = {"track_bboxes": [row + 1000 for row in results["track_bboxes"]]}
    with pytest.raises(ValueError, match="are these results of other videos"):
        lasot_test.evaluate(far)
    with pytest.raises(ValueError, match=r"have \[2, 5\] numbers a frame.*VOT mode"):
        lasot_test.evaluate({"track_bboxes": [np.ones(2), *results["track_bboxes"][1:]]})
    with pytest.raises(ValueError, match=r"needs results with 'track_bboxes', got \['bbox'\]"):
        lasot_test.evaluate({"bbox": []})
    with pytest.raises(ValueError, match="no metric 'bbox', only 'track'"):
        lasot_test.evaluate(results, metric=["track", "bbox"])


def test_vot_scores(tmp_path):
    dataset = build(VOTDataset, tmp_path, vot(tmp_path, length=30))
    results = []
    for video in range(2):
        for frame, polygon in enumerate(dataset.get_ann_infos_from_video(video)["bboxes"]):
            box = np.array([*polygon[:2], *polygon[4:6], 0.9])
            state = {0: 1, 20: 2, 21: 0, 22: 0, 23: 0, 24: 0, 25: 1}.get(frame) if video else None
            results.append(box if state is None else np.array([state, 0.0]))
    before = [row.copy() for row in results]
    first = dataset.evaluate({"track_bboxes": results}, interval=[5, 10], logger="silent")
    again = dataset.evaluate({"track_bboxes": results}, interval=[5, 10], logger="silent")
    assert first == again
    assert all(np.array_equal(a, b) for a, b in zip(before, results, strict=True))
    assert first == pytest.approx(
        {"eao": 1, "accuracy": 1, "robustness": 100 / 60, "num_fails": 1}, abs=1e-4
    )


def test_vot_intervals(tmp_path):
    infos = vot(tmp_path)
    long_term = build(VOTDataset, tmp_path, infos, dataset_type="vot2018_lt")
    rows = [np.array([1.0, 0.0])] + [np.array([30.0, 30, 50, 50, 1])] * 4
    with pytest.raises(ValueError, match="vot2018_lt is a long-term challenge"):
        long_term.evaluate({"track_bboxes": rows * 2})
    scores = long_term.evaluate({"track_bboxes": rows * 2}, interval=[2, 4], logger="silent")
    assert set(scores) == {"eao", "accuracy", "robustness", "num_fails"}
    with pytest.raises(ValueError, match=r"data/bag/color, frame 0, has 4 numbers, expected 5"):
        long_term.evaluate({"track_bboxes": [np.ones(4)] * 10}, interval=[2, 4])


def test_hidden_boxes(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "test"))
    results = {"track_bboxes": [np.array([1.0, 2, 4, 8, 0.5])] * len(dataset)}
    with pytest.raises(ValueError, match="'test' of GOT10kDataset are not public.*--format-only"):
        dataset.evaluate(results)
    path = dataset.format_results(results, resfile_path=str(tmp_path / "out/results"))
    assert path == str(tmp_path / "out/results.zip")
    with zipfile.ZipFile(path) as archive:
        assert (
            archive.read("GOT-10k_000001/GOT-10k_000001_001.txt").decode().split()
            == ["1.0000,2.0000,3.0000,6.0000"] * 4
        )
        assert len(archive.namelist()) == 4
    before = (tmp_path / "out/results.zip").read_bytes()
    with pytest.raises(FileExistsError, match=r"results.zip exists: choose another resfile_path"):
        dataset.format_results(results, resfile_path=path)
    assert (tmp_path / "out/results.zip").read_bytes() == before
    with pytest.raises(ValueError, match="resfile_path, the name of the archive, is missing"):
        dataset.format_results(results)
    with pytest.raises(ValueError, match="results of other videos"):
        dataset.format_results({"track_bboxes": []}, resfile_path=str(tmp_path / "x"))
    assert not osp.exists(tmp_path / "x.zip")


def test_public_splits_of_got10k_are_scored(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "val"), "val")
    assert dataset.evaluate(perfect(dataset), logger="silent")["precision"] == 100


def test_trackingnet_submission(tmp_path):
    rows = []
    for name, chunk in (("a", "TEST"), ("b", "TEST")):
        write(tmp_path / chunk / f"anno/{name}.txt", "1,2,3,4")
        rows.append((f"{chunk}/frames/{name}", f"{chunk}/anno/{name}.txt", 0, 2))
    dataset = build(TrackingNetDataset, tmp_path, write_infos(tmp_path, rows))
    results = {"track_bboxes": [np.array([t, 2.0, t + 3, 8, 0.5]) for t in range(6)]}
    dataset.format_results(results, resfile_path=str(tmp_path / "out.zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        found = np.loadtxt(archive.open("b.txt"), delimiter=",")
    np.testing.assert_array_equal(found, [[t, 2, 3, 6] for t in (3, 4, 5)])
