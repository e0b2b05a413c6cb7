"""Trackers: they give the detections of every frame their identities."""

from .base_tracker import BaseTracker
from .byte_tracker import ByteTracker
from .ocsort_tracker import OCSORTTracker
from .sort_tracker import SortTracker

__all__ = ["BaseTracker", "ByteTracker", "OCSORTTracker", "SortTracker"]
