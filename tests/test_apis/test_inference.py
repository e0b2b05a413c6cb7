"""init_model and inference_mot, against the test loop over a dataset."""

from __future__ import annotations

import cv2
import mmcv
import numpy as np
import pytest
from tiny_project import LENGTHS

from mmtrack.apis import inference, inference_mot, init_model, single_gpu_test
from mmtrack.datasets import build_dataloader, build_dataset
from mmtrack.utils import build_dp


@pytest.fixture(scope="module")
def model(tiny):
    return init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")


def frames(tiny, video=1):
    folder = tiny / "data" / "test" / f"video_{video}"
    return sorted(str(path) for path in folder.glob("*.png"))


def track(model, images):
    return [inference_mot(model, image, frame_id=i) for i, image in enumerate(images)]


def assert_equal_results(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a["det_bboxes"][0], b["det_bboxes"][0])
        np.testing.assert_array_equal(a["track_bboxes"][0], b["track_bboxes"][0])


def test_model_is_ready(model, tiny):
    assert not model.training
    assert model.CLASSES == ("box",)
    assert model.cfg.filename == str(tiny / "tracker.py")


def test_paths_and_arrays_give_the_same(model, tiny):
    paths = frames(tiny)
    found = track(model, paths)
    assert sum(len(frame["track_bboxes"][0]) for frame in found) > 0
    assert_equal_results(found, track(model, [cv2.imread(path) for path in paths]))


def test_agrees_with_the_test_loop(model, tiny):
    cfg = mmcv.Config.fromfile(str(tiny / "tracker.py"))
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    loader = build_dataloader(dataset, 1, 0, dist=False, shuffle=False)
    results = single_gpu_test(build_dp(model, "cpu"), loader)
    alone = [r for v in range(1, len(LENGTHS) + 1) for r in track(model, frames(tiny, v))]
    looped = [
        {"det_bboxes": d, "track_bboxes": t}
        for d, t in zip(results["det_bboxes"], results["track_bboxes"], strict=True)
    ]
    assert_equal_results(alone, looped)


def test_pipeline_is_built_once_and_follows_the_config(tiny, monkeypatch):
    model = init_model(str(tiny / "tracker.py"), str(tiny / "tracker.pth"), device="cpu")
    built = []
    compose = inference.build_pipeline
    monkeypatch.setattr(inference, "build_pipeline", lambda s: built.append(s) or compose(s))
    track(model, [cv2.imread(path) for path in frames(tiny)])
    assert len(built) == 1
    before = inference_mot(model, frames(tiny)[0], frame_id=0)
    assert len(built) == 2  # a file is loaded, an array is not
    model.cfg.data.test.pipeline[1].img_scale = (48, 32)
    after = inference_mot(model, frames(tiny)[0], frame_id=0)
    assert len(built) == 3
    assert len(before["det_bboxes"][0]) > len(after["det_bboxes"][0])


def test_two_models_do_not_share_pipelines(tiny):
    cfg = mmcv.Config.fromfile(str(tiny / "tracker.py"))
    small = mmcv.Config.fromfile(str(tiny / "tracker.py"))
    small.data.test.pipeline[1].img_scale = (48, 32)
    first = init_model(cfg, str(tiny / "tracker.pth"), device="cpu")
    second = init_model(small, str(tiny / "tracker.pth"), device="cpu")
    image = frames(tiny)[0]
    a = inference_mot(first, image, 0)
    b = inference_mot(second, image, 0)
    again = inference_mot(first, image, 0)
    assert_equal_results([a], [again])
    assert len(a["det_bboxes"][0]) != len(b["det_bboxes"][0])


def test_options_and_missing_weights(tiny):
    model = init_model(
        str(tiny / "tracker.py"),
        device="cpu",
        cfg_options={"model.tracker.num_frames_retain": 7},
    )
    assert model.tracker.num_frames_retain == 7
    assert model.CLASSES == ("box",)  # from data.test


def test_options_leave_the_given_config_alone(tiny):
    cfg = mmcv.Config.fromfile(str(tiny / "tracker.py"))
    model = init_model(
        cfg, tiny / "tracker.pth", "cpu", cfg_options={"data.test.pipeline.1.flip": True}
    )
    assert model.cfg.data.test.pipeline[1].flip
    assert not cfg.data.test.pipeline[1].flip


def test_config_of_wrong_type():
    with pytest.raises(TypeError, match="file name or a Config, but is dict"):
        init_model({"model": {}}, device="cpu")


def test_public_detections_are_refused(model):
    cfg = mmcv.Config(model.cfg._cfg_dict)
    model.cfg = cfg.copy()
    model.cfg.data.test.pipeline = [{"type": "LoadImageFromFile"}, {"type": "LoadDetections"}]
    with pytest.raises(ValueError, match="private detections"):
        inference_mot(model, np.zeros((8, 8, 3), np.uint8), 0)
    model.cfg = cfg
