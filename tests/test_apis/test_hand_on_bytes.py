"""Frames of bytes for single object trackers: in the test loop, in inference_sot, in drawings."""

from __future__ import annotations

import cv2
import mmcv
import numpy as np
import pytest
import torch
from tiny_sot import LENGTHS, make_sot_project

from mmtrack.apis import inference_sot, init_model, single_gpu_test
from mmtrack.apis.task import hand_on_bytes
from mmtrack.datasets import ConcatDataset, build_dataloader, build_dataset
from mmtrack.utils import build_dp


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_sot_project(tmp_path_factory.mktemp("sot"))


@pytest.fixture
def model(project):
    return init_model(str(project / "siamrpn.py"), str(project / "siamrpn.pth"), device="cpu")


@pytest.fixture
def dataset(project):
    cfg = mmcv.Config.fromfile(str(project / "siamrpn.py"))
    return build_dataset(cfg.data.test, {"test_mode": True})


def run(model, dataset, **options):
    loader = build_dataloader(dataset, 1, 0, dist=False, shuffle=False)
    return single_gpu_test(build_dp(model, "cpu"), loader, **options)["track_bboxes"]


def test_test_loop_gives_the_same_boxes(model, dataset):
    floats = run(model, dataset)
    hand_on_bytes(dataset, model)
    assert dataset[1]["img"][0].dtype == torch.uint8
    found = run(model, dataset)
    np.testing.assert_allclose(np.stack(found), np.stack(floats), atol=1e-3)
    assert len(found) == sum(LENGTHS)


def test_drawn_frames_are_those_of_the_video(model, dataset, project, tmp_path):
    hand_on_bytes(dataset, model)
    run(model, dataset, out_dir=str(tmp_path))
    drawn = cv2.imread(str(tmp_path / "c-0/img/00000002.jpg"))
    frame = cv2.imread(str(project / "data/c-0/img/00000002.jpg"))
    assert np.median(np.abs(drawn.astype(int) - frame)) <= 3  # jpeg


def test_other_models_get_floats(model, dataset, monkeypatch):
    monkeypatch.setattr(type(model), "takes_byte_frames", False)
    hand_on_bytes(dataset, model)
    assert dataset[1]["img"][0].dtype == torch.float32


def test_members_of_a_concatenation(model, dataset):
    both = ConcatDataset([dataset, dataset])
    hand_on_bytes(both, model)
    assert both[len(dataset) + 1]["img"][0].dtype == torch.uint8


def test_inference_gives_each_model_what_it_takes(model, project, monkeypatch):
    seen, simple_test = [], type(model).simple_test

    def watch(self, img, *args, **kwargs):
        seen.append(img.dtype)
        return simple_test(self, img, *args, **kwargs)

    monkeypatch.setattr(type(model), "simple_test", watch)
    paths = sorted(map(str, (project / "data/c-0/img").glob("*.jpg")))[:3]
    box = np.array([30.0, 29, 54, 44])

    def track(read):
        return [inference_sot(model, read(p), box, t)["track_bboxes"] for t, p in enumerate(paths)]

    as_bytes = track(str)
    monkeypatch.setattr(type(model), "takes_byte_frames", False)
    model.cfg.data.test.pipeline[0].color_type = "color"  # a changed config is built anew
    for read in (str, cv2.imread):
        np.testing.assert_allclose(track(read), as_bytes, atol=1e-3)
    assert seen == [torch.uint8] * 3 + [torch.float32] * 6
