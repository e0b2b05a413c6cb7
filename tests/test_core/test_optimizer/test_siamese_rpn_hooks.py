"""Learning rates and late training of the backbone, against hand numbers and a real runner."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

from mmtrack.core.optimizer import SiameseRPNLrUpdaterHook, SiameseRPNOptimizerHook


def rates(hook, epochs):
    return [hook.get_lr(SimpleNamespace(epoch=e), 2.0) for e in range(epochs)]


class TestLearningRate:
    def test_default_ramps(self):
        found = rates(SiameseRPNLrUpdaterHook(), 25)
        warm = [2 * 0.2 * 5 ** (e / 5) for e in range(5)]
        cool = [2 * 0.1 ** (e / 14) for e in range(15)]
        assert found[:20] == pytest.approx(warm + cool)
        assert found[20:] == [found[19]] * 5, "after the last ramp the rate stays"
        assert found[5] == pytest.approx(2.0)
        assert found[19] == pytest.approx(0.2)

    def test_steps_of_several_epochs(self):
        ramp = {
            "type": "step",
            "start_lr_factor": 1.0,
            "end_lr_factor": 4.0,
            "end_epoch": 4,
            "step": 2,
        }
        assert rates(SiameseRPNLrUpdaterHook([ramp]), 4) == pytest.approx([2, 2, 4, 4])

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            ({"type": "cosine"}, ValueError, "type 'cosine' is unknown, use one of step, log"),
            ({"end_epoch": 0}, ValueError, "needs epochs after 0"),
            ({"end_lr_factor": 0}, ValueError, "factors above 0"),
            ({"step": 2}, KeyError, "unknown .*'step'"),
        ],
    )
    def test_bad_ramps_are_refused(self, change, error, message):
        ramp = {"type": "log", "start_lr_factor": 1.0, "end_lr_factor": 0.1, "end_epoch": 3}
        with pytest.raises(error, match=message):
            SiameseRPNLrUpdaterHook([ramp | change])


@pytest.mark.parametrize("wrapped", [True, False])
def test_layers_are_free_from_their_epoch_on(wrapped):
    model = nn.Module()
    model.backbone = nn.Module()
    for name in ("layer1", "layer2"):
        layer = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).eval()
        setattr(model.backbone, name, layer.requires_grad_(False))
    runner = SimpleNamespace(epoch=2, model=SimpleNamespace(module=model) if wrapped else model)
    hook = SiameseRPNOptimizerHook(3, ["layer2"])
    hook.before_train_epoch(runner)
    assert not any(p.requires_grad for p in model.parameters())
    runner.epoch = 4
    hook.before_train_epoch(runner)
    assert all(p.requires_grad for p in model.backbone.layer2.parameters())
    assert model.backbone.layer2[1].training
    assert not any(p.requires_grad for p in model.backbone.layer1.parameters())
    with pytest.raises(AttributeError, match="layer9"):
        SiameseRPNOptimizerHook(0, ["layer9"]).before_train_epoch(runner)
