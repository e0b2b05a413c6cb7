"""Metrics, and the trained weights, in MLflow."""

from __future__ import annotations

import os
from typing import Any

from mmcv.runner import HOOKS, master_only
from mmcv.runner.hooks import MlflowLoggerHook as MMCVMlflowLoggerHook


# mmcv registers its hook under the same name; configs need not change.
@HOOKS.register_module(force=True)
class MlflowLoggerHook(MMCVMlflowLoggerHook):
    """mmcv's hook, except that the model is kept as the checkpoint that the run wrote last.

    mmcv pickles the whole model, which MLflow 3 refuses without an example input, and which runs
    code when it is loaded. A checkpoint is what ``tools/test.py --checkpoint`` takes. The
    arguments are those of mmcv's hook.
    """

    @master_only
    def after_run(self, runner: Any) -> None:
        """Store the last checkpoint under ``models`` in the run, where ``log_model`` says so."""
        last = ((runner.meta or {}).get("hook_msgs") or {}).get("last_ckpt")
        if not self.log_model:
            return
        if last and os.path.isfile(last):
            self.mlflow.log_artifact(last, "models")
        else:
            runner.logger.warning("MlflowLoggerHook: this run wrote no checkpoint to store")
