"""Box formats and overlaps."""

from .iou import SparseIoU, bbox_iou, sparse_bbox_iou
from .region import Polygon, Rectangle, bbox2region, calculate_region_overlap, region_overlaps
from .transforms import (
    bbox_cxcyah_to_xyxy,
    bbox_cxcywh_to_x1y1wh,
    bbox_xyxy_to_cxcyah,
    bbox_xyxy_to_x1y1wh,
    quad2bbox,
)

__all__ = [
    "Polygon",
    "Rectangle",
    "SparseIoU",
    "bbox2region",
    "bbox_cxcyah_to_xyxy",
    "bbox_cxcywh_to_x1y1wh",
    "bbox_iou",
    "bbox_xyxy_to_cxcyah",
    "bbox_xyxy_to_x1y1wh",
    "calculate_region_overlap",
    "quad2bbox",
    "region_overlaps",
    "sparse_bbox_iou",
]
