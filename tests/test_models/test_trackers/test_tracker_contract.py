"""What every tracker with a motion model must do, whatever its method."""

import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mmtrack.models import build_motion, build_tracker

CONFIGS = {
    "sort": dict(type="SortTracker", obj_score_thr=0.3, match_iou_thr=0.3, reid=None),
    "deepsort": dict(
        type="SortTracker", obj_score_thr=0.3, match_iou_thr=0.3, num_tentatives=2,
        reid=dict(num_samples=3, img_scale=(8, 4), img_norm_cfg=None, match_score_thr=2.0),
        num_frames_retain=20,
    ),
    "byte": dict(type="ByteTracker", num_frames_retain=20),
    "ocsort": dict(type="OCSORTTracker", num_frames_retain=20),
}  # fmt: skip


class Colours:
    """Appearance as the mean of the crop."""

    def simple_test(self, img):
        return img.mean(dim=(2, 3))


class Video:
    """Seeded boxes that move straight on, with misses and an empty frame."""

    def __init__(self, seed=0, frames=25, objects=6, empty=(7,)):
        rng = np.random.default_rng(seed)
        start, speed = rng.uniform(50, 350, (objects, 2)), rng.uniform(-4, 4, (objects, 2))
        size = rng.uniform(20, 50, (objects, 2))
        self.frames = []
        for t in range(frames):
            center = start + speed * t
            boxes = np.concatenate((center - size / 2, center + size / 2), axis=1)
            boxes = boxes + rng.normal(0, 0.5, boxes.shape)
            scores = rng.uniform(0.75, 1, (objects, 1))
            rows = np.concatenate((boxes, scores), axis=1)[rng.uniform(size=objects) > 0.1]
            rows = rows[:0] if t in empty else rows
            self.frames.append(torch.from_numpy(rows.astype(np.float32)))
        self.img = torch.from_numpy(rng.uniform(size=(1, 3, 400, 400)).astype(np.float32))
        self.metas = [dict(img_shape=(400, 400, 3), scale_factor=np.ones(4, np.float32))]
        self.model = SimpleNamespace(
            motion=build_motion(dict(type="KalmanFilter")), reid=Colours(), with_reid=True
        )

    def step(self, tracker, t, rows=None, labels=None):
        rows = self.frames[t] if rows is None else rows
        labels = torch.zeros(len(rows), dtype=torch.int64) if labels is None else labels
        return tracker.track(
            img=self.img, img_metas=self.metas, model=self.model, bboxes=rows, labels=labels,
            frame_id=t,
        )  # fmt: skip

    def run(self, tracker, start=0, stop=None):
        stop = len(self.frames) if stop is None else stop
        return [self.step(tracker, t)[2].tolist() for t in range(start, stop)]


@pytest.fixture(params=CONFIGS)
def cfg(request):
    return CONFIGS[request.param]


def test_ids_are_unique_integers_and_rows_are_the_given_detections(cfg):
    video, tracker = Video(), build_tracker(cfg)
    for t, rows in enumerate(video.frames):
        before = rows.clone()
        labels = torch.full((len(rows),), 2, dtype=torch.int32)
        bboxes, out_labels, ids = video.step(tracker, t, labels=labels)
        assert ids.dtype == torch.int64
        assert len(set(ids.tolist())) == len(ids) == len(bboxes)
        assert (bboxes.dtype, out_labels.dtype) == (rows.dtype, torch.int32)
        assert {tuple(r) for r in bboxes.tolist()} <= {tuple(r) for r in rows.tolist()}
        torch.testing.assert_close(rows, before)


def test_objects_keep_their_ids_over_an_empty_frame(cfg):
    if cfg["type"] == "SortTracker" and cfg["reid"] is None:
        pytest.skip("SORT without appearance forgets what it misses for a frame")
    video = Video(objects=1, frames=12, empty=(5,))
    video.frames = [f if len(f) or t == 5 else video.frames[0] for t, f in enumerate(video.frames)]
    rows = torch.tensor([[100.0, 100, 130, 160, 0.9]])
    tracker, found = build_tracker(cfg), []
    for t in range(12):
        given = rows[:0] if t in (5, 6, 7) else rows + torch.tensor([5.0, 0, 5, 0, 0]) * t
        found.append(video.step(tracker, t, rows=given)[2].tolist())
    assert found[5] == []
    assert found[8:] == [found[4]] * 4


def test_every_frame_moves_confirmed_tracks_even_without_detections(cfg):
    video, tracker = Video(), build_tracker(cfg)
    rows = torch.tensor([[100.0, 100, 130, 160, 0.9]])
    for t in range(6):
        video.step(tracker, t, rows=rows + torch.tensor([5.0, 0, 5, 0, 0]) * t)
    before = tracker.table["means"].copy()
    video.step(tracker, 6, rows=rows[:0])
    np.testing.assert_allclose(tracker.table["means"][:, :2], before[:, :2] + before[:, 4:6])
    assert before[0, 4] > 2


def test_skipped_frames_are_frames_without_detections(cfg):
    video = Video(empty=(9, 10, 11))
    whole, gappy = build_tracker(cfg), build_tracker(cfg)
    full = {t: video.step(whole, t)[2].tolist() for t in range(25)}
    for t in [t for t in range(25) if t not in (9, 10, 11)]:
        assert video.step(gappy, t)[2].tolist() == full[t]


def test_first_frame_empty_and_one_pixel_boxes(cfg):
    video, tracker = Video(), build_tracker(cfg)
    assert video.step(tracker, 0, rows=torch.zeros(0, 5))[2].tolist() == []
    pixel = torch.tensor([[5.0, 5, 6, 6, 0.9]])
    ids = [video.step(tracker, t, rows=pixel)[2].tolist() for t in range(1, 6)]
    assert ids == [[0]] * 5


def test_reset_and_frame_zero_start_again(cfg):
    video, tracker = Video(), build_tracker(cfg)
    first = video.run(tracker)
    assert video.run(tracker) == first
    tracker.reset()
    assert tracker.empty
    assert video.run(tracker) == first


def test_two_trackers_side_by_side_do_not_touch(cfg):
    videos = Video(1), Video(2)
    alone = [v.run(build_tracker(cfg)) for v in videos]
    trackers = build_tracker(cfg), build_tracker(cfg)
    mixed = [
        [v.step(x, t)[2].tolist() for v, x in zip(videos, trackers, strict=True)] for t in range(25)
    ]
    assert [list(ids) for ids in zip(*mixed, strict=True)] == alone


def test_order_of_detections_does_not_matter(cfg):
    video = Video(3)
    straight, turned = build_tracker(cfg), build_tracker(cfg)
    names = {}
    for t, rows in enumerate(video.frames):
        a_rows, _, a = video.step(straight, t)
        b_rows, _, b = video.step(turned, t, rows=rows.flip(0))
        a = {tuple(r): i for r, i in zip(a_rows.tolist(), a.tolist(), strict=True)}
        b = {tuple(r): i for r, i in zip(b_rows.tolist(), b.tolist(), strict=True)}
        assert a.keys() == b.keys()
        for row, ident in a.items():
            assert names.setdefault(ident, b[row]) == b[row]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_boxes_that_are_not_finite_are_refused_and_change_nothing(cfg, bad):
    video, tracker = Video(), build_tracker(cfg)
    video.run(tracker, stop=5)
    rows = video.frames[5].clone()
    rows[1, 2] = bad
    with pytest.raises(ValueError, match="frame 5: detection 1 is not finite"):
        video.step(tracker, 5, rows=rows)
    want = video.run(build_tracker(cfg))
    assert video.run(tracker, start=5) == want[5:]


def test_boxes_without_area_and_wrong_shapes_are_refused(cfg):
    video, tracker = Video(), build_tracker(cfg)
    with pytest.raises(ValueError, match="detection 1 has no area"):
        video.step(tracker, 0, rows=torch.tensor([[0, 0, 9, 9, 0.9], [4, 4, 4, 8, 0.9]]))
    with pytest.raises(ValueError, match=r"\(n, 5\)"):
        video.step(tracker, 0, rows=torch.zeros(2, 4))
    weak = torch.tensor([[4, 4, 4, 8, 0.01]])
    assert len(video.step(tracker, 0, rows=weak)[2]) == 0


def test_frames_out_of_order_are_refused(cfg):
    video, tracker = Video(), build_tracker(cfg)
    video.run(tracker, stop=5)
    for late in (4, 2):
        with pytest.raises(ValueError, match=f"frame {late} comes after frame 4"):
            video.step(tracker, late)


def saved_and_loaded(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("cut", [1, 4, 8, 13])
def test_resumed_video_has_the_same_ids(cfg, cut):
    video = Video()
    want = video.run(build_tracker(cfg))
    first = build_tracker(cfg)
    video.run(first, stop=cut)
    state = saved_and_loaded(first.state_dict())
    video.run(first, start=cut)
    second = build_tracker(cfg)
    second.load_state_dict(state)
    assert video.run(second, start=cut) == want[cut:]


def test_models_state_dicts_hold_no_tracks(cfg):
    model = nn.Module()
    model.tracker, model.head = build_tracker(cfg), nn.Linear(1, 1)
    Video().run(model.tracker)
    assert list(model.state_dict()) == ["head.weight", "head.bias"]
    model.load_state_dict(model.state_dict(), strict=True)
    assert not model.tracker.empty


def test_state_of_another_kind_is_refused(cfg):
    with pytest.raises(KeyError, match="lacks"):
        build_tracker(cfg).load_state_dict({"weight": torch.zeros(1)})


def test_memory_is_bounded_over_a_long_video(cfg):
    video, tracker = Video(frames=10), build_tracker(cfg)

    def size():
        return sum(column.nbytes for column in tracker.table.state_dict().values())

    rng = np.random.default_rng(0)
    sizes = []
    for t in range(600):
        if t % 5 == 0:  # everybody leaves and others come, who stay long enough to be confirmed
            corner = rng.uniform(0, 300, (5, 2))
            rows = np.concatenate((corner, corner + 40, rng.uniform(0.8, 1, (5, 1))), axis=1)
        video.step(tracker, t, rows=torch.from_numpy(rows.astype(np.float32)))
        sizes.append(size())
    assert max(sizes[300:]) <= 1.5 * max(sizes[:300])
    assert 5 <= len(tracker.ids) <= 5 * 20


def test_views_of_the_tracks(cfg):
    video, tracker = Video(empty=()), build_tracker(cfg)
    for t in range(5):
        bboxes, _, ids = video.step(tracker, t)
    assert set(ids.tolist()) <= set(tracker.ids) == set(tracker.tracks) == set(tracker.memo)
    assert sorted(tracker.confirmed_ids + tracker.unconfirmed_ids) == tracker.ids
    for row, ident in zip(bboxes, ids.tolist(), strict=True):
        track = tracker.tracks[ident]
        torch.testing.assert_close(track.bboxes[-1][0].float(), row[:4])
        assert int(track.frame_ids[-1]) == 4
        assert track.mean.shape == (8,)
        assert track.covariance.shape == (8, 8)
    got = tracker.get("bboxes", ids=ids.tolist())
    torch.testing.assert_close(got.float(), bboxes[:, :4])


def test_overridden_hooks_are_called_for_each_track(cfg):
    if cfg.get("reid"):
        pytest.skip("embeddings have no per-track hook")
    base = type(build_tracker(cfg))
    calls = []

    class Counting(base):
        def init_track(self, id, obj):
            calls.append(("init", id))
            super().init_track(id, obj)

        def update_track(self, id, obj):
            calls.append(("update", id))
            super().update_track(id, obj)

    video = Video()
    kwargs = {k: v for k, v in cfg.items() if k != "type"}
    assert video.run(Counting(**kwargs)) == video.run(build_tracker(cfg))
    assert {kind for kind, _ in calls} == {"init", "update"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_results_stay_on_the_device(cfg):
    video, tracker, other = Video(), build_tracker(cfg), build_tracker(cfg)
    for t, rows in enumerate(video.frames):
        want = video.step(other, t)
        video.img = video.img.cuda()
        found = video.step(tracker, t, rows=rows.cuda(), labels=torch.zeros(len(rows)).cuda())
        video.img = video.img.cpu()
        assert all(part.is_cuda for part in found)
        assert found[2].tolist() == want[2].tolist()


RESUME = """
import sys, torch, mmtrack
sys.path.insert(0, sys.argv[1])
from test_tracker_contract import CONFIGS, Video
from mmtrack.models import build_tracker
tracker = build_tracker(CONFIGS["byte"])
tracker.load_state_dict(torch.load(sys.argv[2], weights_only=True))
print(Video().run(tracker, start=9))
"""


def test_resumed_in_a_new_process(root, tmp_path):
    tracker, video = build_tracker(CONFIGS["byte"]), Video()
    video.run(tracker, stop=9)
    torch.save(tracker.state_dict(), tmp_path / "state.pth")
    here = root / "tests/test_models/test_trackers"
    done = subprocess.run(
        [sys.executable, "-c", RESUME, str(here), str(tmp_path / "state.pth")],
        capture_output=True, text=True, cwd=root, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == str(video.run(tracker, start=9))
