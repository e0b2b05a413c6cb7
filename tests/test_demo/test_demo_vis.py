"""demo/demo_mot_vis.py with a model of video instance segmentation: drawn masks, run lengths."""

from __future__ import annotations

import json
import runpy
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pycocotools.mask as coco_mask
import pytest
from tiny_vis import CLASSES, FRAMES, SIZE, make_vis_project

from mmtrack.apis import inference_mot, init_model
from mmtrack.core.visualization import open_source

SCRIPT = "demo/demo_mot_vis.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_vis_project(tmp_path_factory.mktemp("vis"))


@pytest.fixture
def frames(project):
    return project / "data/valid/JPEGImages/valid-0001"


def arguments(project, *more):
    model = (project / "config.py", "--checkpoint", project / "model.pth", "--device", "cpu")
    return [*map(str, (*model, *more))]


@pytest.fixture
def demo(root, project, monkeypatch, capsys):
    """Run the demo inside this process, which saves its start-up."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", [SCRIPT, *arguments(project, *args)])
        try:
            runpy.run_path(str(root / SCRIPT), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


def answers(project, frames):
    """What the model says to each frame."""
    model = init_model(str(project / "config.py"), str(project / "model.pth"), device="cpu")
    images = sorted(frames.glob("*.jpg"))
    return [
        inference_mot(model, cv2.imread(str(image)), frame_id=i) for i, image in enumerate(images)
    ]


def test_video_and_masks_as_a_user_runs_it(run_script, project, frames, tmp_path):
    done = run_script(
        SCRIPT,
        *arguments(project, "--input", frames, "--output", tmp_path / "out.mp4"),
        *("--out-json", tmp_path / "out.json"),
    )
    assert f"frame {FRAMES}/{FRAMES}" in done.stdout
    assert f"written: {tmp_path / 'out.json'}" in done.stdout
    assert open_source(str(tmp_path / "out.mp4")).length == FRAMES
    tracks = json.loads((tmp_path / "out.json").read_text())
    found = answers(project, frames)
    rows = {}  # of each instance, frame by frame: class, score, mask
    for frame, result in enumerate(found):
        for label, (boxes, masks) in enumerate(
            zip(result["track_bboxes"], result["track_masks"], strict=True)
        ):
            for box, mask in zip(boxes, masks, strict=True):
                rows.setdefault(int(box[0]), {})[frame] = (label, box[5], mask)
    assert len(tracks) == len(rows) > 3
    for own, track in zip(rows.values(), tracks, strict=True):
        assert track["video_id"] == 1
        assert 1 <= track["category_id"] <= len(CLASSES)
        assert track["score"] == pytest.approx(np.mean([score for _, score, _ in own.values()]))
        assert len(track["segmentations"]) == FRAMES
        for frame, code in enumerate(track["segmentations"]):
            if frame not in own:
                assert code is None
                continue
            assert code["size"] == [SIZE[1], SIZE[0]]
            np.testing.assert_array_equal(coco_mask.decode(code), own[frame][2])


def test_masks_are_drawn_in_the_colours_of_their_instances(demo, project, frames, tmp_path):
    assert demo("--input", frames, "--output", tmp_path / "out").status == 0
    drawn = list(open_source(str(tmp_path / "out")))
    plain = list(open_source(str(frames)))
    for frame, result in enumerate(answers(project, frames)):
        inside = np.any([m for group in result["track_masks"] for m in group], axis=0)
        change = np.abs(drawn[frame].astype(int) - plain[frame]).sum(axis=2)
        assert change[inside].mean() > 20


def test_no_instances_at_all(demo, frames, tmp_path):
    options = ("--cfg-options", "model.detector.test_cfg.rcnn.score_thr=2.0")
    done = demo("--input", frames, "--out-json", tmp_path / "out.json", *options)
    assert done.status == 0
    assert json.loads((tmp_path / "out.json").read_text()) == []


def test_masks_of_a_model_without_masks_are_refused(root, tiny, tmp_path, monkeypatch, capsys):
    model = (tiny / "tracker.py", "--checkpoint", tiny / "tracker.pth", "--device", "cpu")
    video = ("--input", tiny / "data/test/video_1", "--out-json", tmp_path / "out.json")
    monkeypatch.setattr(sys, "argv", [SCRIPT, *map(str, (*model, *video))])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(root / SCRIPT), run_name="__main__")
    assert end.value.code
    said = f"{capsys.readouterr().err}{end.value.code}"
    assert "--out-json: this model gives det_bboxes, track_bboxes and no masks" in said
    assert not (tmp_path / "out.json").exists()
