"""Optimizer hooks that train the backbone of SiameseRPN++ from some epoch on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.runner import HOOKS, Fp16OptimizerHook, OptimizerHook


class _LateBackbone:
    """Keeps layers of the backbone as they are until an epoch, then trains them.

    Args:
        backbone_start_train_epoch: First epoch, counted from 0, that trains the layers.
        backbone_train_layers: Names of the layers, for example ``['layer2', 'layer3']``.
        **kwargs: Of the optimizer hook.
    """

    def __init__(
        self,
        backbone_start_train_epoch: int,
        backbone_train_layers: Sequence[str],
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.backbone_start_train_epoch = backbone_start_train_epoch
        self.backbone_train_layers = list(backbone_train_layers)

    def before_train_epoch(self, runner: Any) -> None:
        """Set the layers free when their epoch has come.

        This is repeated in every epoch: the runner sets the training mode before, in which the
        backbone freezes its stages again. That also serves runs that resume later.

        Raises:
            AttributeError: the backbone has no such layer.
        """
        super().before_train_epoch(runner)
        if runner.epoch < self.backbone_start_train_epoch:
            return
        backbone = getattr(runner.model, "module", runner.model).backbone
        for name in self.backbone_train_layers:
            layer = backbone.get_submodule(name)
            layer.requires_grad_(True)
            # BatchNorm included: its statistics follow the data from now on.
            layer.train()


@HOOKS.register_module()
class SiameseRPNOptimizerHook(_LateBackbone, OptimizerHook):
    """Optimizer hook of SiameseRPN++.

    Args:
        backbone_start_train_epoch: First epoch, counted from 0, that trains the backbone. The log
            counts epochs from 1.
        backbone_train_layers: Names of the layers of the backbone to train from then on.
        **kwargs: Of mmcv's ``OptimizerHook``, for example ``grad_clip``.
    """


@HOOKS.register_module()
class SiameseRPNFp16OptimizerHook(_LateBackbone, Fp16OptimizerHook):
    """Optimizer hook of SiameseRPN++ for mixed precision.

    Args:
        backbone_start_train_epoch: First epoch, counted from 0, that trains the backbone.
        backbone_train_layers: Names of the layers of the backbone to train from then on.
        **kwargs: Of mmcv's ``Fp16OptimizerHook``, for example ``loss_scale``.
    """
