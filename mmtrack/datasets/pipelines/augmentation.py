"""Random crops and colours for a list of frames."""

from __future__ import annotations

from typing import Any

import mmcv
import numpy as np
from mmdet.datasets.builder import PIPELINES

# fields that go with the rows of a box field
ROW_FIELDS = {
    "gt_bboxes": ("gt_labels", "gt_instance_ids", "gt_match_indices"),
    "gt_bboxes_ignore": ("gt_labels_ignore",),
}
MASK_FIELDS = {"gt_bboxes": "gt_masks", "gt_bboxes_ignore": "gt_masks_ignore"}


def _overlaps_image(bboxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Rows of x1y1x2y2 boxes that share an area with an image of ``shape`` (h, w, ...)."""
    height, width = shape[:2]
    left, top = np.maximum(bboxes[:, 0], 0), np.maximum(bboxes[:, 1], 0)
    right, bottom = np.minimum(bboxes[:, 2], width), np.minimum(bboxes[:, 3], height)
    return (right > left) & (bottom > top)


def _note_in_info(results: dict, key: str, value: Any) -> None:
    """Add an entry to ``img_info``, which belongs to the data set and must not change."""
    results["img_info"] = {**results.get("img_info", {}), key: value}


@PIPELINES.register_module()
class SeqRandomCrop:
    """Crop the frames of a list at a random place.

    Args:
        crop_size: Height and width of the crop in pixels; smaller images stay as they are.
        allow_negative_crop: Keep crops without any box; otherwise the sample is skipped.
        share_params: Crop all frames at the same place.
        bbox_clip_border: Clip boxes to the crop. The boxes of MOT data reach beyond the image.
    """

    def __init__(
        self,
        crop_size: tuple[int, int],
        allow_negative_crop: bool = False,
        share_params: bool = False,
        bbox_clip_border: bool = False,
    ):
        if len(crop_size) != 2 or min(crop_size) <= 0:
            raise ValueError(f"crop_size is {crop_size}, expected positive height and width")
        self.crop_size = crop_size
        self.allow_negative_crop = allow_negative_crop
        self.share_params = share_params
        self.bbox_clip_border = bbox_clip_border

    def get_offsets(self, img: np.ndarray) -> tuple[int, int]:
        """Draw the top left corner of the crop, ``(y, x)``, for an image ``(H, W, ...)``."""
        margin_h = max(img.shape[0] - self.crop_size[0], 0)
        margin_w = max(img.shape[1] - self.crop_size[1], 0)
        return int(np.random.randint(margin_h + 1)), int(np.random.randint(margin_w + 1))

    def random_crop(self, results: dict, offsets: tuple[int, int] | None = None) -> dict | None:
        """Crop one frame.

        Args:
            results: The frame; images, boxes, masks and maps are cropped alike. Boxes outside the
                crop are left out with their labels, ids and masks.
            offsets: Top left corner of the crop, ``(y, x)``; None to draw it.

        Returns:
            The frame with ``img_shape`` and ``img_info['crop_offsets']``, or None if no box is left
            and such crops are not allowed.
        """
        if offsets is None:
            offsets = self.get_offsets(results["img"])
        _note_in_info(results, "crop_offsets", offsets)
        top, left = offsets
        rows = slice(top, top + self.crop_size[0])
        columns = slice(left, left + self.crop_size[1])
        for key in [*results.get("img_fields", ["img"]), *results.get("seg_fields", [])]:
            results[key] = results[key][rows, columns]
        results["img_shape"] = results["img"].shape
        for key in results.get("bbox_fields", []):
            keep = self._crop_bboxes(results, key, offsets)
            if key == "gt_bboxes" and not keep.any() and not self.allow_negative_crop:
                return None
            self._keep_rows(results, key, keep, offsets)
        return results

    def _crop_bboxes(self, results: dict, key: str, offsets: tuple[int, int]) -> np.ndarray:
        """Move the boxes of a field into the crop; mask of those that it shows."""
        shift = np.array([offsets[1], offsets[0]] * 2, np.float32)
        bboxes = results[key] - shift
        keep = _overlaps_image(bboxes, results["img_shape"])
        if self.bbox_clip_border:
            height, width = results["img_shape"][:2]
            bboxes[:, 0::2] = np.clip(bboxes[:, 0::2], 0, width)
            bboxes[:, 1::2] = np.clip(bboxes[:, 1::2], 0, height)
        results[key] = bboxes[keep]
        return keep

    @staticmethod
    def _keep_rows(results: dict, key: str, keep: np.ndarray, offsets: tuple[int, int]) -> None:
        """Apply the choice of boxes to what goes with them."""
        for field in ROW_FIELDS.get(key, ()):
            if field in results:
                results[field] = results[field][keep]
        masks = MASK_FIELDS.get(key)
        if masks in results:
            height, width = results["img_shape"][:2]
            top, left = offsets
            box = np.array([left, top, left + width, top + height])
            results[masks] = results[masks][np.flatnonzero(keep)].crop(box)

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Crop every frame; None if a frame is left without boxes."""
        offsets = self.get_offsets(results[0]["img"]) if self.share_params else None
        outs = []
        for frame in results:
            frame = self.random_crop(frame, offsets)
            if frame is None:
                return None
            outs.append(frame)
        return outs

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(crop_size={self.crop_size}, "
            f"allow_negative_crop={self.allow_negative_crop}, share_params={self.share_params}, "
            f"bbox_clip_border={self.bbox_clip_border})"
        )


def _draw(low: float, high: float) -> float | None:
    """A uniform number with probability one half, else None for "leave it"."""
    return float(np.random.uniform(low, high)) if np.random.randint(2) else None


@PIPELINES.register_module()
class SeqPhotoMetricDistortion:
    """Change brightness, contrast, saturation, hue and channel order of a list of frames.

    The steps and the order of the random draws are those of mmdet's PhotoMetricDistortion; each
    step is applied with probability one half.

    Args:
        share_params: Draw once for all frames.
        brightness_delta: Largest change of brightness, grey levels.
        contrast_range: Smallest and largest factor of contrast.
        saturation_range: Smallest and largest factor of saturation.
        hue_delta: Largest change of hue, degrees.

    Reference: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, section 2.2; after
    Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification".
    """

    def __init__(
        self,
        share_params: bool = True,
        brightness_delta: int = 32,
        contrast_range: tuple[float, float] = (0.5, 1.5),
        saturation_range: tuple[float, float] = (0.5, 1.5),
        hue_delta: int = 18,
    ):
        self.share_params = share_params
        self.brightness_delta = brightness_delta
        self.contrast_lower, self.contrast_upper = contrast_range
        self.saturation_lower, self.saturation_upper = saturation_range
        self.hue_delta = hue_delta

    def get_params(self) -> dict:
        """Draw the parameters of one distortion; None stands for a step left out."""
        contrast = (self.contrast_lower, self.contrast_upper)
        params = {
            "delta": _draw(-self.brightness_delta, self.brightness_delta),
            "contrast_first": bool(np.random.randint(2)),
        }
        if params["contrast_first"]:
            params["alpha"] = _draw(*contrast)
        params["saturation"] = _draw(self.saturation_lower, self.saturation_upper)
        params["hue"] = _draw(-self.hue_delta, self.hue_delta)
        if not params["contrast_first"]:
            params["alpha"] = _draw(*contrast)
        params["permutation"] = np.random.permutation(3) if np.random.randint(2) else None
        return params

    def photo_metric_distortion(self, results: dict, params: dict | None = None) -> dict:
        """Distort one frame.

        Args:
            results: The frame; ``img`` ``(H, W, 3)`` BGR becomes float32.
            params: What `get_params` returned; None to draw it.

        Returns:
            The frame, with the parameters in ``img_info['color_jitter']``.
        """
        if results.get("img_fields", ["img"]) != ["img"]:
            raise ValueError(f"only 'img' can be distorted, not {results['img_fields']}")
        params = self.get_params() if params is None else params
        _note_in_info(results, "color_jitter", params)
        img = results["img"].astype(np.float32)
        if params["delta"] is not None:
            img += np.float32(params["delta"])
        if params["contrast_first"] and params["alpha"] is not None:
            img *= np.float32(params["alpha"])
        img = self._shift_colours(img, params)
        if not params["contrast_first"] and params["alpha"] is not None:
            img *= np.float32(params["alpha"])
        if params["permutation"] is not None:
            img = img[..., params["permutation"]]
        results["img"] = img
        return results

    @staticmethod
    def _shift_colours(img: np.ndarray, params: dict) -> np.ndarray:
        """Change saturation and hue of a BGR image, in HSV space."""
        hsv = mmcv.bgr2hsv(img)
        if params["saturation"] is not None:
            hsv[..., 1] *= np.float32(params["saturation"])
        if params["hue"] is not None:
            hue = hsv[..., 0] + np.float32(params["hue"])
            hue[hue > 360] -= 360
            hue[hue < 0] += 360
            hsv[..., 0] = hue
        return mmcv.hsv2bgr(hsv)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Distort every frame."""
        params = self.get_params() if self.share_params else None
        return [self.photo_metric_distortion(frame, params) for frame in results]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(share_params={self.share_params}, "
            f"brightness_delta={self.brightness_delta}, "
            f"contrast_range={(self.contrast_lower, self.contrast_upper)}, "
            f"saturation_range={(self.saturation_lower, self.saturation_upper)}, "
            f"hue_delta={self.hue_delta})"
        )
