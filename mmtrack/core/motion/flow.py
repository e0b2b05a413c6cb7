"""Warping of feature maps along optical flow."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def flow_warp_feats(x: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Sample a feature map at the places a flow field points to.

    Args:
        x: Features, ``(N, C, H_x, W_x)``.
        flow: Displacement in x and y per pixel, ``(N, 2, H_f, W_f)``, in pixels of the flow map. It
            is resized to the features when the two differ.

    Returns:
        ``(N, C, H_x, W_x)``; bilinear, and features outside the map count as those at its border.

    Raises:
        ValueError: the two are not 4-dimensional, or the flow has no two channels.

    Reference: Zhu et al., "Flow-Guided Feature Aggregation for Video Object Detection", ICCV 2017,
    equation 1.
    """
    if x.dim() != 4 or flow.dim() != 4 or flow.size(1) != 2:
        raise ValueError(
            "flow_warp_feats expects features (N, C, H, W) and flow (N, 2, H, W), "
            f"found {tuple(x.shape)} and {tuple(flow.shape)}"
        )
    height, width = x.shape[-2:]
    # half precision would place points a thirtieth of a pixel off on maps 64 wide
    exact = torch.promote_types(x.dtype, torch.float32)
    feats, flow = x.to(exact), flow.to(exact)
    factor = flow.size(-1) / width
    flow = F.interpolate(flow / factor, size=(height, width), mode="bilinear", align_corners=False)
    ys, xs = torch.meshgrid(
        torch.arange(height, device=x.device, dtype=exact),
        torch.arange(width, device=x.device, dtype=exact),
        indexing="ij",
    )
    points = torch.stack((xs, ys), dim=-1) + flow.permute(0, 2, 3, 1)
    # Published weights were trained with coordinates divided by the size and not by size - 1.
    grid = 2 * points / feats.new_tensor([width, height]) - 1
    warped = F.grid_sample(feats, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return warped.to(x.dtype)
