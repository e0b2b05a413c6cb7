"""The script that plots curves, from result files to the picture."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from mmtrack.core.evaluation import eval_sot_ope

SCRIPT = "tools/analysis/sot/plot_sot_curves.py"


@pytest.fixture
def project(tmp_path):
    """Config, ground truth and results of two trackers."""
    rng = np.random.default_rng(1)
    lines, truth = ["# videos"], {}
    for name in ("car1", "group1_2"):
        corner = 100 + np.cumsum(rng.normal(0, 3, (30, 2)), 0)
        truth[name] = np.concatenate((corner, np.full((30, 2), 40.0)), 1)
        np.savetxt(tmp_path / f"{name}.txt", truth[name], delimiter=",")
        lines.append(f"seq/{name},{name}.txt,1,30")
    (tmp_path / "infos.txt").write_text("\n".join(lines))
    test = dict(type="UAV123Dataset", ann_file=str(tmp_path / "infos.txt"), split="test",
                img_prefix=str(tmp_path), pipeline=[], test_mode=True)  # fmt: skip
    (tmp_path / "config.py").write_text(f"data = dict(test={test!r})\n")
    (tmp_path / "still").mkdir()
    for name, boxes in truth.items():
        np.savetxt(tmp_path / "still" / f"{name}.txt", np.tile(boxes[0], (30, 1)), delimiter=",")
    noisy = np.concatenate([boxes + rng.normal(0, 2, boxes.shape) for boxes in truth.values()])
    noisy[:, 2:] += noisy[:, :2]
    rows = [[*row, 1.0] for row in noisy.tolist()]
    (tmp_path / "noisy.json").write_text(json.dumps({"track_bboxes": rows}))
    corners = [np.concatenate((b[:, :2], b[:, :2] + b[:, 2:]), 1) for b in truth.values()]
    scores = eval_sot_ope([noisy[:30], noisy[30:]], corners)
    return tmp_path, scores


def test_picture_and_table(project, run_script):
    folder, scores = project
    done = run_script(
        SCRIPT, folder / "config.py", "--out", folder / "curves.png", "--title", "two videos",
        "--results", f"noisy={folder / 'noisy.json'}", f"still={folder / 'still'}",
    )  # fmt: skip
    assert cv2.imread(str(folder / "curves.png")) is not None
    row = next(line for line in done.stdout.splitlines() if line.startswith("noisy")).split()
    assert row[1:] == [f"{scores[k]:.1f}" for k in ("success", "norm_precision", "precision")]


def test_bad_input(project, run_here):
    folder, _ = project
    for results, message in (
        ("noisy.json", "expected NAME=PATH"),
        (f"a={folder / 'other.json'}", "no results"),
    ):
        done = run_here(
            SCRIPT, folder / "config.py", "--out", folder / "a.png", "--results", results
        )
        assert done.status == 1
        assert message in done.err
