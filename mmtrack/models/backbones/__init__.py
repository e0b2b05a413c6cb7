"""Backbones of trackers; those of mmdet can be used too."""

from .mixformer_backbone import ConvVisionTransformer
from .sot_resnet import SOTResNet

__all__ = ["ConvVisionTransformer", "SOTResNet"]
