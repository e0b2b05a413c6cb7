"""Aggregation of feature maps that look alike in an embedding."""

from __future__ import annotations

import torch
from mmcv.cnn import ConvModule
from mmcv.runner import BaseModule
from torch import nn

from ...core.track.feature_aggregation import aggregate_by_similarity
from ..builder import AGGREGATORS

RELU = {"type": "ReLU"}


@AGGREGATORS.register_module()
class EmbedAggregator(BaseModule):
    """Weigh feature maps by the similarity of their embeddings to that of the key frame.

    Args:
        num_convs: Number of convolutions of the embedding.
        channels: Channels of the features and of the embedding.
        kernel_size: Of the convolutions, odd.
        norm_cfg: Normalisation after all convolutions but the last.
        act_cfg: Activation after all convolutions but the last.
        init_cfg: Initialisation of the weights.

    Reference: Zhu et al., "Flow-Guided Feature Aggregation for Video Object Detection", ICCV 2017,
    section 3.2.
    """

    def __init__(
        self,
        num_convs: int = 1,
        channels: int = 256,
        kernel_size: int = 3,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = RELU,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if num_convs < 1:
            raise ValueError(f"num_convs of EmbedAggregator must be at least 1, found {num_convs}")
        self.embed_convs = nn.ModuleList()
        for i in range(num_convs):
            # directions are compared, so the last one is linear
            last = i == num_convs - 1
            self.embed_convs.append(
                ConvModule(
                    channels,
                    channels,
                    kernel_size,
                    padding=kernel_size // 2,
                    norm_cfg=None if last else norm_cfg,
                    act_cfg=None if last else act_cfg,
                )
            )

    def forward(self, x: torch.Tensor, ref_x: torch.Tensor) -> torch.Tensor:
        """Aggregate the features of references.

        Args:
            x: Features of the key frame, ``(1, C, H, W)``.
            ref_x: Features of the references, moved to the key frame, ``(N, C, H, W)``.

        Returns:
            ``(1, C, H, W)``.

        Raises:
            ValueError: there is more than one key frame.
        """
        if len(x) != 1:
            raise ValueError(f"EmbedAggregator takes one key frame at a time, found {len(x)}")
        embeds = torch.cat((x, ref_x))
        for conv in self.embed_convs:
            embeds = conv(embeds)
        return aggregate_by_similarity(embeds[:1], embeds[1:], ref_x)
