"""Motion of boxes and of features."""

from .flow import flow_warp_feats
from .observation_centric import directions, turning_cost, virtual_bboxes

__all__ = ["directions", "flow_warp_feats", "turning_cost", "virtual_bboxes"]
