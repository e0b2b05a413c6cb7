"""The scripts in tools/analysis/mot, as a user runs them."""

import csv
import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
from mmcv import Config

from mmtrack.datasets.converters import convert_mot_subset, find_sequences
from mmtrack.datasets.parsers.mot_txt import read_mot_txt
from oracles.crowds import crowd

SEARCH = "tools/analysis/mot/mot_param_search.py"
COMPARE = "tools/analysis/mot/compare_trackers.py"
ERRORS = "tools/analysis/mot/mot_error_visualize.py"
SORT = "configs/mot/deepsort/sort_faster-rcnn_fpn_4e_mot17-private.py"
OCSORT = "configs/mot/ocsort/ocsort_yolox_x_crowdhuman_mot17-private-half.py"
TRACKTOR = "configs/mot/tracktor/tracktor_faster-rcnn_r50_fpn_4e_mot17-private-half.py"


def outcome(run_here, *args):
    """Exit status and message of a script that runs inside this process."""
    done = run_here(*args)
    return done.status, done.err


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------ with a network
@pytest.fixture(scope="module")
def searched(tiny, run_script, tmp_path_factory):
    """A search of two thresholds with the small tracker."""
    folder = tmp_path_factory.mktemp("search")
    options = [
        tiny / "tracker.py", "--checkpoint", tiny / "tracker.pth", "--device", "cpu",
        "--work-dir", folder, "--workers", "2", "--out", folder / "raw.pkl",
        "--show-dir", folder / "shown",
        "--cfg-options", "model.tracker.match_iou_thrs.high=[0.1,0.6]",
        "model.tracker.init_track_thr=[0.26,0.27]",
    ]  # fmt: skip
    done = run_script(SEARCH, *options, cwd=tiny)
    return folder, options, done.stdout + done.stderr


def test_scores_are_those_of_the_test_script(searched, tiny, run_script, tmp_path):
    folder, _, _ = searched
    rows = read_csv(folder / "scores.csv")
    assert len(rows) == 4
    scores = [float(row["MOTA"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    raw = pickle.loads((folder / "raw.pkl").read_bytes())
    wanted = raw[3]
    assert wanted["settings"] == {"init_track_thr": 0.27, "match_iou_thrs.high": 0.6}
    run_script(
        "tools/test.py", tiny / "tracker.py", "--checkpoint", tiny / "tracker.pth",
        "--device", "cpu", "--eval", "track", "--out", tmp_path / "one.pkl",
        "--work-dir", tmp_path, "--cfg-options", "model.tracker.match_iou_thrs.high=0.6",
        "model.tracker.init_track_thr=0.27", cwd=tiny,
    )  # fmt: skip
    tracks = pickle.loads((tmp_path / "one.pkl").read_bytes())["track_bboxes"]
    assert sum(len(rows) for frame in tracks for rows in frame) > 0
    for ours, theirs in zip(wanted["track_bboxes"], tracks, strict=True):
        for one, two in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, two)
    (log,) = tmp_path.glob("eval_*.log.json")
    metric = json.loads(log.read_text())["metric"]
    row = next(
        r for r in rows if (r["init_track_thr"], r["match_iou_thrs.high"]) == ("0.27", "0.6")
    )
    assert float(row["MOTA"]) == pytest.approx(metric["MOTA"], abs=1e-4)


def test_best_config_and_pictures(searched, tiny):
    folder, _, text = searched
    best = read_csv(folder / "scores.csv")[0]
    tracker = Config.fromfile(folder / "best_config.py").model.tracker
    assert str(tracker.match_iou_thrs.high) == best["match_iou_thrs.high"]
    assert str(tracker.init_track_thr) == best["init_track_thr"]
    assert "4 combinations, sorted by MOTA" in text
    assert len(list((folder / "shown").rglob("*.png"))) == 12
    assert not list(folder.rglob("*.pkl.*"))


def test_a_second_search_runs_neither_network_nor_combinations(searched, tiny, run_script):
    folder, options, _ = searched
    (cache,) = (folder / "cache").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(before) == 4  # three videos and the identity
    wider = [str(o).replace("[0.1,0.6]", "[0.1,0.6,0.7]") for o in options]
    done = run_script(SEARCH, *wider, cwd=tiny)
    assert {path.name: path.stat().st_mtime_ns for path in cache.iterdir()} == before
    assert "frame" not in done.stdout
    assert len(read_csv(folder / "scores.csv")) == 6
    shutil.rmtree(folder / "scores")
    (cache / "000001.npz").unlink()
    done = run_script(SEARCH, *wider, cwd=tiny)
    assert "frame 5/5" in done.stdout, "only the missing video goes through the network"


def test_detections_of_other_weights_are_refused(searched, tiny, run_here):
    folder, _, _ = searched
    (cache,) = (folder / "cache").iterdir()
    status, error = outcome(
        run_here,
        SEARCH, tiny / "tracker.py", "--allow-random-weights", "--device", "cpu",
        "--work-dir", folder, "--cache", cache,
        "--cfg-options", "model.tracker.match_iou_thrs.high=[0.1]",
    )  # fmt: skip
    assert status == 1
    assert "computed with other weights" in error


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("model.tracker.num_frames_retain=30", "nothing to search"),
        ("model.tracker.num_frames_retain=[]", "num_frames_retain is an empty list"),
    ],
)
def test_empty_search_spaces(tiny, run_here, tmp_path, option, message):
    status, error = outcome(
        run_here, SEARCH, tiny / "tracker.py", "--work-dir", tmp_path, "--cfg-options", option
    )
    assert status == 1
    assert message in error


# ------------------------------------------------------------------ on files
@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two sequences with detections and ground truth."""
    folder = tmp_path_factory.mktemp("files")
    for seed, name in enumerate(("A", "B")):
        detections, truth = [], []
        for frame, (boxes, scores, _, owners) in enumerate(crowd(10, 25, seed=seed), 1):
            for box, score, owner in zip(boxes.tolist(), scores.tolist(), owners, strict=True):
                place = f"{box[0]},{box[1]},{box[2] - box[0]},{box[3] - box[1]}"
                detections.append(f"{frame},-1,{place},{score}")
                if owner >= 0:
                    truth.append(f"{frame},{owner + 1},{place},1,-1,-1,-1")
        for part, lines in (("det", detections), ("gt", truth)):
            path = folder / name / part / f"{part}.txt"
            path.parent.mkdir(parents=True)
            path.write_text("\n".join(lines) + "\n")
    return folder


def test_search_on_files(files, run_here, tmp_path):
    done = run_here(
        SEARCH, SORT, "--detections", files, "--gt", files, "--work-dir", tmp_path,
        "--sort-by", "IDF1", "--cfg-options", "model.tracker.match_iou_thr=[0.2,0.9]",
    )  # fmt: skip
    assert not done.status, done.err
    rows = read_csv(tmp_path / "scores.csv")
    assert [row["match_iou_thr"] for row in rows] == ["0.2", "0.9"]
    assert float(rows[0]["IDF1"]) > 0.5 > float(rows[1]["IDF1"])


def test_compare_on_files(files, run_here, tmp_path):
    done = run_here(COMPARE, SORT, OCSORT, "--detections", files, "--gt", files, "--out", tmp_path)
    assert not done.status, done.err
    rows = {(row["sequence"], row["tracker"][:6]): row for row in read_csv(tmp_path / "scores.csv")}
    assert set(rows) == {(s, t) for s in ("OVERALL", "A", "B") for t in ("sort_f", "ocsort")}
    assert float(rows["OVERALL", "ocsort"]["HOTA"]) > float(rows["OVERALL", "sort_f"]["HOTA"]) > 0.3
    assert all(int(row["FPS"]) > 0 for row in rows.values())
    assert "FPS" in done.out
    picture = cv2.imread(str(tmp_path / "hota.png"))
    assert picture.shape[1] > picture.shape[0] > 200


def test_trackers_that_read_frames_are_refused(files, run_here, tmp_path):
    status, error = outcome(
        run_here, COMPARE, TRACKTOR, "--detections", files, "--gt", files, "--out", tmp_path
    )
    assert status == 1
    assert "TracktorTracker looks at features of the frames" in error


PLAYED = """
import torch
from mmdet.models import DETECTORS

@DETECTORS.register_module()
class PlayedStreet(torch.nn.Module):
    def __init__(self, train_cfg=None, test_cfg=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def init_weights(self):
        pass

    def simple_test(self, img, img_metas, rescale=False):
        t = img_metas[0]["frame_id"] + 1
        rows = [[20 * i + t, 30, 20 * i + t + 15, 70, 0.4 + 0.1 * i] for i in (1, 2, 3)]
        return [[torch.tensor(rows).numpy()]]
"""


def test_compare_on_the_network(street, run_here, monkeypatch, tmp_path):
    """SORT sees all three people, or the two that score above 0.55."""
    folder, base, _ = street
    (tmp_path / "played_street.py").write_text(PLAYED)
    meta = ("filename", "ori_shape", "img_shape", "scale_factor", "frame_id")
    steps = [
        dict(type="LoadImageFromFile"), dict(type="Resize", keep_ratio=True),
        dict(type="Pad", size_divisor=1), dict(type="ImageToTensor", keys=["img"]),
        dict(type="VideoCollect", keys=["img"], meta_keys=meta, default_meta_keys=()),
    ]  # fmt: skip
    flip = dict(type="MultiScaleFlipAug", img_scale=(160, 120), flip=False, transforms=steps[1:])
    for name, thr in (("all", 0.3), ("some", 0.55)):
        tracker = dict(type="SortTracker", obj_score_thr=thr, match_iou_thr=0.3, reid=None)
        model = dict(
            type="DeepSORT", detector=dict(type="PlayedStreet"), tracker=tracker,
            motion=dict(type="KalmanFilter"),
        )  # fmt: skip
        (tmp_path / f"{name}.py").write_text(
            f"_base_ = {str(base)!r}\nmodel = {model!r}\ncustom_imports = "
            f"dict(imports=['played_street'])\ndata = dict(workers_per_gpu=0, "
            f"test=dict(pipeline={[steps[0], flip]!r}))\n"
        )
    monkeypatch.syspath_prepend(str(tmp_path))
    done = run_here(
        COMPARE, tmp_path / "all.py", tmp_path / "some.py", "--allow-random-weights",
        "--device", "cpu", "--out", tmp_path / "out",
    )  # fmt: skip
    assert not done.status, done.err
    rows = {row["tracker"]: row for row in read_csv(tmp_path / "out" / "scores.csv")[:2]}
    assert {name: int(row["FN"]) for name, row in rows.items()} == {"all": 0, "some": 4}
    assert float(rows["all"]["HOTA"]) == pytest.approx(1)
    assert "rules of MOT17" in done.out


# ------------------------------------------------------------------ errors of results
@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A short video in the layout of MOT17, its config, and results with known errors."""
    folder = tmp_path_factory.mktemp("MOT17")
    sequence = folder / "train" / "MOT17-02-FRCNN"
    (sequence / "img1").mkdir(parents=True)
    (sequence / "gt").mkdir()
    rows = []
    for t in range(1, 5):
        cv2.imwrite(str(sequence / "img1" / f"{t:06d}.jpg"), np.full((120, 160, 3), 90, np.uint8))
        rows += [f"{t},{i},{20 * i + t},30,15,40,1,1,1.0" for i in (1, 2, 3)]
    (sequence / "gt" / "gt.txt").write_text("\n".join(rows) + "\n")
    (sequence / "seqinfo.ini").write_text(
        "[Sequence]\nname=MOT17-02-FRCNN\nimDir=img1\nframeRate=30\nseqLength=4\nimWidth=160\n"
        "imHeight=120\nimExt=.jpg\n"
    )
    path = folder / "train_cocoformat.json"
    convert_mot_subset(find_sequences(folder / "train")).write(path)
    config = folder / "config.py"
    config.write_text(
        f"data = dict(test=dict(type='MOTChallengeDataset', ann_file='{path}', "
        f"img_prefix='{folder}/train', ref_img_sampler=None, "
        "pipeline=[dict(type='LoadImageFromFile')]))\n"
    )
    tracks = []
    for t in range(1, 5):
        now = [[i, 20 * i + t, 30, 20 * i + t + 15, 70, 0.9] for i in (1, 2)]
        if t == 3:
            now[0][0] = 7  # a switch
        if t == 4:
            now[1][1:5] = [120, 80, 135, 110]  # a miss and a false positive
        tracks.append([np.array(now, np.float32)])
    results = folder / "results.pkl"
    results.write_bytes(pickle.dumps({"track_bboxes": tracks}))
    return folder, config, results


def test_errors_are_listed_and_drawn(street, run_here, tmp_path):
    _, config, results = street
    done = run_here(ERRORS, config, "--result-file", results, "--out-dir", tmp_path)
    assert not done.status, done.err
    # object 3 is missed four times, object 2 once; track 7 comes and goes
    assert "all: {'FP': 1, 'FN': 5, 'IDSW': 2}" in done.out
    rows = read_csv(tmp_path / "errors.csv")
    assert len(rows) == 8
    switch = [row for row in rows if row["error"] == "IDSW"]
    assert [(r["frame"], r["track"], r["object"], r["track_before"]) for r in switch] == [
        ("3", "7", "1", "1"),
        ("4", "1", "1", "7"),
    ]
    jumps = read_csv(tmp_path / "jump_list.csv")
    assert [row["frame"] for row in jumps] == ["4", "3", "1", "2"]
    frames = sorted((tmp_path / "MOT17-02-FRCNN").glob("*.jpg"))
    assert len(frames) == 4
    assert (tmp_path / "MOT17-02-FRCNN.mp4").stat().st_size > 1000
    drawn = cv2.imread(str(frames[3])).astype(int)
    red = (drawn[..., 2] > 180) & (drawn[..., 1] < 100)
    assert red[75:115, 115:140].sum() > 30
    assert red[:, :100].sum() == 0


def test_results_without_tracks_and_unsafe_pickles(street, run_here, tmp_path):
    folder, config, _ = street
    other = tmp_path / "other.pkl"
    other.write_bytes(pickle.dumps({"det_bboxes": []}))
    status, error = outcome(run_here, ERRORS, config, "--result-file", other, "--out-dir", tmp_path)
    assert (status, "holds no 'track_bboxes'" in error) == (1, True)
    other.write_bytes(pickle.dumps(pickle.dumps))
    status, error = outcome(run_here, ERRORS, config, "--result-file", other, "--out-dir", tmp_path)
    assert (status, "the pickle would load" in error) == (1, True)


def test_dummy_results(street, run_here, tmp_path):
    folder, _, _ = street
    script = "tools/analysis/mot/mot_dummy_results.py"
    status, _ = outcome(run_here, script, folder / "train_cocoformat.json", tmp_path / "dummy")
    path = tmp_path / "dummy" / "MOT17-02-FRCNN.txt"
    assert not status
    assert len(read_mot_txt(path)) == 0
    path.write_text("1,1,0,0,9,9,1,-1,-1,-1\n")
    status, error = outcome(run_here, script, folder / "train_cocoformat.json", tmp_path / "dummy")
    assert (status, "has results" in error) == (1, True)
    (tmp_path / "x.json").write_text("{}")
    status, error = outcome(run_here, script, tmp_path / "x.json", tmp_path / "dummy")
    assert (status, "has no list of 'videos'" in error) == (1, True)
