"""Collecting, joining and turning into tensors what a model is given.

Shapes: H, W size of the (padded) images, N count of frames, n count of boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmcv.parallel import DataContainer
from mmdet.datasets.builder import PIPELINES
from mmdet.datasets.pipelines import to_tensor

DEFAULT_META_KEYS = (
    "filename",
    "ori_filename",
    "ori_shape",
    "img_shape",
    "pad_shape",
    "scale_factor",
    "flip",
    "flip_direction",
    "img_norm_cfg",
    "frame_id",
    "is_video_data",
)
# Rows of several frames are told apart by a leading column with the number of the frame.
ROW_KEYS = ("gt_bboxes", "gt_bboxes_ignore", "gt_labels", "gt_instance_ids", "proposals")
TENSOR_KEYS = (*ROW_KEYS, "gt_match_indices")


def _image_to_tensor(img: np.ndarray) -> torch.Tensor:
    """``(H, W, C)`` to ``(C, H, W)``; joined frames ``(H, W, C, N)`` to ``(N, C, H, W)``."""
    if img.ndim < 3:
        img = img[..., None]
    if min(img.strides) < 0:  # a flipped view, which torch cannot address
        img = np.ascontiguousarray(img)
    axes = (3, 2, 0, 1) if img.ndim == 4 else (2, 0, 1)
    return to_tensor(img).permute(axes).contiguous()


def _stack_images(images: list[np.ndarray]) -> np.ndarray:
    """Images ``(H, W, C)`` as ``(H, W, C, N)``, laid out as the tensor ``(N, C, H, W)`` to be."""
    return np.stack([img.transpose(2, 0, 1) for img in images]).transpose(2, 3, 1, 0)


@PIPELINES.register_module()
class VideoCollect:
    """Keep what the model needs, and put what describes the frames into ``img_metas``.

    Args:
        keys: Entries to keep.
        meta_keys: Further entries of ``img_metas``, one name or several.
        default_meta_keys: Entries of ``img_metas`` that are always wanted.
    """

    def __init__(
        self,
        keys: Sequence[str],
        meta_keys: str | Sequence[str] | None = None,
        default_meta_keys: tuple[str, ...] = DEFAULT_META_KEYS,
    ):
        self.keys = keys
        extra = (meta_keys,) if isinstance(meta_keys, str) else tuple(meta_keys or ())
        self.meta_keys = (*default_meta_keys, *extra)

    def _collect(self, frame: dict) -> dict:
        info = frame.get("img_info", {})
        missing = [key for key in self.keys if key not in frame]
        if missing:
            raise KeyError(
                f"VideoCollect is to keep {missing}, which no step before it made; there are "
                f"{sorted(frame)}"
            )
        found = {key: frame[key] for key in self.keys}
        found["img_metas"] = {
            key: frame[key] if key in frame else info[key]
            for key in self.meta_keys
            if key in frame or key in info
        }
        return found

    def __call__(self, results: dict | list[dict]) -> dict | list[dict]:
        """Collect from one frame or a list of frames.

        Metas are looked up in the frame, then in its ``img_info``; absent ones are left out.

        Returns:
            The entries and ``img_metas``, which a single frame has in a DataContainer.
        """
        if not isinstance(results, dict):
            return [self._collect(frame) for frame in results]
        found = self._collect(results)
        found["img_metas"] = DataContainer(found["img_metas"], cpu_only=True)
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}(keys={self.keys}, meta_keys={self.meta_keys})"


def _number_rows(arrays: list[np.ndarray]) -> np.ndarray:
    """Rows of all frames with the number of their frame in front, ``(sum n, 1 + k)``."""
    numbered = []
    for frame, rows in enumerate(arrays):
        rows = rows[:, None] if rows.ndim == 1 else rows
        column = np.full((len(rows), 1), frame, np.float32)
        numbered.append(np.concatenate((column, rows), axis=1))
    return np.concatenate(numbered)


@PIPELINES.register_module()
class ConcatSameTypeFrames:
    """Join the frames of a list to two: key frames, and reference frames.

    In single object tracking these are templates and search images.

    Args:
        num_key_frames: How many of the first frames are key frames.
    """

    def __init__(self, num_key_frames: int = 1):
        self.num_key_frames = num_key_frames

    def concat_one_mode_results(self, results: list[dict]) -> dict:
        """Join the frames of one type.

        Args:
            results: Frames with equal keys.

        Returns:
            ``img`` ``(H, W, C, N)``, ``gt_semantic_seg`` ``(H, W, 1, N)`` and ``padding_mask``
            ``(N, H, W)`` stacked; ``img_metas`` and ``gt_masks`` as lists; boxes, labels, ids and
            proposals in one table ``(n, 1 + k)`` with the number of the frame in front; other
            entries are those of the first frame.
        """
        joined = {}
        for key, first in results[0].items():
            values = [frame[key] for frame in results]
            if key in ("img_metas", "gt_masks"):
                joined[key] = values
            elif key == "img":
                joined[key] = _stack_images(values)
            elif key == "gt_semantic_seg":
                joined[key] = np.stack(values, axis=-1)[:, :, None]
            elif key == "padding_mask":
                joined[key] = np.stack(values)
            elif key in ROW_KEYS:
                joined[key] = _number_rows(values)
            else:
                joined[key] = first
        return joined

    def __call__(self, results: list[dict]) -> list[dict]:
        """Join the frames.

        Returns:
            ``[key, reference]``. A single key frame stays as it is; without references the second
            dict is empty.
        """
        if not isinstance(results, list):
            raise TypeError(f"{type(self).__name__} needs a list of frames, got {type(results)}")
        keys, references = results[: self.num_key_frames], results[self.num_key_frames :]
        key = keys[0] if len(keys) == 1 else self.concat_one_mode_results(keys)
        return [key, self.concat_one_mode_results(references) if references else {}]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_key_frames={self.num_key_frames})"


@PIPELINES.register_module()
class ConcatVideoReferences(ConcatSameTypeFrames):
    """Join all frames but the first; `ConcatSameTypeFrames` with its default."""

    def __init__(self):
        super().__init__(num_key_frames=1)


def _prefix_second(results: list[dict], prefix: str) -> dict:
    """One dict of two; the keys of the second get a prefix."""
    merged = dict(results[0])
    for frame in results[1:]:
        merged.update({f"{prefix}_{key}": value for key, value in frame.items()})
    return merged


@PIPELINES.register_module()
class SeqDefaultFormatBundle:
    """Turn the key and the reference dict into one dict of DataContainers, for training.

    Args:
        ref_prefix: Put before the keys of the second dict, with an underscore.
    """

    def __init__(self, ref_prefix: str = "ref"):
        self.ref_prefix = ref_prefix

    def default_format_bundle(self, results: dict) -> dict:
        """Format one dict.

        Args:
            results: Arrays of one frame, or of several joined ones.

        Returns:
            ``img`` ``(C, H, W)`` or ``(N, C, H, W)``, ``gt_semantic_seg`` ``(1, H, W)`` or
            ``(N, 1, H, W)`` and ``padding_mask`` to be stacked; boxes, labels, ids, matches and
            proposals to be listed; ``img_metas`` and ``gt_masks`` kept on the CPU. Other entries
            are not touched.
        """
        results = dict(results)
        for key in ("img", "gt_semantic_seg"):
            if key in results:
                results[key] = DataContainer(_image_to_tensor(results[key]), stack=True)
        if "padding_mask" in results:
            results["padding_mask"] = DataContainer(to_tensor(results["padding_mask"]), stack=True)
        for key in TENSOR_KEYS:
            if key in results:
                results[key] = DataContainer(to_tensor(results[key]))
        for key in ("img_metas", "gt_masks"):
            if key in results:
                results[key] = DataContainer(results[key], cpu_only=True)
        return results

    def __call__(self, results: list[dict]) -> dict:
        """Format two dicts and merge them to one."""
        return _prefix_second([self.default_format_bundle(r) for r in results], self.ref_prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(ref_prefix={self.ref_prefix!r})"


@PIPELINES.register_module()
class MultiImagesToTensor:
    """Turn the key and the reference dict into one dict of tensors, for testing.

    Args:
        ref_prefix: Put before the keys of the second dict, with an underscore.
    """

    def __init__(self, ref_prefix: str = "ref"):
        self.ref_prefix = ref_prefix

    def images_to_tensor(self, results: dict) -> dict:
        """Turn images and proposals into tensors; metas are kept on the CPU."""
        results = dict(results)
        if "img" in results:
            results["img"] = _image_to_tensor(results["img"])
        if "proposals" in results:
            results["proposals"] = to_tensor(results["proposals"])
        if "img_metas" in results:
            results["img_metas"] = DataContainer(results["img_metas"], cpu_only=True)
        return results

    def __call__(self, results: list[dict]) -> dict:
        """Format one or two dicts and merge them to one."""
        return _prefix_second([self.images_to_tensor(r) for r in results], self.ref_prefix)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(ref_prefix={self.ref_prefix!r})"


@PIPELINES.register_module()
class ToList:
    """Put every value into a list: the one and only test time augmentation."""

    def __call__(self, results: dict) -> dict:
        """Wrap the values."""
        return {key: [value] for key, value in results.items()}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@PIPELINES.register_module()
class ReIDFormatBundle:
    """Format crops of persons and their labels for training."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def reid_format_bundle(self, results: dict) -> dict:
        """Format one dict.

        Args:
            results: ``img`` ``(H, W, 3)``, or ``(H, W, 3, K)`` for K crops, and ``gt_label``
                ``()`` or ``(K,)``.

        Returns:
            ``img`` ``(3, H, W)`` or ``(K, 3, H, W)`` and ``gt_label``, both to be stacked.
        """
        return {
            "img": DataContainer(_image_to_tensor(results["img"]), stack=True),
            "gt_label": DataContainer(
                torch.as_tensor(results["gt_label"]), stack=True, pad_dims=None
            ),
        }

    def __call__(self, results: dict | list[dict]) -> dict:
        """Join the crops of a list and format them."""
        if not isinstance(results, dict):
            results = {
                "img": _stack_images([crop["img"] for crop in results]),
                "gt_label": np.stack([crop["gt_label"] for crop in results]),
            }
        return self.reid_format_bundle(results)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@PIPELINES.register_module()
class CheckPadMaskValidity:
    """Skip samples in which a padding mask covers everything at the stride of the features.

    A transformer cannot attend to an image whose features are all padding.

    Args:
        stride: Largest stride of the feature maps, pixels.
    """

    def __init__(self, stride: int):
        self.stride = stride

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Return the frames, or None if one shows nothing but padding.

        Each frame has ``padding_mask`` ``(H, W)`` bool, True where the image is padding. As in the
        networks, it is sampled at the nearest pixel.
        """
        for frame in results:
            mask = frame["padding_mask"].astype(np.uint8)
            height, width = mask.shape
            size = (max(width // self.stride, 1), max(height // self.stride, 1))
            if cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).all():
                return None
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(stride={self.stride})"
