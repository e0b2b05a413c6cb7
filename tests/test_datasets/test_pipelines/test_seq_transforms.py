"""Transforms of lists of frames do to each frame what mmdet's transforms do."""

from __future__ import annotations

import copy

import mmcv
import numpy as np
import pytest
from mmdet.datasets.pipelines import (
    Normalize,
    Pad,
    PhotoMetricDistortion,
    RandomFlip,
    Resize,
)

from mmtrack.datasets.pipelines import (
    PIPELINES,
    SeqNormalize,
    SeqPad,
    SeqPhotoMetricDistortion,
    SeqRandomCrop,
    SeqRandomFlip,
    SeqResize,
)
from mmtrack.datasets.pipelines.normalize import normalize_image, normalize_to_chw

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
NORM = {"mean": MEAN, "std": STD, "to_rgb": True}

SAME_AS_MMDET = {
    "resize": (SeqResize(img_scale=(50, 40)), Resize(img_scale=(50, 40))),
    "resize to size": (
        SeqResize(img_scale=(33, 44), keep_ratio=False, bbox_clip_border=False),
        Resize(img_scale=(33, 44), keep_ratio=False, bbox_clip_border=False),
    ),
    "flip": (SeqRandomFlip(share_params=True, flip_ratio=1.0), RandomFlip(flip_ratio=1.0)),
    "flip vertically": (
        SeqRandomFlip(True, flip_ratio=1.0, direction="vertical"),
        RandomFlip(flip_ratio=1.0, direction="vertical"),
    ),
    "pad": (SeqPad(size_divisor=32), Pad(size_divisor=32)),
    "normalize": (SeqNormalize(**NORM), Normalize(**NORM)),
    "normalize bgr": (SeqNormalize(MEAN, STD, to_rgb=False), Normalize(MEAN, STD, to_rgb=False)),
}


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(("seq", "plain"), SAME_AS_MMDET.values(), ids=SAME_AS_MMDET.keys())
def test_every_frame_is_transformed_as_mmdet_does(make_frames, assert_same, seq, plain, dtype):
    frames = make_frames(dtype=dtype, masks=True, seg=True)
    expected = [plain(copy.deepcopy(frame)) for frame in frames]
    found = seq(frames)
    for frame in (*expected, *found):
        frame.pop("scale_idx", None)
    assert_same(found, expected)


def scales(frames):
    return [frame["img"].shape for frame in frames]


def test_shared_scale_is_drawn_once(make_frames):
    args = {"img_scale": [(90, 30), (200, 150)], "keep_ratio": False}
    for seed in range(5):
        np.random.seed(seed)
        shared = SeqResize(share_params=True, **args)(make_frames(6))
        assert len(set(scales(shared))) == 1
        own = SeqResize(share_params=False, **args)(make_frames(6))
        assert len(set(scales(own))) > 1
        factor = shared[0]["scale_factor"]
        expected = np.clip(make_frames(6)[5]["gt_bboxes"] * factor, 0, None)
        np.testing.assert_allclose(shared[5]["gt_bboxes"], expected, rtol=1e-6)


def test_shared_scale_may_be_overridden(make_frames):
    frames = SeqResize(img_scale=(80, 60))(make_frames(3))
    frames = SeqResize(img_scale=(40, 30), override=True)(frames)
    assert scales(frames) == [(30, 40, 3)] * 3


def test_shared_flip_is_drawn_once(make_frames):
    shared, own = [], []
    for seed in range(8):
        np.random.seed(seed)
        shared.append([f["flip"] for f in SeqRandomFlip(True, flip_ratio=0.5)(make_frames(8))])
        own.append([f["flip"] for f in SeqRandomFlip(False, flip_ratio=0.5)(make_frames(8))])
    assert all(len(set(flips)) == 1 for flips in shared)
    assert len({flips[0] for flips in shared}) == 2
    assert any(len(set(flips)) == 2 for flips in own)


def test_share_params_of_flip_is_mandatory():
    with pytest.raises(TypeError, match="share_params"):
        SeqRandomFlip(flip_ratio=0.5)


# ------------------------------------------------------------------ normalisation
@pytest.mark.parametrize("to_rgb", [True, False])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "flipped", "cropped"])
def test_normalisation_has_the_bits_of_mmcv(kind, to_rgb):
    img = np.random.default_rng(3).integers(0, 256, (37, 53, 3)).astype(np.uint8)
    if kind.startswith("float"):
        img = img.astype(kind) + np.array(0.25, kind)
    img = {"flipped": img[:, ::-1], "cropped": img[4:30, 7:40]}.get(kind, img)
    before = img.copy()
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)
    expected = mmcv.imnormalize(img, mean, std, to_rgb)
    found = normalize_image(img, mean, std, to_rgb)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    padded = normalize_to_chw(img, mean, std, to_rgb, (64, 60), (1, 2, 3))
    np.testing.assert_array_equal(
        padded[:, : img.shape[0], : img.shape[1]].transpose(1, 2, 0), found
    )
    for channel in range(3):
        assert (padded[channel, img.shape[0] :] == channel + 1).all()
        assert (padded[channel, :, img.shape[1] :] == channel + 1).all()
    np.testing.assert_array_equal(img, before)


def test_normalisation_refuses_to_crop():
    with pytest.raises(ValueError, match="cannot pad"):
        normalize_to_chw(np.zeros((8, 8, 3), np.uint8), MEAN, STD, True, (8, 7))


# ------------------------------------------------------------------ crop
def test_crop_cuts_image_boxes_masks_and_map(make_frames):
    frame = make_frames(1, masks=True, seg=True)[0]
    whole = copy.deepcopy(frame)
    crop = SeqRandomCrop((30, 40), bbox_clip_border=True)
    found = crop.random_crop(frame, (11, 23))
    assert found["img_info"]["crop_offsets"] == (11, 23)
    assert found["img_shape"] == (30, 40, 3)
    np.testing.assert_array_equal(found["img"], whole["img"][11:41, 23:63])
    np.testing.assert_array_equal(found["gt_semantic_seg"], whole["gt_semantic_seg"][11:41, 23:63])
    kept = []
    for i, (x1, y1, x2, y2) in enumerate(whole["gt_bboxes"]):  # brute force, box by box
        box = [max(x1 - 23, 0), max(y1 - 11, 0), min(x2 - 23, 40), min(y2 - 11, 30)]
        if box[2] > box[0] and box[3] > box[1]:
            kept.append((i, box))
    rows = [i for i, _ in kept]
    assert 0 < len(rows) < 4
    np.testing.assert_allclose(found["gt_bboxes"], [box for _, box in kept], rtol=1e-5)
    for key in ("gt_labels", "gt_instance_ids"):
        np.testing.assert_array_equal(found[key], whole[key][rows])
    np.testing.assert_array_equal(
        found["gt_masks"].masks, whole["gt_masks"].masks[rows, 11:41, 23:63]
    )


def test_crop_without_clipping_keeps_the_whole_box(make_frames):
    frame = make_frames(1, boxes=1)[0]
    frame["gt_bboxes"] = np.array([[-5, 10, 30, 50]], np.float32)
    found = SeqRandomCrop((20, 20)).random_crop(frame, (15, 10))
    assert found["gt_bboxes"].tolist() == [[-15, -5, 20, 35]]


@pytest.mark.parametrize("allow", [False, True])
def test_crop_without_boxes_is_skipped_unless_allowed(make_frames, allow):
    frames = make_frames(2, boxes=1)
    frames[1]["gt_bboxes"] = np.array([[60, 40, 70, 50]], np.float32)
    frames[0]["gt_bboxes"] = np.array([[0, 0, 5, 5]], np.float32)
    crop = SeqRandomCrop((10, 10), allow_negative_crop=allow)
    crop.get_offsets = lambda img: (0, 0)
    found = crop(frames)
    if allow:
        assert [len(frame["gt_bboxes"]) for frame in found] == [1, 0]
    else:
        assert found is None


def test_small_images_are_not_cropped(make_frames, assert_same):
    frames = make_frames(2)
    expected = copy.deepcopy(frames)
    found = SeqRandomCrop((1088, 1088))(frames)
    assert [f["img_info"].pop("crop_offsets") for f in found] == [(0, 0)] * 2
    assert_same(found, expected)


def test_crop_place_is_shared_on_request(make_frames):
    def places(share):
        np.random.seed(0)
        found = SeqRandomCrop((9, 9), allow_negative_crop=True, share_params=share)(make_frames(6))
        return {frame["img_info"]["crop_offsets"] for frame in found}

    assert len(places(True)) == 1
    assert len(places(False)) > 1


def test_the_infos_of_the_data_set_are_not_changed(make_frames):
    frames = make_frames(2)
    infos = [frame["img_info"] for frame in frames]
    before = copy.deepcopy(infos)
    SeqPhotoMetricDistortion()(SeqRandomCrop((9, 9), allow_negative_crop=True)(frames))
    assert infos == before


# ------------------------------------------------------------------ colours
def test_distortion_is_that_of_mmdet(make_frames):
    for seed in range(25):
        frame = make_frames(1, dtype=np.float32)[0]
        np.random.seed(seed)
        expected = PhotoMetricDistortion()(copy.deepcopy(frame))["img"]
        np.random.seed(seed)
        found = SeqPhotoMetricDistortion()([frame])[0]["img"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)
        assert found.dtype == np.float32


def test_distortion_is_shared(make_frames):
    frames = make_frames(2)
    frames[1]["img"] = frames[0]["img"].copy()
    np.random.seed(1)
    first, second = SeqPhotoMetricDistortion(share_params=True)(copy.deepcopy(frames))
    np.testing.assert_array_equal(first["img"], second["img"])
    assert first["img_info"]["color_jitter"] is second["img_info"]["color_jitter"]
    first, second = SeqPhotoMetricDistortion(share_params=False)(frames)
    assert not np.array_equal(first["img"], second["img"])


@pytest.mark.parametrize(
    "step",
    [
        {"type": "SeqResize", "img_scale": (8, 8)},
        {"type": "SeqRandomCrop", "crop_size": (8, 8)},
        {"type": "SeqPhotoMetricDistortion"},
        {"type": "SeqNormalize", **NORM},
    ],
)
def test_steps_describe_themselves(step):
    assert type(PIPELINES.build(step)).__name__ in repr(PIPELINES.build(step))
