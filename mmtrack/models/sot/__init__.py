"""Single object trackers."""

from .base import BaseSingleObjectTracker
from .mixformer import MixFormer
from .siamrpn import SiamRPN
from .stark import Stark

__all__ = ["BaseSingleObjectTracker", "MixFormer", "SiamRPN", "Stark"]
