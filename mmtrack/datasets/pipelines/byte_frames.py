"""Test pipelines of single object trackers whose frames stay 8-bit.

Configs ask for float frames (``to_float32=True``), of which a tracker looks at a small part. Where
the model takes bytes, and no step between loading and collecting computes with pixels, the frame
is handed on as it was decoded; the tracker converts its crop. Results are the same.
"""

from __future__ import annotations

import copy
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.datasets.pipelines import (
    Compose,
    ImageToTensor,
    LoadAnnotations,
    LoadImageFromFile,
    LoadImageFromWebcam,
    MultiScaleFlipAug,
    Normalize,
)

from .formatting import VideoCollect
from .loading import CheckedLoadImageFromFile

LOADERS = (CheckedLoadImageFromFile, LoadImageFromFile, LoadImageFromWebcam)


class ByteFrame:
    """In place of ``ImageToTensor``: a frame of bytes as ``(C, H, W)``.

    The planes are separated here, which takes a fraction of a millisecond; torch takes ten times as
    long to do it when it stacks a batch.

    Args:
        keys: Keys of the images.
    """

    def __init__(self, keys: list[str]):
        self.keys = keys

    def __call__(self, results: dict) -> dict:
        """Replace the images by tensors."""
        for key in self.keys:
            img = np.atleast_3d(results[key])
            planes = np.empty((img.shape[2], *img.shape[:2]), img.dtype)
            cv2.split(img, list(planes))
            results[key] = torch.from_numpy(planes)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(keys={self.keys})"


class ByteNormalize:
    """In place of a ``Normalize`` that changes nothing but the order of the channels.

    Args:
        normalize: The step that is replaced.
    """

    def __init__(self, normalize: Normalize):
        self.normalize = normalize

    def __call__(self, results: dict) -> dict:
        """Reverse the channels where the step does, and note its settings."""
        norm = self.normalize
        if norm.to_rgb:
            for key in results.get("img_fields", ["img"]):
                results[key] = cv2.cvtColor(results[key], cv2.COLOR_BGR2RGB)
        results["img_norm_cfg"] = {"mean": norm.mean, "std": norm.std, "to_rgb": norm.to_rgb}
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.normalize})"


def with_byte_frames(pipeline: Compose) -> Compose:
    """A test pipeline whose frames stay 8-bit, where that changes no value.

    Args:
        pipeline: A built pipeline; it is not changed.

    Returns:
        Another pipeline; the same one where it has steps that may depend on the type of pixels.
    """
    steps = [_byte_step(step) for step in pipeline.transforms]
    return pipeline if None in steps else Compose(steps)


def _byte_step(step: Any) -> Any | None:
    """A step for frames of bytes; None where it is not known to give the same values."""
    kind = type(step)
    if kind in LOADERS:
        step = copy.copy(step)
        step.to_float32 = False
        return step
    if kind in (LoadAnnotations, VideoCollect):
        return step
    if kind is ImageToTensor:
        return ByteFrame(step.keys)
    if kind is Normalize and not np.any(step.mean) and np.all(step.std == 1):
        return ByteNormalize(step)
    if kind is MultiScaleFlipAug:
        inner = with_byte_frames(step.transforms)
        if inner is step.transforms:
            return None
        step = copy.copy(step)
        step.transforms = inner
        return step
    return None
