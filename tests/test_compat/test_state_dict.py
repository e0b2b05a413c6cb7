import logging
from collections import OrderedDict

import pytest
import torch
from mmcv.parallel import MMDataParallel
from mmcv.runner import load_checkpoint, load_state_dict
from torch import nn

from mmtrack.compat.checkpoint import CheckpointError
from mmtrack.compat.state_dict import shorten


def network(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 1), nn.BatchNorm2d(width), nn.Conv2d(width, 2, 1))


@pytest.fixture
def log():
    logger = logging.getLogger("state_dict_test")
    logger.handlers, logger.propagate = [], False
    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    return logger, lines


def test_exact_fit_is_silent(log, capsys):
    source, target = network(), network()
    load_state_dict(target, source.state_dict(), logger=log[0])
    assert torch.equal(target[0].weight, source[0].weight)
    assert log[1] == []
    assert capsys.readouterr().out == ""


def test_counters_of_batch_norm_may_be_missing(log):
    state = network().state_dict()
    del state["1.num_batches_tracked"]
    load_state_dict(network(), state, strict=True, logger=log[0])
    assert log[1] == []


def test_wrappers_are_looked_through(log):
    source = network()
    target = MMDataParallel(network())
    load_state_dict(target, source.state_dict(), logger=log[0])
    assert torch.equal(target.module[2].weight, source[2].weight)
    assert log[1] == []


def test_partial_fit_is_reported_in_short_lines(log):
    source, target = network(), network()
    state = source.state_dict()
    for index in range(20):
        state[f"extra.{index}.weight"] = torch.zeros(1)
    state["2.weight"] = torch.zeros(5, 4, 1, 1)
    del state["2.bias"]
    before = target[2].weight.clone()
    load_state_dict(target, state, logger=log[0])
    (text,) = log[1]
    assert torch.equal(target[0].weight, source[0].weight)
    assert torch.equal(target[2].weight, before)
    assert "1 missing in the weights: 2.bias" in text
    assert "20 not part of the model: extra.0.weight" in text
    assert "... and 14 more" in text
    assert "1 of another shape: 2.weight" in text
    assert "[5, 4, 1, 1]" in text
    assert "[2, 4, 1, 1]" in text


def test_strict_raises_as_mmcv_does():
    state = network().state_dict()
    del state["2.bias"]
    with pytest.raises(RuntimeError, match=r"1 missing in the weights: 2\.bias"):
        load_state_dict(network(), state, strict=True)


def test_nothing_fits(tmp_path):
    path = tmp_path / "other.pth"
    torch.save(dict(state_dict={f"backbone.{i}.weight": torch.zeros(1) for i in range(9)}), path)
    with pytest.raises(ValueError) as error:
        load_checkpoint(network(), str(path))
    text = str(error.value)
    assert str(path) in text
    assert "none of the 9 weights fits Sequential" in text
    assert "backbone.0.weight" in text
    assert "0.weight, 0.bias" in text
    assert "... and 3 more" in text


def test_nothing_fits_by_shape(tmp_path):
    path = tmp_path / "other.pth"
    torch.save(nn.Linear(2, 2).state_dict(), path)
    with pytest.raises(ValueError, match=r"none of the 2 weights fits Linear.*shapes: weight"):
        load_checkpoint(nn.Linear(3, 3), str(path))


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"state_dict": [1]}])
def test_what_holds_no_weights_is_named(tmp_path, content):
    path = tmp_path / "some.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"checkpoint .*some\.pth holds no weights"):
        load_checkpoint(nn.Linear(2, 3), str(path))


def test_models_without_weights_accept_anything():
    load_state_dict(nn.ReLU(), OrderedDict(a=torch.zeros(1)))
    load_state_dict(network(), OrderedDict())


def test_modules_that_rename_their_keys(log):
    """Keys of earlier versions are renamed by the module's own loading hook."""

    class Renamed(nn.Linear):
        def _load_from_state_dict(self, state_dict, prefix, *args):
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}kernel")
            super()._load_from_state_dict(state_dict, prefix, *args)

    state = OrderedDict(kernel=torch.ones(1, 2), bias=torch.ones(1))
    model = Renamed(2, 1)
    load_state_dict(model, state, logger=log[0])
    assert log[1] == []
    assert model.weight.sum() == 2
    assert "kernel" in state


def test_shorten():
    assert shorten(["a", "b"]) == "a, b"
    assert shorten(list("abcdefgh"), 3) == "a, b, c, ... and 5 more"
