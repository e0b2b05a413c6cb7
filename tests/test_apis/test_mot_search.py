"""Search spaces, stores of what the network found, and trackers that run again on them."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmcv import Config

from mmtrack.apis.mot_search import (
    Score,
    ScoreFolder,
    combine,
    format_table,
    rank,
    search_space,
    table_of,
    with_settings,
    write_search,
)
from mmtrack.apis.network_pass import pass_settings
from mmtrack.apis.replay import (
    DetectionRecorder,
    TrackerBank,
    VideoDetections,
    VideoTracks,
    replay,
)
from mmtrack.apis.video_store import VideoStore, hash_of_value
from mmtrack.core.utils.fork import fork_map
from mmtrack.models import build_motion, build_tracker
from oracles.crowds import crowd

TRACKER = dict(
    type="TracktorTracker",
    obj_score_thr=[0.4, 0.5, 0.5, 0.6],
    regression=dict(obj_score_thr=0.5, match_iou_thr=[0.3, 0.5]),
    reid=dict(img_scale=[256, 128], img_norm_cfg=dict(mean=[1, 2, 3]), num_samples=10),
)


class TestSpace:
    def test_lists_are_searched_and_sequences_are_not(self):
        space = search_space(TRACKER)
        assert space == {"obj_score_thr": [0.4, 0.5, 0.6], "regression.match_iou_thr": [0.3, 0.5]}
        settings = combine(space)
        assert len(settings) == 6
        assert settings[1] == {"obj_score_thr": 0.4, "regression.match_iou_thr": 0.5}

    def test_settings_are_written_into_the_config(self):
        tracker = with_settings(TRACKER, {"obj_score_thr": 1, "regression.match_iou_thr": 2})
        assert tracker["obj_score_thr"] == 1
        assert tracker["regression"] == dict(obj_score_thr=0.5, match_iou_thr=2)
        assert TRACKER["regression"]["match_iou_thr"] == [0.3, 0.5]

    @pytest.mark.parametrize(
        ("value", "message"),
        [([], "obj_score_thr is an empty list"), ((0.4, 0.5), "values to try are a list")],
    )
    def test_wrong_spaces_are_named(self, value, message):
        with pytest.raises(ValueError, match=message):
            search_space(dict(TRACKER, obj_score_thr=value))

    def test_nothing_to_search(self):
        with pytest.raises(ValueError, match="nothing to search"):
            combine(search_space(dict(type="SortTracker", obj_score_thr=0.5)))


class TestScores:
    SCORES = [
        Score({"thr": 0.1}, {"MOTA": 0.5, "IDs": 3}),
        Score({"thr": 0.2}, {"MOTA": float("nan"), "IDs": 1}),
        Score({"thr": 0.3}, {"MOTA": 0.7, "IDs": 9}),
    ]

    def test_more_or_less_is_better(self):
        assert [s.settings["thr"] for s in rank(self.SCORES, "MOTA")] == [0.3, 0.1, 0.2]
        assert [s.settings["thr"] for s in rank(self.SCORES, "IDs")] == [0.2, 0.1, 0.3]

    def test_table(self):
        rows = table_of(self.SCORES[:1], ["IDs", "MOTA"])
        assert rows == [["thr", "IDs", "MOTA"], ["0.1", "3", "0.5000"]]
        assert format_table(rows).splitlines()[1] == "0.1    3  0.5000"

    def test_best_config_can_be_loaded(self, tmp_path):
        cfg = Config(dict(model=dict(tracker=dict(type="SortTracker", thr=[0.1, 0.3]))))
        files = write_search(tmp_path, cfg, rank(self.SCORES, "MOTA"), ["MOTA"])
        assert [f.name for f in files] == ["scores.csv", "best_config.py"]
        assert Config.fromfile(files[1]).model.tracker == dict(type="SortTracker", thr=0.3)
        assert files[0].read_text().splitlines()[1] == "0.3,0.7000"

    def test_folder_knows_what_scores_belong_to(self, tmp_path):
        folder = ScoreFolder(tmp_path, {"weights": "a"})
        assert folder.load({"thr": 1}) is None
        folder.save({"thr": 1}, {"MOTA": 0.5})
        assert folder.load({"thr": 1}) == {"MOTA": 0.5}
        assert ScoreFolder(tmp_path, {"weights": "b"}).load({"thr": 1}) is None


class TestStore:
    def test_round_trip(self, tmp_path):
        store = VideoStore(tmp_path / "s", {"weights": "a"})
        assert 3 not in store
        store.save(3, {"x": np.arange(4)})
        again = VideoStore(tmp_path / "s", {"weights": "a"})
        assert 3 in again
        np.testing.assert_array_equal(again.load(3)["x"], np.arange(4))

    def test_another_data_set_is_named(self, tmp_path):
        VideoStore(tmp_path / "s", {"weights": "a", "annotations": "b"})
        with pytest.raises(ValueError, match="computed with other annotations, images"):
            VideoStore(tmp_path / "s", {"weights": "a", "annotations": "c", "images": 1})

    def test_other_folders_and_damaged_files_are_refused(self, tmp_path):
        (tmp_path / "photo.jpg").write_text("x")
        with pytest.raises(ValueError, match="not a cache"):
            VideoStore(tmp_path, {})
        store = VideoStore(tmp_path / "s", {})
        store.path(1).write_bytes(b"no zip")
        with pytest.raises(ValueError, match="000001.npz cannot be read"):
            store.load(1)

    def test_hash_looks_at_values(self):
        assert hash_of_value({"a": (1, 2), "b": 3}) == hash_of_value({"b": 3, "a": [1, 2]})
        assert hash_of_value({"a": 1}) != hash_of_value({"a": 2})


def crowd_video(seed=0, frames=20):
    content = list(crowd(15, frames, seed=seed, miss=0.1))
    content[7] = tuple(column[:0] for column in content[7])  # a frame without detections
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(15, 8)).astype(np.float32)
    return VideoDetections(
        counts=np.array([len(c[0]) for c in content]),
        bboxes=np.concatenate([np.column_stack(c[:2]) for c in content]).astype(np.float32),
        labels=np.concatenate([c[2] for c in content]),
        embeds=np.concatenate([looks[c[3]] + 0.01 * c[0][:, :1] for c in content]),
    )


DEEPSORT = dict(
    type="SortTracker",
    obj_score_thr=0.3,
    reid=dict(num_samples=5, img_scale=(8, 4), img_norm_cfg=None, match_score_thr=2.0),
    match_iou_thr=0.4,
    num_tentatives=2,
)
KALMAN = dict(type="KalmanFilter")


def frames_of(video):
    ends = np.cumsum(video.counts)
    for t, (start, end) in enumerate(zip(ends - video.counts, ends, strict=True)):
        yield t, slice(start, end)


class SeenCrowd:
    """A model whose ReID reads the embedding of a box from the video."""

    def __init__(self, video):
        self.motion, self.with_reid, self.calls = build_motion(KALMAN), True, 0
        self.rows = {bytes(b): e for b, e in zip(video.bboxes[:, :4], video.embeds, strict=True)}
        self.reid = self

    def simple_test(self, boxes):
        self.calls += 1
        return torch.tensor(np.array([self.rows[bytes(b)] for b in boxes.numpy()]))

    def step(self, tracker, video, t, now):
        return tracker.track(
            img=torch.zeros(1, 3, 4, 4), img_metas=[{}], model=self,
            bboxes=torch.from_numpy(video.bboxes[now]), labels=torch.from_numpy(video.labels[now]),
            frame_id=t, rescale=False,
        )  # fmt: skip


def with_boxes_as_crops(tracker):
    tracker.crop_imgs = lambda img, metas, boxes, rescale: boxes
    return tracker


def run_live(tracker, model, video):
    found = [model.step(tracker, video, t, now) for t, now in frames_of(video)]
    return [ids.tolist() for _, _, ids in found]


def ids_per_frame(tracks: VideoTracks):
    ends = np.cumsum(tracks.counts)
    return [ids.tolist() for ids in np.split(tracks.ids, ends[:-1])]


def test_replay_equals_the_live_tracker():
    video = crowd_video()
    live = run_live(with_boxes_as_crops(build_tracker(DEEPSORT)), SeenCrowd(video), video)
    again = replay(build_tracker(DEEPSORT), build_motion(KALMAN), video)
    assert ids_per_frame(again) == live
    blind = replay(
        build_tracker(DEEPSORT), build_motion(KALMAN), video._replace(embeds=video.embeds[:, :0])
    )
    assert ids_per_frame(blind) != live
    results = again.as_results(1)
    assert len(results) == 20
    np.testing.assert_array_equal(results[0][0][:, 0], live[0])


def test_recorder_keeps_what_a_replay_needs():
    video = crowd_video()
    model = SeenCrowd(video)
    recorder = DetectionRecorder(0.3, with_boxes_as_crops(build_tracker(DEEPSORT)))
    for t, now in frames_of(video):
        model.step(recorder, video, t, now)
    recorded = VideoDetections(**recorder.take())
    assert recorded.bboxes[:, 4].min() > 0.3
    again = replay(build_tracker(DEEPSORT), build_motion(KALMAN), recorded)
    whole = replay(build_tracker(DEEPSORT), build_motion(KALMAN), video)
    for ours, theirs in zip(again, whole, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bank_gives_each_tracker_its_own_tracks_and_asks_once():
    video = crowd_video()
    configs = [dict(DEEPSORT, match_iou_thr=thr) for thr in (0.2, 0.5, 0.8)]
    alone = []
    for config in configs:
        model = SeenCrowd(video)
        alone.append(run_live(with_boxes_as_crops(build_tracker(config)), model, video))
    assert alone[0] != alone[2]
    shared = SeenCrowd(video)
    bank = TrackerBank([with_boxes_as_crops(build_tracker(c)) for c in configs], shared)
    run_live(bank, shared, video)
    assert [ids_per_frame(tracks) for tracks in bank.take()] == alone
    assert shared.calls == model.calls


def test_bank_registers_a_pair_of_frames_once():
    calls = []

    class Camera:
        def grey_image(self, img):
            return img[0, 0].numpy()

        def register(self, grey, ref_grey):
            calls.append(1)
            return np.eye(2, 3)

    model = SimpleNamespace(cmc=Camera())
    bank = TrackerBank([build_tracker(DEEPSORT)] * 2, model)
    assert len(bank.trackers) == 2
    last = [None, None]
    for _ in range(3):
        img = torch.rand(1, 3, 4, 4)
        for i in range(2):
            grey = model.cmc.grey_image(img)
            if last[i] is not None:
                model.cmc.register(last[i], grey)
            last[i] = grey
    assert len(calls) == 2


def test_one_set_of_embeddings_serves_one_kind_of_crop():
    trackers = [build_tracker(DEEPSORT), build_tracker(dict(DEEPSORT, obj_score_thr=0.1))]
    assert pass_settings(trackers)["lowest score"] == 0.1
    other = build_tracker(dict(DEEPSORT, reid=dict(DEEPSORT["reid"], img_scale=(16, 8))))
    with pytest.raises(ValueError, match="differ in reid.img_scale"):
        pass_settings([trackers[0], other])
    reads = build_tracker(dict(type="TracktorTracker", obj_score_thr=0.2))
    other = build_tracker(dict(type="TracktorTracker", obj_score_thr=0.3))
    assert set(pass_settings([reads])) == {"trackers"}
    assert pass_settings([reads]) != pass_settings([other])


@pytest.mark.parametrize("processes", [1, 2])
def test_fork_map_calls_closures(processes):
    offset = 10
    found = dict(fork_map(lambda n: (n + offset, os.getpid()), range(5), processes))
    assert {n: v for n, (v, _) in found.items()} == {n: n + 10 for n in range(5)}
    assert (os.getpid() in {pid for _, pid in found.values()}) == (processes == 1)


def test_fork_map_hands_errors_on():
    def fail(number):
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number"):
        list(fork_map(fail, range(3), 2))


def test_identity_is_text(tmp_path):
    store = VideoStore(tmp_path / "s", {"lowest score": 0.1})
    assert json.loads((store.folder / "identity.json").read_text()) == {"lowest score": 0.1}
