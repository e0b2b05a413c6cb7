"""Anchors of SiameseRPN, and the window that prefers the middle of the search image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.core.anchor import AnchorGenerator
from mmdet.core.anchor.builder import PRIOR_GENERATORS


@PRIOR_GENERATORS.register_module()
class SiameseRPNAnchorGenerator(AnchorGenerator):
    """Anchors of SiameseRPN: their sides are whole multiples of the scale.

    Args:
        strides: Distance of neighbouring anchors in pixels, one per level.
        *args: Of mmdet's ``AnchorGenerator``.
        **kwargs: Of mmdet's ``AnchorGenerator``: ``ratios`` (height over width), ``scales`` and
            the others.

    Reference: Li et al., "High Performance Visual Tracking with Siamese Region Proposal Network",
    CVPR 2018, section 4.
    """

    def __init__(self, strides: Sequence[int], *args: Any, **kwargs: Any):
        super().__init__(strides, *args, **kwargs)

    def gen_single_level_base_anchors(
        self,
        base_size: int | float,
        scales: torch.Tensor,
        ratios: torch.Tensor,
        center: tuple[float, float] | None = None,
    ) -> torch.Tensor:
        """Anchors at one place of a feature map.

        Both sides of an anchor of area ``base_size ** 2`` are cut to whole pixels before they are
        scaled: a base size of 8 and a ratio of 1/3 give 13 x 4 instead of 13.9 x 4.6.

        Args:
            base_size: Side of the square anchor of scale 1 in pixels.
            scales: ``(S,)``.
            ratios: ``(R,)``, height over width.
            center: x, y of the place; by default ``center_offset`` times the base size.

        Returns:
            ``(R * S, 4)``, x1y1x2y2, the scale varies fastest; slowest with ``scale_major=False``.
        """
        x, y = center if center is not None else (self.center_offset * base_size,) * 2
        widths = torch.sqrt(base_size**2 / ratios).floor()
        heights = torch.sqrt(base_size**2 * ratios).floor()
        if self.scale_major:
            ws = (widths[:, None] * scales[None, :]).reshape(-1)
            hs = (heights[:, None] * scales[None, :]).reshape(-1)
        else:
            ws = (scales[:, None] * widths[None, :]).reshape(-1)
            hs = (scales[:, None] * heights[None, :]).reshape(-1)
        return torch.stack([x - ws / 2, y - hs / 2, x + ws / 2, y + hs / 2], dim=-1)

    def gen_2d_hanning_windows(
        self, featmap_sizes: Sequence[Sequence[int]], device: str | torch.device = "cuda"
    ) -> list[torch.Tensor]:
        """Weights between 0 at the border and 1 in the middle, for every anchor.

        Args:
            featmap_sizes: Height and width of the feature map of each level.
            device: Where the tensors are.

        Returns:
            Per level ``(H * W * A,)``, in the order of :meth:`grid_priors`.

        Raises:
            ValueError: the number of sizes is not the number of levels.
        """
        if len(featmap_sizes) != self.num_levels:
            raise ValueError(
                f"{len(featmap_sizes)} feature maps for an anchor generator of {self.num_levels}"
            )
        windows = []
        for (height, width), anchors in zip(featmap_sizes, self.num_base_priors, strict=True):
            ys, xs = (torch.hann_window(n, periodic=False, device=device) for n in (height, width))
            windows.append(torch.outer(ys, xs).reshape(-1).repeat_interleave(anchors))
        return windows
