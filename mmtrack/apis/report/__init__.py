"""Gather what a results report shows from what a test run leaves."""

from .gather import NoGroundTruth, gather_report
from .mot_folder import gather_mot_folder
from .pictures import DEFAULT_QUALITY, encode_pictures, plan_pictures

__all__ = [
    "DEFAULT_QUALITY",
    "NoGroundTruth",
    "encode_pictures",
    "gather_mot_folder",
    "gather_report",
    "plan_pictures",
]
