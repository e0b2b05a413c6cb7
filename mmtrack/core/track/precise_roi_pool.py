"""Exact pooling of one region per feature map."""

from __future__ import annotations

import torch

from ...compat.ops.roi_pool import pixel_weights


def precise_roi_pool(feats: torch.Tensor, bboxes: torch.Tensor, pool_size: int) -> torch.Tensor:
    """Mean of the bilinear surface of each map over the bins of its box.

    The integral of a bilinear surface over a rectangle is a product of two sums with weights known
    in closed form. So two matrix products per map are all there is: no sampling points, no wait
    for the device, and slopes for the maps and for the boxes. The operator of mmcv takes any
    number of boxes per map and waits for the device to count them.

    Args:
        feats: ``(N, C, H, W)``; zero outside.
        bboxes: One box for each map, ``(N, 4)``, x1y1x2y2 in places of the map: the value at
            column i and row j belongs to the point (i, j).
        pool_size: Bins along each axis.

    Returns:
        ``(N, C, pool_size, pool_size)``. Boxes without an area, or with corners in the wrong
        order, give zeros.

    Reference: Jiang et al., "Acquisition of Localization Confidence for Accurate Object
    Detection", ECCV 2018, section 3.3.
    """
    bboxes = bboxes.float()
    extent = (bboxes[:, 2:] - bboxes[:, :2]).clamp(min=0)
    rows = pixel_weights(bboxes[:, 1], extent[:, 1], pool_size, feats.shape[2])
    columns = pixel_weights(bboxes[:, 0], extent[:, 0], pool_size, feats.shape[3])
    return torch.einsum("nih,nchw,njw->ncij", rows.to(feats.dtype), feats, columns.to(feats.dtype))
