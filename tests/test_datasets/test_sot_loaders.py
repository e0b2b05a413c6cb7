"""Batches, samplers and seeds of single object tracking data sets."""

import os.path as osp
import warnings

import numpy as np
import pytest
import torch
from sot_datasets import TEST_PIPELINE, TRAIN_PIPELINE, build
from sot_layout import (
    lasot,
    perfect,
    write,
    write_infos,
)
from torch.utils.data import RandomSampler

from mmtrack.datasets import (
    BaseSOTDataset,
    LaSOTDataset,
    UAV123Dataset,
    build_dataloader,
    build_dataset,
)
from mmtrack.datasets.samplers import (
    DistributedQuotaSampler,
    DistributedVideoSampler,
    SOTVideoSampler,
)


@pytest.fixture
def lasot_test(tmp_path):
    return build(LaSOTDataset, tmp_path, lasot(tmp_path))


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
