"""Crops around an object against a plain loop over pixels and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmtrack.core.track.context_crop import context_crop

FILL = torch.tensor([10.0, 20.0, 30.0])


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def plain_crop(frame, center, size, out):
    """Copy pixel by pixel, then resize with OpenCV."""
    (x1, x2), (y1, y2) = (
        (int(c - size / 2), min(int(c + size / 2) + 1, max(n, int(c + size / 2))))
        for c, n in zip(center, (frame.shape[1], frame.shape[0]), strict=True)
    )
    patch = np.zeros((y2 - y1, x2 - x1, 3), np.float32)
    for y in range(y1, y2):
        for x in range(x1, x2):
            inside = 0 <= y < frame.shape[0] and 0 <= x < frame.shape[1]
            patch[y - y1, x - x1] = frame[y, x] if inside else FILL.numpy()
    return cv2.resize(patch, (out, out), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize(
    ("center", "size"),
    [((40.3, 30.2), 20), ((3.0, 4.5), 30), ((79.0, 59.5), 33), ((40, 30), 140), ((0, 60), 12)],
    ids=["inside", "top left", "bottom right", "larger than the frame", "corner"],
)
def test_equals_plain_copy_and_opencv(frame, center, size):
    img = torch.from_numpy(frame).permute(2, 0, 1)[None]
    found = context_crop(img, center, size, 31, FILL)
    want = plain_crop(frame, center, size, 31)
    np.testing.assert_allclose(found[0].permute(1, 2, 0), want, atol=2e-3)


def test_bytes_and_floats_give_equal_crops(frame):
    img = torch.from_numpy(frame).permute(2, 0, 1)[None]
    for center in ((40.3, 30.2), (2.0, 58.0)):
        from_bytes = context_crop(img, center, 40, 127, FILL)
        from_floats = context_crop(img.float().contiguous(), center, 40, 127, FILL)
        torch.testing.assert_close(from_bytes, from_floats, rtol=0, atol=0)


def test_nothing_of_the_frame_is_the_fill(frame):
    img = torch.from_numpy(frame).permute(2, 0, 1)[None]
    found = context_crop(img, (-50.0, 30.0), 20, 8, FILL)
    assert torch.equal(found, FILL[None, :, None, None].expand(1, 3, 8, 8))
