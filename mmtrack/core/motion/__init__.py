"""Motion of boxes and of features."""

from .box_motion import mean_velocities, rescale_warp
from .flow import flow_warp_feats
from .observation_centric import directions, turning_cost, virtual_bboxes

__all__ = [
    "directions",
    "flow_warp_feats",
    "mean_velocities",
    "rescale_warp",
    "turning_cost",
    "virtual_bboxes",
]
