"""Building pipelines of single object tracking: frames stay 8-bit until they are cropped.

Configs ask for ``LoadMultiImagesFromFile(to_float32=True)``. Where a cropping step follows, and
only steps between them that do not depend on the type of the pixels, the frame is loaded as uint8
and its crop is converted. The crops are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.datasets.pipelines import Compose

from .fused import build_pipeline
from .loading import LoadMultiImagesFromFile, SeqLoadAnnotations
from .sot_augmentation import SeqBboxJitter, SeqGrayAug
from .sot_crops import SeqCropLikeSiamFC, SeqCropLikeStark
from .transforms import SeqRandomFlip

BETWEEN = (SeqBboxJitter, SeqGrayAug, SeqLoadAnnotations, SeqRandomFlip)
CROPS = (SeqCropLikeSiamFC, SeqCropLikeStark)


def build_sot_pipeline(transforms: Sequence[dict | Any]) -> Compose:
    """Build a pipeline from configs and make it fast, see the head of this module."""
    pipeline = build_pipeline(transforms)
    steps = pipeline.transforms
    for start, step in enumerate(steps):
        if type(step) is LoadMultiImagesFromFile and step.to_float32:
            _defer_float32(steps[start:])
    return pipeline


def _defer_float32(steps: list[Any]) -> None:
    """Let a crop convert the pixels instead of the first step, which loads the frames."""
    end = next((i for i, step in enumerate(steps) if type(step) in CROPS), None)
    if end is None or not all(type(step) in BETWEEN for step in steps[1:end]):
        return
    steps[0].to_float32 = False
    for step in steps[1 : end + 1]:
        if isinstance(step, (SeqGrayAug, *CROPS)):
            step.to_float32 = True
