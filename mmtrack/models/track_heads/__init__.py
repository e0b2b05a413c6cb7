"""Heads of trackers."""

from .corner_head import CornerPredictorHead
from .score_head import ScoreHead
from .siamese_rpn_head import CorrelationHead, SiameseRPNHead
from .stark_head import StarkHead
from .stark_transformer import StarkTransformer

__all__ = [
    "CornerPredictorHead",
    "CorrelationHead",
    "ScoreHead",
    "SiameseRPNHead",
    "StarkHead",
    "StarkTransformer",
]
