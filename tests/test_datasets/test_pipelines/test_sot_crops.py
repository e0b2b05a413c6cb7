"""Crops of templates and search regions against slow, independent ones."""

import cv2
import numpy as np
import pytest

from mmtrack.datasets.pipelines import (
    LoadMultiImagesFromFile,
    SeqCropLikeSiamFC,
    SeqCropLikeStark,
    SeqGrayAug,
    SeqRandomFlip,
    build_pipeline,
    build_sot_pipeline,
)
from mmtrack.datasets.pipelines.sot_crops import channel_means, crop_region

SIZE = (90, 120)


def image(seed=0, size=SIZE, dtype=np.uint8):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)
    return cv2.GaussianBlur(pixels, (7, 7), 0).astype(dtype)


def sample_bilinear(img, x, y, padding):
    """Value of an image at a place; pixels outside have the colour of the padding."""
    left, top = int(np.floor(x)), int(np.floor(y))
    value = np.zeros(3)
    for row in (top, top + 1):
        for column in (left, left + 1):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            inside = 0 <= row < img.shape[0] and 0 <= column < img.shape[1]
            value += weight * (img[row, column] if inside else padding)
    return value


@pytest.mark.parametrize(
    "region",
    [(20, 10, 70, 60), (-30.3, -20.6, 50.2, 60.1), (80.5, 60.25, 150, 129.75), (-9, -9, 130, 130)],
    ids=["inside", "top left", "bottom right", "around"],
)
def test_crop_samples_the_region(region):
    img, padding, size = image(), np.array([10.0, 200, 90]), 41
    crop = crop_region(img, np.array(region, float), size, padding, to_float32=True)
    assert crop.dtype == np.float32
    x1, y1, x2, y2 = region
    expected = np.zeros((size, size, 3))
    for i in range(size):
        for j in range(size):
            x, y = x1 + j * (x2 - x1) / size, y1 + i * (y2 - y1) / size
            expected[i, j] = sample_bilinear(img.astype(float), x, y, padding)
    # OpenCV rounds places to 1/32 of a pixel
    np.testing.assert_allclose(crop, expected, atol=4.5)
    assert np.abs(crop - expected).mean() < 0.3


@pytest.mark.parametrize("seed", range(8))
def test_crop_of_bytes_equals_crop_of_the_float_frame(seed):
    rng = np.random.default_rng(seed)
    img = image(seed, (270, 480))
    center, side = rng.uniform(-30, (510, 300)), rng.uniform(40, 400)
    region = np.concatenate((center - side / 2, center + side / 2))
    padding = channel_means(img)
    scale = 255 / side
    mapping = np.array([[scale, 0, -scale * region[0]], [0, scale, -scale * region[1]]])
    whole = cv2.warpAffine(
        img.astype(np.float32),
        mapping,
        (255, 255),
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=tuple(padding),
    )
    crop = crop_region(img, region, 255, padding, to_float32=True)
    np.testing.assert_allclose(crop, whole, atol=5e-3)
    crop = crop_region(img, region, 255, padding)
    assert crop.dtype == np.uint8
    np.testing.assert_allclose(crop, whole, atol=1)


@pytest.mark.parametrize("to_float32", [True, False])
def test_crop_far_outside_is_padding(to_float32):
    region, padding = np.array([500.0, 500, 600, 600]), np.array([1.0, 2.75, 3])
    crop = crop_region(image(), region, 31, padding, to_float32=to_float32)
    expected = [1, 2.75, 3] if to_float32 else [1, 3, 3]
    np.testing.assert_array_equal(crop, np.broadcast_to(expected, (31, 31, 3)))
    assert crop.dtype == (np.float32 if to_float32 else np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_means(dtype):
    img = image(3, dtype=dtype)
    np.testing.assert_allclose(channel_means(img), img.astype(np.float64).mean((0, 1)), rtol=1e-9)


# ---------------------------------------------------------------- SiamFC
def test_box_of_a_siamese_crop():
    """Hand numbers: 30 x 10 with a margin of 10 on each side is 50 x 30."""
    frame = {"img": image(), "gt_bboxes": np.array([[40, 30, 70, 40]], np.float32)}
    found = SeqCropLikeSiamFC(context_amount=0.5, exemplar_size=60, crop_size=121)([frame])[0]
    scale = 60 / np.sqrt(50 * 30)
    expected = [60 - 15 * scale, 60 - 5 * scale, 60 + 15 * scale, 60 + 5 * scale]
    np.testing.assert_allclose(found["gt_bboxes"], [expected], rtol=1e-6)
    assert found["gt_bboxes"].dtype == np.float32
    assert found["img"].shape == found["img_shape"] == (121, 121, 3)
    # the object is where the box says: the crop shows the box at 40 + (x - x1) / scale
    x, y = expected[:2]
    at = cv2.getRectSubPix(found["img"], (1, 1), (x + 0.5, y + 0.5))[0, 0]
    np.testing.assert_allclose(at, frame_value(frame=image(), x=40, y=30), atol=12)


def frame_value(frame, x, y):
    return frame[y, x].astype(float)


def test_siamese_crop_is_padded_with_the_mean():
    img = image(dtype=np.float32)
    frame = {"img": img, "gt_bboxes": np.array([[0, 0, 20, 20.0]])}
    crop = SeqCropLikeSiamFC(exemplar_size=31, crop_size=127)([frame])[0]["img"]
    np.testing.assert_allclose(crop[:40, :40], np.broadcast_to(img.mean((0, 1)), (40, 40, 3)))


# ---------------------------------------------------------------- STARK
def slow_stark(img, bbox, factor, size):
    """Crop of the padded frame; a pixel at the far border counts as padding."""
    x1, y1, x2, y2 = bbox
    side = int(np.ceil(np.sqrt((x2 - x1) * (y2 - y1)) * factor))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    height, width = img.shape[:2]
    patch, mask = np.zeros((side, side, 3), img.dtype), np.ones((side, side), np.float32)
    drop_column, drop_row = left + side >= width, top + side >= height
    for i in range(side):
        for j in range(side):
            row, column = top + i, left + j
            if 0 <= row < height - drop_row and 0 <= column < width - drop_column:
                patch[i, j], mask[i, j] = img[row, column], 0
    mask = cv2.resize(mask, (size, size)) > 0
    return cv2.resize(patch, (size, size)), size / side, mask


@pytest.mark.parametrize(
    "bbox",
    [
        (40, 30, 60, 55),
        (2, 3, 30, 25),
        (90.4, 60.2, 118.7, 88.1),
        (-40, 20, -20, 40),
        (100, 30, 140, 60),
    ],
    ids=["inside", "top left", "bottom right", "outside", "across"],
)
@pytest.mark.parametrize("factor", [2, 5])
def test_stark_crop(bbox, factor):
    step = SeqCropLikeStark([factor], [64])
    crop, scale, mask = step.crop_like_stark(image(), np.array(bbox), factor, 64)
    expected = slow_stark(image(), bbox, factor, 64)
    np.testing.assert_array_equal(crop, expected[0])
    assert scale == expected[1]
    np.testing.assert_array_equal(mask, expected[2])
    assert mask.dtype == bool


@pytest.mark.parametrize("bbox", [(500, 500, 520, 530), (-90, -80, -60, -50)])
def test_stark_crop_far_outside(bbox):
    crop, _, mask = SeqCropLikeStark([2], [32]).crop_like_stark(image(), np.array(bbox), 2, 32)
    assert crop.shape == (32, 32, 3)
    assert not crop.any()
    assert mask.all()


def test_box_of_a_stark_crop():
    step = SeqCropLikeStark([2], [64])
    box = step.generate_box([14, 20, 24, 40], [10, 20, 20, 40], 2.0, 64)
    np.testing.assert_allclose(box, [31.5 + 8 - 10, 31.5 - 20, 31.5 + 8 + 10, 31.5 + 20])
    np.testing.assert_allclose(
        step.generate_box([14, 20, 24, 40], [10, 20, 20, 40], 2.0, 64, normalize=True), box / 64
    )


def test_stark_frames():
    frames = [
        {
            "img": image(),
            "gt_bboxes": np.array([[40, 30, 60, 55.0]]),
            "jittered_bboxes": np.array([[38, 31, 62, 50.0]]),
        }
        for _ in range(2)
    ]
    found = SeqCropLikeStark([2, 5], [32, 80])(frames)
    for frame, factor, size in zip(found, (2, 5), (32, 80), strict=True):
        expected = slow_stark(image(), (38, 31, 62, 50), factor, size)
        np.testing.assert_array_equal(frame["img"], expected[0])
        np.testing.assert_array_equal(frame["padding_mask"], expected[2])
        assert frame["gt_bboxes"].shape == (1, 4)
        assert frame["gt_bboxes"].dtype == np.float64
        assert frame["img_shape"] == (size, size, 3)
    with pytest.raises(ValueError, match="has sizes for 2 frames, got 1"):
        SeqCropLikeStark([2, 5], [32, 80])(frames[:1])
    with pytest.raises(ValueError, match="need one value for each frame"):
        SeqCropLikeStark([2, 5], [32])


@pytest.mark.parametrize("flip_ratio", [0.0, 1.0])
def test_mask_is_flipped_with_the_crop(flip_ratio):
    box = np.array([[2, 30, 22, 50.0]])  # the crop leaves the image on the left
    frame = {"img": image() // 2 + 100, "gt_bboxes": box, "jittered_bboxes": box}
    frame |= {"img_fields": ["img"], "bbox_fields": ["gt_bboxes"], "seg_fields": []}
    flip = SeqRandomFlip(share_params=False, flip_ratio=flip_ratio)
    found = flip(SeqCropLikeStark([5], [64])([frame]))[0]
    assert found["padding_mask"].any()
    # padding is black, the image is not
    inside = ~found["padding_mask"]
    assert (found["img"][inside] >= 100).all()
    assert found["padding_mask"][:, 0].all() == (flip_ratio == 0)


@pytest.mark.parametrize("bbox", [(5, 5, 5, 9), (5, 5, 4, 9), (5, 5, 9, np.nan)])
def test_boxes_without_area_cannot_be_cropped(bbox):
    with pytest.raises(ValueError, match="it has no area"):
        SeqCropLikeStark([2], [32]).crop_like_stark(image(), np.array(bbox), 2, 32)


# ---------------------------------------------------------------- frames stay bytes
SIAM = [{"type": "SeqCropLikeSiamFC"}]
STARK = [
    {"type": "SeqGrayAug", "prob": 0.5},
    {"type": "SeqRandomFlip", "share_params": True, "flip_ratio": 0.5},
    {
        "type": "SeqBboxJitter",
        "center_jitter_factor": [0, 4.5],
        "scale_jitter_factor": [0, 0.5],
        "crop_size_factor": [2, 5],
    },
    {"type": "SeqCropLikeStark", "crop_size_factor": [2, 5], "output_size": [64, 160]},
]


@pytest.mark.parametrize("crops", [SIAM, STARK], ids=["siam", "stark"])
def test_crops_of_bytes_equal_crops_of_floats(tmp_path, crops):
    for t in range(2):
        cv2.imwrite(str(tmp_path / f"{t}.png"), image(t))
    steps = [
        {"type": "LoadMultiImagesFromFile", "to_float32": True},
        {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": False},
        *crops,
    ]
    plain, fast = build_pipeline(steps), build_sot_pipeline(steps)
    assert plain.transforms[0].to_float32
    assert not fast.transforms[0].to_float32
    for seed in range(6):
        found = []
        for pipeline in (plain, fast):
            np.random.seed(seed)
            frames = [
                {
                    "img_prefix": str(tmp_path),
                    "img_info": {"filename": f"{t}.png"},
                    "ann_info": {"bboxes": np.array([[40, 30, 62, 55.0]])},
                    "bbox_fields": [],
                }
                for t in range(2)
            ]
            found.append(pipeline(frames))
        for left, right in zip(*found, strict=True):
            assert right["img"].dtype == np.float32
            np.testing.assert_allclose(left["img"], right["img"], atol=2e-3)
            np.testing.assert_array_equal(left["gt_bboxes"], right["gt_bboxes"])


@pytest.mark.parametrize(
    "between",
    [{"type": "SeqPhotoMetricDistortion"}, {"type": "SeqResize", "img_scale": (40, 40)}],
)
def test_other_steps_keep_their_floats(between):
    steps = [{"type": "LoadMultiImagesFromFile", "to_float32": True}, between, *SIAM]
    assert build_sot_pipeline(steps).transforms[0].to_float32


def test_without_a_crop_frames_become_floats():
    steps = [LoadMultiImagesFromFile(to_float32=True), SeqGrayAug(0.5)]
    pipeline = build_sot_pipeline(steps)
    assert pipeline.transforms[0].to_float32
    assert not pipeline.transforms[1].to_float32
