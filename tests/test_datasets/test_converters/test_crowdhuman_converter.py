"""CrowdHuman as COCO, and sizes of images."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmtrack.datasets.converters import image_size, list_images
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman

RECORDS = [
    {
        "ID": "273271,c9db000d5146c15",
        "gtboxes": [
            {
                "tag": "person",
                "hbox": [1, 2, 3, 4],
                "fbox": [-5, 2, 30, 60],
                "vbox": [0, 2, 25, 50],
                "head_attr": {"ignore": 0},
                "extra": {"occ": 1},
            },
            {"tag": "mask", "fbox": [5, 5, 6, 6], "vbox": [5, 5, 6, 6], "extra": {"ignore": 1}},
        ],
    },
    {"ID": "b", "gtboxes": []},
]


@pytest.fixture
def crowdhuman(tmp_path):
    text = "\n".join(map(json.dumps, RECORDS)) + "\n"
    for split in ("train", "val"):
        images = tmp_path / split / "Images"
        images.mkdir(parents=True)
        for record, size in zip(RECORDS, ((40, 30), (20, 50)), strict=True):
            cv2.imwrite(str(images / f"{record['ID']}.jpg"), np.zeros((*size, 3), np.uint8))
        (tmp_path / f"annotation_{split}.odgt").write_text(text)
    return tmp_path


def test_content(crowdhuman):
    data = convert_crowdhuman(crowdhuman, "train").as_dict()
    assert "videos" not in data
    assert data["images"] == [
        {"id": 1, "file_name": "Images/273271,c9db000d5146c15.jpg", "height": 40, "width": 30},
        {"id": 2, "file_name": "Images/b.jpg", "height": 20, "width": 50},
    ]
    assert data["annotations"] == [
        {
            "id": 1,
            "image_id": 1,
            "category_id": 1,
            "bbox": [-5, 2, 30, 60],
            "area": 1800,
            "iscrowd": False,
            "vis_bbox": [0, 2, 25, 50],
        },
        {
            "id": 2,
            "image_id": 1,
            "category_id": 1,
            "bbox": [5, 5, 6, 6],
            "area": 36,
            "iscrowd": True,
            "vis_bbox": [5, 5, 6, 6],
        },
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2"),
        ("[]", "line 2: no 'ID'"),
        ('{"ID": "b", "gtboxes": [{"fbox": [1, 2, 3, 4]}]}', "image b has no 'fbox' and 'vbox'"),
    ],
)
def test_broken_lines(crowdhuman, line, message):
    path = crowdhuman / "annotation_val.odgt"
    path.write_text(json.dumps(RECORDS[0]) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=message):
        convert_crowdhuman(crowdhuman, "val")


def test_missing_image(crowdhuman):
    (crowdhuman / "val" / "Images" / "b.jpg").unlink()
    with pytest.raises(FileNotFoundError, match="b.jpg"):
        convert_crowdhuman(crowdhuman, "val")


def test_script(run_script, crowdhuman):
    out = crowdhuman / "annotations"
    run_script("tools/convert_datasets/mot/crowdhuman2coco.py", "-i", crowdhuman, "-o", out)
    assert sorted(p.name for p in out.iterdir()) == ["crowdhuman_train.json", "crowdhuman_val.json"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_size_agrees_with_opencv(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "a.jpg"
    Image.new("RGB", (30, 20)).save(path, exif=exif)
    height, width = cv2.imread(str(path)).shape[:2]
    assert image_size(path) == (width, height)


def test_unreadable_image(tmp_path):
    (tmp_path / "a.jpg").write_text("no image")
    with pytest.raises(ValueError, match="a.jpg"):
        image_size(tmp_path / "a.jpg")


def test_images_in_natural_order(tmp_path):
    for name in ("10.jpg", "9.jpg", "1.PNG", "notes.txt"):
        (tmp_path / name).touch()
    assert list_images(tmp_path) == ["1.PNG", "9.jpg", "10.jpg"]
