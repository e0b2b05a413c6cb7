"""Hooks of the training loop."""

from .epoch_seed_hook import EpochSeedHook
from .mlflow_logger_hook import MlflowLoggerHook
from .yolox_mode_switch_hook import YOLOXModeSwitchHook

__all__ = ["EpochSeedHook", "MlflowLoggerHook", "YOLOXModeSwitchHook"]
