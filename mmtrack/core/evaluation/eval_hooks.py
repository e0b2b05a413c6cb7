"""Hooks that evaluate video datasets during training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmcv.engine import multi_gpu_test as mmcv_multi_gpu_test
from mmcv.engine import single_gpu_test as mmcv_single_gpu_test
from mmcv.runner import BaseRunner
from mmcv.runner import DistEvalHook as BaseDistEvalHook
from mmcv.runner import EvalHook as BaseEvalHook
from torch import distributed as dist
from torch import nn

from .overlap_check import NoOverlapError
from .test_loop import multi_gpu_test, single_gpu_test


class EvalHook(BaseEvalHook):
    """Evaluate with :func:`single_gpu_test`, which knows the results of video models.

    The arguments are those of ``mmcv.runner.EvalHook``; a ``test_fn`` given by the user is used
    instead of ours. A new best checkpoint is written before the one before is removed.
    """

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


def _broadcast_norm_buffers(model: nn.Module) -> None:
    """Give all processes the running statistics of rank 0, which DDP does not keep equal."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
            dist.broadcast(module.running_var, 0)
            dist.broadcast(module.running_mean, 0)
