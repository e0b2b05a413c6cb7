"""Images that announce more pixels than anybody has memory for."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from mmtrack.core.visualization.video_io import read_image
from mmtrack.datasets.pipelines import ImageReadError, decode_image
from mmtrack.utils.image_header import check_pixel_count


def png(width, height):
    """A small picture whose header tells another size, with a sound checksum."""
    data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[33:]


def test_bombs(tmp_path):
    data = png(30_000, 30_000)
    with pytest.raises(ValueError, match=r"image a\.png is too large: .*900000000 pixels"):
        check_pixel_count(data, "a.png")
    with pytest.raises(ImageReadError, match=r"a\.png is too large"):
        decode_image(data, "a.png")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.png is too large"):
        read_image(str(tmp_path / "a.png"))


def test_others_pass():
    check_pixel_count(png(4000, 3000), "a.png")
    check_pixel_count(b"no image", "a.png")
    check_pixel_count(b"", "a.png")
