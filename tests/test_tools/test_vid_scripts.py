"""tools/train.py and tools/test.py with video detectors: alone, in two processes, in bfloat16."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
import torch
from launching import launch
from tiny_project import read_rows
from tiny_vid import FRAMES, IMAGES, KEY_FRAMES, VIDEOS, make_vid_project

SPEEDS = ("bbox_mAP_slow", "bbox_mAP_50_medium", "bbox_mAP_50_fast")


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    return make_vid_project(root, tmp_path_factory.mktemp("vid") / "project")


def metrics_of(folder):
    (path,) = folder.glob("eval_*.log.json")
    return json.loads(path.read_text())["metric"]


def load(path):
    with open(path, "rb") as file:
        return pickle.load(file)


def options_of(project, method, out):
    return [
        project / f"{method}.py", "--checkpoint", project / f"{method}.pth", "--device", "cpu",
        "--eval", "bbox", "--out", out / "results.pkl", "--work-dir", out,
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["selsa", "fgfa"])
def test_trains_resumes_and_validates(project, run_here, tmp_path, method):
    options = [
        project / f"{method}.py", "--device", "cpu", "--seed", "0", "--work-dir", tmp_path,
        "--cfg-options", "evaluation.interval=1", "checkpoint_config.interval=1",
        f"load_from={project / f'{method}.pth'}",
    ]  # fmt: skip
    assert run_here("tools/train.py", *options, "total_epochs=1").status == 0
    first = torch.load(tmp_path / "epoch_1.pth", weights_only=False)
    resume = ["total_epochs=2", "--resume-from", tmp_path / "epoch_1.pth"]
    assert run_here("tools/train.py", *options, *resume).status == 0
    last = torch.load(tmp_path / "epoch_2.pth", weights_only=False)
    per_epoch = first["meta"]["iter"]
    assert last["meta"]["iter"] == 2 * per_epoch
    assert per_epoch * {"selsa": 1, "fgfa": 4}[method] >= KEY_FRAMES + IMAGES
    changed = [k for k, v in first["state_dict"].items() if not v.equal(last["state_dict"][k])]
    frozen = torch.load(project / f"{method}.pth", weights_only=False)["state_dict"]
    frozen = {key for key in frozen if key.startswith("detector.backbone")}
    assert frozen
    assert not frozen & set(changed)
    trained = {"selsa": "roi_head.bbox_head.aggregator", "fgfa": "motion.predict_flow"}[method]
    assert any(trained in key for key in changed)
    rows = [row for row in read_rows(tmp_path) if row["mode"] == "val"]
    assert sorted({row["epoch"] for row in rows}) == [1, 2]
    assert all(speed in row for row in rows for speed in SPEEDS)
    losses = [row["loss"] for row in read_rows(tmp_path) if row["mode"] == "train"]
    assert np.isfinite(losses).all()


def test_two_processes_test_like_one(project, root, run_here, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    assert run_here("tools/test.py", *options_of(project, "selsa", one)).status == 0
    options = options_of(project, "selsa", two)
    launch(root, "dist_test.sh", options[0], 2, *options[1:], cwd=project)
    found = [load(folder / "results.pkl")["det_bboxes"] for folder in (one, two)]
    assert len(found[0]) == len(found[1]) == VIDEOS * FRAMES
    assert sum(len(rows) for frame in found[0] for rows in frame) > 0
    for a, b in zip(*found, strict=True):
        for rows, others in zip(a, b, strict=True):
            np.testing.assert_allclose(rows, others, rtol=1e-4, atol=1e-4)
    assert metrics_of(one).keys() == metrics_of(two).keys()
    for key, value in metrics_of(one).items():
        if key != "bbox_mAP_copypaste":
            assert metrics_of(two)[key] == pytest.approx(value, abs=2e-4), key


def test_two_processes_train_and_validate(project, root, run_here, tmp_path):
    options = ["--seed", "0", "--cfg-options", "data.samples_per_gpu=2", "total_epochs=1"]
    options += ["evaluation.interval=1", f"load_from={project / 'fgfa.pth'}"]
    launch(
        root, "dist_train.sh", project / "fgfa.py", 2, "--device", "cpu",
        "--work-dir", tmp_path / "train", *options, cwd=project,
    )  # fmt: skip
    (validated,) = [row for row in read_rows(tmp_path / "train") if row["mode"] == "val"]
    out = tmp_path / "test"
    args = options_of(project, "fgfa", out)
    args[2] = tmp_path / "train" / "latest.pth"
    assert run_here("tools/test.py", *args).status == 0
    for key in ("bbox_mAP", "bbox_mAP_50", *SPEEDS):
        assert metrics_of(out)[key] == pytest.approx(validated[key], abs=2e-3), key


def test_bf16(project, run_here, tmp_path):
    options = options_of(project, "fgfa", tmp_path)
    assert run_here("tools/test.py", *options, "--bf16").status == 0
    frames = load(tmp_path / "results.pkl")["det_bboxes"]
    assert len(frames) == VIDEOS * FRAMES
    assert all(np.isfinite(rows).all() for frame in frames for rows in frame)


def test_class_wise_table(project, run_here, tmp_path):
    options = options_of(project, "faster_rcnn", tmp_path)
    done = run_here("tools/test.py", *options, "--eval-options", "bbox_kwargs.classwise=True")
    assert done.status == 0
    text = done.out + done.err
    assert "| zebra" in text
    assert "AP zebra" in text
