"""Masks: put into the image, encoded, and followed over a video."""

from .encode import encode_masks, rle_as_text
from .mask_tracks import MaskTrack, track_ious
from .paste import paste_masks
from .rle import check_segmentation, check_size, to_rle

__all__ = [
    "MaskTrack",
    "check_segmentation",
    "check_size",
    "encode_masks",
    "paste_masks",
    "rle_as_text",
    "to_rle",
    "track_ious",
]
