"""Backbones of trackers; those of mmdet can be used too."""

from .sot_resnet import SOTResNet

__all__ = ["SOTResNet"]
