"""Hooks of the training loop."""

from .epoch_seed_hook import EpochSeedHook
from .yolox_mode_switch_hook import YOLOXModeSwitchHook

__all__ = ["EpochSeedHook", "YOLOXModeSwitchHook"]
