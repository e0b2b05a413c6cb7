"""Hooks of the training loop."""

from .yolox_mode_switch_hook import YOLOXModeSwitchHook

__all__ = ["YOLOXModeSwitchHook"]
