"""YouTube-VIS to CocoVID, there and back, and what malformed files end in."""

import copy
import importlib.util
import json

import pytest

from mmtrack.datasets import YouTubeVISDataset
from mmtrack.datasets.converters.youtube_vis import annotation_file, convert_youtube_vis
from mmtrack.datasets.youtube_vis_classes import CLASSES_2019, CLASSES_2021

SCRIPT = "tools/convert_datasets/youtubevis/youtubevis2coco.py"
SQUARE = {"size": [10, 20], "counts": [0, *[5, 5] * 3, 5, 165]}  # 5 rows of 4 columns


def official(classes=CLASSES_2019):
    """Two videos, the second without objects; the first object is missing in a frame."""
    return {
        "info": {},
        "videos": [
            {
                "id": 12,
                "width": 20,
                "height": 10,
                "length": 3,
                "file_names": [f"abc/{5 * i:05d}.jpg" for i in range(3)],
            },
            {"id": 5, "width": 30, "height": 10, "length": 1, "file_names": ["xyz/00000.jpg"]},
        ],
        "categories": [
            {"supercategory": "object", "id": i, "name": n} for i, n in enumerate(classes, 1)
        ],
        "annotations": [
            {
                "id": 71,
                "video_id": 12,
                "category_id": 3,
                "iscrowd": 0,
                "segmentations": [SQUARE, None, SQUARE],
                "bboxes": [[0, 0, 4, 5], None, [0, 0, 4, 5]],
                "areas": [20, None, 20],
            },
            {
                "id": 72,
                "video_id": 12,
                "category_id": 40,
                "iscrowd": 1,
                "segmentations": [None, [[2, 2, 8, 2, 8, 6, 2, 6]], None],
                "bboxes": [None, [2.0, 2.0, 6.0, 4.0], None],
                "areas": [None, 24, None],
            },
        ],
    }


@pytest.fixture
def convert(tmp_path):
    def run(data, version="2019"):
        path = tmp_path / "train.json"
        path.write_text(json.dumps(data))
        return convert_youtube_vis(path, version)

    return run


def test_content(convert):
    data = convert(official()).as_dict()
    assert data["categories"][0] == {"id": 1, "name": "person"}
    assert data["videos"] == [
        {"id": 12, "name": "abc", "width": 20, "height": 10},
        {"id": 5, "name": "xyz", "width": 30, "height": 10},
    ]
    assert [img["id"] for img in data["images"]] == [1, 2, 3, 4]
    assert data["images"][1] == {
        "id": 2,
        "file_name": "abc/00005.jpg",
        "height": 10,
        "width": 20,
        "video_id": 12,
        "frame_id": 1,
    }
    assert [
        (a["id"], a["image_id"], a["instance_id"], a["category_id"], a["area"], a["iscrowd"])
        for a in data["annotations"]
    ] == [(1, 1, 1, 3, 20, 0), (2, 2, 2, 40, 24, 1), (3, 3, 1, 3, 20, 0)]
    assert data["annotations"][0]["bbox"] == [0, 0, 4, 5]
    assert data["annotations"][0]["segmentation"] == SQUARE
    assert {a["video_id"] for a in data["annotations"]} == {12}


def test_there_and_back(convert, tmp_path):
    source = official()
    convert(source).write(tmp_path / "coco.json")
    dataset = YouTubeVISDataset(
        "2019", ann_file=str(tmp_path / "coco.json"), pipeline=[], test_mode=True
    )
    back = dataset.convert_back_to_vis_format()
    assert [(v["id"], v["length"]) for v in back["videos"]] == [(12, 3), (5, 1)]
    for found, wanted in zip(back["annotations"], source["annotations"], strict=True):
        for key in ("video_id", "category_id", "iscrowd", "segmentations", "bboxes", "areas"):
            assert found[key] == wanted[key], key


def test_splits_without_objects(convert):
    for annotations in ([], None):
        assert convert({**official(), "annotations": annotations}).as_dict()["annotations"] == []
    without = official()
    del without["annotations"]
    assert len(convert(without).as_dict()["images"]) == 4


def test_missing_boxes_and_areas_are_measured(convert):
    data = official()
    for note in data["annotations"]:
        del note["bboxes"], note["areas"]
    first, second, _ = convert(data).as_dict()["annotations"]
    assert (first["bbox"], first["area"]) == ([0, 0, 4, 5], 20)
    assert (second["bbox"], second["area"]) == ([2, 2, 6, 4], 24)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("videos"), "no list 'videos'"),
        (lambda d: d["videos"][0].pop("file_names"), r"videos\[0\] \(id 12\) has no 'file_names'"),
        (lambda d: d["annotations"][0].update(video_id=3), "objects belong to video 3"),
        (lambda d: d["annotations"][0].update(category_id=41), "annotation 71 has category 41"),
        (lambda d: d["annotations"][0]["segmentations"].pop(), "for 2 frames, its video 12 has 3"),
        (
            lambda d: d["annotations"][1]["segmentations"].__setitem__(1, [[1, 2, 3]]),
            "annotation 72, frame 1: polygon 0 has 3 coordinates",
        ),
        (
            lambda d: d["annotations"][0]["segmentations"].__setitem__(
                2, {"size": [20, 10], "counts": [200]}
            ),
            "annotation 71, frame 2: the mask has height and width",
        ),
    ],
)
def test_malformed_files(convert, change, message):
    data = copy.deepcopy(official())
    change(data)
    with pytest.raises(ValueError, match=message):
        convert(data)


def test_the_other_edition_is_noticed(convert):
    with pytest.raises(ValueError, match="has the categories of YouTube-VIS 2021: use --version"):
        convert(official(CLASSES_2021))
    assert convert(official(CLASSES_2021), "2021").summary().startswith("2 videos, 4 images")


def test_script(run_script, tmp_path):
    for version in ("2019", "2021"):
        classes = {"2019": CLASSES_2019, "2021": CLASSES_2021}[version]
        source = annotation_file(tmp_path / version, version, "train")
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(json.dumps(official(classes)))
    out = tmp_path / "annotations"
    done = run_script(SCRIPT, "-i", tmp_path / "2021", "-o", out, "--version", "2021")
    assert "valid is left out" in done.stdout
    assert [p.name for p in out.iterdir()] == ["youtube_vis_2021_train.json"]


def test_script_without_files(root, monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("youtubevis2coco", root / SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    arguments = ["-i", str(tmp_path), "-o", str(tmp_path / "out"), "--version", "2019"]
    monkeypatch.setattr("sys.argv", [SCRIPT, *arguments])
    with pytest.raises(FileNotFoundError, match=r"there is none of .*train\.json"):
        script.main()
    assert list(tmp_path.iterdir()) == []
