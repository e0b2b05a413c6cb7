"""Correlation of template and search features with a small head on top."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmcv.runner import BaseModule
from mmdet.models.builder import HEADS
from torch import nn

from ...core.track import depthwise_correlation


@HEADS.register_module()
class CorrelationHead(BaseModule):
    """Depth-wise correlation between convolutions.

    Args:
        in_channels: Channels of the features.
        mid_channels: Channels of the correlation.
        out_channels: Channels of the result.
        kernel_size: Of the convolutions before the correlation; they do not pad.
        norm_cfg: Kind of norms.
        act_cfg: Kind of activations.
        init_cfg: Initialisation of the weights.
        **kwargs: Accepted for configs written for other heads.

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019, section 3.4.
    """

    def __init__(
        self,
        in_channels: int,
        mid_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        norm_cfg: dict | None = {"type": "BN"},  # noqa: B006 (documented; never changed)
        act_cfg: dict | None = {"type": "ReLU"},  # noqa: B006
        init_cfg: dict | list[dict] | None = None,
        **kwargs: Any,
    ):
        super().__init__(init_cfg)
        common = {"norm_cfg": norm_cfg, "act_cfg": act_cfg}
        self.kernel_convs = ConvModule(in_channels, mid_channels, kernel_size, **common)
        self.search_convs = ConvModule(in_channels, mid_channels, kernel_size, **common)
        self.head_convs = nn.Sequential(
            ConvModule(mid_channels, mid_channels, 1, **common),
            ConvModule(mid_channels, out_channels, 1, act_cfg=None),
        )

    def forward(self, kernel: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """Response of the search features to the template.

        Args:
            kernel: Template features, ``(N, C, H_k, W_k)``.
            search: Search features, ``(N, C, H_x, W_x)``.

        Returns:
            ``(N, out_channels, H_x - H_k + 1, W_x - W_k + 1)``.
        """
        return self.correlate(self.kernel_convs(kernel), search)

    def correlate(self, kernel: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        """As :meth:`forward` for a template that went through ``kernel_convs`` before."""
        return self.head_convs(depthwise_correlation(self.search_convs(search), kernel))
