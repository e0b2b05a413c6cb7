"""Aggregators of features of several frames."""

from .embed_aggregator import EmbedAggregator
from .selsa_aggregator import SelsaAggregator

__all__ = ["EmbedAggregator", "SelsaAggregator"]
