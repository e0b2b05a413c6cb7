"""A hook with which one process of a training gets a signal, once, at a chosen moment.

Configs of tests import it (``custom_imports``).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from mmcv.runner import HOOKS, Hook


@HOOKS.register_module()
class DieOnce(Hook):
    """Send a signal to this process after an iteration.

    Args:
        marker: File that is made first; where it exists, nothing happens.
        rank: Process that dies.
        epoch: Epoch, counted from 1.
        name: Name of the signal.
        damage: Whether the newest checkpoint loses its end before that.
    """

    def __init__(
        self, marker: str, rank: int, epoch: int, name: str = "SIGKILL", damage: bool = False
    ):
        self.marker, self.rank, self.epoch = Path(marker), rank, epoch
        self.signal, self.damage = signal.Signals[name], damage

    def after_train_iter(self, runner) -> None:
        here = (runner.rank, runner.epoch + 1, runner.inner_iter) == (self.rank, self.epoch, 1)
        if here and not self.marker.exists():
            self.marker.touch()
            if self.damage:
                newest = Path(runner.work_dir, "latest.pth")
                os.truncate(newest, newest.stat().st_size - 1000)
            os.kill(os.getpid(), self.signal)
