"""Video object detectors."""

from .base import BaseVideoDetector
from .dff import DFF
from .fgfa import FGFA
from .selsa import SELSA

__all__ = ["DFF", "FGFA", "SELSA", "BaseVideoDetector"]
