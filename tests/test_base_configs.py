"""Parts of configs that only configs of users inherit: the settings that mmdet publishes."""

from __future__ import annotations

from pathlib import Path

import mmdet
import pytest
import torch
from mmcv import Config

from mmtrack.models import build_detector

BASES = Path(__file__).resolve().parents[1] / "configs" / "_base_"
PUBLISHED = Path(mmdet.__file__).parent / ".mim" / "configs" / "_base_"
MODELS = (
    "cascade_mask_rcnn_r50_fpn",
    "cascade_rcnn_r50_fpn",
    "faster_rcnn_r50_caffe_c4",
    "retinanet_r50_fpn",
)
DATASETS = ("coco_detection", "coco_instance", "coco_instance_semantic")
LVIS = ("lvis_v0.5_instance", "lvis_v1_instance")

pytestmark = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="mmdet came without its configs")


def leaves(node, path=""):
    """Dotted path, value and kind of everything in a config."""
    if isinstance(node, dict | list | tuple) and node:
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            yield from leaves(value, f"{path}.{key}")
        yield path, "tuple" if isinstance(node, tuple) else None
    else:
        yield path, node


def load(folder: Path, name: str) -> Config:
    return Config.fromfile(str(folder / f"{name}.py"))


def differences(ours, published) -> dict:
    have, want = dict(leaves(ours)), dict(leaves(published))
    keys = (key for key in {*have, *want} if have.get(key, "-") != want.get(key, "-"))
    return {key: (have.get(key, "-"), want.get(key, "-")) for key in keys}


@pytest.mark.parametrize("name", MODELS)
def test_models_are_those_of_mmdet(name):
    ours = load(BASES / "models", name).model.detector
    published = load(PUBLISHED / "models", name).model
    # a part that is missing there is None here
    assert {k: v for k, v in differences(ours, published).items() if v != (None, "-")} == {}


@pytest.mark.parametrize("name", MODELS)
def test_models_build_with_the_weights_of_mmdet(name):
    with torch.device("meta"):
        ours = build_detector(load(BASES / "models", name).model.detector).state_dict()
        published = build_detector(load(PUBLISHED / "models", name).model).state_dict()
    assert list(ours) == list(published)
    assert [v.shape for v in ours.values()] == [v.shape for v in published.values()]


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_are_those_of_mmdet(name):
    ours = load(BASES / "datasets", name)._cfg_dict
    published = load(PUBLISHED / "datasets", name)._cfg_dict
    found = differences(ours, published)
    # RandomFlip takes the probability of tests from MultiScaleFlipAug, which sets it to none
    assert {k: v for k, v in found.items() if v != ("-", 0.5)} == {}


@pytest.mark.parametrize("name", LVIS)
def test_lvis_is_that_of_mmdet(name):
    """With the pipeline of the training, which every user of mmdet's file has to add."""
    ours = load(BASES / "datasets", name).data
    published = load(PUBLISHED / "datasets", name).data
    assert ours.train.dataset.pop("pipeline")[-1]["keys"] == [
        "img", "gt_bboxes", "gt_labels", "gt_masks",
    ]  # fmt: skip
    assert differences(ours, published) == {}
