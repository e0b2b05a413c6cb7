"""Crops agree with torch's sampling, which shares no code with OpenCV."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmtrack.core.utils import crop_image


@pytest.mark.parametrize("region", [(5, 8, 44, 30), (-12, -7, 30, 60), (10.5, 3.25, 25.5, 18.75)])
def test_agrees_with_grid_sample(region):
    size, padding = 33, (9, 80, 200)
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (40, 50, 3)).astype(np.float32)
    crop = crop_image(image, np.array(region), size, padding)

    x = np.linspace(region[0], region[2], size, endpoint=False)
    y = np.linspace(region[1], region[3], size, endpoint=False)
    grid = np.stack(np.meshgrid(x / 49 * 2 - 1, y / 39 * 2 - 1), -1)[None]
    value = np.array(padding, np.float32)
    # grid_sample pads with 0, so the padding is subtracted first and added back
    sampled = (
        torch.nn.functional.grid_sample(
            torch.from_numpy((image - value).transpose(2, 0, 1)[None]).double(),
            torch.from_numpy(grid),
            align_corners=True,
        )[0]
        .permute(1, 2, 0)
        .numpy()
        + value
    )
    # OpenCV rounds positions to 1/32 pixel
    assert crop.shape == (size, size, 3)
    assert np.abs(crop - sampled).mean() < 3


def test_identity_and_dtype():
    image = np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8)
    crop = crop_image(image, np.array([0, 0, 20, 20]), 20)
    assert crop.dtype == np.uint8
    np.testing.assert_array_equal(crop, image)


@pytest.mark.parametrize("region", [(5, 5, 5, 9), (5, 9, 8, 2), (0, 0, float("nan"), 3)])
def test_region_without_area(region):
    with pytest.raises(ValueError, match="x2 > x1"):
        crop_image(np.zeros((9, 9, 3), np.uint8), np.array(region), 5)
