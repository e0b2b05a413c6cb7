"""Hooks that evaluate video datasets during training."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from mmcv.engine import multi_gpu_test as mmcv_multi_gpu_test
from mmcv.engine import single_gpu_test as mmcv_single_gpu_test
from mmcv.runner import BaseRunner, CheckpointLoader
from mmcv.runner import DistEvalHook as BaseDistEvalHook
from mmcv.runner import EvalHook as BaseEvalHook
from torch import distributed as dist
from torch import nn

from mmtrack.compat.runner import check_training_state

from .overlap_check import NoOverlapError
from .test_loop import multi_gpu_test, single_gpu_test

BEST = re.compile(r"best_.+_(?P<kind>epoch|iter)_(?P<number>\d{1,12})\.pth")


class EvalHook(BaseEvalHook):
    """Evaluate with :func:`single_gpu_test`, which knows the results of video models.

    The arguments are those of ``mmcv.runner.EvalHook``; a ``test_fn`` given by the user is used
    instead of ours. A new best checkpoint is written before the one before is removed, and a run
    that is resumed knows the best one so far.
    """

    def before_run(self, runner: BaseRunner) -> None:
        """Take up the best checkpoint of the run that is resumed."""
        super().before_run(runner)
        _take_up_best(self, runner)

    def _save_ckpt(self, runner: BaseRunner, key_score: float) -> None:
        _save_best(self, runner, key_score, super()._save_ckpt)

    def _do_evaluate(self, runner: BaseRunner) -> None:
        test_fn = _choose(self.test_fn, mmcv_single_gpu_test, single_gpu_test)
        _report(self, runner, test_fn(runner.model, self.dataloader))


class DistEvalHook(BaseDistEvalHook):
    """Evaluate with :func:`multi_gpu_test`: all processes test, rank 0 computes the metrics.

    The arguments are those of ``mmcv.runner.DistEvalHook``. Results travel through the process
    group; only a ``tmpdir`` given by the user makes them travel through files.
    """

    def before_run(self, runner: BaseRunner) -> None:
        """Take up the best checkpoint of the run that is resumed."""
        super().before_run(runner)
        _take_up_best(self, runner)

    def _save_ckpt(self, runner: BaseRunner, key_score: float) -> None:
        _save_best(self, runner, key_score, super()._save_ckpt)

    def _do_evaluate(self, runner: BaseRunner) -> None:
        if self.broadcast_bn_buffer:
            _broadcast_norm_buffers(runner.model)
        test_fn = _choose(self.test_fn, mmcv_multi_gpu_test, multi_gpu_test)
        results = test_fn(
            runner.model, self.dataloader, tmpdir=self.tmpdir, gpu_collect=self.gpu_collect
        )
        if runner.rank == 0:
            _report(self, runner, results)
        # The others wait here, not inside the first collective operation of the next epoch,
        # whose time limit would then cover the computation of the metrics too.
        dist.barrier()


def _choose(given: Callable, default: Callable, ours: Callable) -> Callable:
    """The user's test function, or ours where mmcv filled in its default."""
    return ours if given is default else given


def _report(hook: BaseEvalHook, runner: BaseRunner, results: Any) -> None:
    """Compute the metrics, put them in the log, keep the best checkpoint."""
    runner.log_buffer.output["eval_iter_num"] = len(hook.dataloader)
    try:
        key_score = hook.evaluate(runner, results)
    except NoOverlapError as error:
        # A model that has learnt little finds nothing yet; that must not end its training.
        runner.logger.warning(f"No metrics for epoch {runner.epoch + 1}: {error}")
        return
    # A score of 0 is a score: it is the best one until a better one comes.
    if hook.save_best and key_score is not None:
        hook._save_ckpt(runner, key_score)


def _save_best(
    hook: BaseEvalHook, runner: BaseRunner, score: float, save: Callable[[BaseRunner, float], None]
) -> None:
    """Save a checkpoint if it is the best one, and only then remove the best one before.

    mmcv removes first: a full disk, or a kill at this moment, would leave none.
    """
    previous, hook.best_ckpt_path = hook.best_ckpt_path, None
    try:
        save(runner, score)
    except BaseException:
        hook.best_ckpt_path = previous
        raise
    if hook.best_ckpt_path is None:  # the score is not the best one
        hook.best_ckpt_path = previous
    elif previous not in (None, hook.best_ckpt_path) and hook.file_client.isfile(previous):
        hook.file_client.remove(previous)
        runner.logger.info("The previous best checkpoint %s was removed", previous)


def _take_up_best(hook: BaseEvalHook, runner: BaseRunner) -> None:
    """Go on with the best checkpoint of the run that is resumed.

    A checkpoint is written before its epoch is evaluated: the one that a run goes on from does not
    know whether that evaluation gave a new best score. The best checkpoint itself does.
    """
    if hook.save_best is None:
        return
    if not _is_own(hook, hook.best_ckpt_path):
        # Of a folder that was moved, or of a checkpoint that was made to have a file removed.
        hook.best_ckpt_path = None
    done = runner.epoch if hook.by_epoch else runner.iter
    path = _newest_best(hook, done)
    if runner.rank != 0 or path is None or path == hook.best_ckpt_path:
        return  # process 0 alone compares scores
    try:
        best = CheckpointLoader.load_checkpoint(path, map_location="cpu")
        check_training_state(best, path)
    except (OSError, ValueError) as error:
        runner.logger.warning("The best checkpoint so far is not known: %s", error)
        return
    known = best["meta"].get("hook_msgs") or {}
    if "best_score" in known:
        runner.meta["hook_msgs"].update(best_score=known["best_score"], best_ckpt=path)
        hook.best_ckpt_path = path
        runner.logger.info("Best so far: %s with %g", path, known["best_score"])


def _is_own(hook: BaseEvalHook, path: object) -> bool:
    """Whether a path is that of a best checkpoint in the folder of a hook."""
    if not isinstance(path, str) or not BEST.fullmatch(os.path.basename(path)):
        return False
    return os.path.abspath(os.path.dirname(path)) == os.path.abspath(hook.out_dir)


def _newest_best(hook: BaseEvalHook, done: int) -> str | None:
    """The newest best checkpoint in the folder of a hook up to an epoch or iteration."""
    if not os.path.isdir(hook.out_dir):  # not there yet, or not on this machine
        return None
    kind = "epoch" if hook.by_epoch else "iter"
    found = [match for name in os.listdir(hook.out_dir) if (match := BEST.fullmatch(name))]
    numbers = {
        int(match["number"]): match.string
        for match in found
        if match["kind"] == kind and int(match["number"]) <= done
    }
    return os.path.join(hook.out_dir, numbers[max(numbers)]) if numbers else None


def _broadcast_norm_buffers(model: nn.Module) -> None:
    """Give all processes the running statistics of rank 0, which DDP does not keep equal."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
            dist.broadcast(module.running_var, 0)
            dist.broadcast(module.running_mean, 0)
