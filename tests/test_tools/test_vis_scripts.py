"""Training and testing of video instance segmentation from the command line."""

from __future__ import annotations

import json
import zipfile

import pytest
from tiny_project import read_rows
from tiny_vis import FRAMES, SIZE, make_vis_project


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_vis_project(tmp_path_factory.mktemp("vis"))


def test_train_evaluate_and_write_a_submission(project, run_here, tmp_path):
    work_dir = tmp_path / "run"
    common = ("--device", "cpu", "--seed", "0", "--work-dir", work_dir)
    assert run_here("tools/train.py", project / "config.py", *common).status == 0
    rows = read_rows(work_dir)
    assert {row["mode"] for row in rows} == {"train", "val"}
    assert {"loss_mask", "loss_match", "match_accuracy"} <= set(rows[0])
    assert "segm_mAP" in rows[-1]
    test = ("tools/test.py", project / "config.py", "--device", "cpu")
    weights = ("--checkpoint", work_dir / "latest.pth")
    done = run_here(*test, *weights, "--eval", "track_segm", "--out", tmp_path / "results.pkl")
    assert done.status == 0
    assert "segm_mAP" in done.out
    done = run_here(
        *test, *weights, "--format-only", "--eval-options", f"resfile_path={tmp_path / 'sub'}"
    )
    assert done.status == 0
    with zipfile.ZipFile(tmp_path / "sub" / "submission_file.zip") as archive:
        assert archive.namelist() == ["results.json"]
        tracks = json.loads(archive.read("results.json"))
    for track in tracks:
        assert set(track) == {"video_id", "score", "category_id", "segmentations"}
        assert track["video_id"] == 1
        assert 0 < track["score"] <= 1
        assert 1 <= track["category_id"] <= 40
        assert len(track["segmentations"]) == FRAMES
        sizes = {tuple(code["size"]) for code in track["segmentations"] if code}
        assert sizes == {(SIZE[1], SIZE[0])}


def test_drawn_frames(project, run_here, tmp_path):
    done = run_here(
        "tools/test.py",
        project / "config.py",
        *("--device", "cpu", "--checkpoint", project / "model.pth"),
        *("--show-dir", tmp_path / "drawn", "--out", tmp_path / "results.pkl"),
    )
    assert done.status == 0
    assert len(list((tmp_path / "drawn").rglob("*.jpg"))) == FRAMES
