"""Image crops, process set-up, and the drawing functions under their documented names."""

from ..visualization import imshow_mot_errors, imshow_tracks
from .image import crop_image
from .processes import setup_multi_processes, tune_cpu_inference, usable_cores
from .progress import Progress

__all__ = [
    "Progress",
    "crop_image",
    "imshow_mot_errors",
    "imshow_tracks",
    "setup_multi_processes",
    "tune_cpu_inference",
    "usable_cores",
]
