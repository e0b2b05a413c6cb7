"""The last epochs of YOLOX: augmentation off, L1 loss on."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
import torch
from mmcv.parallel import MMDataParallel
from mmcv.runner import HOOKS
from mmdet.datasets import ConcatDataset, MultiImageMixDataset, RepeatDataset
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.hook import YOLOXModeSwitchHook


class Images(Dataset):
    CLASSES = ("a",)
    PALETTE = None

    def __init__(self):
        self.flag = torch.zeros(4).numpy()

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"index": index}


def mixed():
    return MultiImageMixDataset(Images(), pipeline=[])


DATASETS = {
    "mixed": (mixed(), lambda d: [d]),
    "repeated": (RepeatDataset(mixed(), 2), lambda d: [d.dataset]),
    "concatenated": (ConcatDataset([mixed(), mixed()]), lambda d: d.datasets),
    "both": (RepeatDataset(ConcatDataset([mixed()]), 2), lambda d: d.dataset.datasets),
}


def tracker():
    model = torch.nn.Module()
    model.detector = detector()
    return model


def detector():
    model = torch.nn.Module()
    model.bbox_head = torch.nn.Module()
    model.bbox_head.use_l1 = False
    return model


MODELS = {
    "tracker": (tracker, lambda m: m.detector),
    "detector": (detector, lambda m: m),
    "wrapped": (lambda: MMDataParallel(tracker(), device_ids=[-1]), lambda m: m.module.detector),
}


def runner(model, dataset, **loader):
    return SimpleNamespace(
        epoch=0,
        max_epochs=10,
        model=model,
        data_loader=DataLoader(dataset, **loader),
        logger=logging.getLogger("test"),
    )


@pytest.mark.parametrize(("dataset", "inner"), DATASETS.values(), ids=DATASETS)
@pytest.mark.parametrize(("make", "find"), MODELS.values(), ids=MODELS)
def test_switches_once(dataset, inner, make, find):
    for mixer in inner(dataset):
        mixer._skip_type_keys = None
    model = make()
    run = runner(model, dataset)
    hook = HOOKS.build(dict(type="YOLOXModeSwitchHook", num_last_epochs=3))
    assert type(hook) is YOLOXModeSwitchHook
    states = []
    for run.epoch in range(10):
        hook.before_train_epoch(run)
        states.append(find(model).bbox_head.use_l1)
        skipped = {mixer._skip_type_keys for mixer in inner(dataset)}
        assert skipped == {("Mosaic", "RandomAffine", "MixUp") if states[-1] else None}
    # the switch comes before epoch 7 of 10, counted from 1, as in mmdet
    assert states == [False] * 6 + [True] * 4


def test_switches_when_a_run_is_resumed_within_the_last_epochs():
    model = tracker()
    run = runner(model, mixed())
    run.epoch = 9
    YOLOXModeSwitchHook(num_last_epochs=3).before_train_epoch(run)
    assert model.detector.bbox_head.use_l1


def test_persistent_workers_see_the_new_pipeline():
    """Workers are processes with a copy of the data set; they must be started anew."""

    class Flagged(Images):
        _skip_type_keys = ()

        def update_skip_type_keys(self, keys):
            self._skip_type_keys = keys

        def __getitem__(self, index):
            return len(self._skip_type_keys)

    run = runner(tracker(), Flagged(), num_workers=1, persistent_workers=True)
    assert list(run.data_loader) == [0, 0, 0, 0]
    run.epoch = 7
    YOLOXModeSwitchHook(num_last_epochs=3).before_train_epoch(run)
    assert list(run.data_loader) == [3, 3, 3, 3]


def test_nothing_to_switch_off():
    run = runner(tracker(), Images())
    run.epoch = 9
    with pytest.raises(ValueError, match="MultiImageMixDataset"):
        YOLOXModeSwitchHook().before_train_epoch(run)
