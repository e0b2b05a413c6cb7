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


def best_keeper(folder, scores):
    """A hook that keeps the best of given scores, and a runner that writes checkpoints."""
    remaining = iter(scores)
    hook = EvalHook(
        DataLoader(Frames(lambda results, logger=None: {"AP": next(remaining)})),
        interval=1, by_epoch=True, save_best="AP", rule="greater",
    )  # fmt: skip
    runner = SimpleNamespace(
        model=Model(), epoch=0, iter=0, log_buffer=LogBuffer(), rank=0, meta={}, hooks=[hook],
        work_dir=str(folder), logger=logging.getLogger("eval-hook-test"),
    )  # fmt: skip

    def save_checkpoint(out_dir, filename_tmpl, create_symlink):
        if runner.epoch == 3:
            raise OSError(28, "No space left on device")
        # the best one so far must be there until this one is
        seen.append(sorted(path.name for path in folder.iterdir()))
        (folder / filename_tmpl).write_text("weights")

    runner.save_checkpoint, seen = save_checkpoint, []
    hook.before_run(runner)
    return hook, runner, seen


def test_best_checkpoint_is_there_at_every_moment(tmp_path):
    hook, runner, seen = best_keeper(tmp_path, [0.2, 0.1, 0.3, 0.4])
    for runner.epoch in range(3):  # noqa: B007 - the hook reads it
        hook._do_evaluate(runner)
    assert seen == [[], ["best_AP_epoch_1.pth"]]
    assert [path.name for path in tmp_path.iterdir()] == ["best_AP_epoch_3.pth"]
    runner.epoch = 3
    with pytest.raises(OSError, match="No space"):
        hook._do_evaluate(runner)
    assert [path.name for path in tmp_path.iterdir()] == ["best_AP_epoch_3.pth"]
    assert hook.best_ckpt_path.endswith("best_AP_epoch_3.pth")


@pytest.fixture
def resumed(tmp_path):
    """A run that goes on after epoch 5, of which best checkpoints of epochs 2, 5 and 7 are left."""
    for epoch, score in ((2, 0.3), (5, np.float32(0.5)), (7, 0.9)):
        content = {
            "meta": {"epoch": epoch, "iter": 9, "hook_msgs": {"best_score": score}},
            "state_dict": {}, "optimizer": {},
        }  # fmt: skip
        torch.save(content, tmp_path / f"best_AP_epoch_{epoch}.pth")

    def start(scores, best):
        hook, runner, _ = best_keeper(tmp_path / "other", scores)
        hook.out_dir, runner.work_dir, runner.epoch = None, str(tmp_path), 5
        runner.meta = {"hook_msgs": {"best_score": 0.3, "best_ckpt": str(best)}}
        runner.save_checkpoint = lambda folder, filename_tmpl, create_symlink: (
            tmp_path / filename_tmpl
        ).write_text("weights")
        hook.before_run(runner)
        return hook, runner

    return start


def test_resumed_run_knows_the_score_of_the_epoch_it_goes_on_after(tmp_path, resumed):
    """epoch_5.pth was written before the evaluation of epoch 5 found it to be the best one."""
    hook, runner = resumed([0.4, 0.6], tmp_path / "best_AP_epoch_2.pth")
    assert hook.best_ckpt_path == str(tmp_path / "best_AP_epoch_5.pth")
    hook._do_evaluate(runner)  # 0.4 is better than the 0.3 of the checkpoint, not than 0.5
    assert not (tmp_path / "best_AP_epoch_6.pth").exists()
    hook._do_evaluate(runner)
    assert (tmp_path / "best_AP_epoch_6.pth").exists()
    assert not (tmp_path / "best_AP_epoch_5.pth").exists()
    assert (tmp_path / "best_AP_epoch_7.pth").exists(), "of a later epoch: not this run's"


def test_damaged_best_checkpoint_is_passed_over(tmp_path, resumed, caplog):
    (tmp_path / "best_AP_epoch_5.pth").write_bytes(b"")
    with caplog.at_level(logging.WARNING, logger="eval-hook-test"):
        hook, runner = resumed([], tmp_path / "best_AP_epoch_2.pth")
    assert "best_AP_epoch_5.pth is damaged" in caplog.text
    assert runner.meta["hook_msgs"]["best_score"] == 0.3


@pytest.mark.parametrize("name", ["notes.txt", "elsewhere/best_AP_epoch_2.pth"])
def test_no_file_that_a_checkpoint_names_is_removed(tmp_path, resumed, name):
    """``best_ckpt`` in a checkpoint of somebody else may be any path."""
    for path in tmp_path.glob("best_*"):
        path.unlink()
    victim = tmp_path / name
    victim.parent.mkdir(exist_ok=True)
    victim.write_text("precious")
    hook, runner = resumed([0.8], victim)
    hook._do_evaluate(runner)
    assert (tmp_path / "best_AP_epoch_6.pth").exists()
    assert victim.read_text() == "precious"
