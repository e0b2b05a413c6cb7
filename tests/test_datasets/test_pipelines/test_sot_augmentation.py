"""Random changes of templates and search images."""

import cv2
import numpy as np
import pytest

from mmtrack.datasets.pipelines import (
    SeqBboxJitter,
    SeqBlurAug,
    SeqBrightnessAug,
    SeqColorAug,
    SeqGrayAug,
    SeqShiftScaleAug,
)
from mmtrack.datasets.pipelines.sot_augmentation import motion_kernel


def frame(seed=0, size=(101, 101), dtype=np.float32, bbox=(30, 40, 70, 62)):
    rng = np.random.default_rng(seed)
    img = cv2.GaussianBlur(rng.integers(0, 256, (*size, 3)).astype(np.uint8), (7, 7), 0)
    return {
        "img": img.astype(dtype),
        "img_shape": img.shape,
        "gt_bboxes": np.array([bbox], np.float32),
    }


# ---------------------------------------------------------------- jitter
def test_no_jitter():
    found = SeqBboxJitter([0, 0], [0, 0], [2, 5])([frame(), frame(1)])
    for result in found:
        np.testing.assert_allclose(result["jittered_bboxes"], [[30, 40, 70, 62]])


def test_distribution_of_the_jitter():
    np.random.seed(0)
    step = SeqBboxJitter([0, 0.25], [0, 3], [2, 5])
    boxes = np.array([step([frame(), frame()])[1]["jittered_bboxes"][0] for _ in range(4000)])
    wh = boxes[:, 2:] - boxes[:, :2]
    logs = np.log(wh / [40, 22])
    np.testing.assert_allclose(logs.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(logs.std(0), 0.25, rtol=0.05)
    offsets = (boxes[:, :2] + boxes[:, 2:]) / 2 - [50, 51]
    offsets /= np.sqrt(wh.prod(1, keepdims=True))
    assert 1.4 < np.abs(offsets).max() <= 1.5
    np.testing.assert_allclose(offsets.std(0), 3 / np.sqrt(12), rtol=0.05)


def test_jittered_crops_show_the_object():
    np.random.seed(0)
    step = SeqBboxJitter([0.0], [5.0], [1.0])
    for _ in range(200):
        box = step([frame()])[0]["jittered_bboxes"][0]
        side = np.sqrt((box[2:] - box[:2]).prod())
        center = (box[:2] + box[2:]) / 2
        assert (center - side / 2 < [70, 62]).all()
        assert (center + side / 2 > [30, 40]).all()


def test_jitter_of_an_empty_box_rejects_the_sample():
    assert SeqBboxJitter([0.0], [0.0], [2])([frame(bbox=(5, 5, 5, 9))]) is None
    assert SeqBboxJitter([0.0], [0.0], [2])([frame(bbox=(5, 5, np.nan, 9))]) is None


# ---------------------------------------------------------------- shift and scale
def test_middle_of_the_crop():
    img = frame()["img"]
    found = SeqShiftScaleAug([51], [0], [0.0])([frame()])[0]
    # 50 - 25.5 = 24.5: the middle is sampled between pixels
    expected = (img[24:75, 24:75] + img[25:76, 24:75] + img[24:75, 25:76] + img[25:76, 25:76]) / 4
    np.testing.assert_allclose(found["img"], expected, atol=2e-3)
    np.testing.assert_allclose(found["gt_bboxes"], [[5.5, 15.5, 45.5, 37.5]], rtol=1e-6)
    assert found["gt_bboxes"].dtype == np.float32
    assert found["img_shape"] == (51, 51, 3)


def test_box_follows_the_object():
    """A white square is found again where the box says."""
    np.random.seed(3)
    step = SeqShiftScaleAug([61], [12], [0.2])
    for _ in range(20):
        img = np.zeros((101, 101, 3), np.float32)
        img[40:62, 30:70] = 255
        found = step([{"img": img, "gt_bboxes": np.array([[30, 40, 70, 62]], np.float32)}])[0]
        rows, columns = np.nonzero(found["img"][..., 0] > 127)
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        # coordinates count from the corner of a pixel, places of pixels from its middle
        box = np.clip(found["gt_bboxes"][0], 0, 61)
        np.testing.assert_allclose(box, expected, atol=1.2)


def test_limits_of_shift_and_scale():
    np.random.seed(0)
    step = SeqShiftScaleAug([40], [16], [0.25])
    regions = np.array([step._draw_region((100, 200, 3), 0) for _ in range(3000)])
    wh = regions[:, 2:] - regions[:, :2]
    assert 30 <= wh.min() < 30.5
    assert 49.5 < wh.max() <= 50
    assert np.abs(np.corrcoef(wh.T)[0, 1]) < 0.05  # width and height change by themselves
    offsets = (regions[:, :2] + regions[:, 2:]) / 2 - [100, 50]
    assert 15.5 < np.abs(offsets).max() <= 16


def test_regions_stay_inside():
    np.random.seed(0)
    step = SeqShiftScaleAug([90], [64], [0.18])
    for _ in range(200):
        region = step._draw_region((101, 101, 3), 0)
        assert (region >= 0).all()
        assert (region <= 101).all()
    large = SeqShiftScaleAug([200], [5], [0.0])._draw_region((101, 101, 3), 0)
    np.testing.assert_allclose(large, [0, 0, 101, 101])


# ---------------------------------------------------------------- colours
def test_colour_moves_along_the_components():
    np.random.seed(0)
    variance = [[1.0, 0, 0], [2, 0, 0], [4, 0, 0]]
    step = SeqColorAug(prob=[1.0, 0.0], rgb_var=variance)
    shifts = []
    for _ in range(500):
        first, second = step([frame(), frame()])
        np.testing.assert_array_equal(second["img"], frame()["img"])
        moved = first["img"] - frame()["img"]
        np.testing.assert_allclose(moved, np.broadcast_to(moved[0, 0], moved.shape), atol=1e-4)
        shifts.append(moved[0, 0])
        assert first["img"].dtype == np.float32
    shifts = np.array(shifts)
    np.testing.assert_allclose(shifts[:, 0] / shifts[:, 2], 4, rtol=1e-3)  # blue comes first
    assert shifts[:, 2].std() == pytest.approx(1, rel=0.1)
    assert shifts[:, 2].mean() == pytest.approx(0, abs=0.15)


def test_all_frames_become_grey():
    found = SeqGrayAug(1.0)([frame(dtype=np.uint8), frame(1)])
    for result, source in zip(found, (frame(dtype=np.uint8), frame(1)), strict=True):
        assert result["img"].dtype == source["img"].dtype
        grey = source["img"].astype(float) @ [0.114, 0.587, 0.299]
        np.testing.assert_allclose(result["img"], np.repeat(grey[..., None], 3, 2), atol=1.01)
        assert (np.ptp(result["img"], axis=2) == 0).all()
    np.testing.assert_array_equal(SeqGrayAug(0.0)([frame()])[0]["img"], frame()["img"])


def test_grey_is_drawn_once_for_a_sample():
    np.random.seed(0)
    step, grey = SeqGrayAug(0.3), []
    for _ in range(400):
        found = step([frame(size=(2, 2)), frame(1, size=(2, 2))])
        flags = {bool((np.ptp(result["img"], axis=2) == 0).all()) for result in found}
        assert len(flags) == 1
        grey.append(flags.pop())
    assert np.mean(grey) == pytest.approx(0.3, abs=0.07)


def test_brightness():
    np.random.seed(0)
    step, factors = SeqBrightnessAug(0.2), []
    for _ in range(300):
        found = step([frame(size=(3, 3)), frame(size=(3, 3))])
        for result in found:
            ratio = result["img"] / frame(size=(3, 3))["img"]
            factors.append(np.median(ratio))
            expected = np.clip(frame(size=(3, 3))["img"] * factors[-1], 0, 255)
            np.testing.assert_allclose(result["img"], expected, rtol=1e-5)
    assert 0.8 <= min(factors) < 0.81
    assert 1.19 < max(factors) <= 1.2001
    assert np.std(np.diff(np.reshape(factors, (-1, 2)))) > 0.1  # each frame has its own
    bright = SeqBrightnessAug(0.5)
    np.random.seed(1)
    white = {"img": np.full((2, 2, 3), 250, np.uint8)}
    assert max(bright([dict(white)])[0]["img"].max() for _ in range(50)) == 255


# ---------------------------------------------------------------- blur
@pytest.mark.parametrize("length", [5, 9, 41])
def test_motion_kernels(length):
    across = motion_kernel(length, 0.0)
    assert across.sum() == pytest.approx(1)
    assert (across[length // 2] > 0).all()
    assert across.sum(1)[length // 2] == pytest.approx(1)
    np.testing.assert_allclose(motion_kernel(length, np.pi / 2), across.T, atol=0.02)
    diagonal = motion_kernel(length, np.pi / 4)
    assert np.trace(diagonal) > 0.8
    rows, columns = np.mgrid[:length, :length] - length // 2
    for angle in np.linspace(0, np.pi, 7):
        kernel = motion_kernel(length, angle)
        assert abs((kernel * rows).sum()) < 0.51  # the object stays where it is
        assert abs((kernel * columns).sum()) < 0.51


def test_blur_keeps_brightness_and_smooths():
    np.random.seed(0)
    step = SeqBlurAug([0.0, 1.0])
    for _ in range(20):
        first, second = step([frame(), frame()])
        np.testing.assert_array_equal(first["img"], frame()["img"])
        assert second["img"].mean() == pytest.approx(frame()["img"].mean(), rel=0.03)
        assert second["img"].std() < 0.9 * frame()["img"].std()


@pytest.mark.parametrize(
    "step",
    [
        SeqBboxJitter([0], [0], [2]),
        SeqBlurAug([1.0]),
        SeqColorAug([1.0]),
        SeqShiftScaleAug([9], [0], [0]),
    ],
    ids=lambda step: type(step).__name__,
)
def test_one_value_for_each_frame(step):
    with pytest.raises(ValueError, match="has 1 values in .*, but 2 frames"):
        step([frame(), frame()])


def test_impossible_settings():
    with pytest.raises(ValueError, match="need one value for each frame"):
        SeqShiftScaleAug([127, 255], [4], [0.05, 0.18])
    with pytest.raises(ValueError, match="one value for each frame"):
        SeqBboxJitter([0, 0], [0], [2, 5])
    with pytest.raises(ValueError, match="jitter_range is -1"):
        SeqBrightnessAug(-1)
    with pytest.raises(ValueError, match=r"expected \(3, 3\)"):
        SeqColorAug(rgb_var=[[1, 2, 3]])
