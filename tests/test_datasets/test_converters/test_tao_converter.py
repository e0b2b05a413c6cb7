"""TAO to CocoVID, and COCO merged with LVIS."""

import copy
import importlib.util
import json

import pytest

from mmtrack.datasets.converters.lvis import merge_coco_with_lvis
from mmtrack.datasets.converters.tao import convert_tao_folder, read_tao
from mmtrack.datasets.parsers import CocoVID

TAO_SCRIPT = "tools/convert_datasets/tao/tao2coco.py"
MERGE_SCRIPT = "tools/convert_datasets/tao/merge_coco_with_lvis.py"


def tao(folder="train"):
    """Two videos, the second without objects; images in any order."""
    return {
        "info": {"version": 1},
        "categories": [
            {"id": i, "name": f"c{i}", "synset": f"c{i}.n.01", "frequency": "r"} for i in (3, 8, 9)
        ],
        "videos": [
            {"id": 4, "name": f"{folder}/A/v", "neg_category_ids": [9],
             "not_exhaustive_category_ids": [3], "metadata": {"dataset": "A"}},
            {"id": 2, "name": f"{folder}/A/w", "neg_category_ids": [],
             "not_exhaustive_category_ids": []},
        ],
        "images": [
            {"id": 10 + t, "video_id": 4, "frame_index": 30 * t + 5, "width": 20, "height": 10,
             "file_name": f"{folder}/A/v/frame{t}.jpg"}
            for t in (2, 0, 1)
        ] + [{"id": 5, "video_id": 2, "frame_index": 0, "width": 20, "height": 10,
              "file_name": f"{folder}/A/w/frame0.jpg"}],
        "annotations": [
            {"id": 70, "image_id": 12, "video_id": 4, "track_id": 6, "category_id": 8,
             "bbox": [1, 2, 3, 4], "area": 12},
            {"id": 71, "image_id": 10, "video_id": 4, "track_id": 6, "category_id": 8,
             "bbox": [1, 2, 3, 4], "area": 12},
        ],
        "tracks": [{"id": 6, "category_id": 8, "video_id": 4}],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.json").write_text(json.dumps(tao()))
    test = {**tao("test"), "annotations": [], "tracks": []}
    (tmp_path / "test_without_annotations.json").write_text(json.dumps(test))
    (tmp_path / "test_categories.json").write_text(json.dumps([{"id": 3, "name": "c3"}]))
    return tmp_path


def test_content(folder):
    lines = convert_tao_folder(folder, filter_classes=True)
    assert lines[0].endswith("train_482_classes.json: 2 videos, 4 images, 2 boxes")
    assert (folder / "tao_classes.txt").read_text() == "c3\nc8\n"
    assert not (folder / "validation_482_classes.json").exists()
    path = folder / "train_482_classes.json"
    data = json.loads(path.read_text())
    assert [category["id"] for category in data["categories"]] == [3, 8]
    assert [(v["id"], v["frame_range"]) for v in data["videos"]] == [(4, 30), (2, 0)]
    assert data["videos"][0]["metadata"] == {"dataset": "A"}
    places = [(i["id"], i["frame_id"], i["frame_index"], i["file_name"]) for i in data["images"]]
    assert places == [
        (10, 0, 5, "A/v/frame0.jpg"),
        (11, 1, 35, "A/v/frame1.jpg"),
        (12, 2, 65, "A/v/frame2.jpg"),
        (5, 0, 0, "A/w/frame0.jpg"),
    ]
    assert data["images"][0]["neg_category_ids"] == [9]
    assert data["images"][0]["not_exhaustive_category_ids"] == [3]
    assert [(a["id"], a["instance_id"], a["track_id"]) for a in data["annotations"]] == [
        (70, 6, 6),
        (71, 6, 6),
    ]
    assert data["tracks"] == tao()["tracks"]
    assert CocoVID(str(path)).get_img_ids_from_vid(4) == [10, 11, 12]


def test_all_classes(folder):
    convert_tao_folder(folder, filter_classes=False)
    assert (folder / "tao_classes.txt").read_text() == "c3\nc8\nc9\n"
    for split in ("train", "test"):
        data = json.loads((folder / f"{split}_classes.json").read_text())
        assert len(data["categories"]) == 3
    assert data["images"][0]["file_name"] == "A/v/frame0.jpg"


def test_the_script_reports_bad_files(folder, root, monkeypatch):
    spec = importlib.util.spec_from_file_location("tao2coco", root / TAO_SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr("sys.argv", [TAO_SCRIPT, "-i", str(folder / "nowhere")])
    with pytest.raises(FileNotFoundError, match=r"none of train\.json, validation\.json"):
        script.main()
    monkeypatch.setattr("sys.argv", [TAO_SCRIPT, "-i", str(folder), "--filter-classes"])
    script.main()
    assert (folder / "test_482_classes.json").is_file()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda d: d["videos"][0].pop("neg_category_ids"),
            r"\(id 4\) has no 'neg_cat",
        ),
        (
            lambda d: d["images"][1].pop("frame_index"),
            r"s\[1\] \(id 10\) has no 'frame_index'",
        ),
        (
            lambda d: d["annotations"][0].pop("track_id"),
            r"\(id 70\) has no 'track_id'",
        ),
        (lambda d: d.pop("videos"), "no list 'videos'"),
        (lambda d: d["images"][0].update(video_id=7), r"train\.json: images belong to video 7"),
        (lambda d: d["annotations"][0].update(image_id=7), "annotation 70 is of image 7"),
    ],
)
def test_malformed_files(folder, change, message):
    data = tao()
    change(data)
    (folder / "train.json").write_text(json.dumps(data))
    with pytest.raises(ValueError, match=message):
        convert_tao_folder(folder, filter_classes=True)
    assert not list(folder.glob("*classes.*"))


def test_no_json(folder):
    (folder / "train.json").write_text("{")
    with pytest.raises(ValueError, match="Is it a complete JSON"):
        read_tao(folder / "train.json")


# ------------------------------------------------------------------ COCO and LVIS
def square(x, side=10):
    return [[x, 0, x + side, 0, x + side, side, x, side]]


def pair():
    """An image with an object in LVIS, and three in COCO: the same, half of it, another."""
    image = {"id": 1, "width": 60, "height": 20}
    lvis = {
        "categories": [{"id": 1, "synset": "dog.n.01"}, {"id": 4, "synset": "cat.n.01"}],
        "images": [{**image, "neg_category_ids": []}, {**image, "id": 2}],
        "annotations": [{"id": 31, "image_id": 1, "category_id": 4, "segmentation": square(0)}],
    }
    coco = {
        "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
        "images": [image, {**image, "id": 3}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 17, "segmentation": square(1)},
            {"id": 2, "image_id": 1, "category_id": 18, "segmentation": square(5)},
            {"id": 3, "image_id": 1, "category_id": 18, "segmentation": square(40)},
            {"id": 4, "image_id": 3, "category_id": 18, "segmentation": square(0)},
        ],
    }
    synsets = {"cat": {"synset": "cat.n.01"}, "dog": {"synset": "dog.n.01"}}
    return lvis, coco, synsets


@pytest.mark.parametrize(("iou_thr", "kept"), [(0.7, [2, 3]), (0.3, [3]), (0.9, [1, 2, 3])])
def test_what_lvis_lacks_is_added(iou_thr, kept):
    lvis, coco, synsets = pair()  # overlaps: 90 / 110, 50 / 150, 0
    before = copy.deepcopy((lvis, coco))
    merged = merge_coco_with_lvis(lvis, coco, synsets, iou_thr)
    assert (lvis, coco) == before
    own, *added = merged["annotations"]
    assert own == lvis["annotations"][0]
    wanted = [note for note in coco["annotations"] if note["id"] in kept]
    assert [note["segmentation"] for note in added] == [n["segmentation"] for n in wanted]
    assert [note["id"] for note in added] == [32 + i for i in range(len(kept))]
    assert [note["category_id"] for note in added] == [
        {17: 4, 18: 1}[n["category_id"]] for n in wanted
    ]
    assert merged["images"] == lvis["images"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lvis, coco, m: m.pop("dog"), "no 'synset' for 'dog'"),
        (lambda lvis, coco, m: m["dog"].pop("synset"), "no 'synset' for 'dog'"),
        (
            lambda lvis, coco, m: m["dog"].update(synset="x.n.01"),
            "'x.n.01', which is none of the 2",
        ),
        (
            lambda lvis, coco, m: coco["annotations"][1].update(segmentation=[[1, 2]]),
            "annotation 2 of COCO: polygon 0 has 2",
        ),
        (lambda lvis, coco, m: lvis["annotations"][0].pop("segmentation"), "annotation 31 of LVIS"),
    ],
)
def test_files_that_cannot_be_merged(change, message):
    files = pair()
    change(*files)
    with pytest.raises(ValueError, match=message):
        merge_coco_with_lvis(*files, 0.7)


@pytest.mark.parametrize("option", ["--output", "--output-json"])
def test_merge_script(root, monkeypatch, capsys, tmp_path, option):
    spec = importlib.util.spec_from_file_location("merge_coco_with_lvis", root / MERGE_SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    arguments = [MERGE_SCRIPT]
    for name, content in zip(("lvis", "coco", "mapping"), pair(), strict=True):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        arguments += [f"--{name}", str(path)]
    out = tmp_path / "new" / "merged.json"
    monkeypatch.setattr("sys.argv", [*arguments, option, str(out), "--iou-thresh", "0.3"])
    script.main()
    assert len(json.loads(out.read_text())["annotations"]) == 2
    assert "1 objects of LVIS and 1 of 4 of COCO" in capsys.readouterr().out
