"""Linear motion and camera motion: hand-computed steps."""

import numpy as np
import pytest
import torch
from addict import Dict

from mmtrack.models import build_motion

BOXES = [torch.tensor([[float(t * t), 0, t * t + 10, 10 + 2 * t]]) for t in range(4)]


def test_linear_velocity_is_the_mean_of_the_last_steps():
    model = build_motion(dict(type="LinearMotion", num_samples=3))
    torch.testing.assert_close(model.get_velocity(BOXES), torch.tensor([[4.0, 0, 4, 2]]))
    torch.testing.assert_close(model.step(BOXES), torch.tensor([[13.0, 0, 23, 18]]))
    assert model.get_velocity(BOXES[:1]).abs().sum() == 0


def test_centre_motion_keeps_the_size():
    model = build_motion(dict(type="LinearMotion", num_samples=2, center_motion=True))
    torch.testing.assert_close(model.step(BOXES), torch.tensor([[14.0, 1, 24, 17]]))


def test_velocity_is_measured_while_seen_and_kept_while_lost():
    model = build_motion(dict(type="LinearMotion", num_samples=2))
    tracks = {3: Dict(bboxes=list(BOXES), frame_ids=[0, 1, 2, 3])}
    model.track(tracks, 4)
    model.track(tracks, 5)
    torch.testing.assert_close(tracks[3].bboxes[-1], BOXES[-1] + 2 * torch.tensor([5.0, 0, 5, 2]))


def test_camera_shift_is_found_and_boxes_follow():
    rng = np.random.default_rng(0)
    scene = torch.from_numpy(rng.uniform(0, 1, (1, 3, 30, 40)).astype(np.float32))
    scene = torch.nn.functional.interpolate(scene, scale_factor=6, mode="bicubic")
    old, new = scene[..., 10:150, 10:200], scene[..., 13:153, 6:196]
    model = build_motion(
        dict(type="CameraMotionCompensation", warp_mode="cv2.MOTION_TRANSLATION", num_iters=100)
    )
    tracks = {
        0: Dict(bboxes=[torch.tensor([[50.0, 60, 70, 80]])], frame_ids=[4]),
        1: Dict(bboxes=[torch.ones(1, 4), torch.ones(1, 4)], frame_ids=[1, 2]),
    }
    model.track(old, new, tracks, num_samples=2, frame_id=5)
    want = torch.tensor([[54.0, 57, 74, 77]])
    torch.testing.assert_close(tracks[0].bboxes[0], want, atol=0.1, rtol=0)
    torch.testing.assert_close(tracks[1].bboxes[0], torch.ones(1, 4))


def test_images_without_common_content_leave_boxes_in_place():
    model = build_motion(dict(type="CameraMotionCompensation"))
    black = np.zeros((60, 60, 3), np.float32)
    other = np.random.default_rng(0).uniform(size=(60, 60, 3)).astype(np.float32)
    with pytest.warns(UserWarning, match="no content"):
        matrix = model.get_warp_matrix(black, other)
    torch.testing.assert_close(matrix, torch.eye(2, 3))


@pytest.mark.parametrize("mode", ["cv2.MOTION_AFFINE", "MOTION_AFFINE"])
def test_warp_modes_by_name(mode):
    assert build_motion(dict(type="CameraMotionCompensation", warp_mode=mode)).warp_mode == 2


def test_unknown_warp_mode_is_refused():
    with pytest.raises(ValueError, match="cv2.MOTION_EUCLIDEAN"):
        build_motion(dict(type="CameraMotionCompensation", warp_mode="__import__('os')"))
