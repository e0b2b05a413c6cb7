"""Box formats: hand-computed numbers and round trips, for tensors and arrays."""

import numpy as np
import pytest
import torch

from mmtrack.core.bbox import (
    bbox_cxcyah_to_xyxy,
    bbox_cxcywh_to_x1y1wh,
    bbox_xyxy_to_cxcyah,
    bbox_xyxy_to_x1y1wh,
    quad2bbox,
)

KINDS = {"tensor": torch.tensor, "array": np.array}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("function", "given", "want"),
    [
        (bbox_xyxy_to_x1y1wh, [1.0, 2, 5, 10], [1, 2, 4, 8]),
        (bbox_xyxy_to_cxcyah, [1.0, 2, 5, 10], [3, 6, 0.5, 8]),
        (bbox_cxcyah_to_xyxy, [3.0, 6, 0.5, 8], [1, 2, 5, 10]),
        (bbox_cxcywh_to_x1y1wh, [3.0, 6, 4, 8], [1, 2, 4, 8]),
        (quad2bbox, [1.0, 2, 5, 10], [3, 6, 4, 8]),
        # a diamond of area 8 within a square of side 4: the square shrinks by sqrt(8 / 16)
        (quad2bbox, [2.0, 0, 4, 2, 2, 4, 0, 2], [2, 2, 8**0.5, 8**0.5]),
        (quad2bbox, [0.0, 0, 4, 0, 4, 0, 0, 0], [2, 0, 0, 0]),
    ],
)
def test_hand_computed(kind, function, given, want):
    found = function(KINDS[kind](given))
    assert isinstance(found, type(KINDS[kind]([0.0])))
    np.testing.assert_allclose(np.asarray(found), want, rtol=1e-6)
    np.testing.assert_allclose(
        np.asarray(function(KINDS[kind]([given] * 3))), [want] * 3, rtol=1e-6
    )


def test_kalman_measurement_and_back_is_the_same_box():
    rng = np.random.default_rng(0)
    boxes = np.sort(rng.uniform(0, 100, (2, 50, 2)), axis=0).transpose(1, 0, 2).reshape(50, 4)
    np.testing.assert_allclose(bbox_cxcyah_to_xyxy(bbox_xyxy_to_cxcyah(boxes)), boxes)
    empty = torch.zeros(0, 4)
    assert bbox_cxcyah_to_xyxy(bbox_xyxy_to_cxcyah(empty)).shape == (0, 4)


@pytest.mark.parametrize("function", [bbox_xyxy_to_x1y1wh, bbox_xyxy_to_cxcyah, quad2bbox])
def test_wrong_width_is_refused(function):
    with pytest.raises(ValueError, match="last dimension"):
        function(torch.zeros(3, 5))
