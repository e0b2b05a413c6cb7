"""Videos of single object tracking benchmarks as lists and CocoVID, from files written by hand."""

from __future__ import annotations

import json
from functools import partial

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from mmtrack.datasets.converters.sot import convert_sot, generate_infos, generate_json, read_boxes
from mmtrack.datasets.converters.sot_benchmarks import (
    find_got10k,
    find_lasot,
    find_otb100,
    find_trackingnet,
    find_uav123,
    find_vot,
)
from mmtrack.datasets.converters.sot_video import (
    INFOS_HEADER,
    MissingSplitError,
    SOTVideo,
    frame_numbers,
    write_infos,
)
from mmtrack.datasets.parsers.sot_txt import SOTFormatError, parse_infos


def images(folder, first, last, template="%08d.jpg", size=(64, 48)):
    """Black images; only the first has its pixels, the others are empty files."""
    folder.mkdir(parents=True)
    for number in range(first, last + 1):
        (folder / (template % number)).touch()
    cv2.imwrite(str(folder / (template % first)), np.zeros((*size[::-1], 3), np.uint8))


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def converted(root, videos):
    """The file as json would hold it; invalid numbers such as NaN fail."""
    return json.loads(json.dumps(convert_sot(root, videos).as_dict(), allow_nan=False))


@pytest.fixture
def lasot(tmp_path):
    for name, last in (("cat-10", 3), ("cat-2", 2), ("dog-1", 2)):
        folder = tmp_path / name.split("-")[0] / name
        images(folder / "img", 1, last)
        text(folder / "groundtruth.txt", *["1,2,30,40"] * last)
        text(folder / "full_occlusion.txt", ",".join("010"[:last]))
        text(folder / "out_of_view.txt", ",".join("001"[:last]))
    return tmp_path


def test_lasot(lasot):
    videos = find_lasot(lasot, "train", ["dog-1"])
    assert [v.name for v in videos] == ["cat-10", "cat-2"]
    assert [v.name for v in find_lasot(lasot, "test", ["dog-1"])] == ["dog-1"]
    assert [(v.images, v.annotation, v.first, v.last) for v in videos] == [
        ("cat/cat-10/img", "cat/cat-10/groundtruth.txt", 1, 3),
        ("cat/cat-2/img", "cat/cat-2/groundtruth.txt", 1, 2),
    ]
    data = converted(lasot, videos)
    assert data["categories"] == [{"id": 0, "name": 0}]
    assert data["videos"][0] == {"id": 1, "name": "cat-10", "width": 64, "height": 48}
    assert data["images"][3] == {
        "id": 4, "file_name": "cat/cat-2/img/00000001.jpg", "width": 64, "height": 48,
        "video_id": 2, "frame_id": 0,
    }  # fmt: skip
    assert data["annotations"][1] == {
        "id": 2, "image_id": 2, "category_id": 0, "bbox": [1, 2, 30, 40], "area": 1200,
        "iscrowd": False, "video_id": 1, "instance_id": 1, "full_occlusion": 1, "out_of_view": 0,
    }  # fmt: skip


def test_json_is_read_by_pycocotools(lasot, tmp_path, capsys):
    finders = {"test": partial(find_lasot, lasot, "test", ["dog-1"])}
    generate_json(lasot, finders, "test", tmp_path / "out", "lasot_{split}.json")
    coco = COCO(tmp_path / "out" / "lasot_test.json")
    assert len(coco.getAnnIds(catIds=[0])) == 2
    assert "1 videos, 2 images, 2 boxes" in capsys.readouterr().out


def got10k(root):
    for split, name in (("train", "Train"), ("val", "Val"), ("test", "Test")):
        names = [f"GOT-10k_{name}_{number:06d}" for number in (1, 2, 3)]
        for video in names:
            folder = root / split / video
            images(folder, 1, 3)
            lines = ["1.5,2,30,40"] * (1 if split == "test" else 3)
            text(folder / "groundtruth.txt", *lines)
            if split != "test":
                text(folder / "absence.label", "0", "1", "0")
                text(folder / "cover.label", "8", "0", "3")
        text(root / split / "list.txt", *names)
    text(root / "train" / "got10k_vot_train_split.txt", "0", "2")
    return root


def test_got10k(tmp_path):
    root = got10k(tmp_path)
    assert [v.name[-1] for v in find_got10k(root, "val")] == ["1", "2", "3"]
    chosen = find_got10k(root, "train_vot")
    assert [v.images for v in chosen] == [f"train/GOT-10k_Train_00000{n}" for n in (1, 3)]
    data = converted(root, find_got10k(root, "train"))
    labels = [(a["absence"], a["cover"]) for a in data["annotations"][:3]]
    assert labels == [(0, 8), (1, 0), (0, 3)]
    hidden = converted(root, find_got10k(root, "test")[:1])
    assert [a["bbox"] for a in hidden["annotations"]] == [[1.5, 2, 30, 40], [0] * 4, [0] * 4]
    with pytest.raises(MissingSplitError, match="got10k_vot_val_split"):
        find_got10k(root, "val_vot")
    text(root / "train" / "got10k_vot_val_split.txt", "3")
    with pytest.raises(ValueError, match="numbers from 0 to 2"):
        find_got10k(root, "val_vot")


def test_all_splits_that_are_there(tmp_path, capsys):
    root = got10k(tmp_path / "in")
    finders = {s: partial(find_got10k, root, s) for s in ("train", "val_vot")}
    generate_infos(finders, "all", tmp_path / "out", "got10k_{split}_infos.txt")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["got10k_train_infos.txt"]
    assert "val_vot is left out" in capsys.readouterr().out
    with pytest.raises(MissingSplitError):
        generate_infos(finders, "val_vot", tmp_path / "out", "got10k_{split}_infos.txt")
    del finders["train"]
    with pytest.raises(MissingSplitError, match="no split"):
        generate_infos(finders, "all", tmp_path / "out", "got10k_{split}_infos.txt")
    (root / "train" / "GOT-10k_Train_000002" / "00000001.jpg").unlink()
    for file in (root / "train" / "GOT-10k_Train_000002").glob("*.jpg"):
        file.unlink()
    broken = {"train": partial(find_got10k, root, "train"), **finders}
    with pytest.raises(FileNotFoundError, match="000002 holds no images"):
        generate_infos(broken, "all", tmp_path / "out", "got10k_{split}_infos.txt")


def test_trackingnet(tmp_path):
    for chunk, name, last in (("TRAIN_0", "b", 2), ("TRAIN_10", "c", 12), ("TEST", "a", 3)):
        images(tmp_path / chunk / "frames" / name, 0, last, "%d.jpg")
        rows = 1 if chunk == "TEST" else last + 1
        text(tmp_path / chunk / "anno" / f"{name}.txt", *["1,2,3,4"] * rows)
    train = find_trackingnet(tmp_path, "train")
    assert [(v.images, v.annotation, v.first, v.last) for v in train] == [
        ("TRAIN_0/frames/b", "TRAIN_0/anno/b.txt", 0, 2),
        ("TRAIN_10/frames/c", "TRAIN_10/anno/c.txt", 0, 12),
    ]
    assert [v.name for v in find_trackingnet(tmp_path, "train", [10, 11])] == ["c"]
    data = converted(tmp_path, find_trackingnet(tmp_path, "test"))
    assert [i["file_name"] for i in data["images"]] == [f"TEST/frames/a/{n}.jpg" for n in range(4)]
    assert [a["bbox"][2] for a in data["annotations"]] == [3, 0, 0, 0]
    with pytest.raises(MissingSplitError):
        find_trackingnet(tmp_path, "train", [5])
    with pytest.raises(ValueError, match="0 to 11"):
        find_trackingnet(tmp_path, "train", [12])


def test_otb100(tmp_path, root):
    """The list knows the exceptions: late starts, two objects, other names, extra lines."""
    infos = root / "tools/convert_datasets/otb100/otb100_infos.txt"
    listed = {row["ann_path"]: row for row in parse_infos(infos.read_text(), str(infos))}
    assert len(listed) == 100
    for name, template in (("David", "%04d.jpg"), ("Jogging", "%04d.jpg"), ("Tiger1", "%04d.jpg"),
                           ("Board", "%05d.jpg")):  # fmt: skip
        rows = [r for path, r in listed.items() if path.startswith(f"data/{name}/")]
        images(tmp_path / "data" / name / "img", rows[0]["start_frame_id"],
               rows[0]["end_frame_id"], template)  # fmt: skip
        for row in rows:
            count = row["end_frame_id"] - row["start_frame_id"] + 1 + 5 * (name == "Tiger1")
            lines = [f"{i + 1}\t2\t3\t4" for i in range(count)]
            text(tmp_path / row["ann_path"], *lines)
    images(tmp_path / "data" / "New" / "img", 3, 5, "%04d.jpg")
    text(tmp_path / "data" / "New" / "groundtruth_rect.txt", *["1,2,3,4"] * 3)
    videos = find_otb100(tmp_path, infos)
    assert [(v.name, v.first) for v in videos] == [
        ("Board", 1), ("David", 300), ("Jogging", 1), ("Jogging", 1), ("New", 3), ("Tiger1", 6),
    ]  # fmt: skip
    data = converted(tmp_path, videos)
    assert data["images"][0]["file_name"] == "data/Board/img/00001.jpg"
    assert data["images"][698]["file_name"] == "data/David/img/0300.jpg"
    assert len({image["id"] for image in data["images"]}) == len(data["images"])
    last = [a for a in data["annotations"] if a["video_id"] == 6]
    assert last[0]["bbox"][0] == 6, "five lines of Tiger1 belong to no frame"


def test_uav123(tmp_path, root):
    infos = root / "tools/convert_datasets/uav123/uav123_infos.txt"
    assert len(parse_infos(infos.read_text(), str(infos))) == 123
    images(tmp_path / "data_seq/UAV123/bird1", 1, 1477, "%06d.jpg")
    cv2.imwrite(str(tmp_path / "data_seq/UAV123/bird1/000775.jpg"), np.zeros((9, 9, 3), np.uint8))
    text(tmp_path / "anno/UAV123/bird1_1.txt", *["1,2,3,4", "NaN,NaN,NaN,NaN"], *["1,2,3,4"] * 251)
    text(tmp_path / "anno/UAV123/bird1_2.txt", *["1,2,3,4"] * 703)
    images(tmp_path / "data_seq/UAV123/own", 2, 3, "%06d.jpg")
    text(tmp_path / "anno/UAV123/own.txt", *["5,6,7,8"] * 2)
    data = converted(tmp_path, find_uav123(tmp_path, infos))
    assert [v["name"] for v in data["videos"]] == ["bird1_1", "bird1_2", "own"]
    assert data["annotations"][1]["bbox"] == [0, 0, 0, 0]
    names = [i["file_name"] for i in data["images"]]
    assert names[253] == "data_seq/UAV123/bird1/000775.jpg", "folders are kept"
    assert names[-1] == "data_seq/UAV123/own/000003.jpg"


def test_vot(tmp_path):
    for name in ("ants1", "bag", "mask"):
        images(tmp_path / "data" / name / "color", 1, 3)
    text(tmp_path / "data/ants1/groundtruth.txt", *["0,0,10,0,10,5,0,5"] * 3)
    text(tmp_path / "data/ants1/occlusion.tag", "0", "1", "0")
    text(tmp_path / "data/bag/groundtruth.txt", *["1,2,3,4"] * 3)
    text(tmp_path / "data/mask/groundtruth.txt", "m0,0,4,4,0,16", "1,2,3,4", "m0,0,4,4,0,16")
    videos = find_vot(tmp_path)
    data = converted(tmp_path, videos)
    assert [len(a["bbox"]) for a in data["annotations"]] == [8] * 3 + [4] * 4
    assert data["annotations"][0]["area"] == 50
    assert [a["occlusion"] for a in data["annotations"][:3]] == [0, 1, 0]
    assert [i["id"] for i in data["images"]] == list(range(1, 10)), "masks do not repeat ids"
    assert data["annotations"][-1]["image_id"] == 8
    text(tmp_path / "data/list.txt", "bag")
    assert [v.name for v in find_vot(tmp_path)] == ["bag"]


def test_infos_are_what_data_sets_read(tmp_path):
    videos = [SOTVideo("a", "a/img", "a/gt.txt", 1, 9), SOTVideo("b", "b", "b.txt", 0, 4)]
    write_infos(tmp_path / "infos.txt", videos)
    content = (tmp_path / "infos.txt").read_text()
    assert content.splitlines()[0] == INFOS_HEADER
    assert len(INFOS_HEADER.split(",")) == len(content.splitlines()[1].split(","))
    rows = parse_infos(content, "infos.txt")
    assert [tuple(row.values()) for row in rows] == [
        ("a/img", "a/gt.txt", 1, 9), ("b", "b.txt", 0, 4),
    ]  # fmt: skip


def test_frame_numbers(tmp_path):
    for name in ("0.jpg", "7.JPG", "10.png", "12.txt", "x13.jpg", ".14.jpg"):
        (tmp_path / name).touch()
    assert frame_numbers(tmp_path) == (0, 10)
    with pytest.raises(FileNotFoundError, match="no folder"):
        frame_numbers(tmp_path / "other")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1,2,3,4"], r"gt.txt has 1 lines, a has frames 1 to 2"),
        (["1,2,3,4", "1,2,3"], "line 2"),
        (["1,2,3,4,5,6"] * 2, "6 numbers"),
        (["1,2,3,4", "1,2,3,inf"], "not finite"),
    ],
)
def test_malformed_boxes(tmp_path, lines, message):
    text(tmp_path / "gt.txt", *lines)
    with pytest.raises(SOTFormatError, match=message):
        read_boxes(tmp_path, SOTVideo("a", "a", "gt.txt", 1, 2))


def test_labels_of_other_length(lasot):
    text(lasot / "dog/dog-1/out_of_view.txt", "0,1,0")
    with pytest.raises(SOTFormatError, match="out_of_view.txt has 3 lines"):
        convert_sot(lasot, find_lasot(lasot, "test", ["dog-1"]))


def test_wrong_split(lasot):
    with pytest.raises(ValueError, match="LaSOT has the splits train, test, not 'val'"):
        find_lasot(lasot, "val", [])
    with pytest.raises(MissingSplitError):
        find_lasot(lasot, "test", [])
