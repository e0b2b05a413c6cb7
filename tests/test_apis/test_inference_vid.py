"""inference_vid: detectors of several frames on frames that come one after the other."""

from __future__ import annotations

import cv2
import mmcv
import numpy as np
import pytest
import torch
from tiny_video_detectors import AGGREGATOR, FLOWNET, Calls, Video, detector, run

from mmtrack.apis import inference_vid, init_model

NORM = {"mean": [120.0, 110.0, 100.0], "std": [60.0, 58.0, 56.0], "to_rgb": True}
SEVERAL = [
    {"type": "LoadMultiImagesFromFile"},
    {"type": "SeqResize", "img_scale": (96, 64), "keep_ratio": True},
    {"type": "SeqRandomFlip", "share_params": True, "flip_ratio": 0.0},
    {"type": "SeqNormalize", **NORM},
    {"type": "SeqPad", "size_divisor": 16},
    {"type": "VideoCollect", "keys": ["img"], "meta_keys": ("num_left_ref_imgs", "frame_stride")},
    {"type": "ConcatVideoReferences"},
    {"type": "MultiImagesToTensor", "ref_prefix": "ref"},
    {"type": "ToList"},
]
ALONE = [
    {"type": "LoadImageFromFile"},
    {
        "type": "MultiScaleFlipAug",
        "img_scale": (96, 64),
        "flip": False,
        "transforms": [
            {"type": "Resize", "keep_ratio": True},
            {"type": "RandomFlip"},
            {"type": "Normalize", **NORM},
            {"type": "Pad", "size_divisor": 16},
            {"type": "ImageToTensor", "keys": ["img"]},
            {"type": "VideoCollect", "keys": ["img"]},
        ],
    },
]
MODELS = {
    "DFF": {"detector": detector(), "motion": FLOWNET, "test_cfg": {"key_frame_interval": 3}},
    "FGFA": {"detector": detector(), "motion": FLOWNET, "aggregator": AGGREGATOR},
    "SELSA": {"detector": detector(selsa=True)},
}


def build(kind):
    torch.manual_seed(0)
    pipeline = ALONE if kind == "DFF" else SEVERAL
    config = mmcv.Config(
        {
            "model": {"type": kind, **MODELS[kind]},
            "data": {"test": {"pipeline": pipeline, "classes": ["a", "b", "c"]}},
        }
    )
    return init_model(config, device="cpu")


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 255, (7, 64, 96, 3), dtype=np.uint8)


def detect(model, frames, **sampler):
    options = {"ref_img_sampler": sampler} if sampler else {}
    found = [inference_vid(model, frame, i, **options) for i, frame in enumerate(frames)]
    return [frame["det_bboxes"] for frame in found]


def assert_equal(first, second):
    for a, b in zip(first, second, strict=True):
        assert sum(map(len, a)) > 0
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, atol=1e-4)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("stride", [1, 3])
def test_agrees_with_a_window_of_earlier_frames(kind, stride, frames):
    model = build(kind)
    found = detect(model, frames, frame_stride=stride, num_left_ref_imgs=2)
    video = Video(len(frames), left=2, right=0, stride=stride)
    colors = (frames[..., ::-1] - np.array(NORM["mean"])) / np.array(NORM["std"])
    video.frames = [torch.from_numpy(c.astype(np.float32)).permute(2, 0, 1)[None] for c in colors]
    meta = video.meta
    norm = {"mean": np.array(NORM["mean"]), "std": np.array(NORM["std"]), "to_rgb": True}
    video.meta = lambda t: {**meta(t), "img_norm_cfg": norm}
    assert_equal(found, run(model, video, references=kind != "DFF"))


@pytest.mark.parametrize("kind", MODELS)
def test_files_and_arrays_give_the_same(kind, frames, tmp_path):
    model = build(kind)
    paths = [str(tmp_path / f"{i}.png") for i in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        cv2.imwrite(path, frame)
    assert_equal(detect(model, paths), detect(model, frames))


def test_the_first_frame_passes_the_backbone_once(frames):
    model = build("SELSA")
    calls = Calls(model.detector.backbone)
    detect(model, frames)
    assert calls.images == len(frames)


def test_input_is_not_changed(frames):
    before = frames.copy()
    for kind in MODELS:
        detect(build(kind), frames[:2])
    assert (frames == before).all()


def test_sampler_is_checked(frames):
    model = build("SELSA")
    with pytest.raises(ValueError, match="frame_stride >= 1"):
        detect(model, frames, frame_stride=0, num_left_ref_imgs=2)
    with pytest.raises(KeyError, match="has no num_left_ref_imgs"):
        detect(model, frames, frame_stride=1)
