"""The trackers of QDTrack: ids of a plain implementation, memory, backdrops, bad input."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmtrack.models import build_tracker
from oracles.plain_quasi_dense import PlainQDTrack, PlainQDTrackTAO, embedded_crowd

KINDS = {
    "mot": ("QuasiDenseTracker", PlainQDTrack),
    "tao": ("QuasiDenseTAOTracker", PlainQDTrackTAO),
}
SETTINGS = {
    "mot": {
        "default": {},
        "config": dict(init_score_thr=0.9, memo_tracklet_frames=30),
        "no-backdrops": dict(memo_backdrop_frames=0, match_score_thr=0.3),
        "many-backdrops": dict(memo_backdrop_frames=4, init_score_thr=0.95),
        "across-classes": dict(with_cats=False, nms_conf_thr=0.7),
        "softmax": dict(match_metric="softmax", memo_momentum=0.3),
        "cosine": dict(match_metric="cosine", match_score_thr=0.6, memo_tracklet_frames=3),
        "loose": dict(match_score_thr=0.1, nms_class_iou_thr=0.9, obj_score_thr=0.3),
    },
    "tao": {
        "default": {},
        "config": dict(memo_frames=4),
        "strict-scores": dict(obj_score_diff_thr=0.2, momentum_obj_score=0.8, obj_score_thr=0.3),
        "no-cosine": dict(match_with_cosine=False, init_score_thr=0.5),
        "cosine": dict(match_metric="cosine", distractor_nms_thr=0.1, memo_momentum=1.0),
        "softmax": dict(match_metric="softmax", match_score_thr=0.2, distractor_score_thr=0.9),
    },
}  # fmt: skip
CASES = [(kind, name) for kind, settings in SETTINGS.items() for name in settings]
CROWDS = {
    "one-class": dict(count=15, frames=20, speed=5.0),
    "classes": dict(count=20, frames=20, classes=4, noise=0.8, miss=0.3),
    "alike": dict(count=25, frames=15, classes=2, noise=0.9, channels=4, weak=0.4, clutter=0.2),
}


class Lookup:
    """A track head that knows the embeddings of a frame by their boxes."""

    def __init__(self):
        self.bboxes = self.embeds = None

    def extract_bbox_feats(self, feats, bboxes):
        nearest = torch.cdist(bboxes[0].double(), self.bboxes.double()).argmin(1)
        return self.embeds[nearest]


def step(tracker, frame_id, bboxes, scores, labels, embeds, scale=1.0, **options):
    head = Lookup()
    head.bboxes = torch.from_numpy(bboxes) * scale
    head.embeds = torch.from_numpy(embeds)
    rows = torch.from_numpy(np.column_stack((bboxes, scores)))
    return tracker.track(
        img_metas=[dict(scale_factor=np.full(4, scale, np.float32))],
        feats=[torch.zeros(1)],
        model=SimpleNamespace(track_head=head),
        bboxes=rows,
        labels=torch.from_numpy(labels),
        frame_id=frame_id,
        **options,
    )


def ids_by_box(bboxes, ids):
    return {tuple(box[:4]): ident for box, ident in zip(bboxes.tolist(), ids.tolist(), strict=True)}


def run(tracker, frames, start=0):
    found = []
    for frame_id, frame in enumerate(frames[start:], start):
        bboxes, _, ids = step(tracker, frame_id, *frame)
        found.append(ids_by_box(bboxes, ids))
    return found


def blank(frame):
    return tuple(part[:0] for part in frame)


@pytest.fixture(params=KINDS)
def cfg(request):
    return dict(type=KINDS[request.param][0])


@pytest.mark.parametrize("scene", CROWDS)
@pytest.mark.parametrize(("kind", "name"), CASES, ids=["-".join(case) for case in CASES])
def test_ids_and_scores_of_the_plain_tracker(kind, name, scene):
    type_, plain = KINDS[kind]
    settings = SETTINGS[kind][name]
    ours, theirs = build_tracker(dict(type=type_, **settings)), plain(**settings)
    assigned = 0
    for frame_id, frame in enumerate(embedded_crowd(**CROWDS[scene])):
        frame = blank(frame) if frame_id in (0, 8) else frame
        bboxes, labels, ids = step(ours, frame_id, *frame)
        want = theirs.track(*(part.astype(float) for part in frame[:2]), *frame[2:], frame_id)
        rows = [row for row, _, _ in want]
        assert ids.tolist() == [ident for _, ident, _ in want], f"frame {frame_id}"
        np.testing.assert_array_equal(bboxes[:, :4], frame[0][rows])
        np.testing.assert_array_equal(labels, frame[2][rows])
        np.testing.assert_allclose(bboxes[:, 4], [s for _, _, s in want], rtol=1e-5)
        assigned += len(ids)
    assert assigned > 30
    assert ours.num_tracks == theirs.count
    assert sorted(ours.ids) == sorted(theirs.tracks)


def test_ids_are_unique_integers_and_rows_are_not_modified(cfg):
    tracker = build_tracker(cfg)
    for frame_id, frame in enumerate(embedded_crowd(12, 6)):
        before = [part.copy() for part in frame]
        bboxes, labels, ids = step(tracker, frame_id, *frame)
        assert (bboxes.dtype, labels.dtype, ids.dtype) == (torch.float32, torch.int64, torch.int64)
        assert len(set(ids.tolist())) == len(ids) > 0
        for part, copy in zip(frame, before, strict=True):
            np.testing.assert_array_equal(part, copy)


def test_reset_and_frame_zero_start_again(cfg):
    frames = list(embedded_crowd(10, 8))
    tracker = build_tracker(cfg)
    first = run(tracker, frames)
    assert run(tracker, frames) == first
    tracker.reset()
    assert tracker.empty
    assert tracker.ids == []
    assert len(tracker.memo.ids) == 0
    assert run(tracker, frames) == first


def test_two_trackers_side_by_side_do_not_touch(cfg):
    videos = [list(embedded_crowd(8, 6, seed=seed)) for seed in (1, 2)]
    alone = [run(build_tracker(cfg), video) for video in videos]
    trackers = [build_tracker(cfg) for _ in videos]
    mixed = [[], []]
    for frame_id in range(6):
        for tracker, video, found in zip(trackers, videos, mixed, strict=True):
            bboxes, _, ids = step(tracker, frame_id, *video[frame_id])
            found.append(ids_by_box(bboxes, ids))
    assert mixed == alone


@pytest.mark.parametrize("at", [1, 5])
def test_saved_tracker_goes_on_with_the_same_ids(cfg, at):
    cfg = dict(cfg, memo_backdrop_frames=3) if cfg["type"] == "QuasiDenseTracker" else cfg
    frames = list(embedded_crowd(15, 10, clutter=0.4))
    whole = run(build_tracker(cfg), frames)
    tracker = build_tracker(cfg)
    run(tracker, frames[:at])
    file = io.BytesIO()
    torch.save(tracker.state_dict(), file)
    file.seek(0)
    other = build_tracker(cfg)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert run(other, frames, start=at) == whole[at:]


def test_state_before_the_first_frame(cfg):
    tracker = build_tracker(cfg)
    tracker.load_state_dict(build_tracker(cfg).state_dict())
    frames = list(embedded_crowd(6, 3))
    assert run(tracker, frames) == run(build_tracker(cfg), frames)


def test_missing_part_of_a_state_is_named(cfg):
    tracker = build_tracker(cfg)
    state = tracker.state_dict()
    state.pop("table")
    with pytest.raises(KeyError, match="lacks.*table"):
        tracker.load_state_dict(state)


def test_skipped_frames_are_frames_without_detections(cfg):
    """Also for backdrops, which are those of the last frames and not of the last calls."""
    cfg = dict(cfg, memo_backdrop_frames=3) if cfg["type"] == "QuasiDenseTracker" else cfg
    frames = list(embedded_crowd(15, 20, clutter=0.4))
    frames = [blank(f) if t in (6, 7, 12) else f for t, f in enumerate(frames)]
    whole = run(build_tracker(cfg), frames)
    tracker = build_tracker(cfg)
    for frame_id, frame in enumerate(frames):
        if frame_id not in (6, 7, 12):
            bboxes, _, ids = step(tracker, frame_id, *frame)
            assert ids_by_box(bboxes, ids) == whole[frame_id]


def one(x=0.0, score=0.95, look=(1.0, 0.0, 0.0), label=0):
    """A detection of 10 x 10 pixels."""
    return [x, 0, x + 10, 10], score, label, [6 * v for v in look]


def frame_of(*objects):
    bboxes, scores, labels, embeds = zip(*objects, strict=True) if objects else ([],) * 4
    return (
        np.array(bboxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(labels, np.int64),
        np.array(embeds, np.float32).reshape(-1, 3),
    )


A, B, C = (1.0, 0, 0), (0, 1.0, 0), (0, 0, 1.0)


@pytest.mark.parametrize(("gap", "same"), [(10, True), (11, False)])
def test_a_track_is_kept_for_ten_frames(cfg, gap, same):
    """Seen in frame 0 and again in frame ``gap``, with frames without detections between."""
    tracker = build_tracker(cfg)
    step(tracker, 0, *frame_of(one(look=A)))
    for t in range(1, gap):
        assert step(tracker, t, *frame_of())[2].tolist() == []
    assert step(tracker, gap, *frame_of(one(50, look=A)))[2].tolist() == [0 if same else 1]


def test_embedding_of_a_track_is_a_running_mean(cfg):
    tracker = build_tracker(dict(cfg, memo_momentum=0.25, match_metric="softmax"))
    step(tracker, 0, *frame_of(one(look=A)))
    step(tracker, 1, *frame_of(one(look=(0.8, 0.4, 0))))
    want = 6 * (0.75 * np.array(A) + 0.25 * np.array([0.8, 0.4, 0]))
    np.testing.assert_allclose(tracker.memo.embeds, [want], rtol=1e-6)
    assert tracker.memo.ids.tolist() == [0]


def test_backdrop_keeps_a_false_detection_from_a_track():
    """A weak detection is remembered for a frame; what looks like it then is not a track."""
    tracker = build_tracker(dict(type="QuasiDenseTracker", match_metric="softmax"))
    weak = one(100, 0.4, look=B)
    assert step(tracker, 0, *frame_of(one(look=A), weak))[2].tolist() == [0]
    assert tracker.memo.ids.tolist() == [0, -1]
    # between A and B, nearer to B; without the backdrop it would be most like A
    doubtful = one(50, 0.75, look=(0.6, 0.8, 0))
    assert step(tracker, 1, *frame_of(doubtful))[2].tolist() == []
    without = build_tracker(
        dict(type="QuasiDenseTracker", match_metric="softmax", memo_backdrop_frames=0)
    )
    step(without, 0, *frame_of(one(look=A), weak))
    assert without.memo.ids.tolist() == [0]
    assert step(without, 1, *frame_of(doubtful))[2].tolist() == [0]


def test_backdrops_are_forgotten_after_their_frames():
    tracker = build_tracker(dict(type="QuasiDenseTracker", memo_backdrop_frames=2))
    step(tracker, 0, *frame_of(one(look=A), one(100, 0.4, look=B)))
    step(tracker, 1, *frame_of(one(look=A), one(200, 0.4, look=C)))
    assert tracker.memo.ids.tolist() == [0, -1, -1]
    step(tracker, 2, *frame_of())
    assert tracker.memo.ids.tolist() == [0, -1]
    step(tracker, 3, *frame_of())
    assert tracker.memo.ids.tolist() == [0]


def test_weak_match_is_neither_track_nor_backdrop():
    """Too weak to continue the track, too alike for a backdrop."""
    tracker = build_tracker(dict(type="QuasiDenseTracker"))
    step(tracker, 0, *frame_of(one(look=A)))
    assert step(tracker, 1, *frame_of(one(look=A, score=0.4)))[2].tolist() == []
    assert tracker.memo.ids.tolist() == [0]
    other = build_tracker(dict(type="QuasiDenseTracker", nms_conf_thr=1.1))
    step(other, 0, *frame_of(one(look=A)))
    step(other, 1, *frame_of(one(look=A, score=0.4)))
    assert other.memo.ids.tolist() == [0, -1]


def test_backdrop_must_not_overlap_a_better_box():
    tracker = build_tracker(dict(type="QuasiDenseTracker", nms_backdrop_iou_thr=0.3))
    overlapping = one(4, 0.6, look=B)  # 6 of 14 pixels: more than 0.3, and not weak
    step(tracker, 0, *frame_of(one(0, 0.95, look=A), overlapping))
    assert tracker.memo.ids.tolist() == [0]


def test_duplicates_across_classes_are_removed_before_ids_are_given():
    tracker = build_tracker(dict(type="QuasiDenseTracker"))
    frame = frame_of(one(1, 0.9, label=1, look=B), one(0, 0.95, look=A), one(50, 0.85, look=C))
    bboxes, labels, ids = step(tracker, 0, *frame)
    assert ids.tolist() == [0, 1]
    assert labels.tolist() == [0, 0]
    assert bboxes[:, 0].tolist() == [0, 50]


def test_class_decides_only_with_cats():
    for with_cats, want in ((True, [1]), (False, [0])):
        tracker = build_tracker(dict(type="QuasiDenseTracker", with_cats=with_cats))
        step(tracker, 0, *frame_of(one(look=A)))
        assert step(tracker, 1, *frame_of(one(look=A, label=3)))[2].tolist() == want


def test_scores_of_tao_tracks_are_running_means():
    tracker = build_tracker(dict(type="QuasiDenseTAOTracker", momentum_obj_score=0.25))
    scores = []
    for t, score in enumerate((0.8, 0.4, 0.6)):
        bboxes, _, ids = step(tracker, t, *frame_of(one(look=A, score=score)))
        assert ids.tolist() == [0]
        scores.append(float(bboxes[0, 4]))
    np.testing.assert_allclose(scores, [0.8, 0.7, 0.675], rtol=1e-6)
    np.testing.assert_allclose(tracker.memo.bboxes[:, 4], 0.675, rtol=1e-6)


def test_tao_track_does_not_jump_in_score():
    tracker = build_tracker(dict(type="QuasiDenseTAOTracker", obj_score_diff_thr=0.3))
    step(tracker, 0, *frame_of(one(look=A, score=0.9)))
    assert step(tracker, 1, *frame_of(one(look=A, score=0.5)))[2].tolist() == [1]


def test_distractor_is_a_weak_box_of_the_same_class():
    tracker = build_tracker(dict(type="QuasiDenseTAOTracker"))
    frame = frame_of(
        one(0, 0.9), one(2, 0.4), one(2, 0.4, label=1), one(3, 0.6, look=B), one(80, 0.1, look=C)
    )
    bboxes, labels, _ = step(tracker, 0, *frame)
    assert bboxes[:, 0].tolist() == [0, 2, 3, 80]
    assert labels.tolist() == [0, 1, 0, 0]


def test_temperature_sharpens_the_choice():
    """Similarities 36 and 0.8 * 36 for two tracks: a softmax of 0.999, or of 0.51 at 1000."""
    near = (0.8, 0.6, 0)
    for temperature, count in ((-1, 2), (1000.0, 3)):
        tracker = build_tracker(
            dict(
                type="QuasiDenseTAOTracker",
                match_with_cosine=False,
                match_score_thr=0.6,
                match_metric="softmax",
            )  # fmt: skip
        )
        step(tracker, 0, *frame_of(one(look=A), one(50, look=near)))
        step(tracker, 1, *frame_of(one(look=A)), temperature=temperature)
        assert tracker.num_tracks == count


def test_boxes_reach_the_track_head_in_pixels_of_the_input(cfg):
    """Given in the original image they are scaled, unless the caller says that they are not."""
    frame = frame_of(one(10, look=A), one(50, look=B))
    for rescale, scale in ((True, 0.5), (False, 1.0)):
        seen = []
        head = SimpleNamespace(
            extract_bbox_feats=lambda x, b, seen=seen: seen.append(b[0]) or torch.ones(len(b[0]), 3)
        )
        build_tracker(cfg).track(
            img_metas=[dict(scale_factor=np.full(4, 0.5, np.float32))], feats=[torch.zeros(1)],
            model=SimpleNamespace(track_head=head), labels=torch.zeros(2, dtype=torch.int64),
            bboxes=torch.from_numpy(np.column_stack(frame[:2])), frame_id=0, rescale=rescale,
        )  # fmt: skip
        np.testing.assert_array_equal(seen[0], frame[0] * scale)


def test_update_alone_remembers_a_frame():
    """The documented hook, with the order of arguments of each tracker."""
    bboxes = torch.tensor([[0.0, 0, 10, 10, 0.9], [50, 0, 60, 10, 0.3]])
    labels, embeds = torch.tensor([2, 2]), torch.eye(2)
    mot = build_tracker(dict(type="QuasiDenseTracker"))
    mot.update(torch.tensor([0, -1]), bboxes, embeds, labels, 4)
    assert mot.memo.ids.tolist() == [0, -1]
    torch.testing.assert_close(mot.memo.bboxes.float(), bboxes)
    assert mot.memo.labels.tolist() == [2, 2]
    tao = build_tracker(dict(type="QuasiDenseTAOTracker"))
    tao.update(torch.tensor([0, 1]), bboxes, labels, embeds, 4)
    assert tao.memo.ids.tolist() == [0, 1]
    assert tao.tracks[1].frame_ids[0].tolist() == [4]
    torch.testing.assert_close(tao.memo.embeds, embeds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(match_metric="euclid"), "match_metric must be one of"),
        (dict(memo_momentum=1.5), r"memo_momentum must lie in \[0, 1\], found 1.5"),
    ],
)
def test_bad_settings(cfg, change, message):
    with pytest.raises(ValueError, match=message):
        build_tracker(dict(cfg, **change))


@pytest.mark.parametrize(
    "cfg",
    [
        dict(type="QuasiDenseTracker", memo_tracklet_frames=0),
        dict(type="QuasiDenseTracker", memo_backdrop_frames=-1),
        dict(type="QuasiDenseTAOTracker", memo_frames=0),
        dict(type="QuasiDenseTAOTracker", momentum_obj_score=-0.5),
    ],
    ids=["tracks", "backdrops", "tao", "score"],
)
def test_bad_memory(cfg):
    with pytest.raises(ValueError, match="at least a frame|must not be negative|must lie in"):
        build_tracker(cfg)


def test_bad_frames(cfg):
    tracker = build_tracker(cfg)
    step(tracker, 0, *frame_of(one()))
    step(tracker, 3, *frame_of(one()))
    with pytest.raises(ValueError, match="frame 2 comes after frame 3"):
        step(tracker, 2, *frame_of(one()))
    with pytest.raises(ValueError, match="frame 4: detection 0 is not finite"):
        step(tracker, 4, *frame_of(one(np.nan)))


def test_boxes_without_area_are_tracked(cfg):
    """Clipping at the border of the image leaves some; they overlap nothing."""
    tracker = build_tracker(cfg)
    bboxes, scores, labels, embeds = frame_of(one(look=A), one(50, look=B))
    bboxes[:, 2] = bboxes[:, 0]
    for t in range(2):
        assert step(tracker, t, bboxes, scores, labels, embeds)[2].tolist() == [0, 1]
