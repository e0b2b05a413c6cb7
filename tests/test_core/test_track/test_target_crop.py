"""Crops around a target against OpenCV: pad the frame, cut, resize."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch

from mmtrack.core.track.target_crop import crop_target

HEIGHT, WIDTH = 60, 90
FAR = 400  # a frame with this much padding holds every crop of the cases

# centre x, centre y, width, height; factor; size of the result
CASES = {
    "inside, smaller": ((45.3, 30.2, 10.0, 8.0), 2.0, 12),
    "inside, larger": ((45.3, 30.2, 10.0, 8.0), 2.0, 50),
    "left": ((3.0, 30.0, 12.0, 12.0), 2.0, 31),
    "top": ((40.0, 1.5, 12.0, 12.0), 2.0, 31),
    "right": ((88.0, 30.0, 12.0, 12.0), 2.0, 31),
    "bottom": ((40.0, 59.0, 12.0, 12.0), 2.0, 31),
    "ends at the border": ((78.0, 30.0, 12.0, 12.0), 2.0, 31),
    "ends before the border": ((77.0, 30.0, 12.0, 12.0), 2.0, 31),
    "all sides": ((45.0, 30.0, 40.0, 40.0), 5.0, 64),
    "box partly outside": ((-4.0, 20.0, 30.0, 20.0), 2.0, 40),
    "outside": ((-100.0, -90.0, 10.0, 10.0), 2.0, 16),
    "outside, far side": ((200.0, 150.0, 10.0, 10.0), 2.0, 16),
    "half pixels": ((20.5, 21.5, 10.0, 10.0), 1.0, 10),
    "next pixel": ((20.7, 21.8, 10.0, 10.0), 1.0, 10),
    "few read": ((45.0, 30.0, 20.0, 20.0), 2.0, 11),
    "few read, top left": ((3.0, 4.0, 20.0, 20.0), 2.0, 7),
    "few read, far corner": ((88.0, 57.0, 20.0, 20.0), 2.0, 13),
    "few read, all sides": ((45.0, 30.0, 40.0, 40.0), 5.0, 32),
    "few read, outside": ((-300.0, 30.0, 20.0, 20.0), 2.0, 11),
}
every_case = pytest.mark.parametrize(("bbox", "factor", "size"), CASES.values(), ids=CASES)


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(3).integers(1, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def by_opencv(frame, bbox, factor, size):
    cx, cy, width, height = bbox
    side = math.ceil(math.sqrt(width * height) * factor)
    left, top = round(cx - side / 2), round(cy - side / 2)
    frame = frame.astype(np.float32)
    mask = np.zeros(frame.shape[:2], np.float32)
    # the documented habit of the published weights
    if left + side >= WIDTH:
        frame, mask = frame[:, :-1], mask[:, :-1]
    if top + side >= HEIGHT:
        frame, mask = frame[:-1], mask[:-1]
    frame = cv2.copyMakeBorder(frame, FAR, FAR, FAR, FAR, cv2.BORDER_CONSTANT, value=0)
    mask = cv2.copyMakeBorder(mask, FAR, FAR, FAR, FAR, cv2.BORDER_CONSTANT, value=1)
    part = np.s_[top + FAR : top + FAR + side, left + FAR : left + FAR + side]
    image = cv2.resize(frame[part], (size, size), interpolation=cv2.INTER_LINEAR)
    mask = cv2.resize(mask[part], (size, size), interpolation=cv2.INTER_LINEAR)
    return image, size / side, mask > 0


def as_tensor(frame):
    return torch.from_numpy(frame).permute(2, 0, 1)[None]


@every_case
def test_equals_opencv(frame, bbox, factor, size):
    image, scale, mask = by_opencv(frame, bbox, factor, size)
    found = crop_target(as_tensor(frame), bbox, factor, size)
    assert found.img.shape == (1, 3, size, size)
    assert found.img.dtype == torch.float32
    # OpenCV rounds its weights to float; a grey level is 1
    np.testing.assert_allclose(found.img[0].permute(1, 2, 0).numpy(), image, atol=2e-3)
    assert found.resize_factor == pytest.approx(scale)
    assert found.mask.shape == (1, size, size)
    np.testing.assert_array_equal(found.mask[0].numpy(), mask)


@every_case
def test_bytes_and_floats_give_the_same(frame, bbox, factor, size):
    before = frame.copy()
    of_bytes = crop_target(as_tensor(frame), bbox, factor, size)
    of_floats = crop_target(as_tensor(frame).float().contiguous(), bbox, factor, size)
    assert torch.equal(of_bytes.img, of_floats.img)
    assert torch.equal(of_bytes.mask, of_floats.mask)
    np.testing.assert_array_equal(frame, before)


@pytest.mark.parametrize(
    "bbox",
    [
        (10.0, 10.0, 0.0, 5.0),
        (10.0, 10.0, 5.0, -1.0),
        (math.nan, 10.0, 5.0, 5.0),
        (1.0, 1.0, math.inf, 5.0),
    ],
    ids=["no width", "negative height", "nan", "inf"],
)
def test_box_that_cannot_be_cropped(frame, bbox):
    with pytest.raises(ValueError, match="cannot crop around the box"):
        crop_target(as_tensor(frame), bbox, 2.0, 16)
