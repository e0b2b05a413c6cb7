"""Association, similarity and packing of results."""

from .correlation import depthwise_correlation
from .image import imrenormalize
from .interpolation import interpolate_tracks
from .results import outs2results, results2outs
from .similarity import embed_similarity

__all__ = [
    "depthwise_correlation",
    "embed_similarity",
    "imrenormalize",
    "interpolate_tracks",
    "outs2results",
    "results2outs",
]
