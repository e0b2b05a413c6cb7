"""Fused steps give the bits of the steps that they replace, and replace no others."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
from mmdet.datasets.builder import PIPELINES
from mmdet.datasets.pipelines import Compose, LoadImageFromFile, Normalize

from mmtrack.datasets.pipelines import ImageReadError, build_pipeline, optimize_pipeline
from mmtrack.datasets.pipelines.fused import NormalizePadToTensor, SeqNormalizePad

NORM = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
PADS = {
    "divisor": {"size_divisor": 32},
    "size": {"size": (96, 128)},
    "smaller size": {"size": (20, 128)},
    "square": {"pad_to_square": True},
    "value": {"size_divisor": 32, "pad_val": {"img": (114.0, 1.0, 2.0)}},
}


def single_image_config(pad, flip=False, to_float32=False, norm=NORM):
    return [
        {"type": "LoadImageFromFile", "to_float32": to_float32},
        {
            "type": "MultiScaleFlipAug",
            "img_scale": [(50, 40), (70, 90)],
            "flip": flip,
            "transforms": [
                {"type": "Resize", "keep_ratio": True},
                {"type": "RandomFlip"},
                {"type": "Normalize", **norm},
                {"type": "Pad", **pad},
                {"type": "ImageToTensor", "keys": ["img"]},
                {
                    "type": "VideoCollect",
                    "keys": ["img"],
                    "meta_keys": ("pad_fixed_size", "pad_size_divisor"),
                },
            ],
        },
    ]


@pytest.fixture(name="sample")
def _sample(tmp_path):
    img = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), img)
    return {"img_prefix": str(tmp_path), "img_info": {"filename": "a.png", "frame_id": 3}}


@pytest.mark.parametrize(
    "variant",
    [{}, {"flip": True}, {"to_float32": True}, {"norm": {**NORM, "to_rgb": False}}],
    ids=str,
)
@pytest.mark.parametrize("pad", PADS.values(), ids=PADS.keys())
def test_single_images(sample, assert_same, pad, variant):
    config = single_image_config(pad, **variant)
    plain, fast = Compose(copy.deepcopy(config)), build_pipeline(config)
    kinds = [type(step) for step in fast.transforms[1].transforms.transforms]
    assert NormalizePadToTensor in kinds
    assert Normalize not in kinds
    for _ in range(2):  # steps keep no state
        assert_same(fast(copy.deepcopy(sample)), plain(copy.deepcopy(sample)))


def test_images_of_reid(sample, assert_same):
    config = [
        {"type": "LoadImageFromFile"},
        {"type": "Resize", "img_scale": (32, 64), "keep_ratio": False},
        {"type": "Normalize", **NORM},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"], "meta_keys": []},
    ]
    fast = build_pipeline(config)
    assert len(fast.transforms) == 4
    assert_same(fast(copy.deepcopy(sample)), Compose(config)(copy.deepcopy(sample)))


SEQ = [
    {"type": "SeqResize", "img_scale": (50, 40)},
    {"type": "SeqRandomFlip", "share_params": True, "flip_ratio": 1.0},
    {"type": "SeqNormalize", **NORM},
    {"type": "SeqPad", "size_divisor": 32},
]
KEYS = ["img", "gt_bboxes", "gt_labels", "gt_masks", "gt_semantic_seg"]
COLLECT = [{"type": "VideoCollect", "keys": KEYS}, {"type": "ConcatVideoReferences"}]
LISTS = {
    "training": [*SEQ, *COLLECT, {"type": "SeqDefaultFormatBundle"}],
    "testing": [
        *SEQ,
        {"type": "VideoCollect", "keys": ["img"]},
        {"type": "ConcatVideoReferences"},
        {"type": "MultiImagesToTensor"},
        {"type": "ToList"},
    ],
    "pair": [
        *SEQ,
        {"type": "MatchInstances"},
        {"type": "VideoCollect", "keys": [*KEYS, "gt_match_indices"]},
        {"type": "SeqDefaultFormatBundle"},
    ],
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("config", LISTS.values(), ids=LISTS.keys())
def test_lists_of_frames(make_frames, assert_same, config, dtype):
    frames = make_frames(2, dtype=dtype, masks=True, seg=True)
    fast = build_pipeline(config)
    assert SeqNormalizePad in [type(step) for step in fast.transforms]
    expected = Compose(config)(copy.deepcopy(frames))
    assert_same(fast(frames), expected)


def test_steps_of_others_keep_their_place(make_frames, assert_same):
    """A step that may want plain memory follows: nothing is replaced."""
    config = [*SEQ, {"type": "SeqRandomCrop", "crop_size": (20, 20)}]
    fast = build_pipeline(config)
    assert [type(s) for s in fast.transforms] == [type(s) for s in Compose(config).transforms]


def test_subclasses_are_left_alone():
    class Louder(Normalize):
        pass

    pipeline = Compose(
        [Louder(**NORM), PIPELINES.build({"type": "ImageToTensor", "keys": ["img"]})]
    )
    assert optimize_pipeline(pipeline).transforms == pipeline.transforms


def test_the_given_pipeline_is_not_changed():
    pipeline = Compose([{"type": "LoadImageFromFile"}])
    optimize_pipeline(pipeline)
    assert type(pipeline.transforms[0]) is LoadImageFromFile


def test_grey_images_take_the_plain_path(tmp_path, assert_same):
    cv2.imwrite(str(tmp_path / "a.png"), np.arange(64, dtype=np.uint8).reshape(8, 8))
    config = [
        {"type": "LoadImageFromFile", "color_type": "grayscale"},
        {"type": "Normalize", "mean": [1.0], "std": [2.0], "to_rgb": False},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"], "meta_keys": []},
    ]
    sample = {"img_prefix": str(tmp_path), "img_info": {"filename": "a.png"}}
    expected = Compose(config)(copy.deepcopy(sample))
    assert_same(build_pipeline(config)(sample), expected)


def test_unreadable_images_are_named(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    sample = {"img_prefix": str(tmp_path), "img_info": {"filename": "a.jpg"}}
    with pytest.raises(ImageReadError, match=r"a\.jpg"):
        build_pipeline(single_image_config(PADS["divisor"]))(sample)
