"""Which frames of two videos become a training sample."""

import collections

import numpy as np
import pytest

from mmtrack.datasets.pipelines import PairSampling, TridentSampling


def video(length, video_id=0, invalid=(), invisible=()):
    valid = np.ones(length, bool)
    valid[list(invalid)] = False
    visible = valid.copy()
    visible[list(invisible)] = False
    bboxes = np.arange(4 * length, dtype=np.float64).reshape(length, 4) + [0, 0, 9, 9]
    bboxes.setflags(write=False)
    return {
        "bboxes": bboxes,
        "bboxes_isvalid": valid,
        "visible": visible,
        "filename": [f"{video_id}/{t}.jpg" for t in range(length)],
        "frame_ids": np.arange(length) * 2,
        "video_id": video_id,
        "img_prefix": "data",
        "bbox_fields": [],
        "mask_fields": [],
        "seg_fields": [],
    }


def frames(samples):
    return [(s["img_info"]["video_id"], s["img_info"]["frame_id"] // 2) for s in samples]


def draw(step, videos, count=2000, seed=0):
    np.random.seed(seed)
    return [step(videos) for _ in range(count)]


# ---------------------------------------------------------------- pairs
def test_content_of_a_pair():
    pair = PairSampling(pos_prob=1.0)([video(9, 3), video(5, 4)])
    for sample in pair:
        t = sample["img_info"]["frame_id"] // 2
        assert sample["img_info"]["filename"] == f"3/{t}.jpg"
        np.testing.assert_array_equal(
            sample["ann_info"]["bboxes"], [[4 * t, 4 * t + 1, 4 * t + 11, 4 * t + 12]]
        )
        assert sample["img_prefix"] == "data"
        assert sample["is_positive_pairs"] is True
        sample["ann_info"]["bboxes"][:] = 0  # belongs to the sample
        sample["bbox_fields"].append("gt_bboxes")
    assert pair[0]["bbox_fields"] is not pair[1]["bbox_fields"]


def test_positive_pairs_lie_within_the_range():
    videos = [video(20), video(20, 1)]
    distances = collections.Counter(
        b[1] - a[1] for a, b in map(frames, draw(PairSampling([-2, 5], 1.0), videos))
    )
    assert set(distances) == set(range(-2, 5))  # the upper end does not belong to it
    symmetric = {b[1] - a[1] for a, b in map(frames, draw(PairSampling(3, 1.0), videos))}
    assert symmetric == set(range(-3, 3))


def test_every_frame_is_a_template():
    pairs = draw(PairSampling(5, 1.0), [video(10), video(10, 1)], 4000)
    counts = np.bincount([frames(pair)[0][1] for pair in pairs], minlength=10)
    np.testing.assert_allclose(counts / counts.sum(), 0.1, atol=0.025)


def test_template_can_be_left_out():
    step = PairSampling(2, 1.0, filter_template_img=True)
    assert all(a != b for a, b in map(frames, draw(step, [video(9), video(9, 1)], 500)))
    assert frames(step([video(1), video(1, 1)])) == [(0, 0)] * 2  # an image


def test_probability_of_positive_pairs():
    pairs = draw(PairSampling(5, 0.8), [video(9), video(9, 1)], 4000)
    positive = np.array([pair[0]["is_positive_pairs"] for pair in pairs])
    assert positive.mean() == pytest.approx(0.8, abs=0.03)
    for pair, is_positive in zip(pairs, positive, strict=True):
        assert pair[1]["is_positive_pairs"] == is_positive
        assert [v for v, _ in frames(pair)] == [0, 0 if is_positive else 1]


def test_one_video_gives_positive_pairs():
    pairs = draw(PairSampling(5, 0.0), [video(9), video(9)], 20)
    assert all(pair[0]["is_positive_pairs"] is True for pair in pairs)


def test_invalid_frames_are_never_drawn():
    videos = [video(9, 0, invalid=(0, 4, 5)), video(9, 1, invalid=range(1, 9))]
    drawn = {frame for pair in draw(PairSampling(9, 0.5), videos) for frame in frames(pair)}
    assert drawn == {(0, t) for t in (1, 2, 3, 6, 7, 8)} | {(1, 0)}


def test_nothing_to_draw():
    absent = video(4, 1, invalid=range(4))
    assert PairSampling(5, 1.0)([absent, video(4)]) is None
    assert PairSampling(5, 0.0)([video(4), absent]) is None
    alone = video(4, 0, invalid=(0, 1, 3))
    assert PairSampling(5, 1.0, filter_template_img=True)([alone, video(4, 1)]) is None


@pytest.mark.parametrize(
    "settings", [{"frame_range": [1, 5]}, {"frame_range": [-1, 2, 3]}, {"pos_prob": 1.2}]
)
def test_impossible_pairs(settings):
    with pytest.raises(ValueError, match="expected"):
        PairSampling(**settings)


# ---------------------------------------------------------------- tridents
def test_order_and_ranges_of_a_trident():
    step = TridentSampling(num_template_frames=3, max_frame_range=[4, 10], min_num_frames=2)
    seen = collections.Counter()
    for sample in draw(step, [video(40), video(40, 1)]):
        (_, first), (_, near), (_, far), (_, search) = frames(sample)
        low, high = sorted((first, search))
        for extra, most in ((near, 4), (far, 10)):
            assert low <= extra <= high
            assert abs(extra - search) <= most
        seen["extra is search"] += near == search
        seen["extra is template"] += near == first
        seen["backwards"] += search < first
        assert [s["img_prefix"] for s in sample] == ["data"] * 4
        assert all("labels" not in s["ann_info"] for s in sample)
    assert all(0.05 < seen[key] / 2000 < 0.6 for key in seen), seen


def test_tridents_show_the_object():
    step = TridentSampling(max_frame_range=[5], min_num_frames=5)
    videos = [video(12, 0, invalid=(0, 3), invisible=(7, 8)), video(12, 1)]
    drawn = {frame for sample in draw(step, videos, 500) for _, frame in frames(sample)}
    assert drawn == set(range(12)) - {0, 3, 7, 8}


def test_images_are_repeated_and_short_videos_rejected():
    step = TridentSampling(min_num_frames=6)
    assert frames(step([video(1), video(9, 1)])) == [(0, 0)] * 3
    assert step([video(5), video(9, 1)]) is None
    assert step([video(6), video(9, 1)]) is not None
    assert step([video(9, 0, invalid=range(9)), video(9, 1)]) is None


def test_labels_of_the_score():
    step = TridentSampling(cls_pos_prob=0.3, train_cls_head=True, min_num_frames=2)
    samples = draw(step, [video(9), video(9, 1, invisible=(0, 1))], 2000)
    labels = []
    for sample in samples:
        own = [s["ann_info"]["labels"] for s in sample]
        assert all(label.dtype == np.float32 and label.shape == (1,) for label in own)
        assert [label[0] for label in own[:2]] == [1, 1]
        assert [v for v, _ in frames(sample)] == [0, 0, 0 if own[2][0] else 1]
        labels.append(own[2][0])
        if not own[2][0]:
            assert frames(sample)[2][1] >= 2
    assert np.mean(labels) == pytest.approx(0.3, abs=0.03)


def test_scores_need_another_video():
    step = TridentSampling(cls_pos_prob=0.0, train_cls_head=True, min_num_frames=2)
    with pytest.raises(ValueError, match="needs two different videos"):
        step([video(9), video(9)])
    assert step([video(9), video(9, 1, invalid=range(9))]) is None


def test_visibility_of_drawn_frames():
    step = TridentSampling()
    visible = np.array([True, False, True, False, True, True])

    def drawn(**kwargs):
        return {i for _ in range(200) for i in step.random_sample_inds(visible, 3, **kwargs)}

    assert drawn() == {0, 2, 4, 5}
    assert drawn(frame_range=[1, 5]) == {2, 4}
    assert drawn(frame_range=[-3, 99]) == {0, 2, 4, 5}
    assert drawn(allow_invisible=True) == set(range(6))
    assert drawn(force_invisible=True, frame_range=[2, 6]) == {3}
    assert step.random_sample_inds(visible, 2, frame_range=[1, 2]) == []
    assert step.random_sample_inds(visible, 2, frame_range=[4, 2]) == []
    assert len(step.random_sample_inds(visible, 4)) == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"num_template_frames": 3},
        {"max_frame_range": []},
        {"num_search_frames": 0},
        {"cls_pos_prob": -0.1},
    ],
)
def test_impossible_tridents(settings):
    with pytest.raises(ValueError, match="must be|expected"):
        TridentSampling(**settings)


@pytest.mark.parametrize("step", [PairSampling(), TridentSampling()])
def test_two_videos_are_needed(step):
    with pytest.raises(ValueError, match="needs two videos, got 1"):
        step([video(30)])
