"""TAO and LVIS: samples, result files and scores on rendered videos."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mmdet.datasets import build_dataset

from mmtrack.core.evaluation import lvis_ap
from mmtrack.datasets.converters.tao import convert_tao_folder
from mmtrack.datasets.synthetic.layouts import LAYOUTS


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Rendered TAO, converted, and LVIS."""
    root = tmp_path_factory.mktemp("tao")
    tao, lvis = LAYOUTS["tao"], LAYOUTS["lvis"]
    small = {"size": (160, 96)}
    options = {"videos": 1, "val_videos": 3, "test_videos": 1, "frames": 6}
    (root / "tao").mkdir()
    tao.write(root / "tao", replace(tao.options, **small, **options), lambda: None)
    convert_tao_folder(root / "tao" / "annotations", filter_classes=True)
    (root / "lvis").mkdir()
    options = replace(lvis.options, **small, images=6, val_images=1)
    lvis.write(root / "lvis", options, lambda: None)
    return root


@pytest.fixture
def _lvis():
    """Skip where the optional package is missing."""
    pytest.importorskip("lvis")


def build(tree, split="validation", **settings):
    notes = tree / "tao" / "annotations"
    return build_dataset(
        {
            "type": "TaoDataset",
            "classes": str(notes / "tao_classes.txt"),
            "ann_file": str(notes / f"{split}_482_classes.json"),
            "img_prefix": str(tree / "tao" / {"validation": "val"}.get(split, split)),
            "ref_img_sampler": None,
            "pipeline": [],
            "test_mode": True,
            **settings,
        }
    )


def perfect_results(dataset):
    boxes, tracks = [], []
    for info in dataset.data_infos:
        ann = dataset.get_ann_info(info)
        rows = [np.zeros((0, 5), np.float32) for _ in dataset.cat_ids]
        with_ids = [np.zeros((0, 6), np.float32) for _ in dataset.cat_ids]
        for k, label in enumerate(ann["labels"]):
            row = np.array([[*ann["bboxes"][k], 0.9]], np.float32)
            rows[label] = np.concatenate((rows[label], row))
            own = np.concatenate(([[ann["instance_ids"][k]]], row), 1)
            with_ids[label] = np.concatenate((with_ids[label], own))
        boxes.append(rows)
        tracks.append(with_ids)
    return {"det_bboxes": boxes, "track_bboxes": tracks}


def test_samples(tree):
    steps = [
        {"type": "LoadMultiImagesFromFile"},
        {"type": "SeqLoadAnnotations", "with_bbox": True, "with_track": True},
        {"type": "MatchInstances", "skip_nomatch": True},
        {"type": "VideoCollect", "keys": ["img", "gt_bboxes", "gt_labels", "gt_match_indices"]},
        {"type": "SeqDefaultFormatBundle", "ref_prefix": "ref"},
    ]
    sampler = {"num_ref_imgs": 1, "frame_range": [-1, 1], "method": "uniform"}
    videos = build(tree, "train", pipeline=steps, ref_img_sampler=sampler, test_mode=False)
    images = build(
        tree,
        pipeline=steps,
        load_as_video=False,
        ref_img_sampler={"num_ref_imgs": 1, "frame_range": 10},
        test_mode=False,
        ann_file=str(tree / "lvis" / "annotations" / "lvis_v0.5_train.json"),
        img_prefix=str(tree / "lvis" / "train"),
    )
    assert images.data_infos[0]["file_name"] == "COCO_train2014_000000000001.jpg"
    assert images.data_infos[0]["filename"] == "000000000001.jpg"
    assert len(videos.cat_ids) == len(videos.CLASSES)
    for dataset in (videos, images):
        sample = dataset[0]
        assert sample["img"].data.shape == sample["ref_img"].data.shape == (3, 96, 160)
        assert (sample["gt_match_indices"].data >= 0).any()
        assert dataset.get_cat_ids(0)  # as ClassBalancedDataset asks
    assert (images[0]["gt_match_indices"].data == np.arange(len(images[0]["gt_labels"].data))).all()


@pytest.mark.usefixtures("_lvis")
def test_truth_scores_one(tree):
    dataset = build(tree)
    results = perfect_results(dataset)
    scores = dataset.evaluate(results, metric=["bbox", "track"], logger="silent")
    assert scores["bbox_AP"] == pytest.approx(1, abs=1e-3)
    assert scores["track_AP"] == scores["track_AP50"] == 1
    assert scores["bbox_mAP_copypaste"].split()[0] == f"{scores['bbox_AP']:.4f}"
    assert {"bbox_APr", "bbox_APf", "track_APst", "track_APl"} <= set(scores)
    assert dataset.evaluate(results["det_bboxes"], "bbox", "silent")["bbox_AP"] > 0.99


@pytest.mark.usefixtures("_lvis")
def test_boxes_of_unknown_categories_are_not_judged(tree):
    dataset = build(tree)
    results = perfect_results(dataset)
    box = np.array([[0, 0, 40, 40, 0.99]], np.float32)
    info = dataset.data_infos[0]
    present = set(dataset.get_ann_info(info)["labels"].tolist())
    negative = [dataset.cat2label.get(c) for c in info["neg_category_ids"]]
    unknown = next(c for c in range(len(dataset.cat_ids)) if c not in present | set(negative))
    results["det_bboxes"][0][unknown] = box
    scores = dataset.evaluate(results, "bbox", "silent")
    assert scores["bbox_AP"] == pytest.approx(1, abs=1e-3)
    wrong = next(iter(present))
    results["det_bboxes"][0][wrong] = np.repeat(box, 3, 0)
    assert dataset.evaluate(results, "bbox", "silent")["bbox_AP"] < scores["bbox_AP"] - 0.01


def test_result_files(tree, tmp_path):
    dataset = build(tree)
    results = perfect_results(dataset)
    for frame in results["track_bboxes"]:  # ids that start again in every video
        for rows in frame:
            rows[:, 0] %= 3
    files, tmp_dir = dataset.format_results(results, str(tmp_path / "out"))
    assert tmp_dir is None
    content = {}
    for kind, path in files.items():
        assert path == str(tmp_path / "out" / f"tao_{kind}.json")
        with open(path) as file:
            content[kind] = json.load(file)
    assert set(content["bbox"][0]) == {"image_id", "bbox", "score", "category_id"}
    assert set(content["track"][0]) == set(content["bbox"][0]) | {"video_id", "track_id"}
    videos = {}
    for row in content["track"]:
        videos.setdefault(row["track_id"], set()).add(row["video_id"])
    assert all(len(own) == 1 for own in videos.values())
    notes = dataset.coco.load_anns(dataset.coco.get_ann_ids())
    wanted = sorted((n["image_id"], n["category_id"], *n["bbox"]) for n in notes)
    for rows in content.values():
        found = sorted((r["image_id"], r["category_id"], *r["bbox"]) for r in rows)
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    again, _ = dataset.format_results(results, str(tmp_path / "out"))
    assert "run_001" in again["bbox"]
    only, folder = dataset.format_results({"det_bboxes": results["det_bboxes"]})
    assert list(only) == ["bbox"]
    folder.cleanup()


def test_ids_of_videos_without_tracks(tree):
    dataset = build(tree)
    results = perfect_results(dataset)
    videos = [info["video_id"] for info in dataset.data_infos]
    for i, frame in enumerate(results["track_bboxes"]):
        frame[:] = [rows[:0] for rows in frame]
        if videos[i] != 2:
            frame[0] = np.array([[4, 0, 0, 9, 9, 0.5]], np.float32)
    files, folder = dataset.format_results(results)
    with open(files["track"]) as file:
        assert {(r["video_id"], r["track_id"]) for r in json.load(file)} == {(1, 4), (3, 9)}
    folder.cleanup()
    assert dataset.evaluate(results, "track", "silent")["track_AP"] < 0.2


@pytest.mark.usefixtures("_lvis")
def test_nothing_found(tree):
    dataset = build(tree)
    empty = [[np.zeros((0, 5), np.float32) for _ in dataset.cat_ids]] * len(dataset)
    assert dataset.evaluate({"det_bboxes": empty}, "bbox", "silent")["bbox_AP"] == 0


def test_lvis_is_optional(tree, monkeypatch):
    dataset = build(tree)
    monkeypatch.setattr(lvis_ap.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install --no-deps lvis"):
        dataset.evaluate(perfect_results(dataset), "bbox", "silent")


def without(key, kind):
    def change(data):
        for entry in data[kind]:
            del entry[key]

    return change


@pytest.mark.parametrize(
    ("metric", "change", "message"),
    [
        ("bbox", without("neg_category_ids", "images"), "have no 'neg_category_ids'.*tao2coco"),
        ("track", without("neg_category_ids", "videos"), "video 1 has no 'neg_category_ids'"),
        ("bbox", without("frequency", "categories"), "no 'frequency'"),
        ("track", without("instance_id", "annotations"), "have no 'instance_id'"),
    ],
)
@pytest.mark.usefixtures("_lvis")
def test_annotations_that_miss_keys(tree, tmp_path, metric, change, message):
    results = perfect_results(build(tree))
    data = json.loads((tree / "tao" / "annotations" / "validation_482_classes.json").read_text())
    change(data)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=message):
        build(tree, ann_file=str(path)).evaluate(results, metric, "silent")


def test_results_that_do_not_fit(tree):
    dataset = build(tree)
    results = perfect_results(dataset)
    with pytest.raises(ValueError, match="results need 'det_bboxes' or 'track_bboxes'"):
        dataset.format_results({"x": []})
    results["det_bboxes"][0].append(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="a result of class 13, but the annotation file has 13"):
        dataset.format_results(results)
    with pytest.raises(ValueError, match="has no metric 'segm'"):
        dataset.evaluate(results, "segm")


def test_hidden_truth(tree):
    dataset = build(tree, "test")
    with pytest.raises(ValueError, match="no objects to evaluate against"):
        dataset.evaluate(perfect_results(dataset), "track", "silent")
