"""ImageNet VID and DET: from XML files and lists to CocoVID."""

import csv
import json

import pytest

from mmtrack.datasets.converters import ilsvrc
from mmtrack.datasets.converters.ilsvrc import (
    convert_det,
    convert_vid,
    det_training_images,
    read_xml,
    vid_training_videos,
    vid_validation_videos,
)
from mmtrack.datasets.imagenet_vid_classes import VID_CLASSES

DOG, HORSE, PERSON = "n02084071", "n02374451", "n00007846"
VID, DET = (
    "tools/convert_datasets/ilsvrc/imagenet2coco_vid.py",
    ("tools/convert_datasets/ilsvrc/imagenet2coco_det.py"),
)


def item(synset, corners, track=None, occluded=0, generated=0):
    x1, y1, x2, y2 = corners
    head = "" if track is None else f"<trackid>{track}</trackid>"
    tail = (
        ""
        if track is None
        else (f"<occluded>{occluded}</occluded><generated>{generated}</generated>")
    )
    return (
        f"<object>{head}<name>{synset}</name><bndbox><xmax>{x2}</xmax><xmin>{x1}</xmin>"
        f"<ymax>{y2}</ymax><ymin>{y1}</ymin></bndbox>{tail}</object>"
    )


def write_xml(path, *objects, size=(64, 48)):
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    path.write_text(
        f"<annotation><folder>f</folder><size><width>{width}</width><height>{height}</height>"
        f"</size>{''.join(objects)}</annotation>"
    )


@pytest.fixture
def ilsvrc_root(tmp_path):
    """Two training videos, one validation video, three images."""
    videos = tmp_path / "Annotations" / "VID"
    write_xml(videos / "train/a/v0/000000.xml", item(DOG, (1, 2, 11, 22), 7))
    write_xml(videos / "train/a/v0/000001.xml")  # the dog is out of the picture
    write_xml(
        videos / "train/a/v0/000002.xml",
        item(HORSE, (0, 0, 30, 40), 3, occluded=1),
        item(DOG, (2, 3, 12, 23), 7, generated=1),
    )
    write_xml(videos / "train/a/v1/000000.xml", item(DOG, (5, 5, 9, 9), 7), size=(32, 40))
    write_xml(videos / "val/v2/000000.xml", item(HORSE, (5, 5, 9, 9), 0))
    images = tmp_path / "Annotations" / "DET"
    write_xml(images / "train/b/two.xml", item(PERSON, (1, 1, 5, 5)), item(DOG, (2, 2, 6, 8)))
    write_xml(images / "train/b/one.xml")
    write_xml(images / "train/extra/three.xml", item(PERSON, (1, 1, 5, 5)))
    lists = tmp_path / "Lists"
    lists.mkdir()
    (lists / "VID_train_15frames.txt").write_text(
        "train/a/v0 1 1 3\ntrain/a/v0 1 3 3\ntrain/a/v1 1 1 1\n"
    )
    (lists / "VID_val_videos.txt").write_text("val/v2 1 0 1\n")
    (lists / "DET_train_30classes.txt").write_text("train/b/two 1\n")
    return tmp_path


def test_videos(ilsvrc_root):
    data = convert_vid(ilsvrc_root, vid_training_videos(ilsvrc_root)).as_dict()
    assert data["videos"] == [
        {"id": 1, "name": "train/a/v0", "vid_train_frames": [0, 2]},
        {"id": 2, "name": "train/a/v1", "vid_train_frames": [0]},
    ]
    rows = [
        (i["id"], i["video_id"], i["frame_id"], i["file_name"], i["is_vid_train_frame"])
        for i in data["images"]
    ]
    assert rows == [
        (1, 1, 0, "train/a/v0/000000.JPEG", True),
        (2, 1, 1, "train/a/v0/000001.JPEG", False),
        (3, 1, 2, "train/a/v0/000002.JPEG", True),
        (4, 2, 0, "train/a/v1/000000.JPEG", True),
    ]
    assert [(i["width"], i["height"]) for i in data["images"]] == [(64, 48)] * 3 + [(32, 40)]
    assert data["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": VID_CLASSES.index("dog") + 1,
        "bbox": [1, 2, 10, 20],
        "area": 200,
        "iscrowd": False,
        "video_id": 1,
        "instance_id": 1,
        "occluded": False,
        "generated": False,
    }
    horse, dog, other = data["annotations"][1:]
    assert (horse["instance_id"], horse["occluded"], horse["generated"]) == (2, True, False)
    assert (dog["instance_id"], dog["occluded"], dog["generated"]) == (1, False, True)
    assert (other["instance_id"], other["video_id"]) == (3, 2)  # the same trackid, another dog


def test_categories(ilsvrc_root):
    data = convert_vid(ilsvrc_root, vid_validation_videos(ilsvrc_root)).as_dict()
    assert len(data["categories"]) == 30
    assert data["categories"][8] == {"id": 9, "name": "dog", "encode_name": DOG}
    assert data["videos"] == [{"id": 1, "name": "val/v2", "vid_train_frames": []}]
    assert [image["is_vid_train_frame"] for image in data["images"]] == [False]


def test_images(ilsvrc_root):
    listed, others = det_training_images(ilsvrc_root)
    data = convert_det(ilsvrc_root, listed, others).as_dict()
    assert "videos" not in data
    assert [(i["file_name"], i["is_vid_train_frame"]) for i in data["images"]] == [
        ("train/b/two.JPEG", True),
        ("train/b/one.JPEG", False),
        ("train/extra/three.JPEG", False),
    ]
    assert not {"video_id", "frame_id"} & set(data["images"][0])
    assert data["categories"][30] == {"id": 31, "name": "other_categeries"}
    assert [(a["image_id"], a["category_id"]) for a in data["annotations"]] == [
        (1, 31),
        (1, 9),
        (3, 31),
    ]
    assert "instance_id" not in data["annotations"][0]


def test_many_files_are_read_by_processes(ilsvrc_root, monkeypatch):
    expected = convert_vid(ilsvrc_root, vid_training_videos(ilsvrc_root)).as_dict()
    monkeypatch.setattr(ilsvrc, "_FEW_FILES", 1)
    steps = []
    data = convert_vid(
        ilsvrc_root, vid_training_videos(ilsvrc_root), lambda: steps.append(1)
    ).as_dict()
    assert data == expected
    assert len(steps) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotation><size>", "000000.xml is no XML file"),
        ("<annotation/>", r"000000.xml: <annotation> has no <size><width>"),
        (item(DOG, (0, 0, 5, 5), 1).replace(DOG, ""), "<object> has no <name>"),
        (item(DOG, (0, 0, 5, "wide"), 1), "000000.xml: .*'wide'"),
        (item(DOG, (9, 0, 5, 5), 1), r"000000.xml: box \[9, 0, 5, 5\] ends before it begins"),
        (item(PERSON, (0, 0, 5, 5), 1), f"000000.xml: class '{PERSON}' is none of the 30"),
        (item(DOG, (0, 0, 5, 5)), "000000.xml: an object has no <trackid>"),
    ],
)
def test_broken_files_are_named(ilsvrc_root, text, message):
    path = ilsvrc_root / "Annotations" / "VID" / "val/v2/000000.xml"
    if text.startswith("<object"):
        write_xml(path, text)
    else:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        convert_vid(ilsvrc_root, vid_validation_videos(ilsvrc_root))


def test_boxes_with_fractions_keep_them(ilsvrc_root):
    path = ilsvrc_root / "Annotations" / "VID" / "val/v2/000000.xml"
    write_xml(path, item(DOG, (0.5, -1, 5, 5), 1))
    assert read_xml(path).objects[0].bbox == [0.5, -1, 4.5, 6]


def test_missing_files_are_named(ilsvrc_root):
    (ilsvrc_root / "Annotations" / "VID" / "train/a/v0/000001.xml").unlink()
    with pytest.raises(FileNotFoundError, match="no annotation file .*v0/000001.xml"):
        convert_vid(ilsvrc_root, vid_training_videos(ilsvrc_root))
    for name in ("VID_val_videos.txt", "DET_train_30classes.txt"):
        (ilsvrc_root / "Lists" / name).unlink()
    with pytest.raises(FileNotFoundError, match=r"no list .*VID_val_videos.txt.*dataset\.md"):
        vid_validation_videos(ilsvrc_root)
    with pytest.raises(FileNotFoundError, match="DET_train_30classes.txt"):
        det_training_images(ilsvrc_root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "VID_train_15frames.txt is empty"),
        ("train/a/v0 1 1\n", "line 1: expected 4 fields"),
        ("train/a/v0 1 1 3\ntrain/a/v0 1 x 3\n", "line 2: expected numbers, got 'x 3'"),
        ("train/a/v0 1 4 3\n", "line 1: frame 4 of 3 does not fit"),
        ("train/a/v0 1 0 3\n", "line 1: frame 0 of 3 does not fit"),
        ("train/a/v0 1 1 3\ntrain/a/v0 1 1 2\n", "line 2: .* of 3 frames"),
    ],
)
def test_broken_lists(ilsvrc_root, text, message):
    (ilsvrc_root / "Lists" / "VID_train_15frames.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        vid_training_videos(ilsvrc_root)


def test_scripts(ilsvrc_root, run_script, shared, tmp_path):
    out = tmp_path / "annotations"
    with open(shared / "zoo" / "tools.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["script"] in (VID, DET)]
    assert len(rows) == 4
    done = run_script(VID, "-i", ilsvrc_root, "-o", out)
    assert "2 videos, 4 images, 4 boxes" in done.stdout
    run_script(DET, "--input", ilsvrc_root, "--output", out)
    names = ("imagenet_det_30plus1cls", "imagenet_vid_train", "imagenet_vid_val")
    assert sorted(path.name for path in out.iterdir()) == [f"{name}.json" for name in names]
    data = json.loads((out / "imagenet_vid_train.json").read_text())
    assert data == convert_vid(ilsvrc_root, vid_training_videos(ilsvrc_root)).as_dict()
    first = (out / "imagenet_vid_train.json").read_bytes()
    (ilsvrc_root / "Lists" / "VID_val_videos.txt").unlink()
    failed = run_script(VID, "-i", ilsvrc_root, "-o", out, check=False)
    assert failed.returncode == 1
    assert "error: there is no list" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert (out / "imagenet_vid_train.json").read_bytes() == first
