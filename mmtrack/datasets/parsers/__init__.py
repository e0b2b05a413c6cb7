"""Readers of annotation files."""

from .coco_video_parser import CocoVID
from .columnar_coco import ColumnarCOCO

__all__ = ["CocoVID", "ColumnarCOCO"]
