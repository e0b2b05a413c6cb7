"""Deprecated single object tracking data sets in the CocoVID format."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mmtrack.datasets import SOTTestDataset, SOTTrainDataset, build_dataloader, build_dataset
from mmtrack.datasets.samplers import DistributedVideoSampler


@pytest.fixture
def train(write_videos):
    """Function that makes a training set."""

    def make(data, **kwargs):
        with pytest.warns(DeprecationWarning, match="SOTTrainDataset is deprecated"):
            return SOTTrainDataset(
                ann_file=write_videos(data),
                pipeline=[],
                **{"ref_img_sampler": None, **kwargs},
            )

    return make


def without(data, instance, *images):
    data["annotations"] = [
        a
        for a in data["annotations"]
        if not (a["instance_id"] == instance and a["image_id"] in images)
    ]
    return data


def test_videos_are_samples(train, video_data):
    dataset = train(video_data((5, 3)))
    assert len(dataset) == 2
    assert [video["name"] for video in dataset.data_infos] == ["v0", "v1"]
    assert dataset.flag.tolist() == [0, 0]


def test_last_run_of_frames(train, video_data):
    data = without(video_data((8, 3), objects=1), 1, 102, 105)
    dataset = train(data)
    for _ in range(20):
        snippet, image, instance = dataset.get_snippet_of_instance(0)
        assert snippet == [106, 107]
        assert image in snippet
        assert instance == 1
    data = without(data, 1, 106)
    assert train(data).get_snippet_of_instance(0)[0] == [103, 104]


def test_videos_without_a_run_are_left_out(train, video_data):
    data = without(video_data((3, 3), objects=1), 1, 101)
    assert [video["id"] for video in train(data).data_infos] == [2]
    without(data, 11, 201)
    with pytest.raises(ValueError, match="has no object in two frames in a row"):
        train(data)


def test_search_frames(train, video_data):
    dataset = train(video_data((9, 4)))
    snippet = list(range(100, 109))

    def drawn(count=300, **kwargs):
        np.random.seed(0)
        return [dataset.ref_img_sampling(snippet, 104, 1, **kwargs) for _ in range(count)]

    near = drawn(frame_range=2, pos_prob=1.0)
    assert {images[1] for images, _, _ in near} == {102, 103, 104, 105, 106}
    assert all(images[0] == 104 and ids == [1, 1] and pos for images, ids, pos in near)
    ahead = drawn(frame_range=[0, 1], pos_prob=1.0, filter_key_img=True, return_key_img=False)
    assert {tuple(images) for images, _, _ in ahead} == {(105,)}
    others = drawn(pos_prob=0.0)
    assert not any(positive for _, _, positive in others)
    assert {ids[1] for _, ids, _ in others} == {2, 3, 11, 12, 13}
    shares = [positive for _, _, positive in drawn(2000)]
    assert np.mean(shares) == pytest.approx(0.8, abs=0.03)


def test_images_of_coco(train, video_data):
    data = video_data((4,))
    del data["videos"]
    for row in (*data["images"], *data["annotations"]):
        row.pop("video_id")
        row.pop("frame_id", None)
        row.pop("instance_id", None)
    dataset = train(data, ref_img_sampler={"pos_prob": 1.0, "frame_range": 5})
    assert len(dataset) == 4
    template, search = dataset[1]
    assert template["img_info"]["id"] == search["img_info"]["id"] == dataset.data_infos[1]["id"]
    np.testing.assert_array_equal(template["ann_info"]["bboxes"], search["ann_info"]["bboxes"])


def test_batches(tmp_path, write_videos, video_data):
    config = {
        "type": "SOTTrainDataset",
        "ann_file": write_videos(video_data((5, 3)), images=True),
        "img_prefix": str(tmp_path / "images"),
        "ref_img_sampler": {"frame_range": 2, "pos_prob": 0.8},
        "pipeline": [
            {"type": "LoadMultiImagesFromFile", "to_float32": True},
            {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": False},
            {"type": "SeqCropLikeSiamFC", "exemplar_size": 31, "crop_size": 127},
            {"type": "SeqShiftScaleAug", "target_size": [31, 63], "shift": [1, 4]},
            {"type": "VideoCollect", "keys": ["img", "gt_bboxes", "is_positive_pairs"]},
            {"type": "ConcatVideoReferences"},
            {"type": "SeqDefaultFormatBundle", "ref_prefix": "search"},
        ],
    }
    with pytest.warns(DeprecationWarning, match="SOTTrainDataset is deprecated"):
        dataset = build_dataset(config)
    batch = next(iter(build_dataloader(dataset, 2, 0, dist=False)))
    assert batch["img"].data[0].shape == (2, 3, 31, 31)
    assert batch["search_img"].data[0].shape == (2, 1, 3, 63, 63)
    assert batch["is_positive_pairs"].dtype == torch.bool


def test_wrong_modes(train, video_data, write_videos):
    for mode in ({"test_mode": True}, {"load_as_video": False}):
        with pytest.raises(ValueError, match="SOTTrainDataset is for training on videos"):
            train(video_data((3,)), **mode)
    with (
        pytest.warns(DeprecationWarning, match="SOTTestDataset is deprecated"),
        pytest.raises(ValueError, match="SOTTestDataset is for testing on videos"),
    ):
        SOTTestDataset(ann_file=write_videos(single(video_data)), pipeline=[], ref_img_sampler=None)


# ---------------------------------------------------------------- testing
def single(video_data, lengths=(4, 3)):
    data = video_data(lengths, objects=1)
    data["categories"] = [{"id": 0, "name": 0}]
    for ann in data["annotations"]:
        ann["category_id"] = 0
    return data


@pytest.fixture
def test_set(write_videos, video_data):
    with pytest.warns(DeprecationWarning, match="such as LaSOTDataset"):
        return SOTTestDataset(
            ann_file=write_videos(single(video_data)),
            pipeline=[],
            ref_img_sampler=None,
            test_mode=True,
            test_load_ann=True,
        )


def test_first_annotation_of_each_frame(test_set):
    data = json.loads(Path(test_set.ann_file).read_text())
    first = next(a for a in data["annotations"] if a["image_id"] == 101)
    x, y, w, h = first["bbox"]
    sample = test_set[1]
    assert sample["img_info"]["frame_id"] == 1
    np.testing.assert_allclose(sample["ann_info"]["bboxes"], [x, y, x + w, y + h], rtol=1e-6)
    assert len(DistributedVideoSampler(test_set, 2, 0)) == 4


def test_scores(test_set):
    boxes = [test_set.get_ann_info(i)["bboxes"] for i in range(7)]
    results = {"track_bboxes": [np.append(box, 1) for box in boxes]}
    scores = test_set.evaluate(results, logger="silent")
    assert scores == {"success": 95.238, "norm_precision": 100.0, "precision": 100.0}
    for row in results["track_bboxes"][5:]:
        row[:4] += 500
    assert test_set.evaluate(results, logger="silent")["precision"] == round(
        100 * (1 + 1 / 3) / 2, 3
    )
    with pytest.raises(ValueError, match="results of other videos"):
        test_set.evaluate({"track_bboxes": results["track_bboxes"][1:]})
