"""The array trackers give the ids of a plain implementation with one object per track."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmtrack.models import build_motion, build_tracker
from oracles.crowds import crowd
from oracles.plain_trackers import PlainByteTrack, PlainOCSort, PlainSort

BYTE = dict(
    type="ByteTracker",
    obj_score_thrs=dict(high=0.6, low=0.1),
    init_track_thr=0.7,
    weight_iou_with_det_scores=True,
    match_iou_thrs=dict(high=0.1, low=0.5, tentative=0.3),
    num_frames_retain=30,
)
METHODS = {
    "byte": (BYTE, lambda: PlainByteTrack(num_frames_retain=30)),
    "byte-unweighted": (
        dict(BYTE, weight_iou_with_det_scores=False, num_tentatives=2),
        lambda: PlainByteTrack(num_frames_retain=30, weighted=False, num_tentatives=2),
    ),
    "sort": (
        dict(type="SortTracker", obj_score_thr=0.5, match_iou_thr=0.5, reid=None),
        lambda: PlainSort(obj_score_thr=0.5, match_iou_thr=0.5),
    ),
    "ocsort": (
        dict(type="OCSORTTracker", num_frames_retain=30),
        lambda: PlainOCSort(num_frames_retain=30),
    ),
}
CROWDS = {
    "sparse": dict(count=12, frames=50, speed=5.0),
    "crowd": dict(count=60, frames=40),
    "many-misses": dict(count=25, frames=60, miss=0.3, clutter=0.1, speed=4.0),
}


def ids_of(tracker, frames):
    """Ids per frame in the order of the detections' scores, which tell them apart."""
    model = SimpleNamespace(
        motion=build_motion(dict(type="KalmanFilter")), with_reid=False, with_motion=True
    )
    for frame_id, (bboxes, scores, labels, _) in enumerate(frames):
        rows = torch.from_numpy(np.concatenate((bboxes, scores[:, None]), axis=1))
        out, _, ids = tracker.track(
            img=None,
            img_metas=[{}],
            model=model,
            bboxes=rows,
            labels=torch.from_numpy(labels),
            frame_id=frame_id,
        )
        yield dict(zip(out[:, 4].tolist(), ids.tolist(), strict=True))


def plain_ids_of(tracker, frames):
    for frame_id, (bboxes, scores, labels, _) in enumerate(frames):
        rows = tracker.track(bboxes.astype(float), scores.astype(float), labels, frame_id)
        yield {float(row[5]): row[0] for row in rows}


@pytest.mark.parametrize("scene", CROWDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_same_ids_as_the_plain_tracker(method, scene, seed):
    settings, plain = METHODS[method]
    frames = list(crowd(seed=seed, **CROWDS[scene]))
    found = ids_of(build_tracker(settings), frames)
    expected = plain_ids_of(plain(), frames)
    for frame_id, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert ours == theirs, f"frame {frame_id}: the ids differ"


def test_byte_tracker_keeps_classes_apart_as_the_plain_tracker():
    frames = list(crowd(count=40, frames=40, classes=3, seed=3))
    found = list(ids_of(build_tracker(BYTE), frames))
    assert found == list(plain_ids_of(PlainByteTrack(num_frames_retain=30), frames))
