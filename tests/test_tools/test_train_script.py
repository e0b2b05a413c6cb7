"""tools/train.py as a process: it trains, validates, survives SIGKILL, and refuses nonsense."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tiny_project import EPOCHS, ITERATIONS, read_rows


def test_killed_training_resumes_to_the_same_end(resumed):
    best = "best_bbox_mAP_epoch_1.pth"
    assert resumed.files_at_kill == [best, "epoch_1.pth", "latest.pth"]
    killed = [row for row in resumed.rows_at_kill if row["mode"] == "train"]
    assert killed[-1]["epoch"] == 2
    assert killed[-1]["iter"] < ITERATIONS

    last = torch.load(resumed.work_dir / "latest.pth", map_location="cpu", weights_only=False)
    assert (last["meta"]["epoch"], last["meta"]["iter"]) == (EPOCHS, EPOCHS * ITERATIONS)
    assert last["optimizer"]["state"]  # momentum was kept
    rows = read_rows(resumed.work_dir)[len(resumed.rows_at_kill) :]
    trained = [(r["epoch"], r["iter"]) for r in rows if r["mode"] == "train"]
    expected = [(e, i) for e in range(2, EPOCHS + 1) for i in range(1, ITERATIONS + 1)]
    assert trained == expected


def test_validation_and_meta_data(resumed):
    rows = [r for r in read_rows(resumed.work_dir) if r["mode"] == "val"]
    assert [r["epoch"] for r in rows] == [1, 2, 3]
    assert all("bbox_mAP" in r for r in rows)
    meta = torch.load(resumed.work_dir / "latest.pth", weights_only=False)["meta"]
    assert meta["CLASSES"] == ("box",)
    assert meta["seed"] == 3
    assert "mmtrack_version" in meta
    assert (resumed.work_dir / "detector.py").is_file()


def test_best_checkpoint_is_kept(resumed):
    """Also when the first score is 0, which is a score."""
    rows = [r for r in read_rows(resumed.work_dir) if r["mode"] == "val"]
    best = max(rows, key=lambda r: r["bbox_mAP"])["epoch"]
    assert (resumed.work_dir / f"best_bbox_mAP_epoch_{best}.pth").is_file()


def test_losses_fall(resumed):
    losses = [r["loss"] for r in read_rows(resumed.work_dir) if r["mode"] == "train"]
    assert np.mean(losses[-ITERATIONS:]) < np.mean(losses[:ITERATIONS])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume-from", "nowhere.pth"], "nowhere.pth"),
        (["--cfg-options", "data.train.ann_file=gone.json"], "gone.json"),
        (
            ["--cfg-options", "data.val.ann_file=no_val.json"],
            "(FileNotFoundError; MMTRACK_TRACEBACK",
        ),
        (["--cfg-options", "log_config.hooks.0.type=DvcliveLoggerHook"], "pip install dvclive"),
        (["--auto-scale-lr"], "auto_scale_lr.base_batch_size is None"),
        (["--auto-resume", "--resume-from", "nowhere.pth"], "nowhere.pth"),
    ],
)
def test_bad_input_ends_in_one_line(tiny, run_here, tmp_path, options, message):
    done = run_here(
        "tools/train.py", tiny / "detector.py", "--device", "cpu", "--work-dir", tmp_path, *options
    )
    assert done.status == 1
    assert message in done.err


@pytest.mark.parametrize("workers", [0, 1])
def test_missing_image_ends_a_training_in_one_line(tiny, run_here, tmp_path, workers):
    data = json.loads((tiny / "data" / "train.json").read_text())
    data["images"][3]["file_name"] = "train/gone.png"
    (tmp_path / "train.json").write_text(json.dumps(data))
    done = run_here(
        "tools/train.py", tiny / "detector.py", "--device", "cpu", "--work-dir", tmp_path / "run",
        "--cfg-options", f"data.train.ann_file={tmp_path / 'train.json'}",
        f"data.workers_per_gpu={workers}",
    )  # fmt: skip
    assert done.status == 1
    image = tiny / "data" / "train" / "gone.png"
    assert f"\nerror: image {image} does not exist; check img_prefix" in f"\n{done.err}"
    assert "loading.py" not in done.err, "no traceback"


def test_weights_alone_cannot_be_resumed(tiny, run_here, tmp_path):
    done = run_here(
        "tools/train.py",
        tiny / "detector.py",
        "--device",
        "cpu",
        "--work-dir",
        tmp_path,
        "--resume-from",
        tiny / "detector.pth",
    )
    assert done.status == 1
    assert "lacks epoch, iter, optimizer" in done.err
    assert "load_from" in done.err


def test_resumed_run_equals_an_uninterrupted_one(tiny, run_here, tmp_path):
    """One batch holds the whole data set, so nothing random is left; averages are resumed too."""
    config = tmp_path / "averaged.py"
    config.write_text(
        f"_base_ = {str(tiny / 'detector.py')!r}\n"
        "custom_hooks = [dict(type='ExpMomentumEMAHook', momentum=0.1, priority=49)]\n"
    )
    options = [
        config, "--device", "cpu", "--seed", "0", "--no-validate", "--cfg-options",
        "data.samples_per_gpu=12", "data.train.pipeline.3.flip_ratio=0.0",
    ]  # fmt: skip
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run_here("tools/train.py", *options, "total_epochs=2", "--work-dir", whole)
    run_here("tools/train.py", *options, "total_epochs=1", "--work-dir", parts)
    run_here(
        "tools/train.py", *options, "total_epochs=2", "--work-dir", parts,
        "--resume-from", parts / "epoch_1.pth",
    )  # fmt: skip
    wanted, found = (
        torch.load(folder / "epoch_2.pth", weights_only=False)["state_dict"]
        for folder in (whole, parts)
    )
    assert wanted.keys() == found.keys()
    assert any(key.startswith("ema_") for key in wanted)
    for key, value in wanted.items():
        torch.testing.assert_close(found[key], value, rtol=1e-3, atol=1e-5, msg=key)


def test_reid_models_train_and_test(tiny, run_here, tmp_path):
    done = run_here("tools/train.py", tiny / "reid.py", "--device", "cpu", "--work-dir", tmp_path)
    assert done.status == 0
    (validated,) = [row for row in read_rows(tmp_path) if row["mode"] == "val"]
    done = run_here(
        "tools/test.py", tiny / "reid.py", "--device", "cpu", "--eval", "mAP", "CMC",
        "--checkpoint", tmp_path / "latest.pth", "--out", tmp_path / "embeds.pkl",
        "--work-dir", tmp_path,
    )  # fmt: skip
    assert done.status == 0
    (path,) = tmp_path.glob("eval_*.log.json")
    metrics = json.loads(path.read_text())["metric"]
    assert metrics["mAP"] == pytest.approx(validated["mAP"], abs=1e-3)
    assert 0 <= metrics["R1"] <= metrics["R5"] <= 1
