"""Single object tracking data sets against hand-written files."""

import json
import os.path as osp
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch
from sot_layout import (
    boxes_of,
    got10k,
    lasot,
    lines,
    perfect,
    write,
    write_frames,
    write_infos,
)
from torch.utils.data import RandomSampler

from mmtrack.datasets import (
    BaseSOTDataset,
    GOT10kDataset,
    LaSOTDataset,
    OTB100Dataset,
    SOTCocoDataset,
    SOTImageNetVIDDataset,
    TrackingNetDataset,
    UAV123Dataset,
    VOTDataset,
    build_dataloader,
    build_dataset,
)
from mmtrack.datasets.parsers.sot_txt import SOTFormatError
from mmtrack.datasets.samplers import (
    DistributedQuotaSampler,
    DistributedVideoSampler,
    SOTVideoSampler,
)

TEST_PIPELINE = [
    {"type": "LoadImageFromFile", "to_float32": True},
    {"type": "LoadAnnotations", "with_bbox": True, "with_label": False},
    {
        "type": "MultiScaleFlipAug",
        "scale_factor": 1,
        "flip": False,
        "transforms": [
            {"type": "VideoCollect", "keys": ["img", "gt_bboxes"]},
            {"type": "ImageToTensor", "keys": ["img"]},
        ],
    },
]
TRAIN_PIPELINE = [
    {"type": "PairSampling", "frame_range": 3, "pos_prob": 0.8},
    {"type": "LoadMultiImagesFromFile", "to_float32": True},
    {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": False},
    {"type": "SeqCropLikeSiamFC", "context_amount": 0.5, "exemplar_size": 127, "crop_size": 511},
    {"type": "SeqShiftScaleAug", "target_size": [127, 255], "shift": [4, 64], "scale": [0.05, 0.2]},
    {"type": "SeqColorAug", "prob": [1.0, 1.0]},
    {"type": "SeqBlurAug", "prob": [0.0, 0.2]},
    {"type": "VideoCollect", "keys": ["img", "gt_bboxes", "is_positive_pairs"]},
    {"type": "ConcatSameTypeFrames"},
    {"type": "SeqDefaultFormatBundle", "ref_prefix": "search"},
]


def build(kind, folder, infos, split="test", test_mode=True, pipeline=(), **kwargs):
    return kind(
        ann_file=infos,
        img_prefix=str(folder),
        pipeline=list(pipeline),
        split=split,
        test_mode=test_mode,
        **kwargs,
    )


@pytest.fixture
def lasot_test(tmp_path):
    return build(LaSOTDataset, tmp_path, lasot(tmp_path))


# ---------------------------------------------------------------- reading
def test_lasot(tmp_path, lasot_test):
    assert lasot_test.num_frames_per_video == [6, 8]
    assert len(lasot_test) == 14
    xywh = boxes_of(8, 1)
    np.testing.assert_array_equal(lasot_test.get_bboxes_from_video(1), xywh)
    infos = lasot_test.get_ann_infos_from_video(1)
    xyxy = np.concatenate((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]), 1)
    np.testing.assert_array_equal(infos["bboxes"], xyxy)
    assert infos["bboxes"].dtype == np.float64
    assert infos["visible"].tolist() == [True, True, False, False, True, True, True, True]
    images = lasot_test.get_img_infos_from_video(1)
    assert list(images["filename"]) == [f"c-1/img/{t:08d}.jpg" for t in range(1, 9)]
    assert images["filename"][-1] == "c-1/img/00000008.jpg"
    assert images["filename"][2:4] == ["c-1/img/00000003.jpg", "c-1/img/00000004.jpg"]
    assert images["frame_ids"].tolist() == list(range(8))
    assert images["video_id"] == 1


def test_samples_of_tests(lasot_test):
    sample = lasot_test[1, 3]
    assert sample["img_info"] == {"filename": "c-1/img/00000004.jpg", "frame_id": 3}
    assert sample["ann_info"]["bboxes"].shape == (4,)
    assert not sample["ann_info"]["visible"]
    assert [lasot_test[i]["img_info"] for i in (0, 5, 6, 13, -1)] == [
        lasot_test[index]["img_info"] for index in ((0, 0), (0, 5), (1, 0), (1, 7), (1, 7))
    ]
    with pytest.raises(IndexError):
        lasot_test[14]


def test_annotations_are_read_once_and_cannot_be_changed(lasot_test, monkeypatch):
    first = lasot_test.get_ann_infos_from_video(0)
    with pytest.raises(ValueError, match="read-only"):
        first["bboxes"][:] = 0
    first["more"] = 1
    monkeypatch.setattr(lasot_test, "load_ann_infos", lambda video_ind: pytest.fail("read again"))
    again = lasot_test.get_ann_infos_from_video(0)
    assert again["bboxes"] is first["bboxes"]
    assert "more" not in again


def test_few_annotations_stay_in_memory(lasot_test, monkeypatch):
    monkeypatch.setattr("mmtrack.datasets.base_sot_dataset._CACHED_VIDEOS", 1)
    lasot_test.get_ann_infos_from_video(0)
    lasot_test.get_ann_infos_from_video(1)
    assert list(lasot_test._ann_cache) == [1]


def test_data_sets_can_be_sent_to_workers(lasot_test):
    again = pickle.loads(pickle.dumps(lasot_test))  # noqa: S301
    assert again[1, 2]["img_info"] == lasot_test[1, 2]["img_info"]


@pytest.mark.parametrize(
    ("value", "valid"), [(20.0, True), (20.01, False), (0.0, False), (np.nan, False)]
)
def test_valid_boxes(tmp_path, value, valid):
    boxes = np.array([[1, 2, 30, 30], [1, 2, 30, 20.01 if valid else min(value, 20.0)]])
    if np.isnan(value):
        boxes[1] = np.nan
    write(tmp_path / "a.txt", lines(boxes))
    infos = write_infos(tmp_path, [("a", "a.txt", 5, 6)])
    dataset = build(UAV123Dataset, tmp_path, infos, bbox_min_size=20)
    infos = dataset.get_ann_infos_from_video(0)
    assert infos["bboxes_isvalid"].tolist() == [True, valid]
    assert infos["visible"].tolist() == [True, valid]
    assert dataset.frame_name(0, 1) == "a/000006.jpg"


def test_got10k_training(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path), "train", False)
    infos = dataset.get_ann_infos_from_video(0)
    assert infos["visible"].tolist() == [True, False, False, True, True]
    assert infos["visible_ratio"].tolist() == [1, 1, 0, 0.5, 0.75]
    assert len(dataset) == 2
    write(tmp_path / "train/GOT-10k_000001/cover.label", "8\n8\n8")
    with pytest.raises(SOTFormatError, match=r"cover.label has 3 annotations.*the video 4 frames"):
        dataset.get_ann_infos_from_video(1)


def test_got10k_testing_does_not_look_for_visibility(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "test"), "test")
    assert dataset[0, 0]["ann_info"]["visible"]
    later = dataset[1, 3]["ann_info"]
    np.testing.assert_array_equal(later["bboxes"], np.zeros(4, np.float32))
    assert later["visible"] is True


@pytest.mark.parametrize(
    ("split", "chunks", "expected"),
    [
        ("train", ["all"], ["TRAIN_0", "TRAIN_1", "TRAIN_11"]),
        ("train", [1], ["TRAIN_1"]),
        ("train", [0, 11], ["TRAIN_0", "TRAIN_11"]),
        ("test", ["all"], ["TEST"]),
        ("test", [1], ["TEST"]),
    ],
)
def test_trackingnet_chunks(tmp_path, split, chunks, expected):
    rows = []
    for chunk in ("TRAIN_0", "TRAIN_1", "TRAIN_11", "TEST"):
        write(tmp_path / chunk / "anno/v.txt", "1,2,3,4\n" * 3)
        rows.append((f"{chunk}/frames/v", f"{chunk}/anno/v.txt", 0, 2))
    infos = write_infos(tmp_path, rows)
    dataset = build(TrackingNetDataset, tmp_path, infos, split, chunks_list=chunks)
    assert [info["video_path"].split("/")[0] for info in dataset.data_infos] == expected
    assert dataset.frame_name(0, 0) == f"{expected[0]}/frames/v/0.jpg"


def test_trackingnet_without_chunks(tmp_path):
    infos = write_infos(tmp_path, [("TRAIN_0/frames/v", "TRAIN_0/anno/v.txt", 0, 2)])
    with pytest.raises(ValueError, match="none of 1 videos is in TRAIN_3"):
        build(TrackingNetDataset, tmp_path, infos, "train", False, chunks_list=[3])
    with pytest.raises(ValueError, match=r"chunks_list is \[12\], expected"):
        build(TrackingNetDataset, tmp_path, infos, "train", False, chunks_list=[12])


@pytest.mark.parametrize("prefix", ["", "data/"])
def test_otb(tmp_path, prefix):
    write(tmp_path / "Board/gt.txt", "1\t2\t3\t4\n5\t6\t7\t8")
    write(tmp_path / "Tiger1/gt.txt", lines(boxes_of(8), "  "))
    write(tmp_path / "Car/gt.txt", "1,2,3,4")
    rows = [
        (f"{prefix}Board/img", "Board/gt.txt", 1, 2),
        (f"{prefix}Tiger1/img", "Tiger1/gt.txt", 6, 8),
        (f"{prefix}Car/img", "Car/gt.txt", 3, 3),
    ]
    dataset = build(OTB100Dataset, tmp_path, write_infos(tmp_path, rows))
    names = [dataset.frame_name(i, 0) for i in range(3)]
    assert names == [
        f"{prefix}Board/img/00001.jpg",
        f"{prefix}Tiger1/img/0006.jpg",
        f"{prefix}Car/img/0003.jpg",
    ]
    np.testing.assert_array_equal(dataset.get_bboxes_from_video(0), [[1, 2, 3, 4], [5, 6, 7, 8]])
    np.testing.assert_array_equal(dataset.get_bboxes_from_video(1), boxes_of(8)[5:])


def vot(folder, corners=8, length=5):
    """Two videos; returns the list of them."""
    rows = []
    for i, name in enumerate(("bag", "ball")):
        x, y, w, h = boxes_of(length, i).T
        polygons = np.stack((x, y, x + w, y, x + w, y + h, x, y + h), 1)
        table = polygons if corners == 8 else boxes_of(length, i)
        write(folder / "data" / name / "groundtruth.txt", lines(table))
        write_frames(folder / "data" / name / "color", ["00000001.jpg"])
        rows.append((f"data/{name}/color", f"data/{name}/groundtruth.txt", 1, length))
    return write_infos(folder, rows)


@pytest.mark.parametrize("corners", [4, 8])
def test_vot_polygons(tmp_path, corners):
    dataset = build(VOTDataset, tmp_path, vot(tmp_path, corners))
    assert dataset.get_bboxes_from_video(0).shape == (5, corners)
    infos = dataset.get_ann_infos_from_video(1)
    x, y, w, h = boxes_of(5, 1).T
    expected = np.stack((x, y, x + w, y, x + w, y + h, x, y + h), 1)
    np.testing.assert_allclose(infos["bboxes"], expected, atol=1e-3)  # printed with 6 digits
    assert infos["visible"].all()
    assert infos["bboxes_isvalid"].all()
    assert dataset[0, 0]["ann_info"]["bboxes"].shape == (8,)


# ---------------------------------------------------------------- json files
def coco_json(path):
    data = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 9, "height": 9} for i in (5, 3)],
        "annotations": [
            {"id": 9, "image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12},
            {"id": 2, "image_id": 5, "category_id": 1, "bbox": [0, 0, 9, 9], "area": 9}
            | {"iscrowd": 1},
            {"id": 4, "image_id": 5, "category_id": 1, "bbox": [1, 1, 0, 4], "area": 0}
            | {"iscrowd": 0},
        ],
        "categories": [{"id": 1, "name": "x"}],
    }
    path.write_text(json.dumps(data))
    return str(path)


def test_coco(tmp_path):
    path = coco_json(tmp_path / "a.json")
    dataset = build(SOTCocoDataset, tmp_path, path, "train", False)
    assert dataset.data_infos == [9, 4]
    assert dataset.num_frames_per_video == [1, 1]
    assert [list(dataset.get_img_infos_from_video(i)["filename"]) for i in (0, 1)] == [
        ["3.jpg"],
        ["5.jpg"],
    ]
    infos = dataset.get_ann_infos_from_video(0)
    np.testing.assert_array_equal(infos["bboxes"], [[1, 2, 4, 6]])
    assert not dataset.get_ann_infos_from_video(1)["bboxes_isvalid"].any()
    with pytest.raises(ValueError, match="SOTCocoDataset is for training"):
        build(SOTCocoDataset, tmp_path, path, "train", True)


def test_annotations_of_images_that_are_not_there(tmp_path):
    path = coco_json(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text().replace('"image_id": 3', '"image_id": 4')
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match="annotations of image 4, which is not in 'images'"):
        build(SOTCocoDataset, tmp_path, path, "train", False)


def test_imagenet_vid(tmp_path, video_data, write_videos):
    data = video_data((5, 3), objects=2)
    data["annotations"] = [a for a in data["annotations"] if a["image_id"] != 102]
    for ann in data["annotations"]:
        ann["occluded"] = ann["image_id"] % 2
    path = write_videos(data)
    dataset = build(SOTImageNetVIDDataset, tmp_path, path, "train", False)
    assert dataset.data_infos == [1, 2, 11, 12]
    assert dataset.num_frames_per_video == [4, 4, 3, 3]
    images = dataset.get_img_infos_from_video(1)
    assert images["frame_ids"].tolist() == [0, 1, 3, 4]
    assert list(images["filename"]) == [f"v0/{t:06d}.png" for t in (0, 1, 3, 4)]
    infos = dataset.get_ann_infos_from_video(1)
    assert infos["visible"].tolist() == [True, False, False, True]
    own = [a["bbox"] for a in data["annotations"] if a["instance_id"] == 2]
    np.testing.assert_array_equal(dataset.get_bboxes_from_video(1), own)
    data["annotations"].reverse()
    dataset = build(SOTImageNetVIDDataset, tmp_path, write_videos(data), "train", False)
    assert dataset.data_infos == [12, 11, 2, 1]
    np.testing.assert_array_equal(dataset.get_bboxes_from_video(2), own[::-1])
    assert dataset.get_img_infos_from_video(2)["frame_ids"].tolist() == [4, 3, 1, 0]
    for ann in data["annotations"][1:]:
        del ann["instance_id"]
    with pytest.raises(ValueError, match="have no 'instance_id'"):
        build(SOTImageNetVIDDataset, tmp_path, write_videos(data), "train", False)


# ---------------------------------------------------------------- bad input
def test_other_splits_and_keys(tmp_path):
    infos = lasot(tmp_path)
    with pytest.raises(ValueError, match="LaSOTDataset has no split 'val'; it has train, test"):
        build(LaSOTDataset, tmp_path, infos, "val")
    with pytest.warns(UserWarning, match="LaSOTDataset ignores bbox_minsize"):
        build(LaSOTDataset, tmp_path, infos, bbox_minsize=3)
    with pytest.raises(FileNotFoundError, match="nothing.txt does not exist; check ann_file"):
        build(LaSOTDataset, tmp_path, str(tmp_path / "nothing.txt"))
    with pytest.raises(ValueError, match="there is no 'vot2017', only vot2018"):
        build(VOTDataset, tmp_path, infos, dataset_type="vot2017")


@pytest.mark.parametrize("kind", [LaSOTDataset, OTB100Dataset, VOTDataset])
def test_annotations_that_are_too_short(tmp_path, kind):
    infos = lasot(tmp_path)
    write(tmp_path / "c-1/groundtruth.txt", lines(boxes_of(7, 1)))
    dataset = build(kind, tmp_path, infos)
    with pytest.raises(SOTFormatError, match=r"c-1/groundtruth.txt has 7 annotations.* 8 frames"):
        dataset[1, 0]


def test_first_box_without_area(tmp_path):
    infos = lasot(tmp_path)
    boxes = boxes_of(6)
    boxes[[0, 3], 2] = 0
    write(tmp_path / "c-0/groundtruth.txt", lines(boxes))
    dataset = build(LaSOTDataset, tmp_path, infos)
    dataset[0, 3]  # the object is absent
    with pytest.raises(SOTFormatError, match=r"c-0/img/00000001.jpg.* starts without an object"):
        dataset[0, 0]


@pytest.mark.parametrize("first", ["nan," * 7 + "nan", "5,5," * 3 + "5,5"])
def test_first_polygon_without_area(tmp_path, first):
    infos = vot(tmp_path)
    path = tmp_path / "data/bag/groundtruth.txt"
    path.write_text("\n".join([first, *path.read_text().split("\n")[1:]]))
    with pytest.raises(SOTFormatError, match="the first polygon has no area"):
        build(VOTDataset, tmp_path, infos)[0, 0]


def test_polygons_with_too_few_numbers(tmp_path):
    infos = vot(tmp_path)
    write(tmp_path / "data/bag/groundtruth.txt", "1,2,3,4,5,6\n" * 5)
    with pytest.raises(SOTFormatError, match="6 numbers a line, expected 4 or 8"):
        build(VOTDataset, tmp_path, infos)[0, 0]


# ---------------------------------------------------------------- scores
def test_perfect_results(lasot_test):
    scores = lasot_test.evaluate(perfect(lasot_test), metric="track", logger="silent")
    # an overlap of 1 does not exceed the last of 21 thresholds
    assert scores == {"success": 95.238, "norm_precision": 100.0, "precision": 100.0}


def test_only_visible_frames_are_scored(tmp_path):
    dataset = build(LaSOTDataset, tmp_path, lasot(tmp_path), only_eval_visible=True)
    scores = dataset.evaluate(perfect(dataset), logger="silent")
    assert scores["precision"] == round(100 * (4 / 6 + 6 / 8) / 2, 3)


def test_evaluation_does_not_change_results(lasot_test):
    results = perfect(lasot_test)
    before = [row.copy() for row in results["track_bboxes"]]
    lasot_test.evaluate(results, logger="silent")
    np.testing.assert_array_equal(before, results["track_bboxes"])


def test_results_of_other_videos(lasot_test):
    results = perfect(lasot_test)
    with pytest.raises(ValueError, match="have 13 frames, the 2 videos of .* 14: .*other videos"):
        lasot_test.evaluate({"track_bboxes": results["track_bboxes"][1:]})
    far = {"track_bboxes": [row + 1000 for row in results["track_bboxes"]]}
    with pytest.raises(ValueError, match="are these results of other videos"):
        lasot_test.evaluate(far)
    with pytest.raises(ValueError, match=r"have \[2, 5\] numbers a frame.*VOT mode"):
        lasot_test.evaluate({"track_bboxes": [np.ones(2), *results["track_bboxes"][1:]]})
    with pytest.raises(ValueError, match=r"needs results with 'track_bboxes', got \['bbox'\]"):
        lasot_test.evaluate({"bbox": []})
    with pytest.raises(ValueError, match="no metric 'bbox', only 'track'"):
        lasot_test.evaluate(results, metric=["track", "bbox"])


def test_vot_scores(tmp_path):
    dataset = build(VOTDataset, tmp_path, vot(tmp_path, length=30))
    results = []
    for video in range(2):
        for frame, polygon in enumerate(dataset.get_ann_infos_from_video(video)["bboxes"]):
            box = np.array([*polygon[:2], *polygon[4:6], 0.9])
            state = {0: 1, 20: 2, 21: 0, 22: 0, 23: 0, 24: 0, 25: 1}.get(frame) if video else None
            results.append(box if state is None else np.array([state, 0.0]))
    before = [row.copy() for row in results]
    first = dataset.evaluate({"track_bboxes": results}, interval=[5, 10], logger="silent")
    again = dataset.evaluate({"track_bboxes": results}, interval=[5, 10], logger="silent")
    assert first == again
    assert all(np.array_equal(a, b) for a, b in zip(before, results, strict=True))
    assert first == pytest.approx(
        {"eao": 1, "accuracy": 1, "robustness": 100 / 60, "num_fails": 1}, abs=1e-4
    )


def test_vot_intervals(tmp_path):
    infos = vot(tmp_path)
    long_term = build(VOTDataset, tmp_path, infos, dataset_type="vot2018_lt")
    rows = [np.array([1.0, 0.0])] + [np.array([30.0, 30, 50, 50, 1])] * 4
    with pytest.raises(ValueError, match="vot2018_lt is a long-term challenge"):
        long_term.evaluate({"track_bboxes": rows * 2})
    scores = long_term.evaluate({"track_bboxes": rows * 2}, interval=[2, 4], logger="silent")
    assert set(scores) == {"eao", "accuracy", "robustness", "num_fails"}
    with pytest.raises(ValueError, match=r"data/bag/color, frame 0, has 4 numbers, expected 5"):
        long_term.evaluate({"track_bboxes": [np.ones(4)] * 10}, interval=[2, 4])


# ---------------------------------------------------------------- submissions
def test_hidden_boxes(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "test"))
    results = {"track_bboxes": [np.array([1.0, 2, 4, 8, 0.5])] * len(dataset)}
    with pytest.raises(ValueError, match="'test' of GOT10kDataset are not public.*--format-only"):
        dataset.evaluate(results)
    path = dataset.format_results(results, resfile_path=str(tmp_path / "out/results"))
    assert path == str(tmp_path / "out/results.zip")
    with zipfile.ZipFile(path) as archive:
        assert (
            archive.read("GOT-10k_000001/GOT-10k_000001_001.txt").decode().split()
            == ["1.0000,2.0000,3.0000,6.0000"] * 4
        )
        assert len(archive.namelist()) == 4
    before = (tmp_path / "out/results.zip").read_bytes()
    with pytest.raises(FileExistsError, match=r"results.zip exists: choose another resfile_path"):
        dataset.format_results(results, resfile_path=path)
    assert (tmp_path / "out/results.zip").read_bytes() == before
    with pytest.raises(ValueError, match="resfile_path, the name of the archive, is missing"):
        dataset.format_results(results)
    with pytest.raises(ValueError, match="results of other videos"):
        dataset.format_results({"track_bboxes": []}, resfile_path=str(tmp_path / "x"))
    assert not osp.exists(tmp_path / "x.zip")


def test_public_splits_of_got10k_are_scored(tmp_path):
    dataset = build(GOT10kDataset, tmp_path, got10k(tmp_path, "val"), "val")
    assert dataset.evaluate(perfect(dataset), logger="silent")["precision"] == 100


def test_trackingnet_submission(tmp_path):
    rows = []
    for name, chunk in (("a", "TEST"), ("b", "TEST")):
        write(tmp_path / chunk / f"anno/{name}.txt", "1,2,3,4")
        rows.append((f"{chunk}/frames/{name}", f"{chunk}/anno/{name}.txt", 0, 2))
    dataset = build(TrackingNetDataset, tmp_path, write_infos(tmp_path, rows))
    results = {"track_bboxes": [np.array([t, 2.0, t + 3, 8, 0.5]) for t in range(6)]}
    dataset.format_results(results, resfile_path=str(tmp_path / "out.zip"))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        found = np.loadtxt(archive.open("b.txt"), delimiter=",")
    np.testing.assert_array_equal(found, [[t, 2, 3, 6] for t in (3, 4, 5)])


# ---------------------------------------------------------------- loaders
def test_training_batches(tmp_path):
    infos = lasot(tmp_path, (6, 8, 5), frames=True)
    dataset = build(LaSOTDataset, tmp_path, infos, "train", False, TRAIN_PIPELINE)
    assert len(dataset) == 3
    loader = build_dataloader(dataset, 2, 0, samples_per_epoch=4, dist=False, seed=0)
    assert isinstance(loader.sampler, RandomSampler)
    assert loader.sampler.replacement
    batches = list(loader)
    assert len(batches) == 2
    for batch in batches:
        assert batch["img"].data[0].shape == (2, 3, 127, 127)
        assert batch["img"].data[0].dtype == torch.float32
        assert batch["search_img"].data[0].shape == (2, 1, 3, 255, 255)
        assert [tuple(b.shape) for b in batch["gt_bboxes"].data[0]] == [(1, 4)] * 2
        assert [tuple(b.shape) for b in batch["search_gt_bboxes"].data[0]] == [(1, 5)] * 2
        assert batch["is_positive_pairs"].dtype == torch.bool
        assert torch.equal(batch["is_positive_pairs"], batch["search_is_positive_pairs"])


@pytest.mark.parametrize("with_score", [False, True], ids=["stage 1", "stage 2"])
def test_stark_batches(tmp_path, with_score):
    infos = lasot(tmp_path, (6, 8), frames=True)
    keys = ["img", "gt_bboxes", "padding_mask"] + ["gt_labels"] * with_score
    norm = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
    flip = {"type": "SeqRandomFlip", "flip_ratio": 0.5, "direction": "horizontal"}
    factors = {"crop_size_factor": [2, 2, 5]}
    pipeline = [
        {"type": "TridentSampling", "train_cls_head": with_score, "min_num_frames": 5},
        {"type": "LoadMultiImagesFromFile", "to_float32": True},
        {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": with_score},
        {"type": "SeqGrayAug", "prob": 0.05},
        {**flip, "share_params": True},
        {
            "type": "SeqBboxJitter",
            "center_jitter_factor": [0, 0, 4.5],
            "scale_jitter_factor": [0, 0, 0.5],
            **factors,
        },
        {"type": "SeqCropLikeStark", **factors, "output_size": [128, 128, 320]},
        {"type": "SeqBrightnessAug", "jitter_range": 0.2},
        {**flip, "share_params": False},
        {"type": "SeqNormalize", **norm},
        {"type": "CheckPadMaskValidity", "stride": 16},
        {"type": "VideoCollect", "keys": keys, "meta_keys": "valid"},
        {"type": "ConcatSameTypeFrames", "num_key_frames": 2},
        {"type": "SeqDefaultFormatBundle", "ref_prefix": "search"},
    ]
    dataset = build(LaSOTDataset, tmp_path, infos, "train", False, pipeline)
    batch = next(iter(build_dataloader(dataset, 2, 0, dist=False, seed=0)))
    shapes = {key: tuple(batch[key].data[0].shape) for key in batch if "img" in key[-3:]}
    assert shapes == {"img": (2, 2, 3, 128, 128), "search_img": (2, 1, 3, 320, 320)}
    assert batch["padding_mask"].data[0].shape == (2, 2, 128, 128)
    assert batch["search_padding_mask"].data[0].shape == (2, 1, 320, 320)
    assert batch["padding_mask"].data[0].dtype == torch.bool
    boxes = batch["gt_bboxes"].data[0] + batch["search_gt_bboxes"].data[0]
    assert [(tuple(b.shape), b.dtype) for b in boxes] == [
        ((2, 5), torch.float64),
        ((2, 5), torch.float64),
        ((1, 5), torch.float64),
        ((1, 5), torch.float64),
    ]
    assert ("gt_labels" in batch) is with_score
    if with_score:
        assert [tuple(b.shape) for b in batch["gt_labels"].data[0]] == [(2, 2)] * 2
        assert [tuple(b.shape) for b in batch["search_gt_labels"].data[0]] == [(1, 2)] * 2


def test_samplers_of_training_and_testing(tmp_path, monkeypatch):
    infos = lasot(tmp_path, frames=True)
    test = build(LaSOTDataset, tmp_path, infos, pipeline=TEST_PIPELINE)
    loader = build_dataloader(test, 1, 0, dist=False, shuffle=False)
    assert isinstance(loader.sampler, SOTVideoSampler)
    batches = list(loader)
    assert len(batches) == 14
    assert batches[7]["img"][0].shape == (1, 3, 90, 120)
    assert batches[7]["img"][0].dtype == torch.float32
    assert batches[7]["gt_bboxes"][0].shape == (1, 4)
    meta = batches[7]["img_metas"][0].data[0][0]
    assert (meta["frame_id"], meta["ori_filename"]) == (1, "c-1/img/00000002.jpg")
    monkeypatch.setattr("mmtrack.datasets.builder.get_dist_info", lambda: (1, 2))
    loader = build_dataloader(test, 1, 0, dist=True, shuffle=False)
    assert isinstance(loader.sampler, DistributedVideoSampler)
    assert list(loader.sampler) == [(1, t) for t in range(8)]
    train = build(LaSOTDataset, tmp_path, infos, "train", False)
    mixed = build_dataset(
        {
            "type": "RandomSampleConcatDataset",
            "dataset_cfgs": [
                {
                    "type": "LaSOTDataset",
                    "ann_file": infos,
                    "img_prefix": str(tmp_path),
                    "pipeline": TRAIN_PIPELINE,
                    "split": "train",
                }
            ]
            * 2,
            "dataset_sampling_weights": [0.2, 0.8],
        }
    )
    for dataset in (train, mixed):
        loader = build_dataloader(dataset, 1, 0, samples_per_epoch=10, dist=True)
        assert isinstance(loader.sampler, DistributedQuotaSampler)
        assert len(loader.sampler) == 5
    assert mixed.CLASSES is None
    assert mixed[0]["search_img"].data.shape == (1, 3, 255, 255)


def test_concatenated_test_sets(tmp_path):
    config = {
        "type": "LaSOTDataset",
        "ann_file": [lasot(tmp_path / "a", (3, 2)), lasot(tmp_path / "b", (4,))],
        "img_prefix": [str(tmp_path / "a"), str(tmp_path / "b")],
        "pipeline": [],
        "split": "test",
        "test_mode": True,
    }
    dataset = build_dataset(config)
    loader = build_dataloader(dataset, 1, 0, dist=False, shuffle=False)
    names = [dataset[index]["img_info"]["filename"] for index in loader.sampler]
    assert [osp.basename(name)[7] for name in names] == list("123121234")
    parts = [perfect(part)["track_bboxes"] for part in dataset.datasets]
    scores = dataset.evaluate({"track_bboxes": sum(parts, [])}, metric="track", logger="silent")
    assert scores["0_precision"] == scores["1_precision"] == 100


def test_seeds_repeat_training_samples(tmp_path):
    dataset = build(
        LaSOTDataset, tmp_path, lasot(tmp_path, frames=True), "train", False, TRAIN_PIPELINE
    )
    images = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        images.append(dataset[0]["search_img"].data)
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[0], images[2])


def test_training_pairs_are_of_two_videos(tmp_path):
    dataset = build(LaSOTDataset, tmp_path, lasot(tmp_path, (3, 3, 3)), "train", False)
    pairs = {tuple(video["video_id"] for video in dataset[0]) for _ in range(100)}
    assert pairs == {(a, b) for a in range(3) for b in range(3) if a != b}
    alone = build(LaSOTDataset, tmp_path, lasot(tmp_path, (3,)), "train", False)
    assert [video["video_id"] for video in alone[0]] == [0, 0]


def test_a_pipeline_that_rejects_everything(tmp_path):
    class Reject:
        def __call__(self, results):
            return None

    dataset = build(LaSOTDataset, tmp_path, lasot(tmp_path), "train", False, [Reject()])
    with pytest.raises(RuntimeError, match="rejected 1000 samples of .*infos.txt in a row"):
        dataset[0]


def test_no_warnings_on_absent_objects(tmp_path):
    write(tmp_path / "a.txt", "1,2,30,40\nnan,nan,nan,nan\n1,2,30,40")
    dataset = build(UAV123Dataset, tmp_path, write_infos(tmp_path, [("a", "a.txt", 1, 3)]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = dataset.evaluate(perfect(dataset), logger="silent")
    assert scores["precision"] == round(200 / 3, 3)


def test_masks_are_not_there(lasot_test):
    assert isinstance(lasot_test, BaseSOTDataset)
    with pytest.raises(NotImplementedError, match="LaSOTDataset has no masks"):
        lasot_test.get_masks_from_video(0)
