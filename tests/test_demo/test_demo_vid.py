"""demo/demo_vid.py: a video in, a video with the detections of every frame out."""

from __future__ import annotations

import runpy
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tiny_vid import FRAMES, make_vid_project

from mmtrack.apis import inference_vid, init_model
from mmtrack.core.visualization import open_source, style_for

SCRIPT = "demo/demo_vid.py"


@pytest.fixture(scope="module")
def project(root, tmp_path_factory):
    return make_vid_project(root, tmp_path_factory.mktemp("vid") / "project")


@pytest.fixture
def folder(project):
    return project / "data" / "Data" / "VID" / "val" / "ILSVRC2015_val_00000000"


@pytest.fixture
def demo(root, project, monkeypatch, capsys):
    """Run the demo inside this process, which saves its start-up."""

    def run(*args, method="selsa"):
        base = [project / f"{method}.py", "--checkpoint", project / f"{method}.pth"]
        monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, (*base, "--device", "cpu", *args))])
        try:
            runpy.run_path(str(root / SCRIPT), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


def as_jpeg(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], 1)


def drawn_by_hand(project, folder, method, score_thr, **sampler):
    """Frames as the documented functions draw them, one after the other."""
    model = init_model(str(project / f"{method}.py"), str(project / f"{method}.pth"), device="cpu")
    for number, path in enumerate(sorted(folder.glob("*.JPEG"))):
        image = cv2.imread(str(path))
        result = inference_vid(model, image, number, sampler)
        scale = style_for(image).font_scale
        yield model.show_result(image, result, score_thr=score_thr, thickness=1, font_scale=scale)


def test_folder_to_video_as_a_user_runs_it(run_script, project, folder, tmp_path):
    done = run_script(
        SCRIPT,
        project / "fgfa.py",
        *("--checkpoint", project / "fgfa.pth"),
        *("--device", "cpu"),
        *("--input", folder),
        *("--output", tmp_path / "out.mp4"),
        *("--score-thr", "0.1"),
        *("--fps", "7.5"),
    )
    assert f"frame {FRAMES}/{FRAMES}" in done.stdout
    assert "FPS" in done.stdout
    source = open_source(str(tmp_path / "out.mp4"))
    assert (source.length, source.fps) == (FRAMES, pytest.approx(7.5))


@pytest.mark.parametrize(
    ("method", "options", "stride", "left"),
    [
        ("selsa", (), 10, 10),  # its tests spread references over the whole video
        ("fgfa", (), 1, 7),
        ("fgfa", ("--frame-stride", "2", "--num-left-ref-imgs", "1"), 2, 1),
    ],
)
def test_frames_are_those_of_inference_vid(
    demo, project, folder, tmp_path, method, options, stride, left
):
    options = ("--score-thr", "0.1", "--thickness", "1", *options)
    out = tmp_path / "frames"
    assert demo("--input", folder, "--output", out, *options, method=method).status == 0
    found = list(open_source(str(out)))
    assert len(found) == FRAMES
    expected = drawn_by_hand(
        project, folder, method, 0.1, frame_stride=stride, num_left_ref_imgs=left
    )
    for image, frame, wanted in zip(found, open_source(str(folder)), expected, strict=True):
        assert np.abs(image.astype(int) - frame).max() > 60, "boxes are drawn"
        np.testing.assert_array_equal(image, as_jpeg(wanted))


def test_default_threshold_leaves_uncertain_boxes_out(demo, folder, tmp_path):
    assert demo("--input", folder, "--output", tmp_path / "frames").status == 0
    for image, frame in zip(
        open_source(str(tmp_path / "frames")), open_source(str(folder)), strict=True
    ):
        assert np.abs(image.astype(int) - frame).mean() < 5  # jpeg alone


def test_bf16(demo, folder, tmp_path):
    assert demo("--input", folder, "--output", tmp_path / "frames", "--bf16").status == 0
    assert len(list((tmp_path / "frames").iterdir())) == FRAMES


@pytest.mark.parametrize(
    ("options", "method", "status", "message"),
    [
        (["--input", "gone.mp4", "--output", "{out}"], "selsa", 1, "gone.mp4"),
        (["--input", "{folder}"], "selsa", 2, "nothing to do: give --output or --show"),
        (["--input", "{folder}", "--output", "{out}", "--thickness", 0], "selsa", 2, "at least 1"),
        (["--input", "{folder}", "--output", "{out}", "--fps", 0], "selsa", 2, "must be positive"),
        (
            ["--input", "{folder}", "--output", "{out}", "--frame-stride", 0],
            "fgfa",
            1,
            "frame_stride >= 1",
        ),
        (["--input", "{folder}", "--output", "{out}"], "faster_rcnn", 1, "has USE_MMDET=True"),
    ],
)
def test_bad_input(demo, folder, tmp_path, options, method, status, message):
    out = tmp_path / "out.mp4"
    options = [str(option).format(folder=folder, out=out) for option in options]
    done = demo(*options, method=method)
    assert done.status == status
    assert message in done.err
    assert "Traceback" not in done.err
    assert not out.exists()
