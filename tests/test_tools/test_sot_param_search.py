"""sot_siamrpn_param_search.py: the scores of separate runs, resumed runs, several processes."""

from __future__ import annotations

import csv
import itertools
import os
import socket
import subprocess
import sys

import mmcv
import numpy as np
import pytest
from tiny_sot import LENGTHS, make_sot_project

from mmtrack.apis import init_model, single_gpu_test
from mmtrack.apis.siamrpn_search import Score, parse_range, rank
from mmtrack.datasets import build_dataloader, build_dataset
from mmtrack.models.track_heads.siamese_rpn_head import TrackSettings
from mmtrack.utils import build_dp

SCRIPT = "tools/analysis/sot/sot_siamrpn_param_search.py"
RANGES = ["--penalty-k-range", "0,0.31,0.3", "--win-infu-range", "0.2,0.9,0.5"]
VALUES = list(itertools.product((0.0, 0.3), (0.2, 0.7), (0.38,)))  # penalty, window, lr


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_sot_project(tmp_path_factory.mktemp("sot"))


@pytest.fixture
def base(project):
    return [project / "siamrpn.py", "--checkpoint", project / "siamrpn.pth", "--device", "cpu"]


@pytest.fixture(scope="module")
def expected(project):
    """Scores of a separate test run for each combination."""
    scores = {}
    for penalty_k, window_influence, lr in VALUES:
        rpn = {"penalty_k": penalty_k, "window_influence": window_influence, "lr": lr}
        model = init_model(
            str(project / "siamrpn.py"),
            str(project / "siamrpn.pth"),
            device="cpu",
            cfg_options={f"model.test_cfg.rpn.{key}": value for key, value in rpn.items()},
        )
        dataset = build_dataset(model.cfg.data.test, {"test_mode": True})
        loader = build_dataloader(dataset, 1, 0, dist=False, shuffle=False)
        results = single_gpu_test(build_dp(model, "cpu"), loader)
        scores[penalty_k, window_influence, lr] = dataset.evaluate(results, logger="silent")
    assert len({each["success"] for each in scores.values()}) > 1, "settings must matter"
    return scores


def read_table(folder):
    with open(folder / "scores.csv") as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def check_table(folder, expected):
    rows = read_table(folder)
    assert len(rows) == len(expected)
    for row in rows:
        scores = expected[row["penalty_k"], row["window_influence"], row["lr"]]
        for key, value in scores.items():
            assert row[key] == pytest.approx(value, abs=2e-3)
    successes = [row["success"] for row in rows]
    assert successes == sorted(successes, reverse=True)


def test_equals_separate_runs(run_script, project, base, expected, tmp_path):
    out = tmp_path / "out"
    done = run_script(SCRIPT, *base, *RANGES, "--out", out, "--eval", "track")
    check_table(out, expected)
    assert "sorted by success" in done.stderr + done.stdout
    assert "sorted by success" in (out / "search.log").read_text()
    assert f"frame {sum(LENGTHS)}/{sum(LENGTHS)}" in done.stdout
    best = mmcv.Config.fromfile(str(out / "best_config.py"))
    first = read_table(out)[0]
    assert dict(best.model.test_cfg.rpn) == {
        key: first[key] for key in ("penalty_k", "window_influence", "lr")
    }
    assert best.data.test.type == "LaSOTDataset"


def test_goes_on_where_it_was(run_here, base, expected, tmp_path):
    out = tmp_path / "out"
    options = [*base, *RANGES, "--out", out, "--show-dir", tmp_path / "drawn"]
    assert run_here(SCRIPT, *options).status == 0
    (out / "videos" / "000001.npz").unlink()
    (out / "scores.csv").unlink()
    before = (out / "videos" / "000000.npz").stat().st_mtime_ns
    done = run_here(SCRIPT, *options)
    assert f"frame {LENGTHS[1]}/{LENGTHS[1]}" in done.out
    assert (out / "videos" / "000000.npz").stat().st_mtime_ns == before
    check_table(out, expected)
    assert len(list((tmp_path / "drawn").rglob("*.jpg"))) == sum(LENGTHS)
    # another search does not mix with this one
    done = run_here(SCRIPT, *base, "--lr-range", "0.1,0.3,0.1", "--out", out)
    assert done.status == 1
    assert "was computed with other settings" in done.err


def test_two_processes(root, base, expected, tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    config, *options = map(str, base)
    done = subprocess.run(
        [
            str(root / "tools/analysis/sot/dist_sot_siamrpn_param_search.sh"),
            *(config, "2", *options, *RANGES),
            *("--out", str(tmp_path / "out")),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PORT": port, "PYTHON": sys.executable, "PYTHONPATH": str(root)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    check_table(tmp_path / "out", expected)


@pytest.fixture
def run_in_place(run_here, base, tmp_path):
    return lambda *options: run_here(SCRIPT, *base, "--out", tmp_path / "out", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to search: give --penalty-k-range"),
        (["--lr-range", "0.3,0.3,0.1"], "--lr-range 0.3,0.3,0.1: the range is empty"),
        (["--lr-range", "0.5,0.3,0.1"], "the range is empty"),
        (["--lr-range", "0.1,0.3,0"], "the step must be above zero"),
        (["--lr-range", "0.1,0.3"], "expected start,stop,step"),
        (["--win-influ-range", "0.1,nan,0.1"], "--win-influ-range 0.1,nan,0.1: expected"),
        (["--penalty-k-range", "a,b,c"], "expected start,stop,step"),
        (["--lr-range", "0.1,0.3,0.1", "--eval", "bbox"], "--eval bbox"),
        (["--lr-range", "0.1,0.3,0.1", "--cfg-options", "model.type=Stark"], "not SiamRPN"),
        (
            ["--lr-range", "0.1,0.3,0.1", "--cfg-options", "data.test.type=GOT10kDataset"],
            "are not public",
        ),
        (["--lr-range", "0.1,0.3,0.1", "--max-crops", "0"], "--max-crops must be at least 1"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(run_in_place, tmp_path, options, message):
    done = run_in_place(*options)
    assert done.status in (1, 2)
    assert message in done.err
    assert not (tmp_path / "out").exists()


def test_ranges_are_decimal_and_leave_the_stop_out():
    assert parse_range("0.01,0.22,0.05", "x") == [0.01, 0.06, 0.11, 0.16, 0.21]
    assert parse_range("0.3, 0.45, 0.02", "x") == [0.3, 0.32, 0.34, 0.36, 0.38, 0.4, 0.42, 0.44]
    assert parse_range("0,0.3,0.1", "x") == [0, 0.1, 0.2]
    assert parse_range("0,1,0.4", "x") == [0, 0.4, 0.8]


def test_undefined_scores_come_last():
    scores = [
        Score(TrackSettings(i, 0, 0), {"eao": value, "accuracy": -i})
        for i, value in enumerate((0.2, np.nan, 0.4))
    ]
    ranked, key = rank(scores, "eao")
    assert ([s.settings.penalty_k for s in ranked], key) == ([2, 0, 1], "eao")
    assert rank(scores, "auto")[1] == "eao"
