"""Frames come in the right order, one at a time, and damage is named."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from mmtrack.core.visualization import VideoFileWriter, open_sink, open_source, read_image
from mmtrack.core.visualization.video_io import FolderWriter, sorted_frames


def gray(value, size=(48, 64)):
    return np.full((*size, 3), value, np.uint8)


def write_frames(folder, names):
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / name), gray(10 * i))


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "in.mp4"
    with VideoFileWriter(path, 12.5) as writer:
        for i in range(30):
            writer.write(gray(8 * i))
    return path


def test_folder_in_natural_order(tmp_path):
    names = ["f_1.png", "f_2.png", "f_10.png", "f_11.png"]
    write_frames(tmp_path / "in", names)
    source = open_source(str(tmp_path / "in"))
    assert source.length == 4
    assert [int(image[0, 0, 0]) for image in source] == [0, 10, 20, 30]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no images"),
        (["notes.txt"], "holds no images"),
        (["1.png", "01.png"], "same place"),
        (["1.png", "1.jpg"], "same place"),
        (["cat.png", "dog.png"], "has no number"),
    ],
    ids=["empty", "no images", "padding", "extension", "unnumbered"],
)
def test_folder_without_order_is_refused(tmp_path, names, message):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=message):
        sorted_frames(str(folder))


def test_single_unnumbered_image_is_a_video_of_one_frame(tmp_path):
    write_frames(tmp_path / "in", ["photo.png"])
    assert len(list(open_source(str(tmp_path / "in")))) == 1


@pytest.mark.parametrize("extension", [".jpg", ".png"])
def test_cut_off_image_is_named(tmp_path, extension):
    path = tmp_path / f"1{extension}"
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    assert read_image(str(path)).shape == (400, 400, 3)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ValueError, match=f"1{extension} is truncated"):
        read_image(str(path))


def test_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(b"hello")
    with pytest.raises(ValueError, match=r"1.jpg cannot be decoded.*5 bytes"):
        read_image(str(path))


def test_video_keeps_order_and_fractional_rate(video):
    source = open_source(str(video))
    assert source.fps == pytest.approx(12.5)
    assert source.length == 30
    values = [float(image.mean()) for image in source]
    np.testing.assert_allclose(values, np.arange(30) * 8, atol=4)  # lossy codec


def test_video_without_index_is_refused(video):
    data = video.read_bytes()
    video.write_bytes(data[: len(data) // 2])  # the index of an mp4 is at its end
    with pytest.raises(ValueError, match="cannot be read as a video"):
        open_source(str(video))


def test_video_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "in.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (320, 240))
    noise = np.random.default_rng(0).integers(0, 255, (40, 240, 320, 3), np.uint8)
    for image in noise:
        writer.write(image)
    writer.release()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    source = open_source(str(path))
    with pytest.raises(ValueError, match=r"only \d+ of 40 frames"):
        list(source)


@pytest.mark.parametrize("name", ["missing.mp4", "no/such/folder"])
def test_missing_input_is_named(name):
    with pytest.raises(FileNotFoundError, match=name):
        open_source(name)


def test_camera_that_is_not_there():
    with pytest.raises(ValueError, match="camera 97 cannot be opened"):
        open_source("97")


def test_http_stream(video):
    """A stream is read as it arrives; here a file served by a web server of this process."""
    import functools
    import http.server
    import threading

    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(video.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        source = open_source(f"http://127.0.0.1:{server.server_port}/in.mp4")
        assert source.length is None
        assert len(list(source)) == 30
        server.shutdown()
        thread.join()


def test_writer_leaves_nothing_after_an_error(tmp_path):
    def fail_between_frames():
        with VideoFileWriter(tmp_path / "o.mp4", 5) as writer:
            writer.write(gray(0))
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail_between_frames()
    assert os.listdir(tmp_path) == []


def test_writer_replaces_only_when_complete(video):
    before = video.read_bytes()
    with VideoFileWriter(video, 5) as writer:
        writer.write(gray(0))
        assert video.read_bytes() == before
    assert open_source(str(video)).length == 1


def test_writer_refuses_other_sizes(tmp_path):
    with VideoFileWriter(tmp_path / "o.mp4", 5) as writer:
        writer.write(gray(0))
        with pytest.raises(ValueError, match="32x16, the first one was 64x48"):
            writer.write(gray(0, (16, 32)))


# Rates of cameras and phones; the encoder refuses those of more than 65535 parts.
@pytest.mark.parametrize(
    ("fps", "kept"),
    [
        (0.01, 0.01), (23.976, 23.976), (30000 / 1001, 29.97), (66.667, 66.67), (119.921, 119.92),
        (333.333, 333.33), (999.99, 1000.0), (2000, 2000),
    ],
)  # fmt: skip
def test_writer_takes_every_rate(tmp_path, fps, kept):
    with VideoFileWriter(tmp_path / "o.mp4", fps) as writer:
        writer.write(gray(0))
        assert writer.bytes_written() > 0
    capture = cv2.VideoCapture(str(tmp_path / "o.mp4"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(kept, rel=1e-6)


def test_video_states_its_size(video):
    assert open_source(str(video)).size == (48, 64)


@pytest.mark.parametrize("fps", [0, -1, float("nan"), 0.001, 1e9])
def test_writer_refuses_rates(tmp_path, fps):
    with pytest.raises(ValueError, match="frame rate"):
        VideoFileWriter(tmp_path / "o.mp4", fps)


def test_sink_folder(tmp_path):
    with open_sink(str(tmp_path / "out"), 5) as sink:
        assert isinstance(sink, FolderWriter)
        for i in range(3):
            sink.write(gray(20 * i))
    images = list(open_source(str(tmp_path / "out")))
    assert [round(float(i.mean())) for i in images] == [0, 20, 40]
    with pytest.raises(FileExistsError, match="is not empty"):
        open_sink(str(tmp_path / "out"), 5)


def test_sink_refuses_formats_it_cannot_write(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.mp4"):
        open_sink(str(tmp_path / "o.mkv"), 5)
