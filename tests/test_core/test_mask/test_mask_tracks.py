"""Overlap of objects over time against sums over dense masks."""

import numpy as np
import pycocotools.mask as coco_mask
import pytest

from mmtrack.core.mask import MaskTrack, track_ious


def encode(planes):
    """Masks of a track ``(T, h, w)``; frames without pixels are None."""
    return [
        coco_mask.encode(np.asfortranarray(plane.astype(np.uint8))) if plane.any() else None
        for plane in planes
    ]


def random_planes(rng, count, frames=7, size=(24, 31)):
    """Moving boxes ``(count, T, h, w)``, some frames empty."""
    planes = np.zeros((count, frames, *size), bool)
    for own in planes:
        at, step = rng.uniform(0, 14, 2), rng.uniform(-1, 1, 2)
        tall, wide = rng.integers(3, 12, 2)
        for frame in range(frames):
            y, x = np.maximum(at + frame * step, 0).astype(int)
            if rng.uniform() < 0.75:
                own[frame, y : y + tall, x : x + wide] = rng.uniform(size=(1, 1)) < 0.95
    return planes


@pytest.mark.parametrize("seed", range(3))
def test_against_dense_masks(seed):
    rng = np.random.default_rng(seed)
    planes, others = random_planes(rng, 6), random_planes(rng, 4)
    others[0] = planes[0]
    wanted = np.zeros((6, 4))
    for i, j in np.ndindex(6, 4):
        union = (planes[i] | others[j]).sum()
        wanted[i, j] = (planes[i] & others[j]).sum() / union if union else 0
    found = track_ious(
        [MaskTrack.from_masks(encode(p)) for p in planes],
        [MaskTrack.from_masks(encode(p)) for p in others],
    )
    np.testing.assert_array_equal(found, wanted)
    assert found[0, 0] == 1
    assert 0 < (found > 0).sum() < 24


def test_frames_add_up_before_they_are_divided():
    # One frame of 100 shared pixels, one where 20 and 30 pixels lie apart: 100 / 150.
    first, second = np.zeros((2, 2, 20, 20), bool)
    first[0, :10, :10] = second[0, :10, :10] = True
    first[1, :2, :10] = True
    second[1, 10:13, :10] = True
    tracks = [MaskTrack.from_masks(encode(planes)) for planes in (first, second)]
    assert track_ious(tracks[:1], tracks[1:])[0, 0] == pytest.approx(100 / 150)
    assert tracks[0].areas.tolist() == [100, 20]
    assert tracks[1].mean_area == 65
    assert MaskTrack.from_masks([*tracks[0].masks, None]).mean_area == 60


def test_objects_never_seen():
    empty = MaskTrack.from_masks([None, None])
    no_pixels = MaskTrack.from_masks([coco_mask.encode(np.zeros((5, 5), np.uint8, order="F"))] * 2)
    full = MaskTrack.from_masks([coco_mask.encode(np.ones((5, 5), np.uint8, order="F"))] * 2)
    assert track_ious([empty, no_pixels], [full, empty]).tolist() == [[0, 0], [0, 0]]
    assert empty.mean_area == no_pixels.mean_area == 0


def test_no_objects():
    track = MaskTrack.from_masks([None])
    assert track_ious([], [track]).shape == (0, 1)
    assert track_ious([track], []).shape == (1, 0)
