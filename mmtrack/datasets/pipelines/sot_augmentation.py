"""Random changes of templates and search images: place, size, colour, blur, brightness."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmdet.datasets.builder import PIPELINES

from mmtrack.core.utils import crop_image

from .sot_crops import channel_means

_TARGET_SIZE, _SHIFT, _SCALE = [127, 255], [4, 64], [0.05, 0.18]
_COLOR_PROB, _BLUR_PROB = [1.0, 1.0], [0.0, 0.2]
_RGB_VAR = [
    [-0.55919361, 0.98062831, -0.41940627],
    [1.72091413, 0.19879334, -1.82968581],
    [4.64467907, 4.73710203, 4.88324118],
]
_BLUR_LENGTHS = (5, 41)  # pixels, odd: up to a sixth of the search image
_MOST_JITTERS = 100


def _check_count(step: object, results: list[dict], values: Sequence, name: str) -> None:
    """Raise an error unless a step has one value per frame."""
    if len(results) != len(values):
        raise ValueError(
            f"{type(step).__name__} has {len(values)} values in {name}, but {len(results)} frames"
        )


@PIPELINES.register_module()
class SeqBboxJitter:
    """Move and scale the box around which a frame will be cropped.

    Width and height are multiplied by ``exp(scale_jitter_factor * z)`` with standard normal ``z``;
    the centre moves by up to half of ``center_jitter_factor`` square roots of the new area. A box
    whose crop would not have a pixel, or would not show the object, is drawn again.

    Args:
        scale_jitter_factor: One value per frame.
        center_jitter_factor: One value per frame.
        crop_size_factor: Side of the crop for each frame, in square roots of the area of the box.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 4.1 (jitter); Danelljan et al., "ATOM: Accurate Tracking by Overlap Maximization", CVPR
    2019, section 3.3.
    """

    def __init__(
        self,
        scale_jitter_factor: Sequence[float],
        center_jitter_factor: Sequence[float],
        crop_size_factor: Sequence[float],
    ):
        counts = {len(scale_jitter_factor), len(center_jitter_factor), len(crop_size_factor)}
        if len(counts) != 1:
            raise ValueError("all factors of SeqBboxJitter need one value for each frame")
        self.scale_jitter_factor = scale_jitter_factor
        self.center_jitter_factor = center_jitter_factor
        self.crop_size_factor = crop_size_factor

    def _jitter(self, bbox: np.ndarray, index: int) -> np.ndarray | None:
        """A jittered box ``(4,)`` for a box of the frame with an index; None without success."""
        center, wh = (bbox[:2] + bbox[2:]) / 2, bbox[2:] - bbox[:2]
        if not (wh > 0).all():
            return None
        for _ in range(_MOST_JITTERS):
            new_wh = wh * np.exp(self.scale_jitter_factor[index] * np.random.randn(2))
            side = np.sqrt(np.prod(new_wh))
            reach = side * self.center_jitter_factor[index]
            new_center = center + reach * (np.random.rand(2) - 0.5)
            crop_side = side * self.crop_size_factor[index]
            shows_object = (np.abs(new_center - center) < (crop_side + wh) / 2).all()
            if crop_side >= 1 and shows_object:
                return np.concatenate((new_center - new_wh / 2, new_center + new_wh / 2))
        return None

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Add ``jittered_bboxes`` (1, 4) to every frame; None for boxes without area."""
        _check_count(self, results, self.crop_size_factor, "crop_size_factor")
        for index, frame in enumerate(results):
            bbox = self._jitter(np.asarray(frame["gt_bboxes"][0], np.float64), index)
            if bbox is None:
                return None
            frame["jittered_bboxes"] = bbox[None]
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(scale_jitter_factor={self.scale_jitter_factor}, "
            f"center_jitter_factor={self.center_jitter_factor}, "
            f"crop_size_factor={self.crop_size_factor})"
        )


@PIPELINES.register_module()
class SeqShiftScaleAug:
    """Cut the middle out of every frame, moved and scaled at random.

    Without moves the object would always be in the middle, which a network with padding learns.

    Args:
        target_size: Side of the output for each frame, in pixels.
        shift: Largest move for each frame, in pixels of the input.
        scale: Largest change of width and of height for each frame, as a part of them.

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019, section 3.1 (spatial aware sampling).
    """

    def __init__(
        self,
        target_size: Sequence[int] = _TARGET_SIZE,
        shift: Sequence[float] = _SHIFT,
        scale: Sequence[float] = _SCALE,
    ):
        if not len(target_size) == len(shift) == len(scale):
            raise ValueError("target_size, shift and scale need one value for each frame")
        self.target_size = target_size
        self.shift = shift
        self.scale = scale

    def _draw_region(self, shape: tuple[int, ...], index: int) -> np.ndarray:
        """Part of an image ``(h, w, ...)`` to cut out, ``(4,)`` x1y1x2y2, all of it inside."""
        image_wh = np.array([shape[1], shape[0]])
        scale, shift = self.scale[index], self.shift[index]
        wh = self.target_size[index] * (1 + np.random.uniform(-scale, scale, 2))
        wh = np.minimum(wh, image_wh)
        center = image_wh // 2 + np.random.uniform(-shift, shift, 2)
        start = np.clip(center - wh / 2, 0, image_wh - wh)
        return np.concatenate((start, start + wh))

    def __call__(self, results: list[dict]) -> list[dict]:
        """Replace ``img`` and ``gt_bboxes`` (1, 4)."""
        _check_count(self, results, self.target_size, "target_size")
        for index, (frame, size) in enumerate(zip(results, self.target_size, strict=True)):
            img = frame["img"]
            region = self._draw_region(img.shape, index)
            frame["img"] = crop_image(img, region, size, channel_means(img))
            frame["img_shape"] = frame["img"].shape
            start, wh = np.tile(region[:2], 2), np.tile(region[2:] - region[:2], 2)
            bboxes = (frame["gt_bboxes"] - start) * (size / wh)
            frame["gt_bboxes"] = bboxes.astype(np.float32)
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(target_size={self.target_size}, shift={self.shift}, "
            f"scale={self.scale})"
        )


@PIPELINES.register_module()
class SeqColorAug:
    """Shift the colour of frames along the principal components of natural images.

    Args:
        prob: Probability for each frame.
        rgb_var: Components, ``(3, 3)``: the shift of red, green and blue is ``rgb_var @ z`` with
            standard normal ``z``.

    Reference: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks",
    NIPS 2012, section 4.1.
    """

    def __init__(
        self, prob: Sequence[float] = _COLOR_PROB, rgb_var: Sequence[Sequence[float]] = _RGB_VAR
    ):
        self.prob = prob
        self.rgb_var = np.array(rgb_var, np.float64)
        if self.rgb_var.shape != (3, 3):
            raise ValueError(f"rgb_var has the shape {self.rgb_var.shape}, expected (3, 3)")

    def __call__(self, results: list[dict]) -> list[dict]:
        """Shift the colours of ``img``, BGR, which becomes float32."""
        _check_count(self, results, self.prob, "prob")
        for frame, prob in zip(results, self.prob, strict=True):
            if np.random.random() < prob:
                shift = (self.rgb_var @ np.random.randn(3))[::-1]
                frame["img"] = frame["img"] + shift.astype(np.float32)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob}, rgb_var={self.rgb_var.tolist()})"


def motion_kernel(length: int, angle: float) -> np.ndarray:
    """Blur of a straight motion.

    Args:
        length: Way during the exposure in pixels, odd.
        angle: Direction, radians.

    Returns:
        ``(length, length)`` float32, sum 1.
    """
    steps = np.linspace(-1, 1, 4 * length) * (length // 2)
    columns = np.round(steps * np.cos(angle)).astype(int) + length // 2
    rows = np.round(steps * np.sin(angle)).astype(int) + length // 2
    kernel = np.zeros((length, length), np.float32)
    np.add.at(kernel, (rows, columns), 1)
    return kernel / kernel.sum()


@PIPELINES.register_module()
class SeqBlurAug:
    """Blur frames as a moving camera does, in a random direction.

    Args:
        prob: Probability for each frame.

    Reference: Zhu et al., "Distractor-aware Siamese Networks for Visual Object Tracking", ECCV
    2018, section 3.2 (motion blur).
    """

    def __init__(self, prob: Sequence[float] = _BLUR_PROB):
        self.prob = prob

    def __call__(self, results: list[dict]) -> list[dict]:
        """Blur ``img``."""
        _check_count(self, results, self.prob, "prob")
        for frame, prob in zip(results, self.prob, strict=True):
            if np.random.random() < prob:
                length = np.random.randint(_BLUR_LENGTHS[0] // 2, _BLUR_LENGTHS[1] // 2 + 1) * 2 + 1
                kernel = motion_kernel(length, np.random.uniform(0, np.pi))
                frame["img"] = cv2.filter2D(frame["img"], -1, kernel)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob})"


@PIPELINES.register_module()
class SeqGrayAug:
    """Turn all frames of a sample to grey, or none of them.

    Args:
        prob: Probability of a sample.
    """

    def __init__(self, prob: float = 0.0):
        self.prob = prob
        # Set by build_sot_pipeline, which lets frames come as uint8.
        self.to_float32 = False

    def __call__(self, results: list[dict]) -> list[dict]:
        """Make the three channels of ``img``, BGR, equal."""
        if np.random.random() < self.prob:
            for frame in results:
                img = frame["img"].astype(np.float32) if self.to_float32 else frame["img"]
                grey = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
                frame["img"] = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prob={self.prob})"


@PIPELINES.register_module()
class SeqBrightnessAug:
    """Multiply every frame by a random factor.

    Args:
        jitter_range: Largest distance of the factor from 1.
    """

    def __init__(self, jitter_range: float = 0):
        if jitter_range < 0:
            raise ValueError(f"jitter_range is {jitter_range}, expected at least 0")
        self.jitter_range = jitter_range

    def __call__(self, results: list[dict]) -> list[dict]:
        """Change the brightness of ``img``, which becomes float32 within [0, 255]."""
        for frame in results:
            low, high = max(0, 1 - self.jitter_range), 1 + self.jitter_range
            factor = np.float32(np.random.uniform(low, high))
            img = frame["img"].astype(np.float32) * factor
            frame["img"] = np.clip(img, 0, 255, out=img)
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(jitter_range={self.jitter_range})"
