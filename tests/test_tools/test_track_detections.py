"""tools/track_detections.py as a process, on detections of crowds and of a real street."""

import json
import re

import numpy as np
import pytest

from mmtrack.datasets.parsers.mot_txt import read_mot_txt
from oracles.crowds import crowd

CONFIGS = {
    "sort": "configs/mot/deepsort/sort_faster-rcnn_fpn_4e_mot17-private.py",
    "bytetrack": "configs/mot/bytetrack/bytetrack_yolox_x_crowdhuman_mot17-private-half.py",
    "ocsort": "configs/mot/ocsort/ocsort_yolox_x_crowdhuman_mot17-private-half.py",
}
SCRIPT = "tools/track_detections.py"


def score(text, name):
    """A column of the row OVERALL of the printed table."""
    header = next(line for line in text.splitlines() if "MOTA" in line).split()
    overall = next(line for line in text.splitlines() if line.startswith("OVERALL")).split()
    return float(overall[1 + header.index(name)])


@pytest.mark.parametrize("method", CONFIGS)
def test_a_street_is_tracked_and_scored(run_script, shared, tmp_path, method):
    train = shared / "data" / "MOT15" / "train"
    done = run_script(
        SCRIPT, CONFIGS[method], "--detections", train, "--gt", train, "--out", tmp_path / "out"
    )
    # the detections of the SORT paper miss about a quarter of the people
    assert 45 < score(done.stdout, "MOTA") < 75
    assert 40 < score(done.stdout, "HOTA") < 65
    assert "not scored: ADL-Rundle-6, KITTI-17, PETS09-S2L1" in done.stdout
    table = read_mot_txt(tmp_path / "out" / "TUD-Campus.txt")
    given = read_mot_txt(train / "TUD-Campus" / "det" / "det.txt")
    assert len(np.unique(table.ids)) > 4
    assert table.ids.min() >= 1
    pairs = np.column_stack((table.frames, table.ids))
    assert len(np.unique(pairs, axis=0)) == len(pairs), "an id twice in a frame"
    for frame in np.unique(table.frames):
        ours, theirs = table.boxes[table.frames == frame], given.boxes[given.frames == frame]
        distance = np.abs(ours[:, None] - theirs[None]).max(axis=2).min(axis=1)
        assert distance.max() < 1e-3, f"frame {frame}: a box that was not given"


def test_detections_as_json_and_gaps_filled(run_script, tmp_path):
    content, truth = {}, []
    for frame, (boxes, scores, _, owners) in enumerate(crowd(6, 30, miss=0.2, weak=0), 1):
        rows = np.column_stack((boxes, scores))
        content[f"S/img1/{frame:06d}.jpg"] = [rows.tolist()]
        truth += [
            f"{frame},{owner + 1},{x1},{y1},{x2 - x1},{y2 - y1},1,-1,-1,-1"
            for owner, (x1, y1, x2, y2) in zip(owners, boxes.tolist(), strict=True)
            if owner >= 0
        ]
    (tmp_path / "d.json").write_text(json.dumps(dict(det_bboxes=content)))
    (tmp_path / "gt" / "S" / "gt").mkdir(parents=True)
    (tmp_path / "gt" / "S" / "gt" / "gt.txt").write_text("\n".join(truth))
    rows = {}
    for name, extra in (("plain", []), ("filled", ["--interpolate"])):
        done = run_script(
            SCRIPT, CONFIGS["bytetrack"], "--detections", tmp_path / "d.json",
            "--gt", tmp_path / "gt", "--out", tmp_path / name, *extra,
        )  # fmt: skip
        assert re.search(r"Scores \(rules of MOT15\)", done.stdout)
        rows[name] = len(read_mot_txt(tmp_path / name / "S.txt"))
    assert rows["filled"] > rows["plain"]


def test_a_video_without_detections_is_normal(run_script, tmp_path):
    (tmp_path / "d.json").write_text(json.dumps(dict(det_bboxes={"S/img1/000002.jpg": [[]]})))
    run_script(
        SCRIPT, CONFIGS["sort"], "--detections", tmp_path / "d.json", "--out", tmp_path / "o"
    )
    assert (tmp_path / "o" / "S.txt").read_text() == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,-1,10,20,30,nan,0.9\n", r"line 1.*not finite"),
        ("1,-1,10,20\n", "4 columns, expected 6 to 10"),
        ("1,-1,10,20,30,x,0.9\n", "line 1: column 6 is 'x'"),
    ],
    ids=["nan", "columns", "text"],
)
def test_a_broken_file_is_named(run_script, tmp_path, text, message):
    (tmp_path / "S.txt").write_text(text)
    done = run_script(
        SCRIPT, CONFIGS["sort"], "--detections", tmp_path, "--out", tmp_path / "o", check=False
    )
    assert done.returncode == 1
    assert re.search(message, done.stderr)
    assert "S.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_config_without_a_tracker_is_refused(run_script, tmp_path):
    (tmp_path / "S.txt").write_text("1,-1,10,20,30,40,0.9\n")
    done = run_script(
        SCRIPT, "configs/det/faster-rcnn_r50_fpn_4e_mot17-half.py", "--detections", tmp_path,
        "--out", tmp_path / "o", check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no tracker and no motion" in done.stderr
