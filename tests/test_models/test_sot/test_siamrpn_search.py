"""Many settings of SiamRPN++ at once, against runs of the tracker with one after the other."""

from __future__ import annotations

import itertools

import mmcv
import numpy as np
import pytest
import torch
from tiny_sot import make_sot_project

from mmtrack.apis import init_model
from mmtrack.models.sot.siamrpn_search import SiamRPNSearch, result_of_row
from mmtrack.models.track_heads.siamese_rpn_head import TrackSettings

SETTINGS = [TrackSettings(*v) for v in itertools.product((0.0, 0.3), (0.0, 0.9), (0.1, 0.8))]
FRAMES = 9
BOX = torch.tensor([[[52.0, 40, 80, 66]]])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    project = make_sot_project(tmp_path_factory.mktemp("sot"))
    return init_model(str(project / "siamrpn.py"), str(project / "siamrpn.pth"), device="cpu")


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (FRAMES, 3, 12, 16), np.uint8)
    return torch.from_numpy(images.repeat(10, 2).repeat(10, 3))[:, None]


def run(model, frames, boxes=None):
    with torch.no_grad():
        return [
            model(
                [img],
                [[{"frame_id": t, "img_shape": (120, 160, 3)}]],
                return_loss=False,
                gt_bboxes=[BOX[0] if boxes is None else boxes[t]],
            )["track_bboxes"]
            for t, img in enumerate(frames)
        ]


def alone(model, settings, frames):
    """Results of the tracker with one setting."""
    before = mmcv.ConfigDict(model.head.test_cfg)
    model.head.test_cfg.update(settings._asdict())
    try:
        return run(model, frames)
    finally:
        model.head.test_cfg.update(before)


@pytest.mark.parametrize("mode", ["OPE", "VOT"])
@pytest.mark.parametrize("max_crops", [1, 3, 32])
def test_each_setting_as_if_alone(model, frames, monkeypatch, mode, max_crops):
    monkeypatch.setitem(model.test_cfg, "test_mode", mode)
    found = run(SiamRPNSearch(model, SETTINGS, max_crops).eval(), frames)
    states = set()
    for number, settings in enumerate(SETTINGS):
        for frame, expected in zip(found, alone(model, settings, frames), strict=True):
            result = result_of_row(frame[number])
            assert len(result) == len(expected)
            np.testing.assert_allclose(result, expected, rtol=1e-4, atol=2e-3)
            states.add(len(expected))
    assert len({tuple(row) for row in found[1].round(2)}) > 3, "settings must matter"
    assert states == ({5} if mode == "OPE" else {2, 5}), "there must be failures"


def test_equal_crops_are_computed_once(model, frames):
    calls = []
    forward = model.forward_search
    search = SiamRPNSearch(model, [SETTINGS[0]] * 5 + [SETTINGS[-1]])
    model.forward_search = lambda x: calls.append(len(x)) or forward(x)
    try:
        run(search.eval(), frames[:4])
    finally:
        del model.forward_search
    # the template; one crop for all in the next frame; then one for each different setting
    assert calls == [1, 1, 2, 2]


def test_settings_that_wait_cost_nothing(model, frames, monkeypatch):
    """A target that failed is left out until it starts again."""
    monkeypatch.setitem(model.test_cfg, "test_mode", "VOT")
    search = SiamRPNSearch(model, SETTINGS[:1]).eval()
    away = [BOX[0] + 0.0 for _ in range(FRAMES)]
    away[1] = torch.tensor([[140.0, 100, 150, 110]])
    calls = []
    forward = model.forward_search
    model.forward_search = lambda x: calls.append(len(x)) or forward(x)
    try:
        rows = [result_of_row(r[0]) for r in run(search, frames, away)]
    finally:
        del model.forward_search
    assert [r[0] for r in rows[:7]] == [1, 2, 0, 0, 0, 0, 1]
    waits = sum(len(row) == 2 and row[0] == 0 for row in rows)
    assert len(calls) == FRAMES - waits


def test_drawing(model):
    rows = np.array([[10, 10, 30, 30, 0.5], [40, 20, 60, 50, 0.1], [2, -1, *[np.nan] * 3]])
    search = SiamRPNSearch(model, SETTINGS[:3])
    image = search.show_result(np.zeros((70, 80, 3), np.uint8), {"track_bboxes": rows})
    assert image[10, 20].any()
    assert image[20, 50].any()
    assert not np.array_equal(image[10, 20], image[20, 50]), "each setting has its own colour"


def test_refusals(model, monkeypatch):
    with pytest.raises(NotImplementedError, match="only tests"):
        SiamRPNSearch(model, SETTINGS).forward_train()
    monkeypatch.setitem(model.test_cfg, "test_mode", "LT")
    with pytest.raises(ValueError, match="'OPE' or 'VOT', not 'LT'"):
        SiamRPNSearch(model, SETTINGS)
