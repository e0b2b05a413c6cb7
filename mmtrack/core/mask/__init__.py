"""Masks: put into the image, encoded, and followed over a video."""

from .encode import encode_masks
from .mask_tracks import MaskTrack, track_ious
from .paste import paste_masks
from .rle import check_segmentation, to_rle

__all__ = ["MaskTrack", "check_segmentation", "encode_masks", "paste_masks", "to_rle", "track_ious"]
