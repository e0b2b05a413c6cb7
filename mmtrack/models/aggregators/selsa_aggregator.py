"""Aggregation of proposals by attention over a sequence."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmcv.runner import BaseModule
from torch import nn

from ...core.track.feature_aggregation import attend
from ..builder import AGGREGATORS


class EncodedReferences(NamedTuple):
    """Proposals of reference frames, ready to be attended to.

    Attributes:
        keys: ``(M, C)``.
        values: ``(M, C)``.
    """

    keys: torch.Tensor
    values: torch.Tensor


@AGGREGATORS.register_module()
class SelsaAggregator(BaseModule):
    """Describe proposals of a frame by proposals of other frames that mean the same.

    Args:
        in_channels: Channels of the features of a proposal.
        num_attention_blocks: Number of heads of the attention, a divisor of ``in_channels``.
        init_cfg: Initialisation of the weights.

    Reference: Wu et al., "Sequence Level Semantics Aggregation for Video Object Detection",
    ICCV 2019, section 3.2.
    """

    def __init__(
        self, in_channels: int, num_attention_blocks: int = 16, init_cfg: dict | None = None
    ):
        super().__init__(init_cfg)
        if in_channels % num_attention_blocks:
            raise ValueError(
                f"in_channels ({in_channels}) of SelsaAggregator must be a multiple of "
                f"num_attention_blocks ({num_attention_blocks})"
            )
        self.fc_embed = nn.Linear(in_channels, in_channels)
        self.ref_fc_embed = nn.Linear(in_channels, in_channels)
        self.fc = nn.Linear(in_channels, in_channels)
        self.ref_fc = nn.Linear(in_channels, in_channels)
        self.num_attention_blocks = num_attention_blocks

    def encode(self, ref_x: torch.Tensor) -> EncodedReferences:
        """The part that does not depend on the key frame.

        Args:
            ref_x: Features of the proposals of all references, ``(M, C)``.
        """
        return EncodedReferences(self.ref_fc_embed(ref_x), self.ref_fc(ref_x))

    def forward(self, x: torch.Tensor, ref_x: torch.Tensor | EncodedReferences) -> torch.Tensor:
        """Aggregate the features of proposals of references.

        Args:
            x: Features of the proposals of the key frame, ``(N, C)``.
            ref_x: Features of the proposals of all references, ``(M, C)``, or what :meth:`encode`
                made of them.

        Returns:
            ``(N, C)``.
        """
        references = ref_x if isinstance(ref_x, EncodedReferences) else self.encode(ref_x)
        return self.fc(attend(self.fc_embed(x), *references, self.num_attention_blocks))
