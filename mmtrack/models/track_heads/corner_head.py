"""Head that finds a box by its two corners."""

from __future__ import annotations

import warnings

import torch
from mmcv.cnn import ConvModule
from mmcv.runner import BaseModule
from torch import nn

from ..builder import MODELS


@MODELS.register_module()
class CornerPredictorHead(BaseModule):
    """Box from probability maps of its top-left and bottom-right corner.

    Two stacks of convolutions score every place of a feature map as one of the corners; the
    corner is the expected place under the softmax of these scores.

    Args:
        inplanes: Channels of the feature map.
        channel: Channels after the first convolution; each further one halves them.
        feat_size: Side of the (square) feature map.
        stride: Pixels of the image between neighbouring places of the feature map.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 3.2 and equation 1.
    """

    def __init__(self, inplanes: int, channel: int, feat_size: int = 20, stride: int = 16):
        super().__init__()
        self.feat_size = feat_size
        self.stride = stride
        self.tl_corner_pred = _score_branch(inplanes, channel)
        self.br_corner_pred = _score_branch(inplanes, channel)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Boxes of feature maps.

        Args:
            x: ``(N, C, H, W)`` with H and W equal to ``feat_size``.

        Returns:
            ``(N, 4)``, x1y1x2y2 in pixels of the image. Nothing keeps an untrained head from
            putting the second corner above or left of the first.
        """
        corners = [self.soft_argmax(score_map) for score_map in self.get_score_map(x)]
        return torch.cat([coordinate for corner in corners for coordinate in corner], dim=1)

    def get_score_map(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of every place as top-left and as bottom-right corner.

        Args:
            x: ``(N, C, H, W)``.

        Returns:
            Two tensors ``(N, 1, H, W)``; higher is more likely, any real number.
        """
        return self.tl_corner_pred(x), self.br_corner_pred(x)

    def soft_argmax(self, score_map: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Expected place under the softmax of a score map.

        Args:
            score_map: ``(N, 1, feat_size, feat_size)``.

        Returns:
            x and y, each ``(N, 1)``, in pixels of the image, within
            ``[0, (feat_size - 1) * stride]``.
        """
        probabilities = score_map.flatten(1).softmax(dim=1).view(-1, self.feat_size, self.feat_size)
        # made anew each time: mmcv writes constants kept as buffers into checkpoints
        places = torch.arange(self.feat_size, device=score_map.device, dtype=score_map.dtype)
        places = (places * self.stride)[:, None]
        return probabilities.sum(dim=1) @ places, probabilities.sum(dim=2) @ places


def _score_branch(inplanes: int, channel: int) -> nn.Sequential:
    """Four 3x3 convolutions, each with half the channels of the one before, and a 1x1 score."""
    widths = (inplanes, channel, channel // 2, channel // 4, channel // 8)
    with warnings.catch_warnings():
        # published weights have these biases, so the advice to leave them out helps nobody
        warnings.filterwarnings("ignore", "Unnecessary conv bias", UserWarning)
        convs = [
            ConvModule(before, after, kernel_size=3, padding=1, bias=True, norm_cfg={"type": "BN"})
            for before, after in zip(widths[:-1], widths[1:], strict=True)
        ]
    return nn.Sequential(*convs, nn.Conv2d(widths[-1], 1, kernel_size=1))
