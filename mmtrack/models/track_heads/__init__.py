"""Heads of trackers."""

from .corner_head import CornerPredictorHead
from .mixformer_head import MixFormerHead, MixFormerScoreDecoder
from .quasi_dense_embed_head import QuasiDenseEmbedHead
from .quasi_dense_track_head import QuasiDenseTrackHead
from .roi_embed_head import RoIEmbedHead
from .roi_track_head import RoITrackHead
from .score_head import ScoreHead
from .siamese_rpn_head import CorrelationHead, SiameseRPNHead
from .stark_head import StarkHead
from .stark_transformer import StarkTransformer

__all__ = [
    "CornerPredictorHead",
    "CorrelationHead",
    "MixFormerHead",
    "MixFormerScoreDecoder",
    "QuasiDenseEmbedHead",
    "QuasiDenseTrackHead",
    "RoIEmbedHead",
    "RoITrackHead",
    "ScoreHead",
    "SiameseRPNHead",
    "StarkHead",
    "StarkTransformer",
]
