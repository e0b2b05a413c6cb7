"""Motion models."""

from .camera_motion_compensation import CameraMotionCompensation
from .flownet_simple import FlowNetSimple
from .kalman_filter import KalmanFilter
from .linear_motion import LinearMotion

__all__ = ["CameraMotionCompensation", "FlowNetSimple", "KalmanFilter", "LinearMotion"]
