"""tools/test.py as a process, alone and as two processes of torchrun."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from launching import launch
from tiny_project import LENGTHS, read_rows

METRICS = ("bbox_mAP", "MOTA", "IDF1", "FP", "FN", "IDSw")


def metrics_of(folder):
    (path,) = folder.glob("eval_*.log.json")
    return json.loads(path.read_text())["metric"]


@pytest.fixture(scope="module")
def single(tiny, run_script, tmp_path_factory):
    """Results, metrics and pictures of one process."""
    out = tmp_path_factory.mktemp("single")
    done = run_script(
        "tools/test.py",
        tiny / "tracker.py",
        "--checkpoint",
        tiny / "tracker.pth",
        "--device",
        "cpu",
        "--eval",
        "bbox",
        "track",
        "--out",
        out / "results.pkl",
        "--work-dir",
        out,
        "--show-dir",
        out / "shown",
        cwd=tiny,
    )
    return out, done.stdout


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def test_results_of_one_process(single):
    out, text = single
    results = load(out / "results.pkl")
    assert set(results) == {"det_bboxes", "track_bboxes"}
    assert len(results["track_bboxes"]) == sum(LENGTHS)
    tracked = [len(frame[0]) for frame in results["track_bboxes"]]
    assert sum(tracked) > 0
    assert "OMP_WAIT_POLICY: PASSIVE" in text
    assert all(np.isfinite(metrics_of(out)[key]) for key in ("MOTA", "IDF1"))


def test_pictures_and_videos(single):
    out, _ = single
    for video, length in enumerate(LENGTHS, 1):
        folder = out / "shown" / "test" / f"video_{video}"
        assert len(list(folder.glob("*.png"))) == length
        assert folder.with_suffix(".mp4").stat().st_size > 1000


def test_two_processes_equal_one(single, tiny, root, tmp_path):
    launch(
        root,
        "dist_test.sh",
        tiny / "tracker.py",
        2,
        "--checkpoint",
        tiny / "tracker.pth",
        "--device",
        "cpu",
        "--eval",
        "bbox",
        "track",
        "--out",
        tmp_path / "results.pkl",
        "--work-dir",
        tmp_path,
        cwd=tiny,
    )
    one, two = load(single[0] / "results.pkl"), load(tmp_path / "results.pkl")
    for key in one:
        assert len(one[key]) == len(two[key])
        for a, b in zip(one[key], two[key], strict=True):
            np.testing.assert_array_equal(a[0], b[0])
    assert metrics_of(tmp_path) == metrics_of(single[0])


def test_two_processes_train_and_validate_like_one(tiny, root, run_script, tmp_path):
    launch(
        root,
        "dist_train.sh",
        tiny / "detector.py",
        2,
        "--device",
        "cpu",
        "--work-dir",
        tmp_path,
        "--seed",
        "0",
        "--cfg-options",
        "total_epochs=1",
        "evaluation.metric=bbox",
        "data.samples_per_gpu=1",
        cwd=tiny,
    )
    validated = read_rows(tmp_path)[-1]
    assert validated["mode"] == "val"
    run_script(
        "tools/test.py",
        tiny / "detector.py",
        "--checkpoint",
        tmp_path / "epoch_1.pth",
        "--device",
        "cpu",
        "--eval",
        "bbox",
        "--work-dir",
        tmp_path,
        cwd=tiny,
    )
    alone = metrics_of(tmp_path)
    for key, value in alone.items():
        if isinstance(value, float):
            assert round(value, 4) == round(validated[key], 4), key


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--eval", "tracks"], "did you mean track"),
        (["--eval", "track"], "no weights are given for ByteTrack"),
        (["--eval", "track", "--checkpoint", "detector.pth"], "they fit model.detector"),
        (["--eval", "track", "--checkpoint", "gone.pth"], "gone.pth"),
        (["--eval", "track", "--format-only"], "exclude each other"),
        ([], "nothing to do"),
        (["--checkpoint", "gone.pth"], "gone.pth"),
        (
            ["--checkpoint", "gone.pth", "--cfg-options", "evaluation.metric=None"],
            "has no evaluation.metric; give --eval",
        ),
        (["--out", "results.txt"], "must end in .pkl"),
    ],
    ids=[
        "metric",
        "no weights",
        "other model",
        "no file",
        "two tasks",
        "no task",
        "checkpoint alone",
        "no metric",
        "extension",
    ],
)
def test_bad_input_ends_in_one_message(tiny, run_here, monkeypatch, options, message):
    monkeypatch.chdir(tiny)
    done = run_here("tools/test.py", tiny / "tracker.py", "--device", "cpu", *options)
    assert done.status in (1, 2)
    assert message in done.err


def test_random_weights_on_demand_and_json(tiny, run_here, tmp_path):
    done = run_here(
        "tools/test.py",
        tiny / "detector.py",
        "--device",
        "cpu",
        "--allow-random-weights",
        "--out",
        tmp_path / "results.json",
        "--bf16",
        "--channels-last",
    )
    assert done.status == 0
    assert len(json.loads((tmp_path / "results.json").read_text())) == sum(LENGTHS)
