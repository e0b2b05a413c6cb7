"""Matching, collecting, joining and formatting: values and shapes by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmcv.parallel import DataContainer, collate

from mmtrack.datasets.pipelines import (
    CheckPadMaskValidity,
    ConcatSameTypeFrames,
    ConcatVideoReferences,
    MatchInstances,
    MultiImagesToTensor,
    ReIDFormatBundle,
    SeqDefaultFormatBundle,
    SeqPad,
    ToList,
    VideoCollect,
)
from mmtrack.datasets.pipelines.processing import match_ids

BOX_KEYS = ["img", "gt_bboxes", "gt_labels", "gt_instance_ids"]


# ------------------------------------------------------------------ matching
def test_match_against_lists():
    rng = np.random.default_rng(0)
    for n, m in ((0, 0), (0, 4), (3, 0), (6, 8), (9, 5)):
        ids, other = rng.permutation(12)[:n] - 2, rng.permutation(12)[:m] - 2
        listed = other.tolist()
        expected = [listed.index(i) if i >= 0 and i in listed else -1 for i in ids.tolist()]
        found = match_ids(ids, other)
        assert found.tolist() == expected
        assert found.dtype == np.int64


def pair(first, second):
    return [{"gt_instance_ids": np.array(ids)} for ids in (first, second)]


def test_both_frames_are_matched():
    found = MatchInstances()(pair([5, 3, 9], [9, 1, 5, 7]))
    assert found[0]["gt_match_indices"].tolist() == [2, -1, 0]
    assert found[1]["gt_match_indices"].tolist() == [2, -1, 0, -1]


def test_identity_zero_is_an_identity_and_negative_ones_are_none():
    found = MatchInstances()(pair([0, -1], [-1, 0]))
    assert found[0]["gt_match_indices"].tolist() == [1, -1]
    assert found[1]["gt_match_indices"].tolist() == [-1, 0]


def test_pairs_without_match():
    assert MatchInstances()(pair([1], [2])) is None
    found = MatchInstances(skip_nomatch=False)(pair([1], []))
    assert found[0]["gt_match_indices"].tolist() == [-1]


def test_only_pairs_are_matched():
    with pytest.raises(ValueError, match="got 3: set num_ref_imgs=1"):
        MatchInstances()([*pair([1], [2]), *pair([1], [2])][:3])


# ------------------------------------------------------------------ collecting
def test_collect_looks_in_the_frame_then_in_its_info(make_frames):
    frame = make_frames(1)[0]
    frame["img_info"].update(num_left_ref_imgs=4, filename="the frame goes first")
    found = VideoCollect(keys=["img"], meta_keys=("num_left_ref_imgs", "nowhere"))([frame])[0]
    assert set(found) == {"img", "img_metas"}
    assert found["img_metas"] == {
        "filename": "0.png",
        "ori_filename": "0.png",
        "ori_shape": (60, 80, 3),
        "img_shape": (60, 80, 3),
        "frame_id": 0,
        "is_video_data": True,
        "num_left_ref_imgs": 4,
    }


@pytest.mark.parametrize("meta_keys", ["a", ("a",), ["a"]])
def test_collect_takes_one_or_several_metas(meta_keys):
    found = VideoCollect(keys=[], meta_keys=meta_keys, default_meta_keys=("b",))({"a": 1, "b": 2})
    assert isinstance(found["img_metas"], DataContainer)
    assert found["img_metas"].cpu_only
    assert found["img_metas"].data == {"a": 1, "b": 2}


def test_collect_names_what_is_missing():
    with pytest.raises(KeyError, match=r"\['gt_bboxes'\], which no step before it made"):
        VideoCollect(keys=["img", "gt_bboxes"])({"img": 1})


# ------------------------------------------------------------------ joining
def joined(frames, **kwargs):
    return ConcatSameTypeFrames(**kwargs)(VideoCollect(keys=BOX_KEYS)(frames))


def test_references_are_joined(make_frames):
    frames = make_frames(3)
    key, reference = joined(frames)
    assert key["img"] is frames[0]["img"]
    assert reference["img"].shape == (60, 80, 3, 2)
    for i in range(2):
        np.testing.assert_array_equal(reference["img"][..., i], frames[i + 1]["img"])
        rows = reference["gt_bboxes"][:, 0] == i
        np.testing.assert_array_equal(reference["gt_bboxes"][rows, 1:], frames[i + 1]["gt_bboxes"])
        np.testing.assert_array_equal(reference["gt_labels"][rows, 1], frames[i + 1]["gt_labels"])
    assert reference["gt_bboxes"].dtype == np.float32
    assert reference["gt_labels"].shape == (8, 2)
    assert [metas["frame_id"] for metas in reference["img_metas"]] == [1, 2]


def test_one_reference_is_joined_one_key_is_not(make_frames):
    key, reference = joined(make_frames(2))
    assert key["img"].shape == (60, 80, 3)
    assert reference["img"].shape == (60, 80, 3, 1)
    key, reference = joined(make_frames(3), num_key_frames=2)
    assert key["img"].shape == (60, 80, 3, 2)
    assert reference["gt_labels"].shape == (4, 2)


def test_no_reference_gives_no_reference_keys(make_frames):
    key, reference = joined(make_frames(1))
    assert reference == {}
    assert not [k for k in SeqDefaultFormatBundle()([key, reference]) if k.startswith("ref")]


def test_other_entries_are_joined_by_kind(make_frames):
    frames = make_frames(2, masks=True, seg=True)
    for i, frame in enumerate(frames):
        frame["padding_mask"] = np.full((60, 80), bool(i))
        frame["is_positive_pairs"] = True
    found = ConcatSameTypeFrames().concat_one_mode_results(frames)
    assert found["padding_mask"].shape == (2, 60, 80)
    assert found["gt_semantic_seg"].shape == (60, 80, 1, 2)
    assert len(found["gt_masks"]) == 2
    assert found["is_positive_pairs"] is True


def test_lists_are_needed():
    with pytest.raises(TypeError, match="needs a list of frames"):
        ConcatVideoReferences()({})


# ------------------------------------------------------------------ tensors
def test_training_bundle(make_frames):
    frames = make_frames(3, seg=True)
    keys = [*BOX_KEYS, "gt_semantic_seg"]
    found = SeqDefaultFormatBundle("ref")(ConcatVideoReferences()(VideoCollect(keys)(frames)))
    np.testing.assert_array_equal(found["img"].data, frames[0]["img"].transpose(2, 0, 1))
    assert found["img"].stack
    assert found["ref_img"].data.shape == (2, 3, 60, 80)
    np.testing.assert_array_equal(found["ref_img"].data[1], frames[2]["img"].transpose(2, 0, 1))
    np.testing.assert_array_equal(found["gt_semantic_seg"].data[0], frames[0]["gt_semantic_seg"])
    assert found["ref_gt_semantic_seg"].data.shape == (2, 1, 60, 80)
    assert found["ref_gt_bboxes"].data.shape == (8, 5)
    assert not found["ref_gt_bboxes"].stack
    assert found["ref_img_metas"].cpu_only
    batch = collate([found, found], samples_per_gpu=2)
    assert batch["ref_img"].data[0].shape == (2, 2, 3, 60, 80)
    assert [t.shape for t in batch["gt_bboxes"].data[0]] == [(4, 4)] * 2


def test_pair_without_joining(make_frames):
    found = SeqDefaultFormatBundle("search")(VideoCollect(BOX_KEYS)(make_frames(2)))
    assert found["search_img"].data.shape == (3, 60, 80)
    assert found["search_gt_bboxes"].data.shape == (4, 4)
    assert found["search_gt_labels"].data.dtype == torch.int64


@pytest.mark.parametrize("count", [1, 3])
def test_testing_bundle(make_frames, count):
    frames = VideoCollect(["img"])(make_frames(count))
    frames = [frames[0]] if count == 1 else ConcatVideoReferences()(frames)
    found = ToList()(MultiImagesToTensor()(frames))
    assert isinstance(found["img"][0], torch.Tensor)
    assert found["img"][0].shape == (3, 60, 80)
    assert found["img_metas"][0].data["frame_id"] == 0
    assert ("ref_img" in found) == (count > 1)
    if count > 1:
        assert found["ref_img"][0].shape == (2, 3, 60, 80)


def test_flipped_views_become_tensors(make_frames):
    frame = make_frames(1)[0]
    frame["img"] = frame["img"][:, ::-1]
    found = MultiImagesToTensor()([frame])
    np.testing.assert_array_equal(found["img"], frame["img"].transpose(2, 0, 1))


def test_padding_after_formatting_keeps_the_batch(make_frames):
    frames = SeqPad(size_divisor=32)(make_frames(2))
    found = SeqDefaultFormatBundle()(VideoCollect(["img"])(frames))
    assert found["img"].data.shape == (3, 64, 96)
    assert found["img_metas"].data["pad_shape"] == (64, 96, 3)


def test_reid_bundle(make_frames):
    crops = make_frames(5)
    for i, crop in enumerate(crops):
        crop["gt_label"] = np.array(i * 2, np.int64)
    found = ReIDFormatBundle()(crops)
    assert set(found) == {"img", "gt_label"}
    assert found["img"].data.shape == (5, 3, 60, 80)
    assert found["gt_label"].data.tolist() == [0, 2, 4, 6, 8]
    assert found["gt_label"].pad_dims is None
    single = ReIDFormatBundle()(crops[3])
    np.testing.assert_array_equal(single["img"].data, crops[3]["img"].transpose(2, 0, 1))
    assert single["gt_label"].data.shape == ()
    batch = collate([found, found], samples_per_gpu=2)
    assert batch["gt_label"].data[0].shape == (2, 5)
    assert batch["img"].data[0].shape == (2, 5, 3, 60, 80)


# ------------------------------------------------------------------ padding masks
@pytest.mark.parametrize(
    ("valid", "kept"),
    [((0, 0), True), ((32, 64), True), ((32, 80), True), ((40, 40), False), (None, False)],
)
def test_masks_are_sampled_at_the_stride(valid, kept):
    mask = np.ones((48, 96), bool)  # not square: swapping height and width would show
    if valid is not None:
        mask[valid] = False
    frames = [{"padding_mask": np.zeros((48, 96), bool)}, {"padding_mask": mask}]
    expected = bool((~mask[::16, ::16]).any())
    assert expected == kept
    assert (CheckPadMaskValidity(16)(frames) is not None) == kept
