"""The documented hooks of ByteTracker and OCSORTTracker, with hand-computed geometry."""

import numpy as np
import pytest
import torch
from addict import Dict

from mmtrack.core.motion import directions, turning_cost, virtual_bboxes
from mmtrack.models import build_motion, build_tracker

MODEL = Dict(motion=build_motion(dict(type="KalmanFilter")))


def play(tracker, frames):
    for t, rows in enumerate(frames):
        rows = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
        labels = torch.arange(len(rows)) % 2
        tracker.track(None, None, MODEL, rows, labels, t)
    return tracker


def still(*corners):
    return [[x, 10, x + 20, 50, 0.9] for x in corners]


def test_byte_assigns_within_classes_and_thresholds():
    tracker = play(build_tracker(dict(type="ByteTracker")), [still(0, 100, 200)] * 4)
    dets = np.array(still(205, 2, 101, 400))
    # classes of the tracks are 0, 1, 0
    cols, rows = tracker.assign_ids([0, 1, 2], dets, np.array([0, 0, 0, 0]), match_iou_thr=0.5)
    assert cols.tolist() == [1, -1, 0]
    assert rows.tolist() == [2, 0, -1, -1]
    strict = tracker.assign_ids([0, 1, 2], torch.tensor(dets), torch.zeros(4), match_iou_thr=0.7)
    assert strict[0].tolist() == [1, -1, -1]
    # a shift of 2 in 20 overlaps by 18 / 22 = 0.82, times the score 0.9 is 0.74
    weighted = tracker.assign_ids([0], dets[1:2], np.array([0]), True, 0.75)
    assert weighted[0].tolist() == [-1]
    assert tracker.assign_ids([], dets, np.zeros(4))[1].tolist() == [-1] * 4


def test_directions_and_turning_cost():
    tracker = build_tracker(dict(type="OCSORTTracker"))
    a, b = torch.tensor([0.0, 0, 2, 2]), torch.tensor([3.0, 4, 5, 6])
    torch.testing.assert_close(tracker.vel_direction(a, b), torch.tensor([0.6, 0.8]))
    batch = tracker.vel_direction_batch(torch.stack((a, b)), b[None])
    torch.testing.assert_close(batch, torch.tensor([[[0.6, 0.8]], [[0.0, 0.0]]]))
    east, south = np.array([1.0, 0]), np.array([0.0, 1])
    for heading, course, want in (
        (east, east, -0.5), (east, south, 0), (east, -east, 0.5), (0 * east, south, 0),
    ):  # fmt: skip
        assert turning_cost(heading, course) == pytest.approx(want, abs=1e-6)
    assert directions(np.zeros((0, 4)), np.zeros((0, 4))).shape == (0, 2)
    half = virtual_bboxes(np.zeros((1, 4)), np.full((1, 4), 8.0), np.array([4]), 2)
    np.testing.assert_array_equal(half, np.full((1, 4), 4.0))


def test_observations_k_frames_ago():
    tracker = build_tracker(dict(type="OCSORTTracker", vel_delta_t=2))
    play(tracker, [still(4 * t, 300) if t != 3 else still(300) for t in range(6)])
    first = tracker.tracks[0]
    torch.testing.assert_close(tracker.last_obs(first)[0].item(), 20.0)
    # two frames before the last one, frame 3, it was missed: the last observation stands in
    play_frame = [still(24, 300)]
    tracker.track(None, None, MODEL, torch.tensor(play_frame[0]), torch.arange(2) % 2, 6)
    tracker.frame_id = 7
    assert tracker.k_step_observation(tracker.tracks[0])[0] == 16
    tracker.frame_id = 6
    assert tracker.k_step_observation(tracker.tracks[0])[0] == 24


def test_momentum_prefers_the_detection_ahead():
    tracker = build_tracker(
        dict(type="OCSORTTracker", vel_consist_weight=1.0, weight_iou_with_det_scores=False)
    )
    play(tracker, [still(6 * t) for t in range(8)])
    predicted = tracker.predicted_bboxes(np.array([0]))[0]
    ahead, behind = predicted + [3, 0, 3, 0], predicted - [2, 0, 2, 0]
    behind = behind - [9, 0, 9, 0]
    dets = np.array([[*behind, 0.9], [*ahead + [12, 0, 12, 0], 0.9]])
    cols, _ = tracker.ocm_assign_ids([0], dets, match_iou_thr=0.2)
    assert cols.tolist() == [1]


def test_boxes_that_do_not_meet_may_match_when_direction_weighs_more():
    tracker = build_tracker(dict(type="OCSORTTracker", vel_consist_weight=1.0))
    play(tracker, [still(6 * t) for t in range(8)])
    far = np.array([[100.0, 10, 120, 50, 0.9]])
    assert tracker.ocm_assign_ids([0], far, match_iou_thr=0.3)[0].tolist() == [0]
    tracker.vel_consist_weight = 0.2
    assert tracker.ocm_assign_ids([0], far, match_iou_thr=0.3)[0].tolist() == [-1]


def test_last_observations_are_assigned_by_overlap():
    tracker = build_tracker(dict(type="OCSORTTracker"))
    dets = np.array(still(101, 0))
    cols, rows = tracker.ocr_assign_ids(torch.tensor(still(0, 50, 100))[:, :4], dets)
    assert (cols.tolist(), rows.tolist()) == ([1, -1, 0], [2, 0])


def test_online_smoothing_moves_the_state_to_the_new_box():
    tracker = build_tracker(dict(type="OCSORTTracker"))
    play(tracker, [still(0)] * 5 + [[]] * 3)
    drifted = tracker.tracks[0]
    tracker.frame_id = 8
    tracker.online_smooth(drifted, [torch.tensor([40.0, 10, 60, 50])])
    mean = tracker.tracks[0].mean
    assert 10 < mean[0] <= 50
    assert mean[4] > 0
