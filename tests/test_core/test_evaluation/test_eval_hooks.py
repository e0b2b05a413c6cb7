"""Evaluation in the middle of training."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmcv.runner import LogBuffer
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.evaluation import EvalHook
from mmtrack.core.evaluation.overlap_check import NoOverlapError


class Frames(Dataset):
    """Two frames whose evaluation is given."""

    def __init__(self, evaluate):
        self.evaluate = evaluate

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return dict(img=torch.full((1,), float(index)))


class Model(torch.nn.Module):
    def forward(self, img, return_loss=True, rescale=False):
        return dict(det_bboxes=[np.full((1, 5), float(img[0, 0]))])


def run(evaluate, caplog):
    runner = SimpleNamespace(
        model=Model(), epoch=0, iter=1, log_buffer=LogBuffer(), rank=0, meta={},
        logger=logging.getLogger("eval-hook-test"),
    )  # fmt: skip
    hook = EvalHook(DataLoader(Frames(evaluate)), interval=1, by_epoch=True)
    with caplog.at_level(logging.WARNING, logger="eval-hook-test"):
        hook._do_evaluate(runner)
    return runner


def test_metrics_reach_the_log_and_results_keep_their_order(caplog):
    seen = {}

    def evaluate(results, logger=None):
        seen["first"] = [r[0][0, 0] for r in results["det_bboxes"]]
        return {"track_MOTA": 0.5}

    runner = run(evaluate, caplog)
    assert seen["first"] == [0.0, 1.0]
    assert runner.log_buffer.output["track_MOTA"] == 0.5


def test_a_model_that_finds_nothing_yet_goes_on_training(caplog):
    def evaluate(results, logger=None):
        raise NoOverlapError("results overlap no ground truth at all")

    runner = run(evaluate, caplog)
    assert "No metrics for epoch 1: results overlap no ground truth" in caplog.text
    assert not any("MOTA" in key for key in runner.log_buffer.output)


def test_other_errors_of_the_evaluation_are_not_swallowed(caplog):
    def evaluate(results, logger=None):
        raise ValueError("wrong file")

    with pytest.raises(ValueError, match="wrong file"):
        run(evaluate, caplog)
