"""Steps that cut templates and search regions out of frames.

Crops have the type of the frame. `build_sot_pipeline` lets 8-bit frames come where float32 is asked
for, and these steps convert the region alone: it has a tenth of the pixels of a 1080p frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from mmdet.datasets.builder import PIPELINES

from mmtrack.core.utils import crop_image

# Bilinear interpolation reads the next pixel, and rounding of the map may reach one further.
_MARGIN = 2


def channel_means(image: np.ndarray) -> np.ndarray:
    """Mean of each channel of an image ``(H, W, 3)``, ``(3,)`` float64."""
    return np.array(cv2.mean(image)[:3])


def crop_region(
    image: np.ndarray,
    region: np.ndarray,
    crop_size: int,
    padding: np.ndarray,
    *,
    to_float32: bool = False,
) -> np.ndarray:
    """Cut a region out of an image, see :func:`mmtrack.core.utils.crop_image`.

    Only the part of the image that the region touches is looked at, and converted.

    Args:
        image: ``(H, W, 3)`` uint8 or float32.
        region: x1, y1, x2, y2 in pixels; may reach beyond the image.
        crop_size: Side of the crop in pixels.
        padding: Value of each channel outside the image.
        to_float32: Convert the region before it is resized.

    Returns:
        The crop, ``(crop_size, crop_size, 3)``, float32 or of the type of the image.
    """
    dtype = np.float32 if to_float32 else image.dtype
    height, width = image.shape[:2]
    left, top = np.floor(region[:2]).astype(int) - _MARGIN
    right, bottom = np.ceil(region[2:]).astype(int) + _MARGIN
    left, right = np.clip((left, right), 0, width)
    top, bottom = np.clip((top, bottom), 0, height)
    if left >= right or top >= bottom:
        colour = np.asarray(padding).round() if dtype == np.uint8 else padding
        return np.full((crop_size, crop_size, 3), colour, dtype)
    part = image[top:bottom, left:right].astype(dtype, copy=False)
    return crop_image(part, region - np.array([left, top, left, top]), crop_size, padding)


def _single_box(frame: dict, key: str = "gt_bboxes") -> np.ndarray:
    """The first box of a frame, ``(4,)`` float64, x1y1x2y2."""
    return np.asarray(frame[key][0], np.float64)


def _context_size(bbox: np.ndarray, context_amount: float) -> float:
    """Side of the square around a box and its context, in pixels of the image."""
    wh = bbox[2:] - bbox[:2]
    return float(np.sqrt(np.prod(wh + context_amount * wh.sum())))


@PIPELINES.register_module()
class SeqCropLikeSiamFC:
    """Cut a square around the box out of every frame, so that all boxes are of one size.

    The box with a margin of context, ``(w + 2p) (h + 2p)``, ``2p = context_amount (w + h)``, is
    scaled to the area of the exemplar. What is outside the image has its mean colour.

    Args:
        context_amount: Margin on both sides, as part of width and height together.
        exemplar_size: Side of the exemplar in pixels.
        crop_size: Side of the crop in pixels.

    Reference: Bertinetto et al., "Fully-Convolutional Siamese Networks for Object Tracking", ECCVW
    2016, sections 2.4 (dataset curation) and 3.1.
    """

    def __init__(self, context_amount: float = 0.5, exemplar_size: int = 127, crop_size: int = 511):
        self.context_amount = context_amount
        self.exemplar_size = exemplar_size
        self.crop_size = crop_size
        # Set by build_sot_pipeline, which lets frames come as uint8.
        self.to_float32 = False

    def crop_like_SiamFC(
        self,
        image: np.ndarray,
        bbox: np.ndarray,
        context_amount: float = 0.5,
        exemplar_size: int = 127,
        crop_size: int = 511,
    ) -> np.ndarray:
        """Cut out the square around a box.

        Args:
            image: ``(H, W, 3)``, uint8 or float32.
            bbox: ``(4,)``, x1y1x2y2 in pixels.
            context_amount: See the class.
            exemplar_size: See the class.
            crop_size: See the class.

        Returns:
            The crop, ``(crop_size, crop_size, 3)``.
        """
        bbox = np.asarray(bbox, np.float64)
        half = _context_size(bbox, context_amount) * crop_size / exemplar_size / 2
        center = (bbox[:2] + bbox[2:]) / 2
        region = np.concatenate((center - half, center + half))
        padding = channel_means(image)
        return crop_region(image, region, crop_size, padding, to_float32=self.to_float32)

    def generate_box(
        self, image: np.ndarray, gt_bbox: np.ndarray, context_amount: float, exemplar_size: int
    ) -> np.ndarray:
        """Box in the crop, where it is in the middle.

        Args:
            image: The crop, ``(crop_size, crop_size, 3)``.
            gt_bbox: ``(4,)``, x1y1x2y2 in the frame.
            context_amount: See the class.
            exemplar_size: See the class.

        Returns:
            ``(4,)`` float32, x1y1x2y2.
        """
        gt_bbox = np.asarray(gt_bbox, np.float64)
        scale = exemplar_size / _context_size(gt_bbox, context_amount)
        half = (gt_bbox[2:] - gt_bbox[:2]) * scale / 2
        height, width = image.shape[:2]
        center = np.array([width // 2, height // 2])
        return np.concatenate((center - half, center + half)).astype(np.float32)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Replace ``img`` by the crop and ``gt_bboxes`` by the box in it, ``(1, 4)``."""
        for frame in results:
            bbox = _single_box(frame)
            setting = (self.context_amount, self.exemplar_size)
            crop = self.crop_like_SiamFC(frame["img"], bbox, *setting, self.crop_size)
            frame["img"] = crop
            frame["img_shape"] = crop.shape
            frame["gt_bboxes"] = self.generate_box(crop, bbox, *setting)[None]
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(context_amount={self.context_amount}, "
            f"exemplar_size={self.exemplar_size}, crop_size={self.crop_size})"
        )


@PIPELINES.register_module()
class SeqCropLikeStark:
    """Cut a square around the jittered box out of every frame and resize it.

    What is outside the image is black, and marked in the padding mask.

    Args:
        crop_size_factor: Side of the square for each frame, in square roots of the area of the box.
        output_size: Side of the resized square for each frame, in pixels.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 4.1.
    """

    def __init__(self, crop_size_factor: Sequence[float], output_size: Sequence[int]):
        if len(crop_size_factor) != len(output_size):
            raise ValueError(
                f"crop_size_factor {crop_size_factor} and output_size {output_size} need one value "
                "for each frame"
            )
        self.crop_size_factor = crop_size_factor
        self.output_size = output_size
        # Set by build_sot_pipeline, which lets frames come as uint8.
        self.to_float32 = False

    def crop_like_stark(
        self, img: np.ndarray, bbox: np.ndarray, crop_size_factor: float, output_size: int
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Cut out the square around a box.

        Args:
            img: ``(H, W, 3)``.
            bbox: ``(4,)``, x1y1x2y2 in pixels.
            crop_size_factor: See the class.
            output_size: See the class.

        Returns:
            The crop ``(output_size, output_size, 3)``, pixels of the crop per pixel of the image,
            and the padding mask ``(output_size, output_size)`` bool, True outside the image.

        Raises:
            ValueError: The box has no area.
        """
        x1, y1, x2, y2 = (float(v) for v in np.ravel(bbox))
        area = (x2 - x1) * (y2 - y1)
        if not (x2 > x1 and y2 > y1 and np.isfinite(area)):
            raise ValueError(f"cannot crop around the box {(x1, y1, x2, y2)}: it has no area")
        size = int(np.ceil(np.sqrt(area) * crop_size_factor))
        left = round(x1 + 0.5 * (x2 - x1) - 0.5 * size)
        top = round(y1 + 0.5 * (y2 - y1) - 0.5 * size)
        columns, pad_x = _inside(left, size, img.shape[1])
        rows, pad_y = _inside(top, size, img.shape[0])
        part = img[rows, columns]
        if self.to_float32:
            part = part.astype(np.float32)
        output = (output_size, output_size)
        if part.size == 0:
            blank = np.zeros((*output, *img.shape[2:]), part.dtype)
            return blank, output_size / size, np.ones(output, bool)
        padded = cv2.copyMakeBorder(part, *pad_y, *pad_x, cv2.BORDER_CONSTANT)
        mask = np.zeros(part.shape[:2], np.float32)
        mask = cv2.copyMakeBorder(mask, *pad_y, *pad_x, cv2.BORDER_CONSTANT, value=1)
        # A pixel that padding takes part in counts as padding.
        mask = cv2.resize(mask, output) > 0
        return cv2.resize(padded, output), output_size / size, mask

    def generate_box(
        self,
        bbox_gt: np.ndarray,
        bbox_cropped: np.ndarray,
        resize_factor: float,
        output_size: float,
        normalize: bool = False,
    ) -> np.ndarray:
        """Box in the crop.

        Args:
            bbox_gt: ``(4,)``, x1y1x2y2 in the frame.
            bbox_cropped: ``(4,)``, the box around which the crop was cut out.
            resize_factor: Pixels of the crop per pixel of the frame.
            output_size: Side of the crop.
            normalize: Divide by the side of the crop.

        Returns:
            ``(4,)`` float64, x1y1x2y2.
        """
        bbox_gt = np.asarray(bbox_gt, np.float64)
        bbox_cropped = np.asarray(bbox_cropped, np.float64)
        offset = (bbox_gt[:2] + bbox_gt[2:] - bbox_cropped[:2] - bbox_cropped[2:]) / 2
        center = offset * resize_factor + (output_size - 1) / 2
        half = (bbox_gt[2:] - bbox_gt[:2]) * resize_factor / 2
        bbox = np.concatenate((center - half, center + half))
        return bbox / output_size if normalize else bbox

    def __call__(self, results: list[dict]) -> list[dict]:
        """Replace ``img`` and ``gt_bboxes`` (1, 4); adds ``padding_mask``.

        Raises:
            ValueError: There are more or fewer frames than factors.
        """
        if len(results) != len(self.output_size):
            raise ValueError(
                f"SeqCropLikeStark has sizes for {len(self.output_size)} frames, got {len(results)}"
            )
        for frame, factor, size in zip(
            results, self.crop_size_factor, self.output_size, strict=True
        ):
            around = _single_box(frame, "jittered_bboxes")
            crop, scale, mask = self.crop_like_stark(frame["img"], around, factor, size)
            bbox = self.generate_box(_single_box(frame), around, scale, size)
            frame.update(img=crop, img_shape=crop.shape, padding_mask=mask, gt_bboxes=bbox[None])
            # The mask is flipped with the image.
            frame["seg_fields"] = [*frame.get("seg_fields", []), "padding_mask"]
        return results

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(crop_size_factor={self.crop_size_factor}, "
            f"output_size={self.output_size})"
        )


def _inside(start: int, size: int, limit: int) -> tuple[slice, tuple[int, int]]:
    """Part of a range that lies inside an image, and how much is padded before and after it.

    Where the range ends at the border of the image, its last pixel is padded too, as published.
    """
    before = min(max(-start, 0), size)
    after = min(max(start + size - limit + 1, 0), size - before)
    return slice(start + before, start + size - after), (before, after)
