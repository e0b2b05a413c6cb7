"""Weights that do not fit are refused, and the message says what does not fit."""

from __future__ import annotations

import pytest
import torch
from mmcv.runner import BaseModule
from torch import nn

from mmtrack.apis.checkpoint import (
    load_model_checkpoint,
    parts_without_weights,
    require_weights,
)


class Part(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer = nn.Linear(2, 3)
        self.norm = nn.BatchNorm1d(3)


class Tracker(BaseModule):
    def __init__(self, detector=None, reid=None, init_cfg=None):
        super().__init__(init_cfg)
        self.detector = Part(detector)
        self.reid = Part(reid)


PRETRAINED = {"type": "Pretrained", "checkpoint": "some.pth"}


def save(path, state, **more):
    torch.save({"state_dict": state, **more}, path)
    return str(path)


def constant(model, value):
    return {key: torch.full_like(v, value) for key, v in model.state_dict().items()}


def test_fitting_weights_and_meta(tmp_path):
    model = Tracker()
    path = save(tmp_path / "a.pth", constant(model, 2), meta={"CLASSES": ("x",)})
    assert load_model_checkpoint(model, path)["CLASSES"] == ("x",)
    assert (model.reid.layer.weight == 2).all()


@pytest.mark.parametrize("change", ["module prefix", "bare", "no counter", "ema"])
def test_harmless_differences(tmp_path, change):
    model = Part()
    state = constant(model, 3)
    if change == "module prefix":
        state = {f"module.{k}": v for k, v in state.items()}
    elif change == "no counter":
        del state["norm.num_batches_tracked"]
    elif change == "ema":
        state["ema_layer_weight"] = torch.zeros(3, 2)
    if change == "bare":
        torch.save(state, tmp_path / "a.pth")
        load_model_checkpoint(model, str(tmp_path / "a.pth"))
    else:
        load_model_checkpoint(model, save(tmp_path / "a.pth", state))
    assert (model.layer.weight == 3).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("detector.layer.bias"), "1 missing in the file: detector.layer.bias"),
        (lambda s: s.update(new=torch.zeros(1)), "1 unknown to the model: new"),
        (
            lambda s: s.update({"reid.layer.weight": torch.zeros(9, 9)}),
            r"reid.layer.weight \(model \(3, 2\), file \(9, 9\)\)",
        ),
        (lambda s: s.clear(), "holds no weights"),
    ],
    ids=["missing", "unknown", "shape", "empty"],
)
def test_weights_that_do_not_fit(tmp_path, change, message):
    model = Tracker()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = constant(model, 2)
    change(state)
    with pytest.raises(ValueError, match=message):
        load_model_checkpoint(model, save(tmp_path / "a.pth", state))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_long_lists_are_shortened(tmp_path):
    state = {f"key_{i}": torch.zeros(1) for i in range(500)}
    with pytest.raises(ValueError, match="500 unknown .* and 494 more") as error:
        load_model_checkpoint(Part(), save(tmp_path / "a.pth", state))
    assert len(str(error.value)) < 1000


def test_weights_of_a_part_name_the_remedy(tmp_path):
    path = save(tmp_path / "a.pth", constant(Part(), 2))
    with pytest.raises(ValueError, match="name the file in model.detector.init_cfg"):
        load_model_checkpoint(Tracker(), path)


def test_absent_part_is_filled_by_its_own_init_cfg(tmp_path):
    reid = save(tmp_path / "reid.pth", constant(Part(), 5))
    model = Tracker(reid={"type": "Pretrained", "checkpoint": reid})
    state = {k: v for k, v in constant(model, 2).items() if k.startswith("detector.")}
    load_model_checkpoint(model, save(tmp_path / "a.pth", state))
    assert (model.detector.layer.weight == 2).all()
    assert (model.reid.layer.weight == 5).all()


def test_absent_part_without_weights_warns(tmp_path):
    model = Tracker()
    state = {k: v for k, v in constant(model, 2).items() if k.startswith("detector.")}
    with pytest.warns(UserWarning, match="no weights of model.reid"):
        load_model_checkpoint(model, save(tmp_path / "a.pth", state))


@pytest.mark.parametrize(
    ("model", "bare"),
    [
        (Tracker(), ["detector", "reid"]),
        (Tracker(detector=PRETRAINED), ["reid"]),
        (Tracker(detector=PRETRAINED, reid=[PRETRAINED]), []),
        (Tracker(init_cfg=PRETRAINED), []),
        (Part(), [""]),
        (Part(PRETRAINED), []),
        (nn.Identity(), []),
    ],
    ids=["none", "detector", "both", "whole", "bare", "bare with", "no parameters"],
)
def test_parts_without_weights(model, bare):
    assert parts_without_weights(model) == bare


def test_random_models_are_refused():
    with pytest.raises(ValueError, match="--allow-random-weights"):
        require_weights(Tracker())
    with pytest.raises(ValueError, match="no weights are given for Part"):
        require_weights(Part())
    with pytest.warns(UserWarning, match=r"model\.reid"):
        require_weights(Tracker(detector=PRETRAINED))
    require_weights(Tracker(init_cfg=PRETRAINED))


def test_files_that_are_no_checkpoint(tmp_path):
    torch.save([1, 2], tmp_path / "a.pth")
    with pytest.raises(ValueError, match="holds no weights"):
        load_model_checkpoint(Part(), str(tmp_path / "a.pth"))
    with pytest.raises(FileNotFoundError, match=r"gone\.pth"):
        load_model_checkpoint(Part(), str(tmp_path / "gone.pth"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_of_a_diverged_training_are_refused(tmp_path, value):
    model = Tracker()
    state = constant(model, 2)
    state["reid.layer.weight"][1, 1] = value
    path = save(tmp_path / "a.pth", state)
    with pytest.raises(ValueError, match=r"a\.pth: reid\.layer\.weight has values .*not finite"):
        load_model_checkpoint(model, path)


@pytest.mark.parametrize("value", [None, "x", [1.0], torch.eye(3).to_sparse()])
def test_values_that_are_no_tensors_are_named(tmp_path, value):
    model = Tracker()
    path = save(tmp_path / "a.pth", {**constant(model, 2), "reid.layer.bias": value})
    with pytest.raises(ValueError, match=r"a\.pth: 'reid\.layer\.bias' .* no plain tensor"):
        load_model_checkpoint(model, path)
