"""How a frame becomes the input of a network, as the test pipeline of a config says."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import mmcv
import numpy as np
import torch

DIVISOR = 32  # where the pipeline pads to no multiple


class Prepared(NamedTuple):
    """Input of a network.

    Attributes:
        image: ``(1, 3, H, W)`` float32, normalised and padded at the right and the bottom.
        content: Height and width of the picture without padding.
        scale: Pixels of ``image`` per pixel of the frame, by x and by y.
    """

    image: torch.Tensor
    content: tuple[int, int]
    scale: tuple[float, float]


@dataclass(frozen=True)
class Preprocessing:
    """Resize, normalise, pad.

    Attributes:
        size: Height and width of the input.
        mean: Subtracted from the channels, in the order of the input.
        std: What they are divided by then.
        to_rgb: Whether the input is RGB; else BGR.
        pad_value: Of each channel, after normalisation.
        keep_ratio: Whether the picture keeps its proportions and is padded.
        divisor: Sides of inputs of other sizes must be multiples of it.
    """

    size: tuple[int, int]
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    to_rgb: bool = True
    pad_value: tuple[float, ...] = (0.0, 0.0, 0.0)
    keep_ratio: bool = True
    divisor: int = DIVISOR

    @classmethod
    def of_pipeline(
        cls, pipeline: Sequence[Mapping], size: tuple[int, int] | None = None
    ) -> Preprocessing:
        """What a test pipeline does.

        Args:
            pipeline: ``data.test.pipeline`` of a config.
            size: Height and width in place of those of the pipeline.

        Raises:
            ValueError: the pipeline has no ``Normalize``, or no size is given and it has none, or
                ``size`` is no multiple of what it pads to.
        """
        steps = _by_name(pipeline)
        resize, pad = steps.get("Resize", {}), steps.get("Pad", {})
        keep_ratio = bool(resize.get("keep_ratio", True))
        divisor = (pad.get("size_divisor") or 1) if keep_ratio else 1
        if size is None:
            size = _size(steps, keep_ratio, divisor)
        if any(side < 1 or side % divisor for side in size):
            raise ValueError(
                f"the size {size[0]}x{size[1]} must be of multiples of {divisor}, to which the "
                "test pipeline pads"
            )
        return cls(
            size=(int(size[0]), int(size[1])),
            pad_value=_pad_values(pad),
            keep_ratio=keep_ratio,
            divisor=divisor,
            **_normalization(normalize_step(pipeline)),
        )

    @classmethod
    def of_crops(cls, img_norm_cfg: Mapping, size: tuple[int, int]) -> Preprocessing:
        """What is done with crops: they are stretched to a size and normalised.

        Args:
            img_norm_cfg: ``mean``, ``std`` and ``to_rgb``.
            size: Height and width.
        """
        norm = _normalization(img_norm_cfg)
        return cls(size=(int(size[0]), int(size[1])), keep_ratio=False, divisor=1, **norm)

    def metadata(self) -> dict[str, Any]:
        """The settings by name."""
        return dataclasses.asdict(self)

    def apply(self, frame: np.ndarray, size: tuple[int, int] | None = None) -> Prepared:
        """Prepare a frame.

        Args:
            frame: ``(H, W, 3)`` uint8, BGR.
            size: Height and width in place of ``self.size``.
        """
        height, width = size or self.size
        rows, cols = self._content(frame.shape[:2], (height, width))
        picture = mmcv.imresize(frame, (cols, rows))
        picture = mmcv.imnormalize(
            picture, np.float32(self.mean), np.float32(self.std), self.to_rgb
        )
        image = np.empty((height, width, 3), np.float32)
        image[:] = self.pad_value
        image[:rows, :cols] = picture
        tensor = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
        scale = (cols / frame.shape[1], rows / frame.shape[0])
        return Prepared(tensor, (rows, cols), scale)

    def _content(self, shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the picture within the input."""
        if not self.keep_ratio:
            return size
        ratio = min(size[0] / shape[0], size[1] / shape[1])
        # rounded as mmcv does it
        return int(shape[0] * ratio + 0.5), int(shape[1] * ratio + 0.5)


def normalize_step(pipeline: Sequence[Mapping]) -> Mapping:
    """The step of a test pipeline that normalises.

    Raises:
        ValueError: it has none.
    """
    steps = _by_name(pipeline)
    if "Normalize" not in steps:
        raise ValueError(f"the test pipeline has no Normalize, only {', '.join(steps)}")
    return steps["Normalize"]


def _by_name(pipeline: Sequence[Mapping]) -> dict[str, Mapping]:
    return {step["type"].removeprefix("Seq"): step for step in _flat(pipeline)}


def _normalization(cfg: Mapping) -> dict[str, Any]:
    return {
        "mean": _floats(cfg["mean"]),
        "std": _floats(cfg["std"]),
        "to_rgb": bool(cfg.get("to_rgb", True)),
    }


def _flat(steps: Sequence[Mapping]) -> Iterator[Mapping]:
    """Steps of a pipeline, those within a step after it."""
    for step in steps:
        yield step
        yield from _flat(step.get("transforms", ()))


def _size(steps: Mapping[str, Mapping], keep_ratio: bool, divisor: int) -> tuple[int, int]:
    scale = steps.get("Resize", {}).get("img_scale")
    scale = scale or steps.get("MultiScaleFlipAug", {}).get("img_scale")
    if scale is None:
        raise ValueError("the test pipeline has no img_scale: give the size of the input")
    width, height = scale[0] if isinstance(scale[0], Sequence) else scale
    if keep_ratio:
        # a pair of bounds for the longer and the shorter side; videos are mostly wide
        width, height = max(width, height), min(width, height)
    return math.ceil(height / divisor) * divisor, math.ceil(width / divisor) * divisor


def _pad_values(pad: Mapping) -> tuple[float, ...]:
    value = pad.get("pad_val", 0)
    value = value.get("img", 0) if isinstance(value, Mapping) else value
    return _floats(value if isinstance(value, Sequence) else [value] * 3)


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
