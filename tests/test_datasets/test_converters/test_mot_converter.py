"""MOTChallenge sequences as CocoVID, from files written by hand."""

import json
import pickle

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from mmtrack.datasets.converters import (
    IdCounter,
    MOTSequence,
    convert_mot_subset,
    find_sequences,
    public_detections,
    write_detections,
)

GROUND_TRUTH = """\
1,4,10,20,30,40,1,1,0.5
1,2,1.5,2.5,3,4,1,1,1
1,9,5,5,5,5,0,7,1
2,4,11,20,30,40,0,1,0.25
5,2,2,2,3,4,1,1,1
3,8,1,1,9,9,1,3,1
4,6,1,1,9,9,1,1,0.75
"""


def make_sequence(folder, name, frames=5, gt=GROUND_TRUTH, det="1,-1,10,20,30,40,0.9\n", **info):
    """A sequence of black images."""
    target = folder / name
    (target / "img1").mkdir(parents=True)
    for frame in range(1, frames + 1):
        cv2.imwrite(str(target / "img1" / f"{frame:06d}.jpg"), np.zeros((48, 64, 3), np.uint8))
    fields = {
        "name": name,
        "imDir": "img1",
        "frameRate": 25,
        "seqLength": frames,
        "imWidth": 64,
        "imHeight": 48,
        "imExt": ".jpg",
        **info,
    }
    lines = [f"{key}={value}" for key, value in fields.items() if value is not None]
    (target / "seqinfo.ini").write_text("\n".join(["[Sequence]", *lines]) + "\n")
    for kind, text in (("gt", gt), ("det", det)):
        if text is not None:
            (target / kind).mkdir()
            (target / kind / f"{kind}.txt").write_text(text)
    return target


@pytest.fixture
def train(tmp_path):
    make_sequence(tmp_path / "train", "MOT17-10-FRCNN")
    make_sequence(tmp_path / "train", "MOT17-09-FRCNN", gt="2,4,1,2,3,4,1,1,1\n")
    return tmp_path / "train"


def test_cocovid_content(train):
    data = convert_mot_subset(find_sequences(train)).as_dict()
    assert data["categories"] == [{"id": 1, "name": "pedestrian"}]
    assert [v["name"] for v in data["videos"]] == ["MOT17-09-FRCNN", "MOT17-10-FRCNN"]
    assert data["videos"][0] == {
        "id": 1,
        "name": "MOT17-09-FRCNN",
        "fps": 25,
        "width": 64,
        "height": 48,
    }
    assert data["images"][6] == {
        "id": 7,
        "file_name": "MOT17-10-FRCNN/img1/000002.jpg",
        "height": 48,
        "width": 64,
        "video_id": 2,
        "frame_id": 1,
        "mot_frame_id": 2,
    }
    # Cars and static persons are left out, the pedestrian marked 0 stays.
    assert [(a["image_id"], a["mot_instance_id"]) for a in data["annotations"]] == [
        (2, 4),
        (6, 4),
        (6, 2),
        (7, 4),
        (9, 6),
        (10, 2),
    ]
    assert data["annotations"][3] == {
        "id": 4,
        "image_id": 7,
        "category_id": 1,
        "bbox": [11.0, 20.0, 30.0, 40.0],
        "area": 1200.0,
        "iscrowd": False,
        "visibility": 0.25,
        "instance_id": 2,
        "mot_instance_id": 4,
        "mot_conf": 0.0,
        "mot_class_id": 1,
    }
    # Identities count from 1 and differ between videos.
    assert [a["instance_id"] for a in data["annotations"]] == [1, 2, 3, 2, 4, 3]
    assert data["num_instances"] == 4
    assert data["annotations"][2]["bbox"] == [1.5, 2.5, 3.0, 4.0]


def test_ids_run_on_over_subsets(train):
    counter = IdCounter()
    first = convert_mot_subset(find_sequences(train), counter).as_dict()
    second = convert_mot_subset(find_sequences(train), counter).as_dict()
    for key, start in (("videos", 3), ("images", 11), ("annotations", 7)):
        assert second[key][0]["id"] == start == len(first[key]) + 1
    assert second["annotations"][0]["instance_id"] == 1


def test_pycocotools_opens_it(train, tmp_path):
    path = tmp_path / "annotations" / "train_cocoformat.json"
    convert_mot_subset(find_sequences(train)).write(path)
    coco = COCO(str(path))
    assert len(coco.getImgIds()) == 10
    assert len(coco.getAnnIds(imgIds=[6])) == 2
    again = path.read_bytes()
    convert_mot_subset(find_sequences(train)).write(path)
    assert path.read_bytes() == again


def test_halves(train):
    sequence = MOTSequence.open(train / "MOT17-10-FRCNN")
    first, second = sequence.halves()
    assert first.frames == (1, 2, 3)
    assert second.frames == (4, 5)
    for name, half in (("half-train", first), ("half-val", second)):
        half.write_ground_truth(name)
    kept = (train / "MOT17-10-FRCNN" / "gt" / "gt_half-val.txt").read_text()
    assert kept == "5,2,2,2,3,4,1,1,1\n4,6,1,1,9,9,1,1,0.75\n"
    assert len((sequence.folder / "gt" / "gt_half-train.txt").read_text().splitlines()) == 5
    data = convert_mot_subset([second]).as_dict()
    assert [(i["frame_id"], i["mot_frame_id"]) for i in data["images"]] == [(0, 4), (1, 5)]
    assert data["num_instances"] == 2


@pytest.mark.parametrize(("frames", "first_half"), [(1, 1), (2, 2), (4, 3), (5, 3)])
def test_split_of_short_videos(tmp_path, frames, first_half):
    folder = make_sequence(tmp_path, "a", frames=frames, gt="1,1,1,1,2,2,1,1,1\n")
    halves = MOTSequence.open(folder).halves()
    assert [len(half.images) for half in halves] == [first_half, frames - first_half]


def test_without_classes_everybody_is_a_visible_pedestrian(tmp_path):
    folder = make_sequence(
        tmp_path / "train", "TUD", gt="1,1,3,4,5,6,0,-1,-1,-1\n2,1,3,4,5,6,1,2.5,7.1,0\n"
    )
    notes = convert_mot_subset([MOTSequence.open(folder)]).as_dict()["annotations"]
    assert [n["mot_conf"] for n in notes] == [1, 1]
    assert [n["mot_class_id"] for n in notes] == [1, 1]
    assert [n["visibility"] for n in notes] == [1, 1]


def test_sequence_without_ground_truth(tmp_path):
    folder = make_sequence(tmp_path, "MOT17-01-FRCNN", gt=None)
    data = convert_mot_subset([MOTSequence.open(folder)]).as_dict()
    assert len(data["images"]) == 5
    assert data["annotations"] == []
    assert data["num_instances"] == 0


def test_public_detections(tmp_path):
    det = "3,-1,10,20,30,40,0.9\n1,-1,1.5,2,3,4,-0.3\n1,-1,5,6,7,8,0.25\n"
    folder = make_sequence(tmp_path, "MOT17-01-DPM", det=det)
    found = public_detections([MOTSequence.open(folder)])
    assert list(found) == ["det_bboxes"]
    boxes = found["det_bboxes"]
    assert list(boxes) == [f"MOT17-01-DPM/img1/{i:06d}.jpg" for i in range(1, 6)]
    (rows,) = boxes["MOT17-01-DPM/img1/000001.jpg"]
    assert rows == pytest.approx(np.array([[1.5, 2, 4.5, 6, -0.3], [5, 6, 12, 14, 0.25]]))
    (rows,) = boxes["MOT17-01-DPM/img1/000002.jpg"]
    assert rows.shape == (0, 5)
    path = tmp_path / "out" / "test_detections.pkl"
    write_detections(path, found)
    with open(path, "rb") as file:
        again = pickle.load(file)  # noqa: S301 (written one line above)
    assert again["det_bboxes"].keys() == boxes.keys()
    half = MOTSequence.open(folder).halves()[1]
    assert len(public_detections([half])["det_bboxes"]) == 2


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (lambda f: (f / "seqinfo.ini").unlink(), "seqinfo.ini"),
        (lambda f: (f / "img1" / "000003.jpg").unlink(), "seqLength is 5.*4 images"),
        (
            lambda f: (f / "img1" / "000003.jpg").rename(f / "img1" / "x.jpg"),
            "x.jpg is not named by a frame number",
        ),
        (lambda f: (f / "img1").rename(f / "img2"), "no image folder"),
    ],
    ids=["no seqinfo", "lost image", "odd name", "no images"],
)
def test_broken_sequences(tmp_path, breaks, message):
    folder = make_sequence(tmp_path, "MOT17-02-FRCNN")
    breaks(folder)
    with pytest.raises((FileNotFoundError, ValueError), match=message):
        MOTSequence.open(folder)


def test_missing_key_is_named(tmp_path):
    folder = make_sequence(tmp_path, "a", imWidth=None, frameRate=None)
    with pytest.raises(ValueError, match="frameRate, imWidth"):
        MOTSequence.open(folder)


def test_wrong_columns_name_the_line(tmp_path):
    folder = make_sequence(tmp_path, "a", gt="1,1,1,1,2,2,1,1,1\n2,1,x,1,2,2,1,1,1\n")
    with pytest.raises(ValueError, match="gt.txt: line 2: column 3 is 'x'"):
        convert_mot_subset([MOTSequence.open(folder)])


def test_missing_detections(tmp_path):
    folder = make_sequence(tmp_path, "a", det=None)
    with pytest.raises(FileNotFoundError, match="det.txt"):
        public_detections([MOTSequence.open(folder)])


def test_no_sequences(tmp_path):
    with pytest.raises(FileNotFoundError, match="no sequences"):
        find_sequences(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        find_sequences(tmp_path / "nothing")


def test_scripts(run_script, train, tmp_path):
    make_sequence(tmp_path / "test", "MOT17-01-FRCNN", gt=None)
    script = "tools/convert_datasets/mot/mot2coco.py"
    out = tmp_path / "annotations"
    run_script(script, "-i", tmp_path, "-o", out, "--split-train", "--convert-det")
    names = [
        f"{s}_{k}"
        for s in ("half-train", "half-val", "test", "train")
        for k in ("cocoformat.json", "detections.pkl")
    ]
    assert sorted(p.name for p in out.iterdir()) == sorted(names)
    val = json.loads((out / "half-val_cocoformat.json").read_text())
    assert [v["id"] for v in val["videos"]] == [6, 7]
    assert sorted(p.name for p in (train / "MOT17-09-FRCNN" / "gt").iterdir()) == [
        "gt.txt",
        "gt_half-train.txt",
        "gt_half-val.txt",
    ]
    done = run_script(script, "-i", tmp_path / "none", "-o", out, check=False)
    assert done.returncode != 0
    assert "error: there is no folder" in done.stderr
    assert "Traceback" not in done.stderr
    dance = tmp_path / "dance"
    (tmp_path / "train").rename(dance)
    root = tmp_path / "DanceTrack"
    root.mkdir()
    dance.rename(root / "val")
    run_script("tools/convert_datasets/dancetrack/dancetrack2coco.py", "-i", root, "-o", out)
    assert json.loads((out / "val_cocoformat.json").read_text())["num_instances"] == 4
