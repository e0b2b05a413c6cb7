"""Association, similarity and packing of results."""

from .association import Matches, match_most, match_within
from .correlation import depthwise_correlation
from .crops import clip_to_pixels, crop_resize
from .image import imrenormalize
from .interpolation import interpolate_tracks
from .precise_roi_pool import precise_roi_pool
from .quasi_dense import (
    Claims,
    bisoftmax,
    claim_in_order,
    overlaps_earlier,
    softmax,
)
from .results import outs2results, results2outs
from .similarity import embed_similarity
from .track_table import TrackTable

__all__ = [
    "Claims",
    "Matches",
    "TrackTable",
    "bisoftmax",
    "claim_in_order",
    "clip_to_pixels",
    "crop_resize",
    "depthwise_correlation",
    "embed_similarity",
    "imrenormalize",
    "interpolate_tracks",
    "match_most",
    "match_within",
    "outs2results",
    "overlaps_earlier",
    "precise_roi_pool",
    "results2outs",
    "softmax",
]
