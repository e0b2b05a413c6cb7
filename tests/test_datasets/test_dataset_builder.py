"""Wrappers, samplers and seeds that ``build_dataset`` and ``build_dataloader`` choose."""

import random
import warnings

import numpy as np
import pytest
import torch
from mmdet.datasets import ClassBalancedDataset, MultiImageMixDataset, RepeatDataset
from mmdet.datasets import build_dataset as build_det_dataset
from mmdet.datasets.builder import DATASETS as DET_DATASETS
from mmdet.datasets.builder import PIPELINES
from mmdet.datasets.samplers import DistributedGroupSampler, DistributedSampler, GroupSampler
from torch.utils.data import Dataset, RandomSampler, SequentialSampler

from mmtrack.datasets import (
    DATASETS,
    CocoVideoDataset,
    ConcatDataset,
    RandomSampleConcatDataset,
    build_dataloader,
    build_dataset,
)
from mmtrack.datasets.samplers import (
    DistributedQuotaSampler,
    DistributedVideoSampler,
    SOTVideoSampler,
)


@pytest.fixture
def video_cfg(write_videos, video_data):
    """Function that makes the config of a data set."""

    def config(name="videos.json", lengths=(5, 3), **kwargs):
        path = write_videos(video_data(lengths), name)
        return {
            "type": "CocoVideoDataset",
            "ann_file": path,
            "classes": ("car", "person"),
            "pipeline": [],
            "ref_img_sampler": None,
            **kwargs,
        }

    return config


# ---------------------------------------------------------------- data sets
def test_one_registry():
    assert DATASETS is DET_DATASETS
    assert DATASETS.get("CocoVideoDataset") is CocoVideoDataset


def test_unknown_type_suggests_names(video_cfg):
    with pytest.raises(KeyError, match="CocoVidDataset is not in the registry.*CocoVideoDataset"):
        build_dataset(video_cfg(type="CocoVidDataset"))
    with pytest.raises(KeyError, match="no key 'type'"):
        build_dataset({"ann_file": "x"})


def test_repeat_and_class_balance(video_cfg):
    repeated = build_dataset({"type": "RepeatDataset", "times": 3, "dataset": video_cfg()})
    assert isinstance(repeated, RepeatDataset)
    assert len(repeated) == 24
    assert repeated[8]["img_info"] == repeated[0]["img_info"]
    assert len(repeated.flag) == 24
    cfg = {"type": "ClassBalancedDataset", "oversample_thr": 4.0, "dataset": video_cfg()}
    balanced = build_dataset(cfg)
    assert isinstance(balanced, ClassBalancedDataset)
    assert len(balanced) == 16  # all classes are in all images: sqrt(4 / 1) times each
    assert balanced.get_ann_info(0)["bboxes"].shape[1] == 4


@pytest.mark.parametrize("how", ["list", "type", "ann_file"])
def test_concatenation(video_cfg, how):
    first, second = video_cfg("a.json"), video_cfg("b.json", lengths=(2,))
    cfg = {
        "list": [first, second],
        "type": {"type": "ConcatDataset", "datasets": [first, second]},
        "ann_file": {
            **first,
            "ann_file": [first["ann_file"], second["ann_file"]],
            "img_prefix": ["x", "y"],
            "separate_eval": True,
        },
    }[how]
    dataset = build_dataset(cfg)
    assert isinstance(dataset, ConcatDataset)
    assert [len(part) for part in dataset.datasets] == [8, 2]
    assert dataset.CLASSES == ("car", "person")
    assert len(dataset.flag) == 10
    assert dataset.get_ann_info(9)["labels"].shape == (3,)
    if how == "ann_file":
        assert [part.img_prefix for part in dataset.datasets] == ["x", "y"]
    assert len(build_dataset(cfg, {"test_mode": True}).datasets[0]) == 8


def test_lists_of_different_length(video_cfg):
    cfg = video_cfg()
    cfg.update(ann_file=[cfg["ann_file"]] * 2, img_prefix=["x"])
    with pytest.raises(ValueError, match="img_prefix has 1 entries for 2 files"):
        build_dataset(cfg)


@pytest.mark.parametrize("how", ["type", "ann_file"])
def test_evaluation_as_a_whole_is_refused(video_cfg, how):
    cfg = video_cfg()
    both = {"type": "ConcatDataset", "datasets": [cfg, cfg], "separate_eval": False}
    if how == "ann_file":
        both = {**cfg, "ann_file": [cfg["ann_file"]] * 2, "separate_eval": False}
    message = "CocoVideoDataset.*Set separate_eval=True"
    with pytest.raises(NotImplementedError, match=message):
        build_dataset(both, {"test_mode": True})
    dataset = build_dataset(both)  # for a training, which never asks
    assert len(dataset) > 0
    with pytest.raises(NotImplementedError, match=message):
        dataset.evaluate({"det_bboxes": [[]] * len(dataset)})


def test_misspelt_keys_are_named(video_cfg):
    cfg = {"type": "ConcatDataset", "datasets": [video_cfg()], "saparate_eval": False}
    with pytest.warns(UserWarning, match="ignores the key 'saparate_eval'.*'separate_eval'"):
        build_dataset(cfg)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build_dataset({"type": "ConcatDataset", "datasets": [video_cfg()], "separate_eval": True})


def results_for(dataset, shift=0.0):
    """Perfect detections and tracks, moved by some pixels."""
    found = {"det_bboxes": [], "track_bboxes": []}
    for i in range(len(dataset)):
        ann = dataset.get_ann_info(i)
        rows = np.hstack([ann["bboxes"] + shift, np.ones((len(ann["bboxes"]), 1))])
        tracks = np.hstack([ann["instance_ids"][:, None], rows])
        found["det_bboxes"].append([rows[ann["labels"] == c] for c in range(2)])
        found["track_bboxes"].append([tracks[ann["labels"] == c] for c in range(2)])
    return found


@pytest.mark.parametrize("kind", ["dict", "list"])
def test_separate_evaluation(video_cfg, kind):
    cfgs = [video_cfg("a.json", test_mode=True), video_cfg("b.json", (2,), test_mode=True)]
    dataset = build_dataset(cfgs)
    parts = [results_for(dataset.datasets[0]), results_for(dataset.datasets[1], shift=3.0)]
    results = {key: parts[0][key] + parts[1][key] for key in parts[0]}
    metric = ["bbox", "track"] if kind == "dict" else "bbox"
    if kind == "list":
        results, parts = results["det_bboxes"], [part["det_bboxes"] for part in parts]
    scores = dataset.evaluate(results, logger="silent", metric=metric)
    for i, part in enumerate(parts):
        own = dataset.datasets[i].evaluate(part, logger="silent", metric=metric)
        for key, value in own.items():
            assert scores[f"{i}_{key}"] == value
    assert scores["0_bbox_mAP"] > scores["1_bbox_mAP"]


def test_results_of_the_wrong_length(video_cfg):
    dataset = build_dataset([video_cfg(test_mode=True)] * 2)
    with pytest.raises(ValueError, match=r"results\['det_bboxes'\] has 3 entries.* 16 images"):
        dataset.evaluate({"det_bboxes": [[]] * 3}, logger="silent")


class Numbers(Dataset):
    """Not a COCO data set; evaluates by ``data_infos``."""

    CLASSES = ("n",)

    def __init__(self, values):
        self.data_infos = list(values)

    def __len__(self):
        return len(self.data_infos)

    def __getitem__(self, idx):
        return self.data_infos[idx]

    def evaluate(self, results, logger=None):
        return {"correct": sum(a == b for a, b in zip(results["n"], self.data_infos, strict=True))}


def test_evaluation_as_a_whole_of_other_data_sets():
    first = Numbers([1, 2])
    dataset = ConcatDataset([first, Numbers([3])], separate_eval=False)
    assert dataset.evaluate({"n": [1, 0, 3]}) == {"correct": 2}
    assert first.data_infos == [1, 2]


def test_random_sampling_of_data_sets(video_cfg):
    random.seed(0)
    cfgs = [video_cfg("a.json"), video_cfg("b.json", lengths=(2,)), video_cfg("c.json")]
    dataset = build_dataset(
        {
            "type": "RandomSampleConcatDataset",
            "dataset_cfgs": cfgs,
            "dataset_sampling_weights": [3, 1, 0],
        }
    )
    assert isinstance(dataset, RandomSampleConcatDataset)
    assert len(dataset) == 18
    assert dataset.CLASSES == ("car", "person")
    assert dataset.dataset_sampling_weights == [0.75, 0.25, 0]
    for i, part in enumerate(dataset.datasets):
        part.prepare_data = lambda idx, which=i: (which, idx)
    drawn = [dataset[0] for _ in range(400)]
    assert 250 < sum(which == 0 for which, _ in drawn) < 350
    assert all(which < 2 for which, _ in drawn)
    assert {idx for which, idx in drawn if which == 0} == set(range(8))


def test_random_sampling_draws_again_after_none():
    class Rejecting(Numbers):
        def __getitem__(self, idx):
            return None if idx else 7

    DATASETS.register_module(name="RejectingForTest", module=Rejecting, force=True)
    dataset = RandomSampleConcatDataset([{"type": "RejectingForTest", "values": range(5)}])
    assert [dataset[i] for i in range(5)] == [7] * 5


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")]])
def test_weights_that_do_not_fit(video_cfg, weights):
    with pytest.raises(ValueError, match="dataset_sampling_weights"):
        RandomSampleConcatDataset([video_cfg(), video_cfg()], weights)


def test_mixing_of_images(video_cfg):
    class Pair:
        def get_indexes(self, dataset):
            return [len(dataset) - 1]

        def __call__(self, results):
            other = results["mix_results"][0]["img_info"]["id"]
            return {**results, "ids": (results["img_info"]["id"], other)}

    PIPELINES.register_module(name="PairForTest", module=Pair, force=True)
    for build in (build_dataset, build_det_dataset):
        dataset = build(
            {
                "type": "MultiImageMixDataset",
                "dataset": video_cfg(),
                "pipeline": [{"type": "PairForTest"}],
            }
        )
        assert isinstance(dataset, MultiImageMixDataset)
        assert dataset[0]["ids"] == (100, 202)


# ---------------------------------------------------------------- loaders
class SOT(Numbers):
    def __init__(self, *lengths):
        super().__init__(range(len(lengths)))
        self.num_frames_per_video = list(lengths)

    def __getitem__(self, idx):
        return idx


def loader(dataset, **kwargs):
    return build_dataloader(dataset, **{"samples_per_gpu": 2, "workers_per_gpu": 0, **kwargs})


CASES = [
    ("sot", True, True, None, DistributedSampler),
    ("sot", True, True, -1, DistributedSampler),
    ("sot", True, True, 20, DistributedQuotaSampler),
    ("sot", True, False, None, RandomSampler),
    ("sot", True, False, 20, RandomSampler),
    ("video", True, True, None, DistributedGroupSampler),
    ("video", True, False, None, GroupSampler),
    ("sot", False, True, None, DistributedVideoSampler),
    ("sot", False, False, None, SOTVideoSampler),
    ("video", False, True, None, DistributedVideoSampler),
    ("video", False, False, None, SequentialSampler),
    ("image", False, True, None, DistributedSampler),
    ("image", False, False, None, SequentialSampler),
    ("crops", True, True, None, DistributedSampler),
    ("crops", True, False, None, RandomSampler),
]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(("kind", "train", "dist", "per_epoch", "expected"), CASES, ids=str)
def test_sampler_table(video_cfg, kind, train, dist, per_epoch, expected, wrapped):
    if kind == "sot":
        dataset = SOT(4, 2, 3)
    elif kind == "crops":
        dataset = Numbers(range(9))
    else:
        dataset = build_dataset(video_cfg(test_mode=not train, load_as_video=kind == "video"))
    if wrapped and train:
        dataset = RepeatDataset(dataset, 2)
    elif wrapped and kind != "sot":
        dataset = ConcatDataset([dataset, dataset])
    found = loader(dataset, dist=dist, shuffle=train, samples_per_epoch=per_epoch, seed=1)
    assert type(found.sampler) is expected
    assert found.batch_size == 2
    if per_epoch == 20:
        assert len(found.sampler) == 20
        assert getattr(found.sampler, "replacement", False) is (expected is RandomSampler)


def test_batch_size_of_several_devices():
    found = loader(Numbers(range(12)), num_gpus=3, dist=False, shuffle=False)
    assert found.batch_size == 6
    assert found.num_workers == 0


def test_quota_needs_sot():
    with pytest.raises(ValueError, match="samples_per_epoch is for single object tracking"):
        loader(Numbers(range(9)), samples_per_epoch=5, dist=False)


class RandomDraws(Dataset):
    """Random numbers of the worker that loads the sample."""

    def __len__(self):
        return 8

    def __getitem__(self, idx):
        return torch.tensor([random.random(), np.random.rand(), float(torch.rand(()))])


def draws(seed=5, workers=2, epochs=1, **kwargs):
    found = build_dataloader(
        RandomDraws(), 2, workers, dist=False, shuffle=False, seed=seed, **kwargs
    )
    return [torch.cat([batch for batch in found]).numpy() for _ in range(epochs)]


def test_workers_are_seeded():
    first, second = draws(epochs=2)
    torch.manual_seed(99)  # the state of the main process does not matter
    again = draws(epochs=2)
    np.testing.assert_array_equal(first, again[0])
    np.testing.assert_array_equal(second, again[1])
    assert len(np.unique(np.concatenate([first, second]))) == first.size * 2
    assert not np.array_equal(first, draws(seed=6)[0])


def test_ranks_draw_different_numbers(monkeypatch):
    first = draws()[0]
    monkeypatch.setattr("mmtrack.datasets.builder.get_dist_info", lambda: (1, 2))
    assert len(np.intersect1d(first, draws()[0])) == 0


def test_persistent_workers():
    assert loader(
        RandomDraws(), workers_per_gpu=1, dist=False, shuffle=False, persistent_workers=True
    ).persistent_workers
    assert not loader(
        RandomDraws(), dist=False, shuffle=False, persistent_workers=True
    ).persistent_workers


def test_arguments_of_the_loader_pass_through():
    found = loader(RandomDraws(), dist=False, shuffle=False, drop_last=True, timeout=0)
    assert found.drop_last


@pytest.mark.slow
def test_spawned_workers_read_videos(video_cfg):
    dataset = build_dataset(video_cfg(test_mode=True))
    dataset.pipeline = IdOnly()
    found = build_dataloader(
        dataset, 1, 1, dist=False, shuffle=False, seed=0, multiprocessing_context="spawn"
    )
    assert [int(batch[0]) for batch in found] == dataset.img_ids


class IdOnly:
    def __call__(self, results):
        return results["img_info"]["id"]
