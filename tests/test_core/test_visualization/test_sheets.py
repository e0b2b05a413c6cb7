"""Sheets of images and animations, read back with another library (Pillow)."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from mmtrack.core.visualization import encode_gif, encode_jpeg, tile_images
from mmtrack.core.visualization.sheets import BAR, GAP


def plain(color, height=20, width=30):
    return np.full((height, width, 3), color, np.uint8)


RED, GREEN, BLUE = (0, 0, 200), (0, 200, 0), (200, 0, 0)  # BGR


def test_images_stand_in_rows():
    sheet = tile_images([plain(RED), plain(GREEN), plain(BLUE)], columns=2)
    assert sheet.shape == (20 + GAP + 20, 30 + GAP + 30, 3)
    assert (sheet[:20, :30] == RED).all()
    assert (sheet[:20, 30 + GAP :] == GREEN).all()
    assert (sheet[20 + GAP :, :30] == BLUE).all()
    assert (sheet[20 + GAP :, 30:] == 255).all()
    assert (sheet[20 : 20 + GAP] == 255).all()


def test_fewer_images_than_columns_leave_no_empty_cells():
    assert tile_images([plain(RED)], columns=5).shape == (20, 30, 3)


def test_images_of_different_sizes_share_a_width():
    sheet = tile_images([plain(RED, 20, 40), plain(GREEN, 30, 20)], columns=2, width=10)
    assert sheet.shape == (15, 10 + GAP + 10, 3)
    assert (sheet[:5, :10] == RED).all()
    assert (sheet[5:, :10] == 255).all()
    assert (sheet[:, 10 + GAP :] == GREEN).all()


def test_a_caption_is_dark_text_above_its_image():
    sheet = tile_images([plain(RED, 20, 60)], captions=["frame 1"])
    assert sheet.shape == (BAR + 20, 60, 3)
    assert (sheet[BAR:] == RED).all()
    assert sheet[:BAR].min() < 60


def test_input_stays_as_it_is():
    image = plain(RED)
    image.flags.writeable = False
    tile_images([image, image], width=15, captions=["a", "b"])
    encode_gif([image, image])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": []}, "no images"),
        ({"images": [plain(RED)], "columns": 0}, "columns must be at least 1"),
        ({"images": [plain(RED)], "width": 0}, "width must be at least 1"),
        ({"images": [plain(RED)], "captions": ["a", "b"]}, "2 captions do not fit 1"),
    ],
)
def test_bad_sheets_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tile_images(**arguments)


def test_jpeg_is_read_by_another_library():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = RED
    read = Image.open(io.BytesIO(encode_jpeg(image, quality=95)))
    assert read.format == "JPEG"
    pixels = np.asarray(read)  # RGB
    assert np.abs(pixels[20, 50].astype(int) - (200, 0, 0)).max() < 12
    assert pixels[20, 5].max() < 12
    assert len(encode_jpeg(image, quality=10)) < len(encode_jpeg(image, quality=95))


def test_gif_keeps_order_time_and_colours():
    frames = [plain(RED), plain(GREEN), plain(BLUE)]
    animation = Image.open(io.BytesIO(encode_gif(frames, fps=5, width=15)))
    assert (animation.format, animation.size, animation.n_frames) == ("GIF", (15, 10), 3)
    assert animation.info["loop"] == 0
    for number, color in enumerate((RED, GREEN, BLUE)):
        animation.seek(number)
        assert animation.info["duration"] == 200
        pixel = np.asarray(animation.convert("RGB"))[5, 5].astype(int)
        assert np.abs(pixel - color[::-1]).max() < 12


def test_gif_keeps_the_colour_of_a_thin_box_in_a_noisy_picture():
    noise = np.random.default_rng(0).integers(60, 140, (90, 160, 1), np.uint8).repeat(3, axis=2)
    noise[20, 30:60] = (0, 215, 255)
    animation = Image.open(io.BytesIO(encode_gif([noise, noise], width=None)))
    pixels = np.asarray(animation.convert("RGB")).astype(int)
    assert np.abs(pixels[20, 30:60] - (255, 215, 0)).max() < 12


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ([], {}, "no images"),
        ([plain(RED), plain(RED, 21)], {}, "must have one size"),
        ([plain(RED)], {"fps": 0}, "fps must be within"),
        ([plain(RED)], {"colors": 1}, "colors within 2"),
    ],
)
def test_bad_animations_are_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        encode_gif(images, **options)
