"""The synthetic TAO and LVIS layouts: official files, sparse annotation, seeded bytes."""

import hashlib
import json
from dataclasses import replace

import cv2
import pytest

from mmtrack.datasets.converters.lvis import merge_coco_with_lvis
from mmtrack.datasets.synthetic import SceneSpec
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.datasets.synthetic.menagerie import ALL_KINDS, menagerie_scene

SIZE = (160, 96)


def write(folder, name, **options):
    layout = LAYOUTS[name]
    chosen = replace(layout.options, size=SIZE, **options)
    steps = []
    layout.write(folder, chosen, lambda: steps.append(1))
    assert len(steps) == layout.count(chosen)
    return folder


def read(folder, name):
    return json.loads((folder / "annotations" / name).read_text())


@pytest.fixture(scope="module")
def tao(tmp_path_factory):
    counts = {"videos": 6, "val_videos": 1, "test_videos": 1}
    return write(tmp_path_factory.mktemp("tao"), "tao", frames=3, **counts)


@pytest.fixture(scope="module")
def lvis(tmp_path_factory):
    return write(tmp_path_factory.mktemp("lvis"), "lvis", images=8, val_images=1)


def test_files_of_tao(tao):
    data = read(tao, "train.json")
    assert len(data["categories"]) > len(ALL_KINDS) > 10
    for image in data["images"]:
        assert image["file_name"].startswith("train/")
        assert cv2.imread(str(tao / image["file_name"])).shape == (96, 160, 3)
    assert {image["frame_index"] for image in data["images"]} == {0, 30, 60}
    assert read(tao, "test_without_annotations.json")["annotations"] == []
    assert len(read(tao, "test_categories.json")) == len(ALL_KINDS)
    tracks = {track["id"]: track for track in data["tracks"]}
    for note in data["annotations"]:
        track = tracks[note["track_id"]]
        assert (note["category_id"], note["video_id"]) == (track["category_id"], track["video_id"])


def test_annotation_is_sparse(tao):
    data = read(tao, "train.json")
    options = LAYOUTS["tao"].options
    unknown = partly = 0
    for number, video in enumerate(data["videos"]):
        own = [track for track in data["tracks"] if track["video_id"] == video["id"]]
        annotated = {track["category_id"] for track in own}
        assert annotated
        assert len(video["neg_category_ids"]) == 3
        assert not annotated & set(video["neg_category_ids"])
        assert set(video["not_exhaustive_category_ids"]) <= annotated
        for category in video["not_exhaustive_category_ids"]:
            assert [track["category_id"] for track in own].count(category) == 1
        partly += len(video["not_exhaustive_category_ids"])
        name = video["name"].rsplit("/")[-1]
        camera = ("static", "pan", "handheld", "zoom")[number % 4]
        spec = SceneSpec(name, 0, SIZE, 3, options.fps, options.objects, camera)
        kinds = {actor.category for actor in menagerie_scene(spec, ALL_KINDS).actors}
        unknown += len(kinds & set(ALL_KINDS)) - len(annotated)
    assert partly >= 2
    assert unknown >= 2


def test_coco_has_what_lvis_lacks(lvis):
    notes = read(lvis, "lvis_v0.5_train.json")
    coco = read(lvis, "instances_train2017.json")
    merged = merge_coco_with_lvis(notes, coco, read(lvis, "coco_to_lvis_synset.json"), 0.7)
    added = merged["annotations"][len(notes["annotations"]) :]
    assert 0 < len(added) < len(coco["annotations"]) / 2
    assert (lvis / "train" / notes["images"][0]["file_name"][-16:]).is_file()
    frequencies = {category["frequency"] for category in notes["categories"]}
    assert frequencies == {"r", "c", "f"}


@pytest.mark.parametrize("name", ["tao", "lvis"])
def test_same_seed_same_bytes(tmp_path, name):
    few = {
        "tao": {"videos": 1, "val_videos": 0, "test_videos": 0, "frames": 2},
        "lvis": {"images": 2, "val_images": 0},
    }[name]
    sums = []
    for run, seed in enumerate((0, 0, 1)):
        (tmp_path / str(run)).mkdir()
        root = write(tmp_path / str(run), name, seed=seed, **few)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        sums.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    assert sums[0] == sums[1] != sums[2]
