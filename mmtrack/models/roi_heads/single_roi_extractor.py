"""mmdet's RoI extractor, callable like those that look at several frames."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.builder import ROI_EXTRACTORS
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor as _SingleRoIExtractor


# mmdet's own class has this name in its registry; the one that takes its place gives equal results.
@ROI_EXTRACTORS.register_module(force=True)
class SingleRoIExtractor(_SingleRoIExtractor):
    """Features of regions from one level of a feature pyramid.

    Args:
        roi_layer: Config of the RoI layer.
        out_channels: Channels of the features.
        featmap_strides: Strides of the levels.
        finest_scale: Regions below twice this size, in pixels, belong to the finest level.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self,
        roi_layer: dict,
        out_channels: int,
        featmap_strides: list[int],
        finest_scale: int = 56,
        init_cfg: dict | None = None,
    ):
        super().__init__(roi_layer, out_channels, featmap_strides, finest_scale, init_cfg)

    def forward(
        self,
        feats: list[torch.Tensor] | tuple[torch.Tensor, ...],
        rois: torch.Tensor,
        roi_scale_factor: float | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Features of regions.

        Args:
            feats: Feature maps, one per level, each ``(N, C, H, W)``.
            rois: ``(R, 5)``, number of the image and ``x1, y1, x2, y2`` in pixels of the image.
            roi_scale_factor: Regions are scaled by it about their centre.
            **kwargs: Of other extractors, such as ``ref_feats``; without effect.

        Returns:
            ``(R, C, h, w)``.
        """
        return super().forward(feats, rois, roi_scale_factor)
