"""Video instance segmentation."""

from .mask_track_rcnn import MaskTrackRCNN

__all__ = ["MaskTrackRCNN"]
