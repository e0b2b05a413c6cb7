"""Frames prepared without a config, against the test pipelines of configs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.datasets.pipelines import Compose

from mmtrack.apis.export.mot_parts import normalized_crops
from mmtrack.apis.export.preprocessing import Preprocessing

NORM = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
PLAIN = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "to_rgb": False}


def pipeline(img_scale, norm, pad):
    return [
        {"type": "LoadImageFromFile"},
        {
            "type": "MultiScaleFlipAug",
            "img_scale": img_scale,
            "flip": False,
            "transforms": [
                {"type": "Resize", "keep_ratio": True},
                {"type": "RandomFlip"},
                {"type": "Normalize", **norm},
                {"type": "Pad", "size_divisor": 32, **pad},
                {"type": "ImageToTensor", "keys": ["img"]},
                {"type": "VideoCollect", "keys": ["img"]},
            ],
        },
    ]


def frame(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        (pipeline((320, 192), NORM, {}), (192, 320)),
        (pipeline((192, 320), PLAIN, {"pad_val": {"img": (114.0,) * 3}}), (192, 320)),
    ],
    ids=["normalised", "as YOLOX"],
)
def test_same_input_as_the_pipeline(steps, size):
    image = frame(187, 333)  # whose height is rounded up
    run = Compose([{"type": "LoadImageFromWebcam"}, *steps[1:]])
    found = run({"img": image, "img_info": {"frame_id": 0}, "img_prefix": None})
    prepare = Preprocessing.of_pipeline(steps)
    assert prepare.size == size
    prepared = prepare.apply(image)
    torch.testing.assert_close(prepared.image[0], found["img"][0])
    metas = found["img_metas"][0].data
    assert prepared.content == metas["img_shape"][:2]
    np.testing.assert_allclose(prepared.scale, metas["scale_factor"][:2])


def test_tall_frame_is_fitted_into_the_size():
    prepared = Preprocessing.of_pipeline(pipeline((320, 192), NORM, {})).apply(frame(400, 100))
    assert prepared.image.shape == (1, 3, 192, 320)
    assert prepared.content == (192, 48)
    assert (prepared.image[..., 48:] == 0).all()


def test_size_is_rounded_up_and_other_sizes_are_checked():
    steps = pipeline((1088, 610), NORM, {})
    assert Preprocessing.of_pipeline(steps).size == (640, 1088)
    assert Preprocessing.of_pipeline(steps, (64, 96)).size == (64, 96)
    with pytest.raises(ValueError, match="100x96 must be of multiples of 32"):
        Preprocessing.of_pipeline(steps, (100, 96))


def test_settings_that_are_missing():
    with pytest.raises(ValueError, match="no Normalize, only LoadImageFromFile"):
        Preprocessing.of_pipeline([{"type": "LoadImageFromFile"}], (32, 32))
    with pytest.raises(ValueError, match="no img_scale"):
        Preprocessing.of_pipeline([{"type": "Normalize", **NORM}])


def test_crops_of_whole_frames():
    """A crop of the whole frame in its own size is the normalised frame."""
    image = frame(20, 30)
    prepare = Preprocessing.of_crops(NORM, (20, 30))
    crops = normalized_crops(image, np.array([[0, 0, 30, 20]], np.float32), prepare)
    expected = (image[..., ::-1] - np.float32(NORM["mean"])) / np.float32(NORM["std"])
    np.testing.assert_allclose(crops[0].numpy(), expected.transpose(2, 0, 1), atol=1e-5)
