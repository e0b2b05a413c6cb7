"""Test pipelines whose frames stay 8-bit: the same numbers, and no conversion of the frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmtrack.datasets.pipelines import build_sot_pipeline, with_byte_frames

NORMALIZE = {"type": "Normalize", "mean": [0, 0, 0], "std": [1, 1, 1], "to_rgb": True}


def steps(*between, to_float32=True):
    """The test pipeline of SiamRPN++, with further steps before the frame is collected."""
    inner = [*between, {"type": "VideoCollect", "keys": ["img", "gt_bboxes"]}]
    inner.append({"type": "ImageToTensor", "keys": ["img"]})
    return [
        {"type": "LoadImageFromFile", "to_float32": to_float32},
        {"type": "LoadAnnotations", "with_bbox": True, "with_label": False},
        {"type": "MultiScaleFlipAug", "scale_factor": 1, "flip": False, "transforms": inner},
    ]


@pytest.fixture
def sample(tmp_path):
    import cv2

    image = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    return lambda: {
        "img_info": {"filename": "a.png", "frame_id": 0},
        "img_prefix": str(tmp_path),
        "ann_info": {"bboxes": np.array([1.0, 2, 9, 8], np.float32), "visible": True},
        "bbox_fields": [],
    }


@pytest.mark.parametrize("between", [[], [NORMALIZE], [{**NORMALIZE, "to_rgb": False}]])
def test_same_numbers_as_bytes(sample, between):
    pipeline = build_sot_pipeline(steps(*between))
    plain, found = pipeline(sample()), with_byte_frames(pipeline)(sample())
    assert plain["img"][0].dtype == torch.float32
    assert found["img"][0].dtype == torch.uint8
    assert found["img"][0].is_contiguous(), "stacking a batch copies memory as it lies"
    assert torch.equal(found["img"][0].float(), plain["img"][0])
    np.testing.assert_array_equal(found["gt_bboxes"][0], plain["gt_bboxes"][0])
    metas, expected = found["img_metas"][0].data, plain["img_metas"][0].data
    assert metas.keys() == expected.keys()
    for key in metas:
        if key == "img_norm_cfg":
            assert metas[key]["to_rgb"] == expected[key]["to_rgb"]
        elif isinstance(metas[key], np.ndarray):
            np.testing.assert_array_equal(metas[key], expected[key])
        else:
            assert metas[key] == expected[key], key
    assert pipeline(sample())["img"][0].dtype == torch.float32, "the pipeline is not changed"


@pytest.mark.parametrize(
    "step",
    [
        {"type": "Resize", "keep_ratio": True},
        {"type": "Normalize", "mean": [1, 0, 0], "std": [1, 1, 1], "to_rgb": True},
        {"type": "Normalize", "mean": [0, 0, 0], "std": [2, 2, 2], "to_rgb": True},
        {"type": "Pad", "size_divisor": 32},
    ],
    ids=lambda step: step["type"],
)
def test_steps_that_compute_with_pixels_keep_floats(sample, step):
    pipeline = build_sot_pipeline(steps(step))
    assert with_byte_frames(pipeline) is pipeline


def test_grey_frames(sample):
    config = steps()
    config[0]["color_type"] = "grayscale"
    pipeline = build_sot_pipeline(config)
    found = with_byte_frames(pipeline)(sample())["img"][0]
    assert torch.equal(found.float(), pipeline(sample())["img"][0])
