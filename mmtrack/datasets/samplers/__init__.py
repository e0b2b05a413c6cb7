"""Samplers that keep videos together or draw a fixed number of samples per epoch."""

from .quota_sampler import DistributedQuotaSampler
from .video_sampler import DistributedVideoSampler, SOTVideoSampler, frame_groups

__all__ = ["DistributedQuotaSampler", "DistributedVideoSampler", "SOTVideoSampler", "frame_groups"]
