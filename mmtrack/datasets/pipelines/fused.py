"""Building pipelines: steps of mmdet are replaced by faster ones that do the same.

Configs keep naming mmdet's steps. `build_pipeline` and `optimize_pipeline` look for these, by exact
type, in the built pipeline:

- LoadImageFromFile: replaced by one whose errors name the file;
- Normalize, Pad, ImageToTensor in a row: one pass that writes the padded tensor;
- SeqNormalize, SeqPad in a row, if only steps of this package follow: the same for lists of frames.

The results are equal bit for bit. Subclasses and steps in another order are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.datasets.pipelines import (
    Compose,
    ImageToTensor,
    LoadImageFromFile,
    MultiScaleFlipAug,
    Normalize,
    Pad,
)

from .formatting import (
    ConcatSameTypeFrames,
    ConcatVideoReferences,
    MultiImagesToTensor,
    ReIDFormatBundle,
    SeqDefaultFormatBundle,
    ToList,
    VideoCollect,
)
from .loading import CheckedLoadImageFromFile
from .normalize import normalize_to_chw
from .processing import MatchInstances
from .transforms import SeqNormalize, SeqPad

# Steps that take an image in any memory layout.
LAYOUT_FREE = (
    ConcatSameTypeFrames,
    ConcatVideoReferences,
    MatchInstances,
    MultiImagesToTensor,
    ReIDFormatBundle,
    SeqDefaultFormatBundle,
    ToList,
    VideoCollect,
)


def _padded_size(shape: tuple[int, ...], pad: Pad | None) -> tuple[int, int]:
    """Height and width that a Pad step gives an image of ``shape`` (h, w, ...)."""
    height, width = shape[:2]
    if pad is None:
        return height, width
    if pad.pad_to_square:
        return max(height, width), max(height, width)
    if pad.size is not None:
        return max(height, pad.size[0]), max(width, pad.size[1])
    divisor = pad.size_divisor
    return -(-height // divisor) * divisor, -(-width // divisor) * divisor


class NormalizePad:
    """Normalize and Pad in one pass over the pixels.

    Args:
        normalize: The step that is replaced.
        pad: The step that is replaced, or None.
    """

    def __init__(self, normalize: Normalize, pad: Pad | None = None):
        self.normalize = normalize
        self.pad = pad

    def to_chw(self, results: dict) -> dict:
        """Do it for one frame; ``img`` becomes ``(3, H, W)`` float32."""
        norm, pad = self.normalize, self.pad
        img = results["img"]
        size = _padded_size(img.shape, pad)
        value = 0 if pad is None else pad.pad_val.get("img", 0)
        results["img"] = normalize_to_chw(img, norm.mean, norm.std, norm.to_rgb, size, value)
        results["img_norm_cfg"] = {"mean": norm.mean, "std": norm.std, "to_rgb": norm.to_rgb}
        if pad is not None:
            results["pad_shape"] = (*size, img.shape[2])
            results["pad_fixed_size"] = size if pad.pad_to_square else pad.size
            results["pad_size_divisor"] = pad.size_divisor
            pad._pad_masks(results)
            pad._pad_seg(results)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.normalize}, {self.pad})"


def _is_plain(results: dict) -> bool:
    """Whether a frame has one colour image and nothing else that would be normalised."""
    img = results["img"]
    return results.get("img_fields", ["img"]) == ["img"] and img.ndim == 3 and img.shape[2] == 3


class NormalizePadToTensor(NormalizePad):
    """Normalize, Pad and ImageToTensor in one pass over the pixels."""

    def __init__(self, normalize: Normalize, pad: Pad | None, to_tensor: ImageToTensor):
        super().__init__(normalize, pad)
        self.to_tensor = to_tensor

    def __call__(self, results: dict) -> dict:
        """Turn ``img`` into the tensor ``(3, H, W)``."""
        if not _is_plain(results):
            results = self.normalize(results)
            results = results if self.pad is None else self.pad(results)
            return self.to_tensor(results)
        results = self.to_chw(results)
        results["img"] = torch.from_numpy(results["img"])
        return results


class SeqNormalizePad(NormalizePad):
    """SeqNormalize and SeqPad in one pass over the pixels."""

    def __call__(self, results: list[dict]) -> list[dict]:
        """Turn ``img`` into ``(H, W, 3)`` views of memory that lies channels first."""
        if not all(map(_is_plain, results)):
            return self.pad(self.normalize(results))
        for frame in results:
            frame["img"] = self.to_chw(frame)["img"].transpose(1, 2, 0)
        return results


def _types(steps: Sequence[Any]) -> list[type]:
    return [type(step) for step in steps]


def _fuse(steps: Sequence[Any]) -> tuple[Any, int]:
    """Fastest step for the first of some steps, and how many it replaces."""
    step = steps[0]
    if type(step) is LoadImageFromFile:
        checked = CheckedLoadImageFromFile(
            step.to_float32, step.color_type, step.channel_order, step.file_client_args
        )
        return checked, 1
    if type(step) is MultiScaleFlipAug:
        step.transforms = optimize_pipeline(step.transforms)
        return step, 1
    if _types(steps[:3]) == [Normalize, Pad, ImageToTensor] and list(steps[2].keys) == ["img"]:
        return NormalizePadToTensor(*steps[:3]), 3
    if _types(steps[:2]) == [Normalize, ImageToTensor] and list(steps[1].keys) == ["img"]:
        return NormalizePadToTensor(step, None, steps[1]), 2
    if _types(steps[:2]) == [SeqNormalize, SeqPad] and set(_types(steps[2:])) <= set(LAYOUT_FREE):
        return SeqNormalizePad(*steps[:2]), 2
    return step, 1


def optimize_pipeline(pipeline: Compose) -> Compose:
    """Replace steps of a built pipeline by faster ones with equal results.

    Args:
        pipeline: The steps; it is not changed, apart from the inside of MultiScaleFlipAug.

    Returns:
        The new pipeline.
    """
    steps, at = [], 0
    while at < len(pipeline.transforms):
        step, replaced = _fuse(pipeline.transforms[at:])
        steps.append(step)
        at += replaced
    return Compose(steps)


def build_pipeline(transforms: Sequence[dict | Any]) -> Compose:
    """Build a pipeline from configs and make it fast, see the head of this module."""
    return optimize_pipeline(Compose(transforms))
