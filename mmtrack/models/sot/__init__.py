"""Single object trackers."""

from .base import BaseSingleObjectTracker
from .siamrpn import SiamRPN
from .stark import Stark

__all__ = ["BaseSingleObjectTracker", "SiamRPN", "Stark"]
