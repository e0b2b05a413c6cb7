"""Models, and the functions that build them from configs."""

from .aggregators import *  # noqa: F403
from .backbones import *  # noqa: F403
from .builder import (
    AGGREGATORS,
    MODELS,
    MOTION,
    REID,
    TRACKERS,
    build_aggregator,
    build_detector,
    build_model,
    build_motion,
    build_reid,
    build_tracker,
)
from .losses import *  # noqa: F403
from .mot import *  # noqa: F403
from .motion import *  # noqa: F403
from .reid import *  # noqa: F403
from .roi_heads import *  # noqa: F403
from .sot import *  # noqa: F403
from .track_heads import *  # noqa: F403
from .trackers import *  # noqa: F403
from .vid import *  # noqa: F403
from .vis import *  # noqa: F403

__all__ = [
    "AGGREGATORS",
    "MODELS",
    "MOTION",
    "REID",
    "TRACKERS",
    "build_aggregator",
    "build_detector",
    "build_model",
    "build_motion",
    "build_reid",
    "build_tracker",
]
