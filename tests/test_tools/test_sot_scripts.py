"""The quick-start trackers of single objects through the tools, on miniature videos."""

from __future__ import annotations

import ast
import json
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
from launching import launch
from mmcv import Config
from tiny_project import read_rows

from mmtrack.core.evaluation import eval_sot_ope
from mmtrack.datasets import build_dataset
from mmtrack.datasets.converters.sot_benchmarks import (
    find_got10k,
    find_lasot,
    find_trackingnet,
    find_vot,
)
from mmtrack.datasets.converters.sot_video import write_infos
from mmtrack.datasets.synthetic.layouts import LAYOUTS

SIAMESE, STARK = "siamese_rpn_r50_synthetic-lasot", "stark_st1_r18_synthetic-lasot"
TRACKERS = (SIAMESE, STARK)
VIDEOS, FRAMES = 2, 6
STILL_BOX = "tools/analysis/sot/still_box_baseline.py"


def render(name, folder, **options):
    layout = LAYOUTS[name]
    chosen = replace(layout.options, size=(160, 96), people=3, frames=FRAMES, **options)
    folder.mkdir(parents=True)
    layout.write(folder, chosen, lambda: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Miniature data, with a config of each tracker and each benchmark."""
    folder = tmp_path_factory.mktemp("sot")
    data = folder / "data"
    render("lasot", data / "lasot", videos=1, test_videos=VIDEOS)
    render("imagenet-vid", data / "vid", videos=2, val_videos=0)
    render("vot", data / "vot", videos=VIDEOS)
    render("got10k", data / "got10k", videos=1, val_videos=0, test_videos=VIDEOS)
    render("trackingnet", data / "trackingnet", videos=1, test_videos=VIDEOS)
    lasot = data / "lasot" / "LaSOTBenchmark"
    for split in ("train", "test"):
        videos = find_lasot(lasot, split, ("person-1", "person-5"))
        write_infos(data / "lasot" / "annotations" / f"lasot_{split}_infos.txt", videos)
    for name, videos in (
        ("vot", find_vot(data / "vot")),
        ("got10k", find_got10k(data / "got10k", "test")),
        ("trackingnet", find_trackingnet(data / "trackingnet", "test")),
    ):
        write_infos(data / name / "infos.txt", videos)
    return folder


@pytest.fixture(scope="module")
def configs(folder, root):
    """Configs of both trackers for the miniature, by name."""
    written = {}
    for name in TRACKERS:
        cfg = Config.fromfile(root / "configs" / "quickstart" / f"{name}.py")
        text = cfg.pretty_text.replace("data/synthetic/sot", str(folder / "data"))
        cfg = Config.fromstring(text, ".py")
        cfg.merge_from_dict({
            "data.samples_per_gpu": 2, "data.samples_per_epoch": 4, "data.workers_per_gpu": 0,
            "total_epochs": 1, "evaluation.start": 1, "evaluation.interval": 1,
            "log_config.interval": 1, "lr_config.warmup_iters": 1,
        })  # fmt: skip
        for part in cfg.data.train.dataset_cfgs:
            part.bbox_min_size = 2
            if "min_num_frames" in part.pipeline[0]:
                part.pipeline[0].min_num_frames = 2
        written[name] = folder / f"{name}.py"
        cfg.dump(str(written[name]))
    return written


@pytest.fixture(scope="module")
def trained(configs, folder, run_script):
    """Work dir of each tracker after two iterations and a validation."""
    for name, config in configs.items():
        run_script(
            "tools/train.py", config, "--work-dir", folder / name, "--device", "cpu",
            "--seed", "0", cwd=folder,
        )  # fmt: skip
    return {name: folder / name for name in configs}


@pytest.fixture(scope="module")
def tested(configs, trained, folder, run_script):
    """Raw results and scores of each tracker, from one process."""
    found = {}
    for name, config in configs.items():
        out = folder / f"{name}.json"
        done = run_script(
            "tools/test.py", config, "--checkpoint", trained[name] / "latest.pth", "--device",
            "cpu", "--eval", "track", "--out", out, cwd=folder,
        )  # fmt: skip
        found[name] = json.loads(out.read_text())["track_bboxes"], printed_scores(done.stdout)
    return found


def printed_scores(text):
    """Scores that a script printed; None where one is undefined, as for videos so short."""
    line = next(line for line in reversed(text.splitlines()) if line.startswith("{"))
    return ast.literal_eval(line.replace("nan", "None"))


def with_test_set(config, folder, name, **settings):
    """The config with another data set to test on."""
    cfg = Config.fromfile(config)
    cfg.data.test.update(ann_file=str(folder / "data" / name / "infos.txt"), **settings)
    path = folder / f"{name}_{config.name}"
    cfg.dump(str(path))
    return path


@pytest.mark.parametrize("name", TRACKERS)
def test_trains_and_validates(trained, name):
    rows = read_rows(trained[name])
    losses = [row["loss"] for row in rows if row["mode"] == "train"]
    assert len(losses) == 2
    assert np.isfinite(losses).all()
    assert {"success", "norm_precision", "precision"} <= set(rows[-1])


@pytest.mark.parametrize("name", TRACKERS)
def test_scores_are_those_of_the_results(tested, trained, configs, name):
    results, scores = tested[name]
    dataset = build_dataset(Config.fromfile(configs[name]).data.test, {"test_mode": True})
    assert dataset.num_frames_per_video == [FRAMES] * VIDEOS
    assert np.shape(results) == (VIDEOS * FRAMES, 5)
    infos = [dataset.get_ann_infos_from_video(video) for video in range(VIDEOS)]
    boxes = np.array(results)[:, :4].reshape(VIDEOS, FRAMES, 4)
    for video, info in zip(boxes, infos, strict=True):
        np.testing.assert_allclose(video[0], info["bboxes"][0], atol=1e-4)
    expected = eval_sot_ope(
        list(boxes), [info["bboxes"] for info in infos], [info["visible"] for info in infos]
    )
    assert scores == {key: round(value, 3) for key, value in expected.items()}
    validated = read_rows(trained[name])[-1]
    assert {key: validated[key] for key in scores} == pytest.approx(scores, abs=1e-3)


def test_two_processes_equal_one(tested, trained, configs, folder, root):
    out = folder / "two.json"
    launch(
        root, "dist_test.sh", configs[SIAMESE], 2, "--checkpoint",
        trained[SIAMESE] / "latest.pth", "--device", "cpu", "--eval", "track", "--out", out,
        "--work-dir", folder / "two", cwd=folder,
    )  # fmt: skip
    results, scores = tested[SIAMESE]
    assert json.loads(out.read_text())["track_bboxes"] == results
    (log,) = (folder / "two").glob("eval_*.log.json")
    assert json.loads(log.read_text())["metric"] == scores


def test_vot_restarts_and_scores(trained, configs, folder, run_here):
    config = with_test_set(
        configs[SIAMESE], folder, "vot", type="VOTDataset", dataset_type="vot2018",
        img_prefix=str(folder / "data" / "vot"),
    )  # fmt: skip
    cfg = Config.fromfile(config)
    cfg.model.test_cfg.test_mode = "VOT"
    cfg.dump(str(config))
    out = folder / "vot.json"
    done = run_here(
        "tools/test.py", config, "--checkpoint", trained[SIAMESE] / "latest.pth", "--device",
        "cpu", "--eval", "track", "--eval-options", "interval=[1,5]", "--out", out,
    )  # fmt: skip
    assert done.status == 0, done.err
    rows = json.loads(out.read_text())["track_bboxes"]
    assert [rows[video * FRAMES] for video in range(VIDEOS)] == [[1.0, -1.0]] * VIDEOS
    fails = sum(row[0] == 2 for row in rows if len(row) == 2)
    scores = printed_scores(done.out)
    assert set(scores) == {"eao", "accuracy", "robustness", "num_fails"}
    assert scores["num_fails"] == fails
    assert scores["robustness"] == pytest.approx(100 * fails / (VIDEOS * FRAMES), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "kind", "members"),
    [
        ("got10k", "GOT10kDataset", "GOT-10k_Test_{0:06d}/GOT-10k_Test_{0:06d}_001.txt"),
        ("trackingnet", "TrackingNetDataset", "test{0:04d}_0.txt"),
    ],
)
def test_submission(trained, configs, folder, run_here, name, kind, members):
    config = with_test_set(
        configs[STARK], folder, name, type=kind, img_prefix=str(folder / "data" / name)
    )
    options = ["--checkpoint", trained[STARK] / "latest.pth", "--device", "cpu"]
    out = folder / f"{name}.json"
    done = run_here(
        "tools/test.py", config, *options, "--format-only", "--out", out,
        "--eval-options", f"resfile_path={folder / name}",
    )  # fmt: skip
    assert done.status == 0, done.err
    rows = np.array(json.loads(out.read_text())["track_bboxes"]).reshape(VIDEOS, FRAMES, 5)
    dataset = build_dataset(Config.fromfile(config).data.test, {"test_mode": True})
    with zipfile.ZipFile(folder / f"{name}.zip") as archive:
        assert archive.testzip() is None
        for video, frames in enumerate(rows):
            first = int(name == "got10k")
            text = archive.read(members.format(video + first)).decode()
            boxes = np.array([line.split(",") for line in text.split()], float)
            xywh = np.concatenate((frames[:, :2], frames[:, 2:4] - frames[:, :2]), 1)
            np.testing.assert_allclose(boxes, xywh, atol=1e-4)
            truth = dataset.get_bboxes_from_video(video)[0]
            np.testing.assert_allclose(boxes[0], truth, atol=1e-3)
        times = [member for member in archive.namelist() if member.endswith("_time.txt")]
        assert len(archive.namelist()) == VIDEOS + len(times)
        assert len(times) == VIDEOS * (name == "got10k")


def test_still_box_scores_as_a_tracker_that_does_not_move(configs, folder, run_here):
    done = run_here(STILL_BOX, configs[SIAMESE])
    assert done.status == 0, done.err
    dataset = build_dataset(Config.fromfile(configs[SIAMESE]).data.test, {"test_mode": True})
    infos = [dataset.get_ann_infos_from_video(video) for video in range(VIDEOS)]
    truth = [info["bboxes"] for info in infos]
    expected = eval_sot_ope(
        [np.tile(boxes[0], (FRAMES, 1)) for boxes in truth], truth,
        [info["visible"] for info in infos],
    )  # fmt: skip
    assert printed_scores(done.out) == {key: round(value, 3) for key, value in expected.items()}


def test_still_box_starts_again_in_vot(configs, folder, run_here):
    """A box of the first frame that the object leaves fails, waits four frames and starts anew."""
    video = folder / "moving"
    video.mkdir()
    corners = np.arange(12)[:, None] * 30 + np.array([10, 10])
    boxes = np.concatenate((corners, np.full((12, 2), 40)), 1)
    np.savetxt(video / "groundtruth.txt", boxes, delimiter=",")
    cv2.imwrite(str(video / "00000001.jpg"), np.zeros((400, 400, 3), np.uint8))
    (video / "infos.txt").write_text("# videos\n.,groundtruth.txt,1,12\n")
    test = dict(type="VOTDataset", ann_file=str(video / "infos.txt"), img_prefix=str(video),
                split="test", pipeline=[], test_mode=True, dataset_type="vot2018")  # fmt: skip
    config = video / "config.py"
    config.write_text(f"model = dict(test_cfg=dict(test_mode='VOT'))\ndata = dict(test={test!r})")
    with pytest.warns(UserWarning, match="EAO"):
        done = run_here(STILL_BOX, config)
    assert done.status == 0, done.err
    # frame 1 overlaps a ninth, frame 2 not at all; the start after it is frame 7, the next fail 9
    assert printed_scores(done.out)["num_fails"] == 2


def test_still_box_of_hidden_boxes(configs, folder, run_here):
    config = with_test_set(
        configs[STARK], folder, "got10k", type="GOT10kDataset",
        img_prefix=str(folder / "data" / "got10k"),
    )  # fmt: skip
    done = run_here(STILL_BOX, config)
    assert done.status == 1
    assert "not public" in done.err
