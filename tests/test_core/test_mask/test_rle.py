"""Masks of files: all forms give the same pixels, and malformed ones are refused."""

import numpy as np
import pycocotools.mask as coco_mask
import pytest

from mmtrack.core.mask import check_segmentation, to_rle
from mmtrack.core.mask.rle import _runs_of_text

SIZE = (20, 30)


@pytest.fixture
def plane():
    """A disc that does not touch the border."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (x - 12) ** 2 + (y - 9) ** 2 <= 36


def test_all_forms_give_the_same_pixels(plane):
    code = coco_mask.encode(np.asfortranarray(plane.astype(np.uint8)))
    flat = plane.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat.astype(int))) + 1
    numbers = np.diff([0, *ends, flat.size]).tolist()
    text = {"size": list(SIZE), "counts": code["counts"].decode()}
    for form in (code, text, {"size": list(SIZE), "counts": numbers}):
        assert np.array_equal(coco_mask.decode(to_rle(form, *SIZE)), plane)


def test_polygons_are_joined():
    parts = [[2, 2, 10, 2, 10, 8, 2, 8], [20, 10, 25, 10, 25, 14, 20, 14]]
    pixels = coco_mask.decode(to_rle(parts, *SIZE))
    assert pixels.sum() == 8 * 6 + 5 * 4
    assert pixels[2:8, 2:10].all()
    assert pixels[10:14, 20:25].all()


def test_masks_without_pixels_are_masks(plane):
    code = coco_mask.encode(np.asfortranarray(np.zeros_like(plane, np.uint8)))
    assert coco_mask.area(to_rle(code, *SIZE)) == 0


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        (None, "not NoneType"),
        ([], "not an empty list"),
        ("abc", "not str"),
        ([[1, 2, 3, 4]], "polygon 0 has 4 coordinates"),
        ([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]], "polygon 1 has 7 coordinates"),
        ([[1, 2, 3, 4, 5, float("nan")]], "no finite numbers"),
        ([[1, 2, 3, 4, 5, "x"]], "no finite numbers"),
        ([5, 6, 7, 8, 9, 10], "no list of coordinates"),
        ({"counts": [600]}, "need 'size' and 'counts'"),
        ({"size": [30, 20], "counts": [600]}, r"\[30, 20\], the image \[20, 30\]"),
        ({"size": [20, 30], "counts": [300, 200]}, "add up to 500 pixels"),
        ({"size": [20, 30], "counts": [700, -100]}, "whole numbers"),
        ({"size": [20, 30], "counts": [300.5, 299.5]}, "whole numbers"),
        ({"size": [20, 30], "counts": 7}, "must be numbers or text"),
        ({"size": [20, 30], "counts": ""}, "damaged or cut off"),
        ({"size": [20, 30], "counts": "ab\x7f"}, "damaged or cut off"),
        ({"size": [20, 30], "counts": b"0ho"}, "damaged or cut off"),
    ],
)
def test_what_is_no_mask(segmentation, message):
    with pytest.raises(ValueError, match=message):
        check_segmentation(segmentation, *SIZE)
    with pytest.raises(ValueError, match=message):
        to_rle(segmentation, *SIZE)


def test_text_that_covers_more_than_the_image(plane):
    large = coco_mask.encode(np.asfortranarray(np.ones((40, 60), np.uint8)))
    with pytest.raises(ValueError, match="more pixels than the image"):
        check_segmentation({"size": list(SIZE), "counts": large["counts"]}, *SIZE)


@pytest.mark.parametrize("seed", range(20))
def test_runs_of_text_are_those_of_the_mask(seed):
    """Against the runs that one counts in the pixels, column by column."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 120, 2)
    size = rng.integers(1, 30)
    blocks = rng.random(-(-shape // size)) < rng.random()
    mask = np.kron(blocks, np.ones((size, size)))[: shape[0], : shape[1]].astype(np.uint8)
    pixels = mask.ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels, prepend=0))
    runs = np.diff(np.concatenate(([0], changes, [len(pixels)])))
    text = coco_mask.encode(np.asfortranarray(mask))["counts"]
    assert _runs_of_text(text).tolist() == runs.tolist()


def test_every_damage_of_a_character_is_noticed_or_harmless():
    """What passes the check is never refused by pycocotools."""
    rng = np.random.default_rng(0)
    mask = np.asfortranarray(rng.integers(0, 2, SIZE, np.uint8))
    text = coco_mask.encode(mask)["counts"]
    passed = 0
    for place in range(len(text)):
        for code in rng.integers(48, 112, 8).tolist():
            rle = {"size": list(SIZE), "counts": text[:place] + bytes([code]) + text[place + 1 :]}
            try:
                check_segmentation(rle, *SIZE)
            except ValueError:
                continue
            passed += 1
            assert coco_mask.decode(rle).shape == SIZE
    assert passed < 0.2 * 8 * len(text)
