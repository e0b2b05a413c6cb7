"""Pixels of drawn tracks are where the boxes are, in the colour of the identity."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmtrack.core.utils import imshow_mot_errors, imshow_tracks
from mmtrack.core.visualization import id_colors, id_palette, style_for
from mmtrack.core.visualization.palette import PALETTE_SIZE, text_color

BACKENDS = ["cv2", "plt"]


@pytest.fixture
def image():
    return np.full((120, 160, 3), 60, np.uint8)


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 5)


def close_to(image, point, color, tolerance=40):
    x, y = point
    patch = image[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).astype(int)
    return (np.abs(patch - np.array(color)).max(1) <= tolerance).any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_box_lies_on_its_pixels(image, backend):
    out = imshow_tracks(
        image, boxes((40, 50, 100, 90, 0.9)), np.array([0]), np.array([7]), backend=backend
    )
    color = id_colors(np.array([7]))[0]
    for point in ((70, 90), (40, 70), (100, 70)):  # middle of the lower, left and right edge
        assert close_to(out, point, color), point
    assert (out[60:80, 50:90] == 60).all()  # inside stays free
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert (image == 60).all()  # the input is not changed


@pytest.mark.parametrize("backend", BACKENDS)
def test_colour_depends_on_the_id_alone(image, backend):
    first = imshow_tracks(
        image,
        boxes((20, 40, 60, 80, 0.9), (80, 40, 120, 80, 0.8)),
        np.array([0, 0]),
        np.array([3, 4]),
        backend=backend,
    )
    second = imshow_tracks(
        image, boxes((80, 40, 120, 80, 0.5)), np.array([0]), np.array([3]), backend=backend
    )
    color = id_colors(np.array([3]))[0]
    assert close_to(first, (40, 80), color)
    assert close_to(second, (100, 80), color)


@pytest.mark.parametrize("backend", BACKENDS)
def test_score_threshold_and_no_boxes(image, backend):
    low = imshow_tracks(
        image,
        boxes((40, 50, 100, 90, 0.2)),
        np.array([0]),
        np.array([1]),
        score_thr=0.3,
        backend=backend,
    )
    none = imshow_tracks(image, boxes(), np.zeros(0), np.zeros(0), backend=backend)
    np.testing.assert_array_equal(low, image)
    np.testing.assert_array_equal(none, image)


def test_masks_are_tinted(image):
    mask = np.zeros((1, 120, 160), bool)
    mask[0, 60:80, 60:80] = True
    out = imshow_tracks(
        image, boxes((40, 50, 100, 90, 0.9)), np.array([0]), np.array([1]), masks=mask
    )
    expected = 60 * 0.55 + 0.45 * id_colors(np.array([1]))[0]
    np.testing.assert_allclose(out[70, 70], expected, atol=1)
    assert (out[70, 90] == 60).all()


def test_file_in_file_out(image, tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), image)
    out = imshow_tracks(
        str(tmp_path / "in.png"),
        boxes((40, 50, 100, 90, 0.9)),
        np.array([0]),
        np.array([1]),
        out_file=str(tmp_path / "new" / "out.png"),
    )
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "new" / "out.png")), out)


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_have_their_colours(image, backend):
    out = imshow_mot_errors(
        image,
        boxes((10, 40, 40, 90, 1), (60, 40, 90, 90, 1), (110, 40, 140, 90, 1)),
        np.array([1, 2, 3]),
        np.array([0, 1, 2]),
        backend=backend,
    )
    assert close_to(out, (25, 90), (0, 0, 230))
    assert close_to(out, (75, 90), (0, 215, 255))
    assert close_to(out, (125, 90), (255, 130, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: imshow_tracks(i, np.zeros((1, 4)), [0], [1]), "score last"),
        (lambda i: imshow_tracks(i, np.zeros((1, 5)), [0], [1, 2]), "2 ids differ"),
        (lambda i: imshow_tracks(i, np.zeros((0, 5)), [], [], backend="x"), "'x' is unknown"),
        (lambda i: imshow_mot_errors(i, np.zeros((1, 4)), [1], [3]), r"but are \[3\]"),
        (lambda i: imshow_mot_errors(i, np.zeros((1, 4)), [1], []), "0 error_types differ"),
    ],
)
def test_bad_arguments(image, call, message):
    with pytest.raises(ValueError, match=message):
        call(image)


def test_palette_is_well_separated():
    lab = cv2.cvtColor((id_palette()[:, None] / 255).astype(np.float32), cv2.COLOR_BGR2Lab)[:, 0]
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    np.fill_diagonal(gaps, np.inf)
    # A difference of 2.3 in CIELAB can just be noticed (Mahy et al., 1994).
    assert gaps[:10, :10].min() > 45
    assert gaps.min() > 15


def test_ids_without_identity_and_far_ids():
    colors = id_colors(np.array([-1, 0, PALETTE_SIZE]))
    np.testing.assert_array_equal(colors[0], (128, 128, 128))
    np.testing.assert_array_equal(colors[1], colors[2])


def test_text_is_readable():
    assert text_color((255, 255, 255)) == (0, 0, 0)
    assert text_color((120, 0, 0)) == (255, 255, 255)


def test_style_grows_with_the_image():
    small, large = style_for(np.zeros((240, 320, 3))), style_for(np.zeros((1080, 1920, 3)))
    assert small.thickness < large.thickness
    assert small.font_scale < large.font_scale


def test_frame_without_errors_stays_as_it_is():
    img = np.full((40, 60, 3), 90, np.uint8)
    drawn = imshow_mot_errors(img, np.zeros((0, 5)), np.zeros(0, int), np.zeros(0, int))
    np.testing.assert_array_equal(drawn, img)
