"""RoI features enriched by the most similar places in other frames."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmdet.models.builder import ROI_EXTRACTORS

from ...core.track.feature_aggregation import most_similar_features, temporal_attention
from .single_roi_extractor import SingleRoIExtractor


@ROI_EXTRACTORS.register_module()
class TemporalRoIAlign(SingleRoIExtractor):
    """Temporal RoI Align.

    Args:
        num_most_similar_points: Places looked up in every reference frame for a place of a region.
        num_temporal_attention_blocks: Groups of channels of the attention over frames, a divisor of
            ``out_channels``; 0 takes the plain mean over frames.
        *args: For :class:`SingleRoIExtractor`.
        **kwargs: For :class:`SingleRoIExtractor`.

    Reference: Gong et al., "Temporal RoI Align for Video Object Recognition", AAAI 2021.
    """

    def __init__(
        self,
        num_most_similar_points: int = 2,
        num_temporal_attention_blocks: int = 4,
        *args: Any,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        if num_most_similar_points < 1:
            raise ValueError(
                f"num_most_similar_points must be at least 1, found {num_most_similar_points}"
            )
        self.num_most_similar_points = num_most_similar_points
        self.num_temporal_attention_blocks = num_temporal_attention_blocks
        if num_temporal_attention_blocks > 0:
            if self.out_channels % num_temporal_attention_blocks:
                raise ValueError(
                    f"out_channels ({self.out_channels}) of TemporalRoIAlign must be a multiple of "
                    f"num_temporal_attention_blocks ({num_temporal_attention_blocks})"
                )
            self.embed_network = ConvModule(
                self.out_channels, self.out_channels, 3, padding=1, act_cfg=None
            )

    def temporal_attentional_feature_aggregation(
        self, x: torch.Tensor, ref_x: torch.Tensor
    ) -> torch.Tensor:
        """Weighted mean of the features of regions and of what references say about them.

        Args:
            x: ``(1, R, C, h, w)``.
            ref_x: ``(N, R, C, h, w)``, from :meth:`most_similar_roi_align`.

        Returns:
            ``(R, C, h, w)``.
        """
        feats = torch.cat((x, ref_x))
        embeds = self.embed_network(feats.flatten(0, 1)).unflatten(0, feats.shape[:2])
        return temporal_attention(embeds, feats, self.num_temporal_attention_blocks)

    def most_similar_roi_align(
        self, roi_feats: torch.Tensor, ref_feats: torch.Tensor
    ) -> torch.Tensor:
        """Describe every place of every region by the most similar places of each reference.

        Args:
            roi_feats: ``(R, C, h, w)``.
            ref_feats: Feature maps of the references, ``(N, C, H, W)``.

        Returns:
            ``(N, R, C, h, w)``.
        """
        regions, _, height, width = roi_feats.shape
        points = roi_feats.permute(0, 2, 3, 1).flatten(0, 2)
        similar = most_similar_features(points, ref_feats, self.num_most_similar_points)
        return similar.unflatten(1, (regions, height, width)).permute(0, 1, 4, 2, 3)

    def forward(
        self,
        feats: list[torch.Tensor] | tuple[torch.Tensor, ...],
        rois: torch.Tensor,
        roi_scale_factor: float | None = None,
        ref_feats: list[torch.Tensor] | tuple[torch.Tensor, ...] | None = None,
    ) -> torch.Tensor:
        """Features of regions of a frame.

        Args:
            feats: Feature maps of the frame, one level: ``[(1, C, H, W)]``.
            rois: ``(R, 5)``, number of the image and ``x1, y1, x2, y2`` in pixels of the image.
            roi_scale_factor: Regions are scaled by it about their centre.
            ref_feats: Feature maps of the references, ``[(N, C, H, W)]``. Without them this is
                plain RoI Align.

        Returns:
            ``(R, C, h, w)``.

        Raises:
            ValueError: there are references and more than one level.
        """
        roi_feats = super().forward(feats, rois, roi_scale_factor)
        if ref_feats is None or not len(rois):
            return roi_feats
        if len(ref_feats) != 1:
            raise ValueError(
                f"TemporalRoIAlign looks up similar places in one level, found {len(ref_feats)}: "
                "use a neck with one output, such as ChannelMapper"
            )
        similar = self.most_similar_roi_align(roi_feats, ref_feats[0])
        if self.num_temporal_attention_blocks > 0:
            return self.temporal_attentional_feature_aggregation(roi_feats[None], similar)
        return torch.cat((roi_feats[None], similar)).mean(dim=0)
