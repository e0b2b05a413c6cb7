"""The tracker of MaskTrack R-CNN against a plain version, and at its borders."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmtrack.models import build_tracker
from oracles.plain_masktrack import PlainMaskTrack

CONFIG = dict(type="MaskTrackRCNNTracker", num_frames_retain=6)
METAS = [dict(scale_factor=np.ones(4, np.float32))]


class Video:
    """Objects with an appearance that wander, with misses, false alarms, doubles, empty frames."""

    def __init__(self, seed=0, frames=24, objects=7, classes=2, empty=(9, 10), first=0):
        rng = np.random.default_rng(seed)
        start, speed = rng.uniform(40, 260, (objects, 2)), rng.uniform(-5, 5, (objects, 2))
        size = rng.uniform(20, 60, (objects, 2))
        look = rng.normal(0, 1.2, (objects, 5))
        label = rng.integers(0, classes, objects)
        self.frames = []
        for t in range(frames):
            seen = np.flatnonzero(rng.uniform(size=objects) > 0.25)
            doubles = rng.choice(objects, 2)
            owner = np.concatenate((seen, doubles))
            count = len(owner) + 1
            centre = np.concatenate(((start + speed * t)[owner], rng.uniform(0, 300, (1, 2))))
            half = np.concatenate((size[owner], [[25, 25]])) / 2
            boxes = np.concatenate((centre - half, centre + half), axis=1)
            boxes = boxes + rng.normal(0, 1.5, boxes.shape)
            embeds = np.concatenate((look[owner], rng.normal(0, 1.2, (1, 5))))
            embeds = embeds + rng.normal(0, 0.3, embeds.shape)
            labels = np.concatenate((label[owner], rng.integers(0, classes, 1)))
            order = rng.permutation(count)
            if t in empty or t < first:
                order = order[:0]
            self.frames.append(
                dict(
                    boxes=boxes[order],
                    scores=rng.uniform(0.05, 1, count)[order],
                    labels=labels[order],
                    embeds=embeds[order],
                )
            )

    def model(self, frame):
        """A track head that knows the embeddings of the frame."""
        embeds = torch.from_numpy(frame["embeds"])

        def extract(feats, bboxes):
            assert len(bboxes[0]) == len(embeds)
            return embeds[:, :, None, None].clone(), [len(embeds)]

        def compare(roi_feats, prev):
            logits = roi_feats.flatten(1) @ prev.flatten(1).t()
            return torch.cat((logits.new_zeros(len(logits), 1), logits), dim=1)

        head = SimpleNamespace(extract_roi_feats=extract, simple_test=compare)
        return SimpleNamespace(track_head=head)

    def step(self, tracker, t, device="cpu"):
        """Number of each returned detection (its mask holds it) and its id."""
        frame = self.frames[t]
        count = len(frame["scores"])
        rows = np.concatenate((frame["boxes"], frame["scores"][:, None]), axis=1)
        masks = torch.arange(count)[:, None, None].expand(count, 2, 2)
        bboxes, labels, masks, ids = tracker.track(
            img=None, img_metas=METAS, model=self.model(frame), feats=[None],
            bboxes=torch.from_numpy(rows), labels=torch.from_numpy(frame["labels"]), masks=masks,
            frame_id=t,
        )  # fmt: skip
        numbers = masks[:, 0, 0].tolist()
        np.testing.assert_allclose(bboxes, rows[numbers])
        np.testing.assert_array_equal(labels, frame["labels"][numbers])
        return dict(zip(numbers, ids.tolist(), strict=True))

    def run(self, tracker, start=0):
        return [self.step(tracker, t) for t in range(start, len(self.frames))]

    def plain(self, unique, retain=6):
        tracker, found = PlainMaskTrack(retain, unique), []
        for t, frame in enumerate(self.frames):
            ids = tracker.track(**frame, frame=t)
            found.append({n: ident for n, ident in enumerate(ids) if ident >= 0})
        return found


@pytest.mark.parametrize("unique", [False, True], ids=["as published", "unique"])
@pytest.mark.parametrize(
    "scene",
    [dict(), dict(objects=20), dict(classes=5), dict(first=4), dict(empty=range(6, 15))],
    ids=["plain", "crowd", "classes", "late start", "all lost"],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_same_ids_as_one_object_per_instance(unique, scene, seed):
    video = Video(seed, **scene)
    found = video.run(build_tracker({**CONFIG, "unique_ids": unique}))
    assert found == video.plain(unique)
    doubles = sum(len(f) - len(set(f.values())) for f in found)
    assert (doubles == 0) == unique, "the scene does not tell the two rules apart"


def test_instances_are_forgotten_after_so_many_frames():
    for gap, kept in ((5, True), (6, True), (7, False)):
        video = Video(objects=3, frames=20, empty=range(4, 3 + gap))
        tracker = build_tracker(CONFIG)
        before = set().union(*(f.values() for f in video.run(tracker)[:4]))
        after = set(video.run(tracker)[3 + gap].values())
        assert bool(before & after) == kept, gap


def test_no_detections_at_all():
    video, tracker = Video(first=100), build_tracker(CONFIG)
    assert video.run(tracker) == [{}] * 24
    assert tracker.empty
    assert tracker.ids == []


def test_frame_zero_and_reset_start_again():
    video, tracker = Video(), build_tracker(CONFIG)
    first = video.run(tracker)
    assert video.run(tracker) == first
    tracker.reset()
    assert tracker.empty
    assert tracker.roi_feats.numel() == 0
    assert video.run(tracker) == first


def test_two_trackers_side_by_side_do_not_touch():
    videos = Video(1), Video(2)
    alone = [v.run(build_tracker(CONFIG)) for v in videos]
    trackers = build_tracker(CONFIG), build_tracker(CONFIG)
    mixed = [[v.step(x, t) for v, x in zip(videos, trackers, strict=True)] for t in range(24)]
    assert [list(ids) for ids in zip(*mixed, strict=True)] == alone


@pytest.mark.parametrize("cut", [1, 6, 10, 17])
def test_resumed_video_has_the_same_ids(cut):
    video, first = Video(), build_tracker(CONFIG)
    want = video.run(build_tracker(CONFIG))
    for t in range(cut):
        video.step(first, t)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    video.run(first, start=cut)
    second = build_tracker(CONFIG)
    second.load_state_dict(torch.load(file, weights_only=True))
    assert video.run(second, start=cut) == want[cut:]


def test_memory_holds_what_was_seen_last():
    video, tracker = Video(), build_tracker(CONFIG)
    last = {}
    for t in range(len(video.frames)):
        for number, ident in video.step(tracker, t).items():
            last[ident] = (t, number)  # of two with one id the later one, which is the better
    assert len(tracker.roi_feats) == len(tracker.ids) > 3
    for row, ident in enumerate(tracker.ids):
        t, number = last[ident]
        frame, track = video.frames[t], tracker.tracks[ident]
        np.testing.assert_allclose(track.bboxes[-1][0], frame["boxes"][number])
        assert int(track.labels[-1]) == frame["labels"][number]
        assert int(track.frame_ids[-1]) == t
        np.testing.assert_allclose(tracker.roi_feats[row].flatten(), frame["embeds"][number])


def test_overridden_hooks_are_called_for_each_instance():
    calls = []

    class Counting(type(build_tracker(CONFIG))):
        def init_track(self, id, obj):
            calls.append(("init", id))
            super().init_track(id, obj)

        def update_track(self, id, obj):
            calls.append(("update", id))
            super().update_track(id, obj)

    video = Video()
    assert video.run(Counting(num_frames_retain=6)) == video.run(build_tracker(CONFIG))
    assert {kind for kind, _ in calls} == {"init", "update"}


def test_boxes_are_scaled_for_the_features():
    seen, boxes = [], torch.tensor([[10.0, 20, 30, 60, 0.9]])

    def extract(feats, bboxes):
        seen.append(bboxes[0].tolist())
        return torch.zeros(1, 2, 1, 1), [1]

    model = SimpleNamespace(track_head=SimpleNamespace(extract_roi_feats=extract))
    metas = [dict(scale_factor=np.array([0.5, 0.25, 0.5, 0.25], np.float32))]
    for rescale in (True, False):
        build_tracker(CONFIG).track(
            img=None, img_metas=metas, model=model, feats=[None], bboxes=boxes,
            labels=torch.zeros(1, dtype=torch.int64), masks=torch.zeros(1, 2, 2), frame_id=0,
            rescale=rescale,
        )  # fmt: skip
    assert seen == [[[5.0, 5.0, 15.0, 15.0]], [[10.0, 20.0, 30.0, 60.0]]]


def test_bad_input_is_refused():
    video, tracker = Video(), build_tracker(CONFIG)
    video.step(tracker, 0)
    video.step(tracker, 1)
    with pytest.raises(ValueError, match="frame 1 comes after frame 1"):
        video.step(tracker, 1)
    video.frames[2]["boxes"][1, 2] = np.nan
    with pytest.raises(ValueError, match="frame 2: detection 1 is not finite"):
        video.step(tracker, 2)
    with pytest.raises(ValueError, match="frame 3: 1 bboxes, but 2 masks"):
        tracker.track(
            img=None, img_metas=METAS, model=None, feats=[], bboxes=torch.rand(1, 5),
            labels=torch.zeros(1), masks=torch.zeros(2, 1, 1), frame_id=3,
        )  # fmt: skip
