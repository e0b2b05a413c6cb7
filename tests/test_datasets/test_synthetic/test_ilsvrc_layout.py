"""Synthetic ImageNet VID and DET, and the camera that records it."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmtrack.datasets.converters.ilsvrc import (
    convert_det,
    convert_vid,
    det_training_images,
    read_xml,
    vid_training_videos,
    vid_validation_videos,
)
from mmtrack.datasets.imagenet_vid_classes import VID_SYNSETS
from mmtrack.datasets.synthetic.casting import SceneSpec
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.datasets.synthetic.optics import (
    MOMENTS,
    Optics,
    Recording,
    defocused,
    failing_optics,
    sharp_optics,
)
from mmtrack.datasets.synthetic.savanna import savanna_scene

TINY = {
    "size": (128, 80),
    "videos": 2,
    "val_videos": 1,
    "frames": 17,
    "images": 2,
    "other_images": 1,
}


def write(folder, **options):
    layout = LAYOUTS["ilsvrc"]
    chosen = replace(layout.options, **{**TINY, **options})
    steps = []
    folder.mkdir()
    layout.write(folder, chosen, lambda: steps.append(1))
    assert len(steps) == layout.count(chosen)
    return folder


@pytest.fixture(scope="module")
def ilsvrc(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "ILSVRC")


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_same_seed_same_bytes(ilsvrc, tmp_path):
    first = digest(ilsvrc)
    assert digest(write(tmp_path / "again")) == first
    other = digest(write(tmp_path / "other", seed=1))
    assert other.keys() == first.keys()
    images = [name for name in first if name.endswith(".JPEG")]
    assert not [name for name in images if other[name] == first[name]]


def test_videos_through_the_converter(ilsvrc):
    videos = vid_training_videos(ilsvrc)
    assert [video.path for video in videos] == [
        f"train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_0000000{i}" for i in range(2)
    ]
    assert all(len(video.train_frames) == 15 and video.length == 17 for video in videos)
    data = convert_vid(ilsvrc, videos).as_dict()
    assert sum(image["is_vid_train_frame"] for image in data["images"]) == 30
    for image in data["images"]:
        pixels = cv2.imread(str(ilsvrc / "Data" / "VID" / image["file_name"]))
        assert pixels.shape == (80, 128, 3)
        assert (image["width"], image["height"]) == (128, 80)
    names = {c["id"]: c["name"] for c in data["categories"]}
    found = {names[ann["category_id"]] for ann in data["annotations"]}
    assert len(found) >= 2
    assert found <= {"cattle", "horse", "lion", "tiger", "zebra"}
    (held_out,) = vid_validation_videos(ilsvrc)
    assert (held_out.length, held_out.train_frames) == (17, ())
    per_instance = {}
    for ann in data["annotations"]:
        per_instance.setdefault(ann["instance_id"], set()).add(ann["category_id"])
        x, y, w, h = ann["bbox"]
        assert 0 <= x < x + w <= 128
        assert 0 <= y < y + h <= 80
    assert all(len(categories) == 1 for categories in per_instance.values())


def test_images_through_the_converter(ilsvrc):
    listed, others = det_training_images(ilsvrc)
    assert (len(listed), len(others)) == (2, 1)
    data = convert_det(ilsvrc, listed, others).as_dict()
    assert [image["is_vid_train_frame"] for image in data["images"]] == [True, True, False]
    people = [ann for ann in data["annotations"] if ann["image_id"] == 3]
    assert {ann["category_id"] for ann in people} == {31}


def test_boxes_are_those_of_the_scene(ilsvrc):
    options = replace(LAYOUTS["ilsvrc"].options, **TINY)
    name = "ILSVRC2015_val_00000000"
    spec = SceneSpec(
        name, 0, options.size, MOMENTS * options.frames, MOMENTS * options.fps, options.animals
    )
    scene = savanna_scene(spec)
    for index in (0, 9):
        frame = scene.render(MOMENTS * index + MOMENTS // 2)
        image = read_xml(ilsvrc / "Annotations" / "VID" / "val" / name / f"{index:06d}.xml")
        boxes = {item.track: item.bbox for item in image.objects}
        assert boxes
        for number, (x, y, w, h) in zip(frame.ids.tolist(), frame.bboxes, strict=True):
            if number - 1 in boxes:
                corners = np.clip([x, y, x + w, y + h], 0, (128, 80, 128, 80))
                expected = [*corners[:2], *(corners[2:] - corners[:2])]
                np.testing.assert_allclose(boxes[number - 1], expected, atol=1)
        assert {item.synset for item in image.objects} <= set(VID_SYNSETS.values())


def detail(image):
    """Energy of fine structure."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def test_blur_takes_detail_away(tmp_path):
    sharp = write(tmp_path / "sharp", sharp=True, videos=1, images=0, other_images=0)
    blurred = write(tmp_path / "blurred", videos=1, images=0, other_images=0)
    names = [name for name in digest(sharp) if "val" in name and name.endswith(".JPEG")]
    ratio = [
        detail(cv2.imread(str(blurred / name))) / detail(cv2.imread(str(sharp / name)))
        for name in names
    ]
    assert 0.2 < np.mean(np.array(ratio) < 0.3) < 0.95  # most frames, and not all
    assert np.mean(np.array(ratio) > 0.9) > 0.1
    for name in digest(sharp):
        if name.endswith(".xml"):
            assert (sharp / name).read_text() == (blurred / name).read_text()


def test_exposure_is_the_mean_of_its_moments():
    scene = savanna_scene(SceneSpec("v", 3, (96, 64), 3 * MOMENTS, 15.0 * MOMENTS, 2, "pan"))
    recording = Recording(scene, Optics(np.array([1, 6, 8]), np.zeros(3)))
    np.testing.assert_array_equal(recording.record(0).image, scene.render(4).image)
    moments = [scene.render(index).image.astype(float) for index in range(9, 15)]
    np.testing.assert_allclose(recording.record(1).image, np.mean(moments, axis=0), atol=0.51)
    frames = list(recording)
    assert len(frames) == len(recording) == 3
    np.testing.assert_array_equal(frames[2].bboxes, scene.render(20).bboxes)


def test_defocus_spreads_a_point_over_a_disc():
    image = np.zeros((21, 21, 3), np.uint8)
    image[10, 10] = 255
    assert defocused(image, 0.4) is image
    spread = defocused(image, 4.0)[..., 0].astype(float)
    y, x = np.nonzero(spread)
    assert np.hypot(x - 10, y - 10).max() <= 4.5
    assert spread.sum() == pytest.approx(255, rel=0.05)
    flat = np.full((9, 9, 3), 77, np.uint8)
    np.testing.assert_array_equal(defocused(flat, 3.0), flat)


def test_optics_fail_and_recover():
    optics = failing_optics(np.random.default_rng(0), 200, 5.0)
    assert optics.shutter.min() == 1
    assert optics.shutter.max() <= MOMENTS
    assert 0.4 < np.mean(optics.defocus > 1) < 0.8
    assert optics.defocus.max() <= 5
    ideal = sharp_optics(4)
    assert (ideal.shutter.tolist(), ideal.defocus.tolist()) == ([1] * 4, [0] * 4)
