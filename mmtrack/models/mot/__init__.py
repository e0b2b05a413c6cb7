"""Multi object trackers."""

from .base import BaseMultiObjectTracker
from .byte_track import ByteTrack
from .deep_sort import DeepSORT
from .ocsort import OCSORT
from .qdtrack import QDTrack
from .tracktor import Tracktor

__all__ = ["OCSORT", "BaseMultiObjectTracker", "ByteTrack", "DeepSORT", "Tracktor", "QDTrack"]
