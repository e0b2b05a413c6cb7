"""SiamRPN++ as a whole: raw frames, templates encoded once, protocols and refused boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmcv import Config

from mmtrack.apis import inference_sot
from mmtrack.models import build_model
from mmtrack.models.sot.protocols import OnePass, SupervisedRestarts, initial_box


class Scripted:
    """A tracker that reports boxes of a script and remembers where it was started."""

    def __init__(self, boxes):
        self.boxes = boxes
        self.started = []

    def start(self, img, bbox):
        self.started.append(bbox.tolist())

    def follow(self, img):
        return torch.tensor(self.boxes[int(img[0, 0, 0, 0])]), torch.tensor(0.5)


def frame(number):
    return torch.full((1, 1, 60, 80), float(number))


NEAR, FAR = [20.0, 20.0, 10.0, 10.0], [60.0, 45.0, 10.0, 10.0]  # centre and size
TRUTH = torch.tensor([15.0, 15.0, 25.0, 25.0])


class TestProtocols:
    def test_one_pass_never_helps(self):
        tracker = Scripted([None, NEAR, FAR, FAR])
        runner = OnePass(tracker)
        found = [runner.step(frame(t), t, TRUTH) for t in range(4)]
        assert tracker.started == [NEAR]
        assert found[0].values.tolist() == TRUTH.tolist()
        assert [float(f.score) for f in found] == [-1, 0.5, 0.5, 0.5]
        assert found[2].values.tolist() == [55, 40, 65, 50]

    def test_vot_starts_again_five_frames_after_a_failure(self):
        tracker = Scripted([None, NEAR, FAR, *[NEAR] * 7])
        runner = SupervisedRestarts(tracker)
        quad = torch.tensor([15.0, 15, 25, 15, 25, 25, 15, 25])
        found = [runner.step(frame(t), t, quad, (80, 60)) for t in range(9)]
        states = [f.values.tolist() if len(f.values) == 1 else "box" for f in found]
        assert states == [[1], "box", [2], [0], [0], [0], [0], [1], "box"]
        assert len(tracker.started) == 2
        # a new video forgets the failure of the old one
        runner.start_frame = 50
        assert runner.step(frame(0), 0, TRUTH, (80, 60)).values.tolist() == [1]

    def test_overlap_outside_of_the_image_does_not_count(self):
        tracker = Scripted([None, [-10.0, 20.0, 18.0, 10.0]])
        runner = SupervisedRestarts(tracker)
        truth = torch.tensor([-15.0, 15.0, 5.0, 25.0])
        runner.step(frame(0), 0, truth, (80, 60))
        assert runner.step(frame(1), 1, truth, (80, 60)).values.tolist() == [2]

    @pytest.mark.parametrize("step", [(OnePass, ()), (SupervisedRestarts, ((80, 60),))])
    def test_box_that_is_not_finite_ends_in_one_message(self, step):
        protocol, size = step
        runner = protocol(Scripted([None, [20.0, float("nan"), 10.0, 10.0]]))
        runner.step(frame(0), 0, TRUTH, *size)
        with pytest.raises(ValueError, match="frame 1: the tracker's box is not finite.*weights"):
            runner.step(frame(1), 1, TRUTH, *size)

    @pytest.mark.parametrize(
        ("box", "message"),
        [
            ([5, 5, 5, 20], "has no area"),
            ([30, 20, 20, 40], "has no area"),
            ([90, 10, 120, 30], "outside of the image of 80 x 60"),
            ([-30, 10, -2, 30], "outside of the image"),
            ([float("nan"), 1, 2, 3], "not finite"),
            ([1, 1, 9, 1, 9, 9], "4 numbers .* or 8"),
        ],
    )
    def test_bad_first_boxes_are_refused(self, box, message):
        with pytest.raises(ValueError, match=message):
            initial_box(torch.tensor(box, dtype=torch.float32), frame(0))


@pytest.fixture(scope="module")
def model(root):
    config = Config.fromfile(str(root / "configs/sot/siamese_rpn/siamese_rpn_r50_20e_lasot.py"))
    config.model.backbone.init_cfg = None
    torch.manual_seed(0)
    model = build_model(config.model)
    with torch.no_grad():
        # activations of usual size for bytes as input
        model.backbone.conv1.weight.mul_(0.02)
    model.cfg = config
    return model.eval()


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(1).integers(0, 256, (2, 120, 160, 3), dtype=np.uint8)


def test_raw_frames_equal_float_tensors(model, frames):
    box = np.array([50.0, 40.0, 90.0, 80.0], np.float32)
    for t, image in enumerate(frames):
        raw = inference_sot(model, image, box, frame_id=t)["track_bboxes"]
    for t, image in enumerate(frames):
        img = torch.from_numpy(image.transpose(2, 0, 1).copy()).float()[None]
        with torch.no_grad():
            tensors = model(
                [img],
                [[{"frame_id": t}]],
                gt_bboxes=[torch.from_numpy(box)[None]],
                return_loss=False,
            )["track_bboxes"]
    assert raw.shape == (5,)
    np.testing.assert_allclose(raw, tensors, rtol=1e-5, atol=1e-4)


def test_following_without_a_start_is_refused(model, frames):
    model.target = None
    with pytest.raises(RuntimeError, match="begin with the frame of frame_id 0"):
        inference_sot(model, frames[0], np.array([1.0, 1, 9, 9]), frame_id=3)
