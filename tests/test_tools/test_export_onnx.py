"""tools/deployment as processes: files that appear or do not, and their use without mmtrack."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

for _name in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(_name, reason="export to ONNX needs it")

from mmtrack.apis import init_model  # noqa: E402
from mmtrack.apis.export import OnnxModel  # noqa: E402
from mmtrack.models.mot.detections import detect_objects  # noqa: E402
from mmtrack.models.reid import BaseReID  # noqa: E402

SCRIPT = "tools/deployment/export_onnx.py"


@pytest.fixture(scope="module")
def exported(tiny, run_script, tmp_path_factory):
    """The detector of the tracker as a file, and what the script printed."""
    path = tmp_path_factory.mktemp("onnx") / "detector.onnx"
    done = run_script(
        SCRIPT, tiny / "tracker.py", tiny / "tracker.pth", "--output-file", path, "--verify"
    )
    return path, done.stdout


def test_file_and_report(exported):
    path, text = exported
    assert f"written: {path}" in text
    assert "boxes: largest difference" in text
    assert [p.name for p in path.parent.iterdir()] == ["detector.onnx"]
    metadata = OnnxModel(path).metadata
    assert metadata["part"] == "detector"
    assert metadata["model"] == "ByteTrack"
    assert metadata["config"] == "tracker.py"
    assert metadata["classes"] == ["box"]
    assert metadata["clips"] is False


def test_example_needs_no_mmtrack(exported, tiny, root, tmp_path):
    """Boxes of the frame in its own pixels, by a Python that refuses to import anything of ours."""
    path = sorted((tiny / "data" / "test" / "video_1").glob("*.png"))[0]
    frame = cv2.imread(str(path))
    frame = cv2.resize(frame, (192, 100))
    cv2.imwrite(str(tmp_path / "frame.png"), frame)
    script = root / "tools/deployment/onnx_detect.py"
    code = (
        "import sys, runpy\n"
        "for name in ('mmtrack', 'mmcv', 'mmdet', 'torch'): sys.modules[name] = None\n"
        f"sys.argv = [{str(script)!r}, *sys.argv[1:]]\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
    )
    arguments = [exported[0], "frame.png", "--score-thr", "0.2", "--out", "drawn.png"]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    found = np.array([[float(v) for v in (*row[3:7], row[2])] for row in rows])
    assert {row[1] for row in rows} == {"box"}
    expected = reference(tiny, frame)
    assert len(found) == len(expected) > 5
    by_place = lambda a: a[np.lexsort(np.round(a[:, :4], 0).T)]  # noqa: E731
    np.testing.assert_allclose(by_place(found), by_place(expected), atol=0.3)
    assert cv2.imread(str(tmp_path / "drawn.png")).shape == frame.shape


def test_example_refuses_other_files(exported, tiny, run_here, tmp_path):
    frame = sorted((tiny / "data" / "test" / "video_1").glob("*.png"))[0]
    script = "tools/deployment/onnx_detect.py"
    assert run_here(script, "none.onnx", frame).status == "error: none.onnx does not exist"
    done = run_here(script, exported[0], frame, "--reid", exported[0])
    assert done.status == f"error: {exported[0]} is no reid that export_onnx.py wrote"
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(b"no model")
    done = run_here(script, bad, frame)
    assert f"error: {bad} cannot be run by onnxruntime: " in str(done.status)


def reference(tiny, frame):
    """Boxes by the model itself, in pixels of the frame."""
    import torch

    from mmtrack.apis.export import Preprocessing

    model = init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")
    prepared = Preprocessing.of_pipeline(model.cfg.data.test.pipeline).apply(frame)
    scale = np.float32([*prepared.scale, *prepared.scale])
    metas = [{"scale_factor": scale, "img_shape": (*prepared.content, 3)}]
    with torch.no_grad():
        found = detect_objects(model.detector, prepared.image, metas, rescale=True).bboxes.numpy()
    return found[found[:, 4] >= 0.2]


def refused(run_here, *args):
    done = run_here(SCRIPT, *args)
    assert done.status == 1
    assert "Traceback" not in done.err
    return done.err


def test_bad_requests(run_here, tiny, tmp_path):
    out = ("--out", tmp_path / "model.onnx")
    config, weights = tiny / "tracker.py", ("--checkpoint", tiny / "tracker.pth")
    assert "ByteTrack has no part 'reid' to export; it has detector" in refused(
        run_here, config, *weights, *out, "--part", "reid"
    )
    assert "results would be random" in refused(run_here, config, *out)
    assert "do not fit ByteTrack" in refused(
        run_here, config, "--checkpoint", tiny / "detector.pth", *out
    )
    assert "must be of multiples of 32" in refused(
        run_here, config, *weights, *out, "--shape", "50", "96"
    )
    assert "image none.png does not exist" in refused(
        run_here, config, *weights, *out, "--input-img", "none.png"
    )
    assert "opset 11: the exporter writes 18" in refused(
        run_here, config, *weights, *out, "--opset", "11"
    )
    assert not list(tmp_path.iterdir())


def test_missing_package_is_named(run_here, tiny, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mmtrack.apis.export")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == "onnxscript" else object()
    )
    args = (tiny / "tracker.py", tiny / "tracker.pth", "--out", tmp_path / "model.onnx")
    assert "needs onnxscript: pip install onnxscript" in refused(run_here, *args)


def test_wrong_graph_is_not_written(run_here, tiny, tmp_path, monkeypatch):
    """A graph that leaves out what the model does."""
    plain = BaseReID.simple_test
    monkeypatch.setattr(BaseReID, "simple_test", lambda self, img: 2 * plain(self, img))
    args = (tiny / "reid.py", "--allow-random-weights", "--out", tmp_path / "model.onnx")
    message = refused(run_here, *args, "--verify")
    assert "embeds of call 0 differs from the model by" in message
    assert "(0.5 of its largest value)" in message
    assert not list(tmp_path.iterdir())


def test_comparison_of_nothing_is_told(run_here, tiny, tmp_path, monkeypatch):
    """A model that finds nothing in the frames agrees with every file."""
    monkeypatch.setattr("mmtrack.apis.export.build_onnx", lambda *args, **kwargs: b"")
    monkeypatch.setattr("mmtrack.apis.export.verify_onnx", lambda content, cases: [])
    args = (tiny / "tracker.py", tiny / "tracker.pth", "--out", tmp_path / "model.onnx")
    assert "no values were compared; --input-img" in run_here(SCRIPT, *args, "--verify").out
    assert "compared" not in run_here(SCRIPT, *args).out


@pytest.mark.slow
def test_every_part_of_a_tracker(run_script, root, tmp_path):
    config = root / "configs/quickstart/deepsort_yolox_tiny_synthetic-mot17.py"
    no_weights = ["model.detector.init_cfg=None", "model.reid.init_cfg=None"]
    done = run_script(
        SCRIPT, config, "--out", tmp_path / "deepsort.onnx", "--dynamic", "--verify",
        "--allow-random-weights", "--cfg-options", *no_weights,
        "model.detector.test_cfg.score_thr=0.00009",
    )  # fmt: skip
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"deepsort_detector.onnx", "deepsort_reid.onnx"}
    assert "embeds: largest difference" in done.stdout
    assert OnnxModel(tmp_path / "deepsort_reid.onnx").metadata["size"] == [128, 64]
