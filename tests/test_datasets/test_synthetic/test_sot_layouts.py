"""Single object tracking layouts through their converters and data sets."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from mmtrack.core.bbox import bbox_iou, calculate_region_overlap
from mmtrack.datasets import build_dataset
from mmtrack.datasets.converters.sot import convert_sot, generate_infos
from mmtrack.datasets.converters.sot_benchmarks import (
    find_got10k,
    find_lasot,
    find_otb100,
    find_trackingnet,
    find_uav123,
    find_vot,
)
from mmtrack.datasets.converters.sot_video import read_names
from mmtrack.datasets.synthetic import SceneSpec
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.datasets.synthetic.layouts.sot import record

FRAMES = 8
SMALL = {"size": (160, 120), "frames": FRAMES, "people": 4}


def write(folder, name, **options):
    """Fill a folder and check that as many frames were rendered as announced."""
    layout = LAYOUTS[name]
    chosen = {key: value for key, value in {**SMALL, **options}.items() if value is not None}
    chosen = replace(layout.options, **chosen)
    folder.mkdir()
    steps = []
    layout.write(folder, chosen, lambda: steps.append(1))
    assert len(steps) == layout.count(chosen)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory, root):
    """All layouts, and the finders of their videos."""
    base = tmp_path_factory.mktemp("sot")
    train = {"videos": 2, "test_videos": 1}
    for name in ("lasot", "trackingnet"):
        write(base / name, name, **train)
    write(base / "got10k", "got10k", **train, val_videos=1)
    for name in ("otb100", "uav123", "vot"):
        write(base / name, name, videos=2)
    names = read_names(root / "tools/convert_datasets/lasot/testing_set.txt")
    lasot = base / "lasot/LaSOTBenchmark"
    finders = {
        ("LaSOTDataset", "train"): (lasot, partial(find_lasot, lasot, "train", names)),
        ("LaSOTDataset", "test"): (lasot, partial(find_lasot, lasot, "test", names)),
        ("OTB100Dataset", "test"): (base / "otb100", partial(find_otb100, base / "otb100")),
        ("UAV123Dataset", "test"): (base / "uav123", partial(find_uav123, base / "uav123")),
        ("VOTDataset", "test"): (base / "vot", partial(find_vot, base / "vot")),
    }
    for split in ("train", "val", "test", "train_vot", "val_vot"):
        folder = base / "got10k"
        finders["GOT10kDataset", split] = folder, partial(find_got10k, folder, split)
    for split in ("train", "test"):
        folder = base / "trackingnet"
        finders["TrackingNetDataset", split] = folder, partial(find_trackingnet, folder, split)
    return finders


CASES = [
    ("LaSOTDataset", "train", 2),
    ("LaSOTDataset", "test", 1),
    ("GOT10kDataset", "train", 2),
    ("GOT10kDataset", "val", 1),
    ("GOT10kDataset", "test", 1),
    ("GOT10kDataset", "train_vot", 1),
    ("GOT10kDataset", "val_vot", 1),
    ("TrackingNetDataset", "train", 2),
    ("TrackingNetDataset", "test", 1),
    ("OTB100Dataset", "test", 2),
    ("UAV123Dataset", "test", 2),
    ("VOTDataset", "test", 2),
]


@pytest.mark.parametrize(("kind", "split", "count"), CASES, ids=[f"{k}-{s}" for k, s, _ in CASES])
class TestEveryLayout:
    def dataset(self, data, tmp_path, kind, split):
        folder, find = data[kind, split]
        generate_infos({split: find}, split, tmp_path, "{split}_infos.txt", report=lambda _: None)
        return build_dataset(
            {
                "type": kind, "img_prefix": str(folder), "pipeline": [], "split": split,
                "ann_file": str(tmp_path / f"{split}_infos.txt"), "test_mode": "train" not in split,
            }
        )  # fmt: skip

    def test_data_set_reads_it(self, data, tmp_path, kind, split, count):
        dataset = self.dataset(data, tmp_path, kind, split)
        assert dataset.num_frames_per_video == [FRAMES] * count
        for video in range(count):
            infos = dataset.get_ann_infos_from_video(video)
            first = dataset.frame_name(video, 0)
            image = cv2.imread(f"{dataset.img_prefix}/{first}")
            assert image.shape == (120, 160, 3)
            box = infos["bboxes"][0]
            assert infos["visible"][0]
            assert box.min() >= -1
            assert (box.reshape(-1, 2).max(0) <= (161, 121)).all()
            hidden = kind in ("GOT10kDataset", "TrackingNetDataset") and split == "test"
            assert len(infos["bboxes"]) == (1 if hidden else FRAMES)

    def test_converter_reads_it(self, data, tmp_path, kind, split, count):
        folder, find = data[kind, split]
        content = convert_sot(folder, find()).as_dict()
        json.dumps(content, allow_nan=False)
        assert len(content["videos"]) == count
        assert len(content["images"]) == len(content["annotations"]) == count * FRAMES
        for image in content["images"]:
            assert (folder / image["file_name"]).is_file()


def test_coco(tmp_path):
    """Boxes and areas agree with the masks, as pycocotools reads them."""
    folder = write(tmp_path / "coco", "coco", frames=None, images=3, val_images=1)
    coco = COCO(folder / "annotations/instances_train2017.json")
    assert len(coco.getImgIds()) == 3
    assert {c["id"]: c["name"] for c in coco.loadCats([1, 3])} == {1: "person", 3: "car"}
    assert len(coco.getAnnIds(catIds=[1])) > 3
    for ann in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(ann)
        assert mask.sum() == ann["area"]
        assert cv2.boundingRect(mask) == tuple(ann["bbox"])
    images = sorted(p.name for p in (folder / "train2017").iterdir())
    assert images == sorted(i["file_name"] for i in coco.loadImgs(coco.getImgIds()))
    dataset = build_dataset(
        {
            "type": "SOTCocoDataset", "img_prefix": str(folder / "train2017"), "pipeline": [],
            "ann_file": str(folder / "annotations/instances_train2017.json"), "split": "train",
        }
    )  # fmt: skip
    assert len(dataset) == len(coco.getAnnIds())


def test_imagenet_vid(tmp_path):
    folder = write(tmp_path / "vid", "imagenet-vid", videos=2, val_videos=1, frames=20)
    file = folder / "annotations/imagenet_vid_train.json"
    content = json.loads(file.read_text())
    assert [c["name"] for c in content["categories"]][:30:6] == [
        "airplane", "car", "giant_panda", "motorcycle", "tiger",
    ]  # fmt: skip
    assert len(content["videos"][0]["vid_train_frames"]) == 15
    assert sum(image["is_vid_train_frame"] for image in content["images"]) == 30
    for image in content["images"]:
        assert (folder / "Data/VID" / image["file_name"]).is_file()
    ids = {(a["video_id"], a["instance_id"]) for a in content["annotations"]}
    assert len({instance for _, instance in ids}) == len(ids), "ids do not repeat across videos"
    val = json.loads((folder / "annotations/imagenet_vid_val.json").read_text())
    assert not any(image["is_vid_train_frame"] for image in val["images"])
    dataset = build_dataset(
        {
            "type": "SOTImageNetVIDDataset", "img_prefix": str(folder / "Data/VID"),
            "pipeline": [], "ann_file": str(file), "split": "train",
        }
    )  # fmt: skip
    assert len(dataset) == len(ids)


def test_boxes_are_where_the_object_is(tmp_path):
    """The median over time of a still camera is the background: the target differs from it."""
    spec = SceneSpec("still", size=(240, 180), length=24, people=2, fps=5)
    path = record(spec, tmp_path / "img", "%d.jpg", 0, lambda: None)
    images = [cv2.imread(str(tmp_path / f"img/{n}.jpg")).astype(int) for n in range(24)]
    background = np.median(images, axis=0)
    inside, outside = [], []
    for image, (x, y, w, h), seen in zip(
        images, path.bboxes.round().astype(int), path.visibility, strict=True
    ):
        if seen < 0.9:
            continue
        moved = np.abs(image - background).max(-1) > 30
        inside.append(moved[y : y + h, x : x + w].mean())
        outside.append(moved.mean())
    assert len(inside) > 5
    assert np.mean(inside) > 5 * np.mean(outside)


def test_target_path_is_consistent(tmp_path):
    spec = SceneSpec("pan", size=(200, 150), length=20, people=4, camera="pan")
    path = record(spec, tmp_path / "img", "%d.jpg", 0, lambda: None)
    assert path.visibility[0] >= 0.6
    assert not path.absent[0]
    for box, polygon, seen in zip(path.bboxes, path.polygons, path.visibility, strict=True):
        if seen >= 0.95:
            assert calculate_region_overlap(box, polygon, (200, 150)) > 0.45
    corners = np.concatenate((path.bboxes[:, :2], path.bboxes[:, :2] + path.bboxes[:, 2:]), 1)
    overlap = bbox_iou(corners[:1], corners)[0]
    assert overlap.min() < 0.5, "the target moves"
    assert (path.bboxes[path.absent] == 0).all()


def test_same_seed_same_target(tmp_path):
    spec = SceneSpec("again", size=(160, 120), length=4, people=4)
    first = record(spec, tmp_path / "a", "%d.jpg", 0, lambda: None)
    second = record(spec, tmp_path / "b", "%d.jpg", 0, lambda: None)
    assert np.array_equal(first.polygons, second.polygons)
    assert (tmp_path / "a/3.jpg").read_bytes() == (tmp_path / "b/3.jpg").read_bytes()


def test_nobody_to_track(tmp_path, monkeypatch):
    monkeypatch.setattr("mmtrack.datasets.synthetic.layouts.sot.TARGETS", ())
    monkeypatch.setattr("mmtrack.datasets.synthetic.layouts.sot._TAKES", 2)
    spec = SceneSpec("empty", size=(64, 64), length=1, people=1)
    with pytest.raises(ValueError, match="none of 2 scenes.*use more --people"):
        record(spec, tmp_path / "img", "%d.jpg", 0, lambda: None)


def test_more_test_videos_than_lasot_has(tmp_path):
    with pytest.raises(ValueError, match="at most 4"):
        write(tmp_path / "a", "lasot", test_videos=5)
