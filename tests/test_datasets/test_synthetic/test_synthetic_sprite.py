"""Sprites keep their place and size at every resolution."""

import numpy as np
import pytest

from mmtrack.datasets.synthetic.compositor import Canvas
from mmtrack.datasets.synthetic.sprite import Sprite


@pytest.fixture
def block():
    """An opaque block of 16 x 24 pixels whose ground point is the middle of its lower edge."""
    colours = np.full((60, 60, 3), 200, np.uint8)
    opacity = np.zeros((60, 60), np.uint8)
    opacity[10:34, 20:36] = 255
    return Sprite.from_drawing(colours, opacity, (28, 34), 10, head=(20, 10, 16, 4))


def box_of(sprite, x, y, resolution):
    canvas = Canvas(np.zeros((100, 100, 3), np.uint8))
    return canvas, *canvas.paste(sprite, x, y, resolution, 1)


def test_full_size(block):
    canvas, extent, area = box_of(block, 50, 60, 10)
    assert extent == (42, 36, 16, 24)
    assert area == 16 * 24
    assert np.all(canvas.image[36:60, 42:58] == 200)
    assert canvas.visible_areas(1).tolist() == [16 * 24]


@pytest.mark.parametrize("resolution", [20, 5, 2.5, 1.25])
def test_scaled(block, resolution):
    scale = resolution / 10
    _, extent, _ = box_of(block, 50, 60, resolution)
    expected = (50 - 8 * scale, 60 - 24 * scale, 16 * scale, 24 * scale)
    assert extent == pytest.approx(expected, abs=1.01)


def test_mirrored_twice_is_itself(block):
    twice = block.mirrored().mirrored()
    assert all(np.array_equal(a, b) for a, b in zip(block.levels, twice.levels, strict=True))
    assert twice.anchor == block.anchor
    assert twice.head == block.head


def test_extent_outside_of_the_frame(block):
    canvas, extent, area = box_of(block, 0, 60, 10)
    assert extent == (-8, 36, 16, 24)
    assert area == 16 * 24
    assert canvas.visible_areas(1).tolist() == [8 * 24]


def test_far_outside_paints_nothing(block):
    canvas, extent, _ = box_of(block, -80, 60, 10)
    assert extent == (-88, 36, 16, 24)
    assert not canvas.image.any()
    assert canvas.visible_areas(1).tolist() == [0]


def test_later_sprites_cover_earlier_ones(block):
    canvas = Canvas(np.zeros((100, 100, 3), np.uint8))
    canvas.paste(block, 50, 60, 10, 1)
    canvas.paste(block, 54, 60, 10, 2)
    assert canvas.visible_areas(2).tolist() == [4 * 24, 16 * 24]


def test_half_opaque_edges_blend():
    colours = np.full((20, 20, 3), 50, np.uint8)  # 100 premultiplied
    opacity = np.full((20, 20), 128, np.uint8)
    sprite = Sprite.from_drawing(colours, opacity, (10, 10), 10)
    canvas = Canvas(np.full((40, 40, 3), 200, np.uint8))
    canvas.paste(sprite, 20, 20, 10, 1)
    assert canvas.image[20, 20].tolist() == pytest.approx([150] * 3, abs=1)
