"""Box formats and overlaps."""

from .iou import SparseIoU, bbox_iou, sparse_bbox_iou
from .transforms import (
    bbox_cxcyah_to_xyxy,
    bbox_cxcywh_to_x1y1wh,
    bbox_xyxy_to_cxcyah,
    bbox_xyxy_to_x1y1wh,
    quad2bbox,
)

__all__ = [
    "SparseIoU",
    "bbox_cxcyah_to_xyxy",
    "bbox_cxcywh_to_x1y1wh",
    "bbox_iou",
    "bbox_xyxy_to_cxcyah",
    "bbox_xyxy_to_x1y1wh",
    "quad2bbox",
    "sparse_bbox_iou",
]
