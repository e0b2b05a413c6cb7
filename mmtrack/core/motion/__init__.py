"""Motion of boxes and of features."""

from .flow import flow_warp_feats

__all__ = ["flow_warp_feats"]
