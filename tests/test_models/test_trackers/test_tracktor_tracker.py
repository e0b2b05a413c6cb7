"""Tracktor: the array tracker does what a plain one does, frame by frame."""

import copy
import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmtrack.core.motion import mean_velocities, rescale_warp
from mmtrack.models import build_motion, build_tracker
from oracles.crowds import crowd
from oracles.plain_trackers import overlaps
from oracles.plain_tracktor import PlainTracktor

CFG = dict(
    type="TracktorTracker",
    reid=dict(
        num_samples=10, img_scale=(8, 4), img_norm_cfg=None, match_score_thr=2.0, match_iou_thr=0.2
    ),
)


class Video:
    """People, and a second stage that moves a box to the person it overlaps most.

    With ``scale`` other than 1 the network sees a resized image.
    """

    def __init__(self, seed, *, scale=1.0, count=12, frames=20, classes=1, hide=0.05, **more):
        self.frames = list(crowd(count, frames, seed=seed, classes=classes, clutter=0.05, **more))
        rng = np.random.default_rng(seed)
        self.scale, self.classes, self.time = scale, classes, 0
        self.truth = [b[o >= 0] for b, _, _, o in self.frames]
        # now and then the second stage sees nothing where a person is
        self.hidden = [rng.uniform(size=len(t)) < hide for t in self.truth]
        self.owners = [o[o >= 0] for _, _, _, o in self.frames]
        self.looks = rng.normal(size=(count, 4))
        side = int(100 * np.sqrt(count) * scale)
        self.img = torch.zeros(1, 3, side, side)

    def regress(self, box, label):
        iou = overlaps([box], self.truth[self.time])[0]
        best = int(iou.argmax())
        if iou[best] < 0.2 or self.hidden[self.time][best]:
            return np.asarray(box), 0.1
        return self.truth[self.time][best] + 0.5 * (label + 1), 0.5 + 0.49 * iou[best]

    def simple_test_bboxes(self, feats, img_metas, proposals, cfg, rescale=False):
        assert cfg is None
        boxes, scores = [], []
        for place in proposals[0].numpy() / self.scale:
            moved = [self.regress(place, c) for c in range(self.classes)]
            boxes.append(np.concatenate([b for b, _ in moved]))
            of_class = np.array([s for _, s in moved])
            scores.append([*of_class, 0])
        boxes = np.array(boxes, np.float32) * (1 if rescale else self.scale)
        return [torch.from_numpy(boxes)], [torch.tensor(np.array(scores, np.float32))]

    def embed(self, box):
        """Looks of the nearest person, as the model reads them from the marked crop."""
        nearest = np.abs(self.truth[self.time] - np.asarray(box)[None, :4]).sum(1).argmin()
        look = self.looks[self.owners[self.time][nearest]]
        return 0.8 * look + 1e-3 * np.asarray(box)[:4]  # no two boxes look the same

    def meta(self):
        side = self.img.shape[-1]
        return [dict(img_shape=(side, side, 3), scale_factor=np.full(4, self.scale, np.float32))]

    def model(self, tracker, **parts):
        """Parts a tracker asks its model for; crops are stood in for by the boxes."""
        video = self

        class ReID:
            def simple_test(self, boxes):
                return torch.tensor(np.array([video.embed(b) for b in boxes.numpy()]))

        tracker.crop_imgs = lambda img, metas, boxes, rescale: (
            boxes if rescale else boxes / video.scale
        )
        return SimpleNamespace(
            detector=SimpleNamespace(roi_head=self), reid=ReID(), with_reid=True,
            with_cmc="cmc" in parts, with_linear_motion="linear_motion" in parts, **parts,
        )  # fmt: skip

    def step(self, tracker, model, t, rescale=True, img=None):
        self.time = t
        boxes, scores, labels, _ = self.frames[t]
        rows = np.concatenate((boxes * (1 if rescale else self.scale), scores[:, None]), axis=1)
        found = tracker.track(
            img=self.img if img is None else img, img_metas=self.meta(), model=model,
            feats=(self.img,), bboxes=torch.from_numpy(rows.astype(np.float32)),
            labels=torch.from_numpy(labels), frame_id=t, rescale=rescale,
        )  # fmt: skip
        return as_dict(*found)

    def run(self, tracker, rescale=True, imgs=None, **parts):
        model = self.model(tracker, **parts)
        return [
            self.step(tracker, model, t, rescale, None if imgs is None else imgs[t])
            for t in range(len(self.frames))
        ]

    def run_plain(self, plain, imgs=None):
        out = []
        for t, (boxes, scores, labels, _) in enumerate(self.frames):
            self.time = t
            img = self.img if imgs is None else imgs[t]
            out.append(plain.track(img, boxes.astype(float), scores, labels, t))
        return out


def as_dict(bboxes, labels, ids):
    assert ids.dtype == torch.int64
    assert len(set(ids.tolist())) == len(ids)
    rows = zip(ids.tolist(), bboxes.tolist(), labels.tolist(), strict=True)
    return {i: (*b, c) for i, b, c in rows}


def assert_same(found, expected):
    for t, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert sorted(ours) == sorted(theirs), f"frame {t}: the ids differ"
        for ident in ours:
            np.testing.assert_allclose(ours[ident], theirs[ident], atol=2e-2, err_msg=f"frame {t}")


def plain_of(video, embed=True, **parts):
    return PlainTracktor(video.regress, video.embed if embed else None, **parts)


SCENES = {
    "slow": dict(speed=2.0),
    "fast": dict(speed=12.0, hide=0.15),
    "crowd": dict(count=40, frames=12, speed=5.0),
    "classes": dict(count=25, classes=3, speed=6.0, frames=15),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("reid", [True, False], ids=["reid", "no-reid"])
@pytest.mark.parametrize("scene", SCENES)
def test_same_tracks_as_the_plain_tracker(scene, reid, seed):
    video = Video(seed, scale=0.5, **SCENES[scene])
    found = video.run(build_tracker(CFG if reid else dict(CFG, reid=None)))
    assert_same(found, video.run_plain(plain_of(video, reid)))


def test_scenes_find_lost_tracks_again():
    """Else the comparison above would not test the matching by appearance."""
    video = Video(0, **SCENES["fast"])
    with_reid, without = (video.run(build_tracker(dict(CFG, reid=r))) for r in (CFG["reid"], None))
    count = [len(set().union(*frames)) for frames in (with_reid, without)]
    assert count[0] < count[1]


@pytest.mark.parametrize("center_motion", [False, True])
@pytest.mark.parametrize("num_samples", [2, 3])
def test_linear_motion_moves_as_its_per_track_form(center_motion, num_samples):
    linear = build_motion(
        dict(type="LinearMotion", num_samples=num_samples, center_motion=center_motion)
    )
    video = Video(2, speed=12.0, hide=0.15)
    found = video.run(build_tracker(CFG), linear_motion=linear)
    assert_same(found, video.run_plain(plain_of(video, linear_motion=linear)))
    assert found != video.run(build_tracker(CFG))


def test_observed_velocity_foresees_a_straight_walk():
    """A person 30 pixels wide walks 20 a frame; proposals meet the person from frame 2 on."""
    tracker = build_tracker(dict(CFG, reid=None, observed_velocity=True))
    video = Video(0, frames=6, count=1)
    walk = [np.array([[20.0 * t, 30, 20.0 * t + 30, 90]]) for t in range(6)]
    video.frames = [
        (w.astype(np.float32), np.ones(1, np.float32), np.zeros(1, int), None) for w in walk
    ]
    video.truth, video.hidden = walk, [np.array([False])] * 6
    linear = build_motion(dict(type="LinearMotion"))
    seen = []
    regress = video.regress
    video.regress = lambda box, label: seen.append(box[0]) or regress(box, label)
    found = video.run(tracker, linear_motion=linear)
    # regressed boxes lie half a pixel to the right of the person, see Video.regress
    np.testing.assert_allclose(seen[1:], [20 * t + 0.5 for t in range(2, 6)], atol=1.1)
    assert [sorted(f) for f in found] == [[0]] * 6


def shifted_frames(count, size, step=(3, -2), seed=0):
    rng = np.random.default_rng(seed)
    pad = 4 * count
    blocks = rng.uniform(-1, 1, (3, (size + 2 * pad) // 8 + 1, (size + 2 * pad) // 8 + 1))
    big = torch.from_numpy(blocks.astype(np.float32))[None]
    big = torch.nn.functional.interpolate(big, scale_factor=8, mode="bilinear")
    at = [(pad + step[0] * t, pad + step[1] * t) for t in range(count)]
    return [big[..., y : y + size, x : x + size] for x, y in at]


@pytest.mark.parametrize("linear", [False, True])
def test_camera_motion_moves_as_its_per_track_form(linear):
    parts = {"cmc": build_motion(dict(type="CameraMotionCompensation", stop_eps=1e-5))}
    if linear:
        parts["linear_motion"] = build_motion(dict(type="LinearMotion"))
    video = Video(4, frames=8, count=3, hide=0.3)
    imgs = shifted_frames(8, video.img.shape[-1])
    found = video.run(build_tracker(CFG), imgs=imgs, **parts)
    assert_same(found, video.run_plain(plain_of(video, **parts), imgs))
    assert found != video.run(build_tracker(CFG), imgs=imgs)


class TestCameraInOtherPixels:
    """The camera moves by (-3, 2) pixels of an image at half the size of the original."""

    @pytest.fixture
    def boxes(self):
        def follow(**settings):
            tracker = build_tracker(dict(CFG, reid=None, **settings))
            video = Video(0, scale=0.5, frames=2, count=3)
            video.simple_test_bboxes = lambda feats, metas, proposals, cfg, rescale: (
                [proposals[0] / 0.5], [torch.tensor([[0.9, 0.1]]).expand(len(proposals[0]), 2)]
            )  # fmt: skip
            parts = {"cmc": build_motion(dict(type="CameraMotionCompensation", stop_eps=1e-6))}
            imgs = shifted_frames(2, 160)
            model = video.model(tracker, **parts)
            return [video.step(tracker, model, t, img=imgs[t]) for t in (0, 1)]

        return follow

    @pytest.mark.parametrize(("rescales", "shift"), [(True, (-6, 4)), (False, (-3, 2))])
    def test_shift(self, boxes, rescales, shift):
        first, second = boxes(rescale_camera_motion=rescales)
        for ident in first:
            moved = np.subtract(second[ident][:4], first[ident][:4])
            np.testing.assert_allclose(moved, [*shift, *shift], atol=0.3)


def test_boxes_of_the_network_need_no_rescaling():
    video = Video(3, scale=0.5)
    outside, inside = (video.run(build_tracker(CFG), rescale=r) for r in (True, False))
    for ours, theirs in zip(outside, inside, strict=True):
        assert sorted(ours) == sorted(theirs)
        for ident in ours:
            np.testing.assert_allclose(np.multiply(ours[ident][:4], 0.5), theirs[ident][:4], atol=1)


def test_frames_without_detections_do_not_stop_tracks():
    video = Video(1, frames=12, hide=0.0, miss=0.0)
    empty = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), None)
    video.frames[5] = empty
    found = video.run(build_tracker(CFG))
    # one may vanish behind another
    assert len(found[4]) - 1 <= len(found[5])
    assert set(found[5]) <= set(found[4])


def test_first_frames_without_anything():
    video = Video(1, frames=4)
    empty = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), None)
    video.frames[0] = video.frames[1] = empty
    found = video.run(build_tracker(CFG))
    assert [len(f) for f in found[:2]] == [0, 0]
    assert sorted(found[2]) == list(range(len(found[2])))


def test_lost_tracks_come_back_until_they_are_forgotten():
    """A person that the second stage does not see for ``gap`` frames and that then is detected."""
    place = np.array([[30.0, 30, 60, 90]])
    for gap, same in ((4, True), (5, False)):
        tracker = build_tracker(dict(CFG, num_frames_retain=5))
        video = Video(0, frames=8, count=1, miss=0.0, hide=0.0)
        video.truth = [place] * 8
        video.hidden = [np.array([1 <= t < gap + 1]) for t in range(8)]
        video.owners = [np.array([0])] * 8
        there = (place.astype(np.float32), np.array([0.9], np.float32), np.zeros(1, np.int64), None)
        none = tuple(c if c is None else c[:0] for c in there)
        video.frames = [none if 1 <= t < gap + 1 else there for t in range(8)]
        found = video.run(tracker)
        assert [sorted(f) for f in found[: gap + 1]] == [[0]] + [[]] * gap
        assert sorted(found[-1]) == ([0] if same else [1])


def test_skipped_frames_lose_tracks_but_not_identities():
    video = Video(0, frames=6, miss=0.0, hide=0.0, weak=0.0, speed=1.0)
    tracker = build_tracker(CFG)
    model = video.model(tracker)
    first = video.step(tracker, model, 0)
    later = video.step(tracker, model, 2)
    assert len(set(first) & set(later)) >= len(first) - 2
    with pytest.raises(ValueError, match="frame 2 comes after frame 2"):
        video.step(tracker, model, 2)


def test_reset_and_two_side_by_side():
    videos = Video(0), Video(1)
    tracker = build_tracker(CFG)
    first = videos[0].run(tracker)
    assert videos[0].run(tracker) == first
    trackers = build_tracker(CFG), build_tracker(CFG)
    models = [v.model(t) for v, t in zip(videos, trackers, strict=True)]
    for t in range(20):
        ours = videos[0].step(trackers[0], models[0], t)
        videos[1].step(trackers[1], models[1], t)
        assert ours == first[t]


def test_state_goes_through_a_file():
    parts = {
        "cmc": build_motion(dict(type="CameraMotionCompensation")),
        "linear_motion": build_motion(dict(type="LinearMotion")),
    }
    video = Video(4, frames=8, count=3)
    imgs = shifted_frames(8, video.img.shape[-1])
    whole = video.run(build_tracker(CFG), imgs=imgs, **parts)
    first = build_tracker(CFG)
    model = video.model(first, **parts)
    for t in range(4):
        video.step(first, model, t, img=imgs[t])
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = build_tracker(CFG)
    second.load_state_dict(torch.load(file, weights_only=True))
    model = video.model(second, **parts)
    for t in range(4, 8):
        assert video.step(second, model, t, img=imgs[t]) == whole[t]


def test_input_is_not_modified_and_regress_tracks_gives_the_living():
    video = Video(0, speed=8.0, hide=0.2)
    tracker = build_tracker(CFG)
    model = video.model(tracker)
    frames = copy.deepcopy(video.frames)
    for t in range(5):
        found = video.step(tracker, model, t)
    for ours, theirs in zip(frames, video.frames, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
    video.time = 5
    bboxes, labels, ids = tracker.regress_tracks((video.img,), video.meta(), model.detector, 5)
    assert bboxes.shape == (len(ids), 5)
    assert len(labels) == len(ids)
    assert set(ids.tolist()) < set(found)
    after = video.step(tracker, model, 5)
    for row, ident in zip(bboxes.tolist(), ids.tolist(), strict=True):
        np.testing.assert_allclose(after[ident][:5], row, atol=1e-4)


def test_detections_that_are_not_finite_are_refused():
    video = Video(0, frames=1)
    video.frames[0][0][3, 1] = np.nan
    tracker = build_tracker(CFG)
    with pytest.raises(ValueError, match="frame 0: detection 3 is not finite"):
        video.step(tracker, video.model(tracker), 0)


def test_second_stage_with_one_box_for_all_classes():
    video = Video(0, classes=2, frames=6)
    whole = video.simple_test_bboxes

    def shared(*args, **kwargs):
        boxes, scores = whole(*args, **kwargs)
        return [boxes[0][:, :4]], scores

    video.simple_test_bboxes = shared
    found = video.run(build_tracker(CFG))
    video.simple_test_bboxes = whole
    assert [sorted(f) for f in found] == [sorted(f) for f in video.run(build_tracker(CFG))]


def test_mean_velocities():
    recent = np.array([[[0, 0, 0, 0], [2, 4, 6, 8], [3, 8, 9, 12]]], float)
    for counts, expected in ((1, [0, 0, 0, 0]), (2, [1, 4, 3, 4]), (3, [1.5, 4, 4.5, 6]),
                             (9, [1.5, 4, 4.5, 6])):  # fmt: skip
        np.testing.assert_allclose(mean_velocities(recent, np.array([counts])), [expected])
    center = mean_velocities(recent, np.array([2]), of_center=True)
    np.testing.assert_allclose(center, [[2, 4, 2, 4]])


def test_rescale_warp():
    """A place goes the same way in both images."""
    matrix = np.array([[0.9, -0.1, 3.0], [0.2, 1.1, -2.0]])
    place, scale = np.array([30.0, 40.0]), np.array([0.5, 0.25])
    resized = matrix[:, :2] @ (place * scale) + matrix[:, 2]
    ours = rescale_warp(matrix, scale)
    np.testing.assert_allclose(ours[:, :2] @ place + ours[:, 2], resized / scale)
