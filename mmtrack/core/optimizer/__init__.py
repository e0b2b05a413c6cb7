"""Optimizer and learning rate hooks."""

from .siamese_rpn_lr import SiameseRPNLrUpdaterHook
from .siamese_rpn_optimizer import SiameseRPNFp16OptimizerHook, SiameseRPNOptimizerHook

__all__ = [
    "SiameseRPNFp16OptimizerHook",
    "SiameseRPNLrUpdaterHook",
    "SiameseRPNOptimizerHook",
]
