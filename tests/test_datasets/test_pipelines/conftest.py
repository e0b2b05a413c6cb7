"""Frames with boxes, ids, masks and maps, from a seed."""

from __future__ import annotations

import numpy as np
import pytest
from mmdet.core import BitmapMasks

SIZE = (60, 80)


def make_frames(count=3, size=SIZE, boxes=4, seed=0, dtype=np.uint8, masks=False, seg=False):
    rng = np.random.default_rng(seed)
    height, width = size
    frames = []
    for t in range(count):
        corner = rng.uniform((0, 0), (width - 20, height - 20), (boxes, 2))
        xyxy = np.concatenate((corner, corner + rng.uniform(5, 20, (boxes, 2))), 1)
        img = rng.integers(0, 256, (height, width, 3)).astype(dtype)
        frame = {
            "img": img,
            "img_shape": img.shape,
            "ori_shape": img.shape,
            "filename": f"{t}.png",
            "ori_filename": f"{t}.png",
            "img_fields": ["img"],
            "bbox_fields": ["gt_bboxes"],
            "mask_fields": [],
            "seg_fields": [],
            "img_info": {"frame_id": t, "filename": f"{t}.png"},
            "is_video_data": True,
            "gt_bboxes": xyxy.astype(np.float32),
            "gt_labels": rng.integers(0, 3, boxes),
            "gt_instance_ids": np.arange(boxes) + t,
        }
        if masks:
            frame["gt_masks"] = BitmapMasks(rng.integers(0, 2, (boxes, *size), np.uint8), *size)
            frame["mask_fields"].append("gt_masks")
        if seg:
            frame["gt_semantic_seg"] = rng.integers(0, 9, size, np.uint8)
            frame["seg_fields"].append("gt_semantic_seg")
        frames.append(frame)
    return frames


@pytest.fixture(name="make_frames")
def _make_frames():
    return make_frames


def assert_same(left, right, path="out"):
    """Nested results agree exactly: types of containers, keys, arrays bit by bit."""
    if hasattr(left, "data") and hasattr(left, "cpu_only"):
        assert (left.stack, left.cpu_only) == (right.stack, right.cpu_only), path
        return assert_same(left.data, right.data, f"{path}.data")
    if isinstance(left, dict):
        assert set(left) == set(right), path
        return [assert_same(left[k], right[k], f"{path}.{k}") for k in left]
    if isinstance(left, (list, tuple)):
        assert len(left) == len(right), path
        return [
            assert_same(a, b, f"{path}.{i}")
            for i, (a, b) in enumerate(zip(left, right, strict=True))
        ]
    if isinstance(left, BitmapMasks):
        left, right = left.masks, right.masks
    left, right = np.asarray(left), np.asarray(right)
    assert left.dtype == right.dtype, path
    np.testing.assert_array_equal(left, right, err_msg=path)
    return None


@pytest.fixture(name="assert_same")
def _assert_same():
    return assert_same
