"""The memory that custom trackers build on."""

import pytest
import torch

from mmtrack.models import TRACKERS, build_tracker
from mmtrack.models.trackers import BaseTracker


class Memorising(BaseTracker):
    """Takes ids as given."""

    def track(self, ids, bboxes, embeds, frame_id):
        self.update(ids=ids, bboxes=bboxes, embeds=embeds, frame_ids=frame_id)


def play(tracker, frames=8):
    for t in range(frames):
        ids = torch.tensor([0, 5] if t < 3 else [5])
        tracker.track(ids, torch.full((len(ids), 4), t), torch.full((len(ids), 2), float(t)), t)
    return tracker


def test_lists_hold_the_last_values_and_old_tracks_go():
    tracker = play(Memorising(num_frames_retain=4))
    assert tracker.ids == [5]
    assert [int(b[0, 0]) for b in tracker.tracks[5].bboxes] == [4, 5, 6, 7]
    assert [int(f) for f in tracker.memo[5].frame_ids] == [4, 5, 6, 7]
    assert play(Memorising(num_frames_retain=6)).ids == [0, 5]


def test_get_last_several_and_mean():
    tracker = play(Memorising(num_frames_retain=6))
    torch.testing.assert_close(tracker.get("embeds"), torch.tensor([[2.0, 2], [7, 7]]))
    assert tracker.get("embeds", [5], num_samples=3)[:, 0].tolist() == [5, 6, 7]
    mean = tracker.get("embeds", [0, 5], num_samples=2, behavior="mean")
    torch.testing.assert_close(mean, torch.tensor([[1.5, 1.5], [6.5, 6.5]]))
    with pytest.raises(ValueError, match="median"):
        tracker.get("embeds", behavior="median")
    with pytest.raises(ValueError, match="without any track"):
        tracker.get("embeds", ids=[])


def test_momentum_keeps_a_running_mean():
    tracker = play(Memorising(momentums=dict(embeds=0.25)), frames=3)
    # 0, then 0.75 * 0 + 0.25 * 1, then 0.75 * 0.25 + 0.25 * 2
    torch.testing.assert_close(tracker.get("embeds", [5]), torch.tensor([[0.6875, 0.6875]]))


def test_state_goes_to_another_tracker():
    tracker, other = play(Memorising(), frames=5), Memorising()
    other.load_state_dict(tracker.state_dict())
    for x in (tracker, other):
        x.track(torch.tensor([5]), torch.ones(1, 4), torch.ones(1, 2), 5)
    for name in ("bboxes", "embeds"):
        torch.testing.assert_close(tracker.get(name), other.get(name))


def test_reset_and_bad_updates():
    tracker = play(Memorising())
    tracker.reset()
    assert tracker.empty
    with pytest.raises(ValueError, match="frame_ids"):
        tracker.update(ids=torch.tensor([1]))
    with pytest.raises(ValueError, match="2 bboxes"):
        tracker.update(ids=torch.tensor([1]), bboxes=torch.zeros(2, 4), frame_ids=0)
    with pytest.raises(TypeError, match="momentums"):
        Memorising(momentums=0.5)


def test_registered_by_name_as_in_the_manual():
    @TRACKERS.register_module()
    class TrackerOfTheManual(BaseTracker):
        def __init__(self, arg1, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.arg1 = arg1

        def track(self, inputs):
            return inputs

    cfg = dict(type="TrackerOfTheManual", arg1=3, num_frames_retain=7)
    tracker = build_tracker(cfg)
    assert (tracker.arg1, tracker.num_frames_retain, tracker.with_reid) == (3, 7, False)
