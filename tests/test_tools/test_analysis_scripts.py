"""The small tools beside training: printing configs, reading logs, publishing, benchmarking."""

from __future__ import annotations

import hashlib
import json
import re

import cv2
import mmcv
import numpy as np
import pytest
import torch
from tiny_project import EPOCHS, ITERATIONS


def write_log(path, epochs=3, length=4, evaluate=True):
    """A log as TextLoggerHook writes it; iteration times are epoch + 0.1 * iteration."""
    rows = [{"env_info": "x", "seed": 1}]
    for epoch in range(1, epochs + 1):
        for i in range(1, length + 1):
            rows.append(
                {
                    "mode": "train",
                    "epoch": epoch,
                    "iter": i,
                    "lr": 0.1,
                    "memory": 1,
                    "time": epoch + 0.1 * i,
                    "loss": 10.0 / (epoch * length + i),
                }
            )
        if evaluate:
            rows.append({"mode": "val", "epoch": epoch, "iter": 7, "bbox_mAP": 0.1 * epoch})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def tool(root):
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "analyze_logs", root / "tools" / "analysis" / "analyze_logs.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_print_config_resolves_bases_and_options(run_script, tmp_path):
    (tmp_path / "base.py").write_text("model = dict(a=1, b=dict(c=2))\n")
    (tmp_path / "leaf.py").write_text("_base_ = './base.py'\nmodel = dict(b=dict(d=3))\n")
    done = run_script(
        "tools/analysis/print_config.py", tmp_path / "leaf.py", "--options", "model.a=[1,2]"
    )
    text = done.stdout.split("Config:\n", 1)[1]
    printed = mmcv.Config.fromstring(text, ".py")
    assert printed.model == {"a": [1, 2], "b": {"c": 2, "d": 3}}


def test_plot_of_a_real_run(resumed, run_here, tmp_path):
    logs = sorted(resumed.work_dir.glob("*.log.json"))
    run_here(
        "tools/analysis/analyze_logs.py",
        "plot_curve",
        *logs,
        "--keys",
        "loss",
        "bbox_mAP",
        "--legend",
        "a",
        "b",
        "c",
        "d",
        "--title",
        "two runs",
        "--out",
        tmp_path / "new" / "c.png",
    )
    assert cv2.imread(str(tmp_path / "new" / "c.png")).shape[0] > 200


def test_curves_have_the_values_of_the_log(tool, tmp_path):
    log = tool.read_log(str(write_log(tmp_path / "a.json")))
    x, y, axis = tool.curve(log, "bbox_mAP")
    assert axis == "epoch"
    np.testing.assert_array_equal(x, [1, 2, 3])
    np.testing.assert_allclose(y, [0.1, 0.2, 0.3])
    x, y, axis = tool.curve(log, "loss")
    assert axis == "iter"
    np.testing.assert_array_equal(x, np.arange(1, 13))
    assert y[5] == 10.0 / (2 * 4 + 2)
    with pytest.raises(KeyError, match="no value 'mAP'; it has bbox_mAP, epoch, iter, loss"):
        tool.curve(log, "mAP")


def test_log_of_a_killed_run(tool, tmp_path):
    path = write_log(tmp_path / "a.json")
    path.write_text(path.read_text() + '{"mode": "train", "ep')
    assert len(tool.read_log(str(path)).train) == 12
    path.write_text('{"mode": "tr\n' + path.read_text())
    with pytest.raises(ValueError, match="a.json, line 1 is not json"):
        tool.read_log(str(path))
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="no entries"):
        tool.read_log(str(path))


@pytest.mark.parametrize(
    ("option", "means"),
    [([], {1: 1.3, 2: 2.3, 3: 3.3}), (["--include-outliers"], {1: 1.25, 2: 2.25, 3: 3.25})],
)
def test_training_times(run_here, tmp_path, option, means):
    path = write_log(tmp_path / "a.log.json")
    done = run_here("tools/analysis/analyze_logs.py", "cal_train_time", path, *option)
    assert done.status == 0
    assert f"Analyze train time of {path}" in done.out
    assert f"slowest epoch 3, average time is {means[3]:.4f}" in done.out
    assert f"fastest epoch 1, average time is {means[1]:.4f}" in done.out
    assert f"time std over epochs is {np.std(list(means.values())):.4f}" in done.out
    assert f"average iter time: {np.mean(list(means.values())):.4f} s/iter" in done.out


def test_publish_keeps_weights_and_names_the_content(resumed, run_here, tmp_path):
    source = resumed.work_dir / "latest.pth"
    done = run_here("tools/analysis/publish_model.py", source, tmp_path / "model.pth")
    (path,) = tmp_path.iterdir()
    match = re.fullmatch(r"model_(\d{8}_\d{6})-([0-9a-f]{8})\.pth", path.name)
    assert match, path.name
    assert str(path) in done.out
    stamps = [p.name.removesuffix(".log.json") for p in resumed.work_dir.glob("*.log.json")]
    assert match[1] == max(stamps)
    assert match[2] == hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    published, trained = (torch.load(p, weights_only=False) for p in (path, source))
    assert "optimizer" not in published
    assert published["meta"]["CLASSES"] == ("box",)
    assert published["state_dict"].keys() == trained["state_dict"].keys()
    assert all(torch.equal(v, trained["state_dict"][k]) for k, v in published["state_dict"].items())
    assert path.stat().st_size < 0.7 * source.stat().st_size


def test_publish_without_a_log_and_with_averages(run_here, tmp_path):
    source = tmp_path / "a.pth"
    state = {"w": torch.ones(2), "ema_w": torch.zeros(2)}
    torch.save({"state_dict": state, "optimizer": {}}, source)
    assert run_here("tools/analysis/publish_model.py", source, tmp_path / "out" / "b").status == 0
    (path,) = (tmp_path / "out").iterdir()
    assert re.fullmatch(r"b_\d{8}_\d{6}-[0-9a-f]{8}\.pth", path.name)
    assert set(torch.load(path)["state_dict"]) == {"w"}


def test_publish_refuses_other_files(run_here, tmp_path):
    torch.save({"w": 1}, tmp_path / "a.pth")
    done = run_here("tools/analysis/publish_model.py", tmp_path / "a.pth", tmp_path / "b")
    assert done.status == 1
    assert "no state_dict" in done.err


def test_benchmark_counts_and_reports(tiny, run_here):
    done = run_here(
        "tools/analysis/benchmark.py",
        tiny / "tracker.py",
        "--checkpoint",
        tiny / "tracker.pth",
        "--device",
        "cpu",
        "--log-interval",
        "3",
        "--max-images",
        "6",
        "--fuse-conv-bn",
    )
    assert done.status == 0
    assert len(re.findall(r"Done image", done.out)) == 2
    assert re.search(r"Overall: [\d.]+ img / s, [\d.]+ ms / img", done.out)


def test_log_covers_the_run(resumed):
    """The logs that the tools above read belong to a whole run."""
    rows = [
        json.loads(line)
        for p in sorted(resumed.work_dir.glob("*.log.json"))
        for line in p.read_text().splitlines()
    ]
    assert max(row.get("epoch", 0) for row in rows) == EPOCHS
    assert max(row.get("iter", 0) for row in rows if row.get("mode") == "train") == ITERATIONS
