"""Reports of multiple objects say what the evaluation says."""

from __future__ import annotations

import numpy as np
import pytest
import report_runs

from mmtrack.apis.report import NoGroundTruth, gather_mot_folder, gather_report
from mmtrack.core.bbox import bbox_iou
from mmtrack.core.evaluation import evaluate_mot_challenge
from mmtrack.core.visualization.report.model import CORRECT, FIRST_ERROR, NOT_COUNTED

FP, FN, IDSW = range(FIRST_ERROR, FIRST_ERROR + 3)


def table_rows(table):
    """Scores of a table by row and column."""
    names = [column.name for column in table.columns]
    return {row: dict(zip(names, values, strict=True)) for row, values in table.rows.items()}


def count(boxes, code):
    return int((boxes.states == code).sum())


def check_partners(video):
    """A correct result overlaps its object, in the same frame, by half; no object has two."""
    objects = {
        (f, i): box
        for f, i, box in zip(video.truth.frames, video.truth.ids, video.truth.boxes, strict=True)
    }
    found = video.results
    rows = np.flatnonzero((found.states == CORRECT) | (found.states == IDSW))
    pairs = [(found.frames[row], found.partners[row]) for row in rows]
    assert len(pairs) == len(set(pairs)) > 0
    theirs = np.array([objects[pair] for pair in pairs])
    assert bbox_iou(found.boxes[rows], theirs, aligned=True).min() >= 0.5 - 1e-6
    followed = np.flatnonzero(video.truth.states == CORRECT)
    assert sorted(pairs) == sorted(
        zip(video.truth.frames[followed], video.truth.ids[followed], strict=True)
    )


@pytest.fixture(scope="module")
def report(mot, report_of):
    return report_of(mot)


def test_scores_are_those_of_the_data_set(mot, report):
    wanted = mot.dataset.evaluate(mot.raw, metric="track", logger="silent")
    rows = table_rows(report.tables[0])
    shared = set(rows["OVERALL"]) & set(wanted)
    assert {"HOTA", "MOTA", "IDF1", "FP", "FN", "IDs", "MOTP"} <= shared
    assert {key: rows["OVERALL"][key] for key in shared} == {key: wanted[key] for key in shared}
    assert {column.name: value for column, value in report.headline}["HOTA"] == wanted["HOTA"]
    for video in report.videos:
        row = rows[video.name]
        assert report.tables[0].videos[video.name] == report.videos.index(video)
        assert count(video.results, FP) == row["FP"] > 0
        assert count(video.truth, FN) == row["FN"] > 0
        assert count(video.results, IDSW) == row["IDs"]
        assert np.mean(video.charts[0].lines["HOTA"]) == pytest.approx(row["HOTA"])
    assert sum(row["IDs"] for row in rows.values()) > 0
    assert np.mean(report.charts[0].lines["HOTA"]) == pytest.approx(wanted["HOTA"])


def test_boxes_and_partners(mot, report):
    for video in report.videos:
        check_partners(video)
        assert video.size == (160, 96)
        assert len(video.frame_numbers) == len(video.picture_paths) == 16
        # gt.txt has more than people: what stands still or is no person is not counted
        assert count(video.truth, NOT_COUNTED) > 0
    # converters keep boxes as they are in gt.txt, where pixels count from 1
    first = next(rows for rows in mot.raw["track_bboxes"][0] if len(rows))
    drawn = report.videos[0].results.boxes[report.videos[0].results.frames == 0]
    np.testing.assert_allclose(drawn[: len(first)], first[:, 1:5] - 1, atol=1e-4)


def test_the_threshold_of_matches_is_an_option(mot, report_of, report):
    strict = report_of(mot, {"track_iou_thr": 0.9})
    wanted = mot.dataset.evaluate(mot.raw, metric="track", logger="silent", track_iou_thr=0.9)
    rows = table_rows(strict.tables[0])
    assert rows["OVERALL"]["FN"] == wanted["FN"]
    assert sum(count(video.truth, FN) for video in strict.videos) == wanted["FN"]
    assert wanted["FN"] > table_rows(report.tables[0])["OVERALL"]["FN"]


def test_video_data_sets_are_scored_by_eval_mot(video_tracks, report_of):
    report = report_of(video_tracks)
    wanted = video_tracks.dataset.evaluate(video_tracks.raw, metric="track", logger="silent")
    rows = table_rows(report.tables[0])
    for name, value in rows["OVERALL"].items():
        assert value == pytest.approx(wanted[name], abs=5e-4), name
    found = {"FP": 0, "FN": 0, "IDSw": 0}
    for video in report.videos:
        check_partners(video)
        found["FP"] += count(video.results, FP)
        found["FN"] += count(video.truth, FN)
        found["IDSw"] += count(video.results, IDSW)
        assert rows[video.name]["FP"] == count(video.results, FP)
    assert found == {key: wanted[key] for key in found}
    assert min(found.values()) > 0


def test_text_files_are_scored_by_their_rules(mot, tmp_path):
    mot.dataset.format_results(mot.raw, str(tmp_path), metrics="track")
    base = report_runs.empty_report()
    report = gather_mot_folder(base, str(tmp_path / "track"), mot.dataset.img_prefix)
    truth, tables, lengths = mot.dataset.sequences(mot.raw)
    wanted = evaluate_mot_challenge(truth, tables, seq_lengths=lengths)["OVERALL"]
    row = table_rows(report.tables[0])["OVERALL"]
    # files have three digits behind the point
    assert row == pytest.approx({key: wanted[key] for key in row}, abs=1e-4)
    assert report.facts["rules"] == "MOT17"
    assert [video.size for video in report.videos] == [(160, 96)] * 2
    assert len(report.videos[0].picture_paths) == 16
    again = gather_report(base, mot.dataset, str(tmp_path / "track"), {})
    assert table_rows(again.tables[0])["OVERALL"] == pytest.approx(row)


def test_results_alone(mot, tmp_path, report_of):
    mot.dataset.format_results(mot.raw, str(tmp_path), metrics="track")
    report = gather_mot_folder(report_runs.empty_report(), str(tmp_path / "track"), None)
    assert report.tables == () == report.kinds
    assert all(video.truth is None and video.picture_paths is None for video in report.videos)
    assert sum(len(video.results) for video in report.videos) == sum(
        len(rows) for frame in mot.raw["track_bboxes"] for rows in frame
    )
    alone = report_of(mot, truth=False)
    assert [len(v.results) for v in alone.videos] == [len(v.results) for v in report.videos]


def test_what_is_refused(mot, vid, tmp_path, report_of, monkeypatch):
    with pytest.raises(ValueError, match="needs results with 'track_bboxes'"):
        report_of(mot._replace(results=vid.results))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no SEQUENCE\.txt"):
        gather_mot_folder(report_runs.empty_report(), str(tmp_path / "empty"), None)
    (tmp_path / "MOT17-02-FRCNN.txt").write_text("99,1,1,1,5,5,1,-1,-1,-1\n")
    with pytest.raises(ValueError, match="frame"):
        gather_mot_folder(report_runs.empty_report(), str(tmp_path), mot.dataset.img_prefix)
    monkeypatch.setattr(mot.dataset, "img_prefix", str(tmp_path))
    with pytest.raises(NoGroundTruth, match="no ground truth"):
        report_of(mot)
