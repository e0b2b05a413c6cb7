"""demo/demo_mot_vis.py: videos and folders in, videos, folders and text out."""

from __future__ import annotations

import importlib.util
import runpy
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tiny_project import LENGTHS

from mmtrack.apis import inference_mot, init_model
from mmtrack.core.visualization import VideoFileWriter, open_source
from mmtrack.datasets.parsers.mot_txt import read_mot_txt

FRAMES = LENGTHS[0]
SCRIPT = "demo/demo_mot_vis.py"


@pytest.fixture
def demo(root, tiny, monkeypatch, capsys):
    """Run the demo inside this process, which saves its start-up."""

    def run(*args):
        base = [tiny / "tracker.py", "--checkpoint", tiny / "tracker.pth", "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, (*base, *args))])
        try:
            runpy.run_path(str(root / SCRIPT), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


@pytest.fixture
def folder(tiny):
    return tiny / "data" / "test" / "video_1"


@pytest.fixture
def video(folder, tmp_path):
    path = tmp_path / "in.mp4"
    with VideoFileWriter(path, 29.97) as writer:
        for image in sorted(folder.glob("*.png")):
            writer.write(cv2.imread(str(image)))
    return path


def as_jpeg(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], 1)


def test_video_to_video_and_text_as_a_user_runs_it(run_script, tiny, video, tmp_path):
    done = run_script(
        SCRIPT,
        tiny / "tracker.py",
        "--checkpoint",
        tiny / "tracker.pth",
        "--device",
        "cpu",
        "--input",
        video,
        "--output",
        tmp_path / "out.mp4",
        "--out-txt",
        tmp_path / "out.txt",
    )
    assert f"frame {FRAMES}/{FRAMES}" in done.stdout
    assert "FPS" in done.stdout
    source = open_source(str(tmp_path / "out.mp4"))
    assert source.length == FRAMES
    assert source.fps == pytest.approx(29.97, abs=0.01)
    # The text holds what the model answers for the decoded frames.
    model = init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")
    table = read_mot_txt(tmp_path / "out.txt")
    for i, image in enumerate(open_source(str(video))):
        tracks = inference_mot(model, image, frame_id=i)["track_bboxes"][0]
        rows = table[table.frames == i + 1]
        order, wanted = np.argsort(rows.ids), tracks[np.argsort(tracks[:, 0])]
        np.testing.assert_array_equal(rows.ids[order], wanted[:, 0])
        corners = np.column_stack([rows.boxes[:, :2], rows.boxes[:, :2] + rows.boxes[:, 2:]])
        np.testing.assert_allclose(corners[order], wanted[:, 1:5], atol=2e-3)
    assert len(table) > 0


def test_folder_to_folder(demo, folder, tmp_path):
    done = demo("--input", folder, "--output", tmp_path / "out")
    assert done.status == 0
    drawn = list(open_source(str(tmp_path / "out")))
    assert len(drawn) == FRAMES
    plain = [as_jpeg(image) for image in open_source(str(folder))]
    assert not any(np.array_equal(a, b) for a, b in zip(drawn, plain, strict=True))


def test_rate_of_the_output(demo, folder, tmp_path):
    demo("--input", folder, "--output", tmp_path / "a.mp4", "--fps", "7.5", "--backend", "plt")
    assert open_source(str(tmp_path / "a.mp4")).fps == pytest.approx(7.5)


def test_score_threshold_hides_boxes(demo, folder, tmp_path):
    demo("--input", folder, "--output", tmp_path / "out", "--score-thr", "1.1")
    shown = list(open_source(str(tmp_path / "out")))
    plain = [as_jpeg(image) for image in open_source(str(folder))]
    np.testing.assert_array_equal(shown, plain)


def test_speed_options(demo, folder, tmp_path):
    done = demo("--input", folder, "--out-txt", tmp_path / "a.txt", "--bf16", "--channels-last")
    assert done.status == 0
    assert len(read_mot_txt(tmp_path / "a.txt")) > 0


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("missing", "does not exist"),
        ("empty folder", "holds no images"),
        ("broken video", "cannot be read as a video"),
        ("broken image", "000003.png is truncated"),
        ("full output", "is not empty"),
        ("no output", "nothing to do"),
        ("rate", "must be positive"),
        ("weights", "do not fit"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(demo, folder, tiny, tmp_path, case, message):
    source, options = folder, ["--output", tmp_path / "out.mp4"]
    if case == "missing":
        source = tmp_path / "gone.mp4"
    elif case == "empty folder":
        source = tmp_path / "empty"
        source.mkdir()
    elif case == "broken video":
        source = tmp_path / "b.mp4"
        source.write_bytes(b"no video")
    elif case == "broken image":
        source = tmp_path / "frames"
        source.mkdir()
        for path in folder.glob("*.png"):
            (source / path.name).write_bytes(path.read_bytes())
        data = (source / "000003.png").read_bytes()
        (source / "000003.png").write_bytes(data[: len(data) // 2])
    elif case == "full output":
        options = ["--output", folder]
    elif case == "no output":
        options = []
    elif case == "rate":
        options += ["--fps", "0"]
    elif case == "weights":
        options += ["--cfg-options", "model.detector.bbox_head.num_classes=3"]
    done = demo("--input", source, *options)
    assert done.status in (1, 2)
    assert message in done.err
    assert not list(tmp_path.glob("*out.mp4*"))
    assert not list(tmp_path.glob(".out*"))


def test_recorder_of_a_video_without_tracks(root, tmp_path):
    spec = importlib.util.spec_from_file_location("demo_mot_vis", root / SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recorder = module.TrackRecorder()
    assert len(recorder.table()) == 0
    recorder.add(0, {"track_bboxes": [np.zeros((0, 6), np.float32)]})
    recorder.add(4, {"track_bboxes": [np.array([[2, 10, 20, 30, 50, 0.5]], np.float32)]})
    table = recorder.table()
    np.testing.assert_array_equal(table.frames, [5])
    np.testing.assert_array_equal(table.boxes, [[10, 20, 20, 30]])
