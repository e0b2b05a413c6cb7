"""Anchors and windows of Siamese trackers."""

from .siamese_rpn_anchors import SiameseRPNAnchorGenerator

__all__ = ["SiameseRPNAnchorGenerator"]
