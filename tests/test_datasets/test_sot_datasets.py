"""Single object tracking data sets against hand-written files: reading, and refusals."""

import json
import pickle

import numpy as np
import pytest
from sot_datasets import build, vot
from sot_layout import (
    boxes_of,
    got10k,
    lasot,
    lines,
    write,
    write_infos,
)

from mmtrack.datasets import (
    GOT10kDataset,
    LaSOTDataset,
    OTB100Dataset,
    SOTCocoDataset,
    SOTImageNetVIDDataset,
    TrackingNetDataset,
    UAV123Dataset,
    VOTDataset,
)
from mmtrack.datasets.parsers.sot_txt import SOTFormatError


@pytest.fixture
def lasot_test(tmp_path):
    return build(LaSOTDataset, tmp_path, lasot(tmp_path))


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


@pytest.mark.parametrize("column", range(4))
def test_boxes_with_nan_are_absent_whichever_number_it_is(tmp_path, column):
    infos = lasot(tmp_path, (3,))
    rows = boxes_of(3)
    rows[1, column] = np.nan
    write(tmp_path / "c-0" / "groundtruth.txt", lines(rows))
    found = build(LaSOTDataset, tmp_path, infos).get_ann_infos_from_video(0)
    assert found["bboxes_isvalid"].tolist() == [True, False, True]
