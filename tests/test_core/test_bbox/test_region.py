"""Region overlaps against painted masks, OpenCV's convex intersection, hand numbers and, where it
is installed, the toolkit of the VOT challenge."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmtrack.core.bbox import (
    Polygon,
    Rectangle,
    bbox2region,
    calculate_region_overlap,
    region_overlaps,
)
from mmtrack.core.bbox.region import rectangles_to_polygons

SCALE = 40  # painted pixels per pixel


def painted_overlap(first, second, bounds=None, canvas=(60, 60)):
    """Overlap of masks painted ``SCALE`` times as large."""
    width, height = (SCALE * size for size in (bounds or canvas))
    masks = []
    for region in (first, second):
        corners = region if len(region) > 4 else rectangles_to_polygons(region[None])[0]
        mask = np.zeros((height, width), np.uint8)
        # fillPoly also paints its outline: half a painted pixel inwards makes up for that
        points = np.round(corners.reshape(-1, 2) * SCALE - 0.5).astype(np.int32)
        masks.append(cv2.fillPoly(mask, [points], 1).astype(bool))
    union = np.count_nonzero(masks[0] | masks[1])
    return np.count_nonzero(masks[0] & masks[1]) / union if union else 0.0


def star(rng, corners, centre, radius):
    """A simple polygon, in general not convex: corners at rising angles and random distances."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    lengths = radius * rng.uniform(0.3, 1, corners)
    points = centre + lengths[:, None] * np.stack((np.cos(angles), np.sin(angles)), 1)
    return (points if rng.uniform() < 0.5 else points[::-1]).reshape(-1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bounds", [None, (34, 30)], ids=["free", "bounded"])
def test_stars_as_painted(seed, bounds):
    rng = np.random.default_rng(seed)
    first = star(rng, 7, rng.uniform(22, 38, 2), 18)
    second = star(rng, 5, rng.uniform(22, 38, 2), 18)
    ours = calculate_region_overlap(first, second, bounds)
    assert ours == pytest.approx(painted_overlap(first, second, bounds), abs=0.004)
    assert ours == pytest.approx(calculate_region_overlap(second, first, bounds), abs=1e-12)


def test_rotated_rectangles_as_opencv():
    rng = np.random.default_rng(3)
    boxes = [
        [((x, y), (w, h), a) for x, y, w, h, a in rng.uniform(8, 30, (200, 5))] for _ in range(2)
    ]
    expected = []
    for one, other in zip(*boxes, strict=True):
        _, points = cv2.rotatedRectangleIntersection(one, other)
        area = 0 if points is None else cv2.contourArea(cv2.convexHull(points))
        total = one[1][0] * one[1][1] + other[1][0] * other[1][1]
        expected.append(area / (total - area))
    corners = [np.array([cv2.boxPoints(box).reshape(-1) for box in side]) for side in boxes]
    assert region_overlaps(*corners) == pytest.approx(expected, abs=2e-4)  # OpenCV uses float32
    assert min(expected) == 0
    assert max(expected) > 0.5


@pytest.mark.parametrize("bounds", [None, (40, 30)])
def test_rectangles_and_their_polygons_agree(bounds):
    rng = np.random.default_rng(0)
    first, second = rng.uniform((-10, -10, 1, 1), (40, 30, 30, 30), (2, 300, 4))
    expected = region_overlaps(first, second, bounds)
    shapes = rectangles_to_polygons(first), rectangles_to_polygons(second)
    assert region_overlaps(*shapes, bounds) == pytest.approx(expected, abs=1e-12)
    assert region_overlaps(first, shapes[1], bounds) == pytest.approx(expected, abs=1e-12)
    single = [calculate_region_overlap(a, b, bounds) for a, b in zip(first, shapes[1], strict=True)]
    assert single == pytest.approx(expected.tolist(), abs=1e-12)


def test_hand_numbers():
    box = np.array([10.0, 10.0, 20.0, 10.0])
    diamond = np.array([20.0, 5.0, 30.0, 15.0, 20.0, 25.0, 10.0, 15.0])
    # |x - 20| + |y - 15| <= 10 within |y - 15| <= 5: 150 of 200 pixels, all in the box of 200
    assert calculate_region_overlap(box, diamond) == pytest.approx(150 / 250)
    # only the left half is inside of an image 20 pixels wide
    assert calculate_region_overlap(box, diamond, (20, 100)) == pytest.approx(75 / 125)
    assert calculate_region_overlap(box, diamond, (5, 100)) == 0
    assert calculate_region_overlap(diamond, diamond) == 1


def test_a_notch_is_not_filled():
    """A U and a box in its opening do not meet, though their hulls do."""
    u_shape = np.array([0, 0, 30, 0, 30, 30, 20, 30, 20, 10, 10, 10, 10, 30, 0, 30.0])
    assert calculate_region_overlap(u_shape, np.array([11.0, 12.0, 8.0, 10.0])) == 0
    assert calculate_region_overlap(np.array([11.0, 12.0, 8.0, 10.0]), u_shape) == 0
    inside = np.array([0.0, 0.0, 30.0, 10.0])
    assert calculate_region_overlap(u_shape, inside) == pytest.approx(300 / 700)


def test_touching_and_empty_regions():
    box = np.array([0.0, 0.0, 10.0, 10.0])
    assert calculate_region_overlap(box, np.array([10.0, 0.0, 10.0, 10.0])) == 0
    assert calculate_region_overlap(box, np.array([5.0, 5.0, 0.0, 10.0])) == 0
    line = np.array([0, 0, 10, 10, 5, 5, 2, 2.0])
    assert calculate_region_overlap(line, line) == 0
    assert region_overlaps(np.zeros((0, 4)), np.zeros((0, 8))).shape == (0,)


def test_bbox2region():
    assert bbox2region(np.array([1, 2, 3, 4])) == Rectangle(1, 2, 3, 4)
    polygon = bbox2region(np.arange(8.0))
    assert polygon == Polygon(((0, 1), (2, 3), (4, 5), (6, 7)))
    assert polygon.as_array().tolist() == list(range(8))
    same = calculate_region_overlap(Rectangle(0, 0, 4, 4), bbox2region([0, 0, 4, 0, 4, 4, 0, 4]))
    assert same == 1


@pytest.mark.parametrize("values", [[1, 2, 3], [1, 2, 3, 4, 5, 6], np.arange(9), [1.0]])
def test_wrong_number_of_numbers(values):
    with pytest.raises(ValueError, match=f"at least 8.*found {len(values)}"):
        bbox2region(np.array(values))
    with pytest.raises(ValueError, match=f"found {len(values)}"):
        calculate_region_overlap(np.array(values), np.array([0, 0, 1, 1]))


def test_not_finite():
    with pytest.raises(ValueError, match="finite"):
        bbox2region([0, 0, np.nan, 1])


@pytest.mark.parametrize("seed", range(4))
def test_as_the_vot_toolkit(seed):
    """The toolkit paints masks of whole pixels: large regions make the difference small."""
    region = pytest.importorskip("vot.region", reason="vot-toolkit is not installed")
    shapes = pytest.importorskip("vot.region.shapes")
    rng = np.random.default_rng(seed)
    points = [star(rng, 4, rng.uniform(300, 400, 2), 250) for _ in range(2)]
    theirs = region.calculate_overlap(
        *(shapes.Polygon(p.reshape(-1, 2).tolist()) for p in points), (500, 450)
    )
    assert calculate_region_overlap(*points, (500, 450)) == pytest.approx(theirs, abs=0.02)
