"""Loading images, annotations and public detections; unreadable files are named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmdet.datasets.pipelines import LoadAnnotations, LoadImageFromFile

from mmtrack.datasets.pipelines import (
    ImageReadError,
    LoadDetections,
    LoadMultiImagesFromFile,
    SeqLoadAnnotations,
    decode_image,
)


@pytest.fixture(name="picture")
def _picture():
    ramp = np.arange(40 * 60 * 3).reshape(40, 60, 3) % 251
    return ramp.astype(np.uint8)


def encode(img, ending):
    return cv2.imencode(ending, img)[1].tobytes()


def sample(folder, name):
    return {"img_prefix": str(folder), "img_info": {"filename": name}}


@pytest.mark.parametrize(
    "args", [{}, {"to_float32": True}, {"channel_order": "rgb"}, {"color_type": "grayscale"}]
)
def test_images_are_those_of_mmdet(tmp_path, picture, assert_same, args):
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(encode(picture, name[1:]))
    names = ["a.png", "b.jpg"]
    found = LoadMultiImagesFromFile(**args)([sample(tmp_path, name) for name in names])
    expected = [LoadImageFromFile(**args)(sample(tmp_path, name)) for name in names]
    assert_same(found, expected)
    assert found[0]["filename"] == str(tmp_path / "a.png")


def test_paths_without_prefix(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encode(picture, ".png"))
    frame = {"img_prefix": None, "img_info": {"filename": str(tmp_path / "a.png")}}
    np.testing.assert_array_equal(LoadMultiImagesFromFile()([frame])[0]["img"], picture)


def with_thumbnail(jpeg):
    """The JPEG with a small JPEG inside, as cameras write them."""
    small = encode(np.zeros((8, 8, 3), np.uint8), ".jpg")
    segment = b"\xff\xe1" + (len(small) + 8).to_bytes(2, "big") + b"Exif\0\0" + small
    return jpeg[:2] + segment + jpeg[2:]


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_every_truncated_file_is_refused(picture, ending):
    data = encode(picture, ending)
    np.testing.assert_array_equal(
        decode_image(data, "x"), cv2.imdecode(np.frombuffer(data, np.uint8), 1)
    )
    for length in range(len(data) - 4):
        with pytest.raises(ImageReadError, match="frames/0007"):
            decode_image(data[:length], "frames/0007")


def test_truncated_behind_a_thumbnail(picture):
    data = with_thumbnail(encode(picture, ".jpg"))
    decode_image(data, "x")
    decode_image(data + b"trailing bytes", "x")
    with pytest.raises(ImageReadError, match="truncated"):
        decode_image(data[: len(data) - 40], "x")


@pytest.mark.parametrize("data", [b"", b"no image at all" * 9])
def test_no_image(tmp_path, data):
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageReadError, match=r"a\.jpg"):
        LoadMultiImagesFromFile()([sample(tmp_path, "a.jpg")])


@pytest.mark.parametrize("backend", ["cv2", "pillow"])
def test_every_backend_names_the_file(monkeypatch, backend):
    monkeypatch.setattr("mmcv.image.io.imread_backend", backend)
    with pytest.raises(ImageReadError, match=r"a\.bmp cannot be decoded"):
        decode_image(b"BM" + b"x" * 60, "a.bmp")


def test_missing_image(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"img1/000001\.jpg does not exist"):
        LoadMultiImagesFromFile()([sample(tmp_path, "img1/000001.jpg")])


# ------------------------------------------------------------------ annotations
def annotated():
    return {
        "ann_info": {
            "bboxes": np.array([[1, 2, 3, 4]], np.float32),
            "bboxes_ignore": np.zeros((0, 4), np.float32),
            "labels": np.array([2]),
            "instance_ids": np.array([17]),
            "masks": [[[0, 0, 8, 0, 8, 8]]],
        },
        "img_info": {"height": 10, "width": 12},
        "bbox_fields": [],
        "mask_fields": [],
        "seg_fields": [],
    }


def test_annotations_are_those_of_mmdet(assert_same):
    found = SeqLoadAnnotations(with_mask=True)([annotated(), annotated()])
    expected = LoadAnnotations(with_mask=True)(annotated())
    assert_same(found, [expected, expected])
    assert "gt_instance_ids" not in found[0]


def test_instance_ids_are_copied():
    frame = annotated()
    ids = frame["ann_info"]["instance_ids"]
    found = SeqLoadAnnotations(with_track=True)([frame])[0]["gt_instance_ids"]
    assert found.tolist() == [17]
    assert found is not ids


# ------------------------------------------------------------------ detections
def test_public_detections():
    first = np.array([[1, 2, 3, 4, 0.5], [5, 6, 7, 8, 0.25]], np.float32)
    second = np.array([[9, 9, 10, 10, 1]], np.float32)
    frame = {"detections": [first, np.zeros((0, 5), np.float32), second], "bbox_fields": []}
    found = LoadDetections()(frame)
    np.testing.assert_array_equal(
        found["public_bboxes"], [[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 10, 10]]
    )
    assert found["public_scores"].tolist() == [0.5, 0.25, 1]
    assert found["public_labels"].tolist() == [0, 0, 2]
    assert found["bbox_fields"] == ["public_bboxes"]


def test_frame_without_public_detections():
    found = LoadDetections()({"detections": [np.zeros((0, 5), np.float32)], "bbox_fields": []})
    assert found["public_bboxes"].shape == (0, 4)
    assert found["public_labels"].shape == (0,)


def test_detections_that_were_not_loaded():
    with pytest.raises(KeyError, match="detection_file"):
        LoadDetections()({"bbox_fields": []})
