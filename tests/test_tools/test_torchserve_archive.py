"""tools/torchserve/mmtrack2torchserve.py and the files of docker/serve."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import mmcv
import pytest
import torch

SCRIPT = "tools/torchserve/mmtrack2torchserve.py"
DOCKER = Path("docker/serve")

needs_archiver = pytest.mark.skipif(
    importlib.util.find_spec("model_archiver") is None,
    reason="torch-model-archiver is not installed (requirements/optional.txt)",
)


@pytest.fixture
def convert(run_here, tiny, tmp_path):
    """Convert the tracker of the tiny project; returns status and output."""

    def run(*args, checkpoint="tracker.pth", config="tracker.py"):
        files = [tiny / config, tiny / checkpoint]
        return run_here(SCRIPT, *files, "--output-folder", tmp_path / "store", *args)

    return run


def content(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@needs_archiver
def test_archive_holds_everything(convert, root, tiny, tmp_path, monkeypatch):
    # The archiver empties $TMPDIR/<model name> before it uses it; somebody's files may be there.
    theirs = tmp_path / "tmp" / "a-name" / "thesis.txt"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("years of work")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    done = convert("--model-name", "a-name", "--model-version", "2.1", "--max-frames", "7")
    assert done.status == 0, done.err
    assert theirs.read_text() == "years of work"
    store = tmp_path / "store"
    assert [path.name for path in store.iterdir()] == ["a-name.mar"]
    files = content(store / "a-name.mar")
    manifest = json.loads(files["MAR-INF/MANIFEST.json"])["model"]
    assert (manifest["modelName"], manifest["modelVersion"]) == ("a-name", "2.1")
    assert (
        files[manifest["handler"]]
        == (root / "tools" / "torchserve" / "mmtrack_handler.py").read_bytes()
    )
    settings = json.loads(files[manifest["configFile"]])
    assert (settings["limits"]["max_frames"], settings["limits"]["max_megabytes"]) == (7, 256)
    # TorchServe waits longer than a video may take, and for a large model to load
    assert (settings["responseTimeout"], settings["startupTimeout"]) == (1800, 600)
    assert settings["limits"]["max_seconds"] == 1500

    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    for name in ("mmtrack_config.py", "weights.pth"):
        (unpacked / name).write_bytes(files[name])
    own = mmcv.Config.fromfile(str(unpacked / "mmtrack_config.py"))
    assert own.model == mmcv.Config.fromfile(str(tiny / "tracker.py")).model
    packed = torch.load(unpacked / "weights.pth", weights_only=True)
    trained = torch.load(tiny / "tracker.pth", weights_only=True)
    assert packed["meta"] == {"CLASSES": ("box",)}
    assert packed["state_dict"].keys() == trained["state_dict"].keys()
    for key, value in trained["state_dict"].items():
        assert torch.equal(packed["state_dict"][key], value)


@needs_archiver
def test_parts_from_other_files_are_inside(convert, tiny, tmp_path):
    """A checkpoint of the detector, and a ReID model that the config takes from its own file."""
    reid = mmcv.Config.fromfile(str(tiny / "reid.py")).model.reid
    cfg = mmcv.Config.fromfile(str(tiny / "tracker.py"))
    settings = {
        "num_samples": 10,
        "img_scale": (64, 32),
        "img_norm_cfg": None,
        "match_score_thr": 2.0,
    }
    tracker = {"type": "SortTracker", "obj_score_thr": 0.2, "reid": settings}
    cfg.model = {
        "type": "DeepSORT",
        "detector": cfg.model.detector,
        "motion": {"type": "KalmanFilter", "center_only": False},
        "reid": {**reid, "init_cfg": {"type": "Pretrained", "checkpoint": f"{tmp_path}/reid.pth"}},
        "tracker": tracker,
    }
    cfg.dump(str(tmp_path / "deepsort.py"))
    from mmtrack.models import build_reid

    torch.manual_seed(1)
    weights = build_reid(reid).state_dict()
    torch.save({"state_dict": weights}, tmp_path / "reid.pth")
    done = convert("--model-name", "sort", config=tmp_path / "deepsort.py")
    assert done.status == 0, done.err
    (tmp_path / "w.pth").write_bytes(content(tmp_path / "store" / "sort.mar")["weights.pth"])
    packed = torch.load(tmp_path / "w.pth", weights_only=True)["state_dict"]
    for key, value in weights.items():
        assert torch.equal(packed[f"reid.{key}"], value)


@needs_archiver
def test_archive_is_replaced_only_on_request(convert, tmp_path):
    assert convert().status == 0
    path = tmp_path / "store" / "tracker.mar"  # of the name of the checkpoint
    path.write_bytes(b"precious")
    done = convert()
    assert done.status == 1
    assert f"{path} exists; --force replaces it" in done.err
    assert path.read_bytes() == b"precious"
    assert convert("-f").status == 0
    assert "weights.pth" in content(path)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model-name", "../evil"], "model name '../evil'"),
        (["--max-frames", "0"], "limit max_frames must be a positive number"),
        (["--max-seconds", "nan"], "limit max_seconds must be a positive number"),
        (["--cfg-options", "model.type=Nothing"], "Nothing"),
        (["--cfg-options", "USE_MMDET=True"], "Give the config of the whole model"),
        (["--cfg-options", "data.test.pipeline.0.type=LoadDetections"], "public detections"),
    ],
)
def test_bad_arguments_leave_nothing(convert, tmp_path, args, message):
    done = convert(*args)
    assert done.status == 1
    assert message in done.err
    assert not list(tmp_path.glob("store/*"))


def test_weights_that_do_not_fit(convert, tiny, tmp_path):
    torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    done = convert(checkpoint=tmp_path / "other.pth")
    assert done.status == 1
    assert "do not fit ByteTrack" in done.err
    assert not list(tmp_path.glob("store/*"))


def test_checkpoint_that_runs_code_is_refused(convert, tmp_path):
    class Attack:
        def __reduce__(self):
            return print, ("attacked",)

    torch.save({"state_dict": {"a": Attack()}}, tmp_path / "bad.pth")
    done = convert(checkpoint=tmp_path / "bad.pth")
    assert done.status == 1
    assert "asks to execute" in done.err
    assert "attacked" not in done.out


def test_archiver_that_is_missing(convert, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    done = convert()
    assert done.status == 1
    assert "pip install torch-model-archiver" in done.err
    assert not list(tmp_path.glob("store/*"))


def test_versions_of_the_image_are_those_of_the_requirements(root):
    text = (root / DOCKER / "Dockerfile").read_text()
    for name, packages in {
        "build": ("setuptools",),
        "runtime": ("torch", "torchvision"),
        "mminstall": ("mmcv", "mmdet"),
    }.items():
        lines = (root / "requirements" / f"{name}.txt").read_text().splitlines()
        for package in packages:
            (line,) = (x for x in lines if re.fullmatch(rf"{package}\W.*", x))
            assert re.search(rf'[ "]{re.escape(line)}[ "\n]', text), line


@pytest.mark.parametrize(
    ("tool", "file"), [("hadolint", "Dockerfile"), ("shellcheck", "entrypoint.sh")]
)
def test_files_of_the_image_are_linted(root, tool, file):
    program = shutil.which(tool, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip(f"{tool} is not installed (requirements/tests.txt)")
    done = subprocess.run(
        [program, str(root / DOCKER / file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_entrypoint_runs_other_commands_and_checks_its_settings(root):
    script = str(root / DOCKER / "entrypoint.sh")
    done = subprocess.run([script, "echo", "a  b"], capture_output=True, text=True, check=True)
    assert done.stdout == "a  b\n"
    env = {"PATH": os.environ["PATH"], "TOKEN_AUTH": "yes"}
    done = subprocess.run([script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "TOKEN_AUTH must be on or off, but is yes" in done.stderr


def test_room_of_the_image_for_requests_and_answers(root):
    """TorchServe must take what the limits of the archive allow, in base64 as well."""
    from mmtrack.apis.serving_request import Limits

    lines = (root / DOCKER / "config.properties").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    limits = Limits()
    assert int(settings["max_request_size"]) > limits.max_megabytes * 2**20 * 4 / 3
    assert int(settings["max_response_size"]) > limits.max_answer_megabytes * 2**20
