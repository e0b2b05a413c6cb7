"""Video perception toolbox: detection, tracking and instance segmentation in videos."""

from . import compat
from .version import __version__, version_info

compat.install()

__all__ = ["__version__", "version_info"]
