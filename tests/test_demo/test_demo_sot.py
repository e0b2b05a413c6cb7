"""demo/demo_sot.py: a video and one box in, a video with the box of every frame out."""

from __future__ import annotations

import runpy
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from tiny_sot import LENGTHS, make_sot_project

from mmtrack.apis import inference_sot, init_model
from mmtrack.core.visualization import VideoFileWriter, open_source

FRAMES = LENGTHS[0]
SCRIPT = "demo/demo_sot.py"
BOX = (30.5, 29, 23.5, 15)  # x, y, width, height


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_sot_project(tmp_path_factory.mktemp("sot"))


@pytest.fixture
def folder(project):
    return project / "data" / "c-0" / "img"


@pytest.fixture
def demo(root, project, monkeypatch, capsys):
    """Run the demo inside this process, which saves its start-up."""

    def run(*args):
        base = [project / "siamrpn.py", "--checkpoint", project / "siamrpn.pth", "--device", "cpu"]
        monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, (*base, *args))])
        try:
            runpy.run_path(str(root / SCRIPT), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


@pytest.fixture(scope="module")
def expected(project):
    """Boxes x, y, width, height that the model gives for the frames of the folder."""
    model = init_model(str(project / "siamrpn.py"), str(project / "siamrpn.pth"), device="cpu")
    x, y, w, h = BOX
    paths = sorted((project / "data" / "c-0" / "img").glob("*.jpg"))
    region = np.array([x, y, x + w, y + h])
    rows = [
        inference_sot(model, cv2.imread(str(path)), region, t)["track_bboxes"]
        for t, path in enumerate(paths)
    ]
    boxes = np.stack(rows)[:, :4]
    boxes[:, 2:] -= boxes[:, :2]
    assert np.abs(boxes[-1] - boxes[0]).max() > 5, "the box must move for the tests to tell"
    return boxes


def read_boxes(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


def as_jpeg(image):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], 1)


def test_folder_to_video_as_a_user_runs_it(run_script, project, folder, expected, tmp_path):
    done = run_script(
        SCRIPT,
        project / "siamrpn.py",
        *("--checkpoint", project / "siamrpn.pth"),
        *("--device", "cpu"),
        *("--input", folder),
        *("--init-bbox", *BOX),
        *("--output", tmp_path / "out.mp4"),
        *("--out-txt", tmp_path / "out.txt"),
        *("--fps", "7.5"),
    )
    assert f"frame {FRAMES}/{FRAMES}" in done.stdout
    assert "FPS" in done.stdout
    source = open_source(str(tmp_path / "out.mp4"))
    assert (source.length, source.fps) == (FRAMES, pytest.approx(7.5))
    np.testing.assert_allclose(read_boxes(tmp_path / "out.txt"), expected, atol=6e-4)


@pytest.mark.parametrize("separator", [",", "\t", " "], ids=["comma", "tab", "blank"])
def test_first_line_of_the_box_file_counts(demo, folder, expected, tmp_path, separator):
    text = separator.join(map(str, BOX)) + "\n1,2,not a box\n"
    (tmp_path / "gt.txt").write_text(text)
    options = ("--gt_bbox_file", tmp_path / "gt.txt", "--out-txt", tmp_path / "out.txt")
    assert demo("--input", folder, *options).status == 0
    np.testing.assert_allclose(read_boxes(tmp_path / "out.txt"), expected, atol=6e-4)


def test_polygon_of_the_box_file(demo, folder, tmp_path):
    (tmp_path / "gt.txt").write_text("30,20,50,20,50,40,30,40\n")
    demo(
        "--input",
        folder,
        *("--gt_bbox_file", tmp_path / "gt.txt"),
        *("--out-txt", tmp_path / "out.txt"),
    )
    np.testing.assert_allclose(read_boxes(tmp_path / "out.txt")[0], [30, 20, 20, 20], atol=1.01)


def test_box_drawn_with_the_mouse(demo, folder, expected, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setattr(cv2, "selectROI", lambda name, image, **_: shown.append(image) or BOX)
    monkeypatch.setattr(cv2, "destroyWindow", lambda name: None)
    done = demo("--input", folder, "--out-txt", tmp_path / "out.txt")
    np.testing.assert_allclose(read_boxes(tmp_path / "out.txt"), expected, atol=6e-4)
    np.testing.assert_array_equal(shown[0], cv2.imread(str(sorted(folder.glob("*.jpg"))[0])))
    assert "--init-bbox 30.5 29 23.5 15" in done.out


def test_nothing_drawn_is_said(demo, folder, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":7")
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: (0, 0, 0, 0))
    monkeypatch.setattr(cv2, "destroyWindow", lambda name: None)
    done = demo("--input", folder, "--show")
    assert done.status == 1
    assert "no box was drawn" in done.err


def test_box_color_and_score_are_drawn(demo, folder, expected, tmp_path):
    options = ("--input", folder, "--init-bbox", *BOX)
    for color in ("red", "(0, 0, 255)"):
        out = tmp_path / color
        assert demo(*options, "--color", color, "--output", out).status == 0
        plain = [as_jpeg(image) for image in open_source(str(folder))]
        changed = [
            cv2.absdiff(a, b).max(-1) > 60
            for a, b in zip(open_source(str(out)), plain, strict=True)
        ]
        ys, xs = np.nonzero(changed[0])
        x, y, w, h = BOX
        np.testing.assert_allclose(
            (xs.min(), ys.min(), xs.max(), ys.max()), (x, y, x + w, y + h), atol=3
        )
        top = list(open_source(str(out)))[0][round(y), round(x) : round(x + w)].mean(0)
        assert top[2] > max(top[:2]) + 50, "red, as far as jpeg keeps the colour of thin lines"
        # the first frame has no score; later ones have a filled bar for it
        assert changed[1].sum() > 1.3 * changed[0].sum()


def test_config_of_the_vot_protocol_follows_one_pass(demo, folder, expected, tmp_path):
    done = demo(
        *("--input", folder, "--init-bbox", *BOX, "--out-txt", tmp_path / "out.txt"),
        *("--cfg-options", "model.test_cfg.test_mode=VOT"),
    )
    assert done.status == 0, done.err
    np.testing.assert_allclose(read_boxes(tmp_path / "out.txt"), expected, atol=6e-4)


def test_video_without_number_of_frames_can_be_interrupted(demo, folder, tmp_path, monkeypatch):
    path = tmp_path / "in.mp4"
    with VideoFileWriter(path, 25) as writer:
        for image in open_source(str(folder)):
            writer.write(image)
    reads = []
    capture = cv2.VideoCapture

    class Camera:
        """A camera that is interrupted in its fourth frame."""

        def __init__(self, source):
            self._file = capture(str(path))
            self.get, self.release = self._file.get, self._file.release
            self.isOpened = self._file.isOpened

        def read(self):
            reads.append(1)
            if len(reads) == 4:
                raise KeyboardInterrupt
            return self._file.read()

    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    done = demo("--input", "0", "--init-bbox", *BOX, "--out-txt", tmp_path / "out.txt")
    assert done.status == 0, done.err
    assert len(read_boxes(tmp_path / "out.txt")) == 3


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--init-bbox", 200, 10, 20, 20], 1, "lies outside of the image of 120 x 90"),
        (["--init-bbox", -40, 10, 20, 20], 1, "lies outside of the image"),
        (["--init-bbox", 20, 10, 0, 20], 1, "width and height above zero"),
        (["--init-bbox", 20, 10, 5, -2], 1, "width and height above zero"),
        (["--init-bbox", "nan", 10, 20, 20], 1, "x=nan"),
        (["--init-bbox", 1, 2, 3], 2, "expected 4 arguments"),
        (["--init-bbox", *BOX, "--gt_bbox_file", "a"], 2, "not allowed with"),
        (["--gt_bbox_file", "gone.txt"], 1, "gone.txt does not exist"),
        (["--gt_bbox_file", "{three}"], 1, "three.txt, first line has 3 numbers"),
        (["--gt_bbox_file", "{words}"], 1, "words.txt, first line has 0 numbers"),
        (["--gt_bbox_file", "{empty}"], 1, "empty.txt, first line has 0 numbers"),
        (["--gt_bbox_file", "{absent}"], 1, "x=nan"),
        ([], 1, "give the first box with --init-bbox"),
        (["--init-bbox", *BOX, "--color", "tomato"], 2, "is no colour"),
        (["--init-bbox", *BOX, "--color", "0,0,256"], 2, "is no colour"),
        (["--init-bbox", *BOX, "--thickness", 0], 2, "--thickness must be at least 1"),
        (["--init-bbox", *BOX, "--show"], 1, "no window can be opened"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(
    demo, folder, tmp_path, monkeypatch, options, status, message
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    texts = {"three": "1,2,3\n", "words": "a box\n", "empty": "", "absent": "nan,nan,nan,nan\n"}
    files = {name: tmp_path / f"{name}.txt" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    options = [str(option).format(**files) for option in options]
    done = demo("--input", folder, "--output", tmp_path / "out.mp4", *options)
    assert done.status == status
    assert message in done.err
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("*out.*"))
