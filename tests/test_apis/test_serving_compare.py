"""Which differences between a server and the model here count."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from mmtrack.apis.serving_compare import Tolerance, compare_results, compare_videos, listed
from mmtrack.core.mask import encode_masks, rle_as_text
from mmtrack.core.visualization import VideoFileWriter

EXACT = Tolerance(pixels=0, score=0, overlap=1, levels=0, changed=0)
RESULT = {
    "task": "mot",
    "num_frames": 2,
    "frames": [
        {
            "frame_id": 0,
            "objects": [
                {"id": 1, "label": 0, "class": "a", "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.9},
                {"id": 2, "label": 0, "class": "a", "bbox": [9.0, 2.0, 3.0, 4.0], "score": 0.505},
            ],
        },
        {"frame_id": 1, "objects": []},
    ],
}


@pytest.fixture
def other():
    return copy.deepcopy(RESULT)


USUAL = Tolerance()


def differ(served, local=RESULT, tolerance=USUAL):
    return compare_results(served, local, 0.5, tolerance)


def test_equal_results(other):
    assert differ(other, tolerance=EXACT) == []
    other["frames"][0]["objects"].reverse()
    assert differ(other, tolerance=EXACT) == []


def test_box(other):
    box = other["frames"][0]["objects"][0]["bbox"]
    box[3] += 0.9
    assert differ(other) == []
    box[3] = 5.1
    assert differ(other) == [
        "frame 0: object (id 1, class a): box [1.0, 2.0, 3.0, 5.1] served, "
        "[1.0, 2.0, 3.0, 4.0] local"
    ]


def test_score(other):
    other["frames"][0]["objects"][0]["score"] = 0.88
    assert differ(other) == ["frame 0: object (id 1, class a): score 0.88 served, 0.9 local"]


def with_mask(columns):
    """The results with a mask of the first columns of a 10 x 10 image."""
    pixels = np.zeros((10, 10), bool)
    pixels[:, :columns] = True
    result = copy.deepcopy(RESULT)
    result["frames"][0]["objects"][0]["mask"] = rle_as_text(encode_masks(pixels))
    return result


def test_masks(other):
    looser = USUAL._replace(overlap=0.8)
    assert differ(with_mask(5), with_mask(5), EXACT) == []
    assert differ(with_mask(0), with_mask(0), EXACT) == []
    assert differ(with_mask(4), with_mask(5), looser) == []
    name = "frame 0: object (id 1, class a)"
    assert differ(with_mask(4), with_mask(5)) == [f"{name}: the masks overlap by 0.800"]
    assert differ(with_mask(0), with_mask(5)) == [f"{name}: the masks overlap by 0.000"]
    assert differ(other, with_mask(5), looser) == [f"{name}: the masks overlap by 0.000"]


def test_object_at_the_threshold_may_be_missing(other):
    del other["frames"][0]["objects"][1]
    assert differ(other) == []
    assert differ(RESULT, other) == []


@pytest.mark.parametrize("swap", [False, True])
def test_missing_object(other, swap):
    del other["frames"][0]["objects"][0]
    pair = (RESULT, other) if swap else (other, RESULT)
    side = "served" if swap else "local"
    assert differ(*pair) == [
        f"frame 0: object (id 1, class a) with score 0.9 is in the {side} result only"
    ]


def test_other_id_is_another_object(other):
    other["frames"][0]["objects"][0]["id"] = 7
    assert len(differ(other)) == 2


def test_head(other):
    other["num_frames"] = 3
    assert differ(other) == ["num_frames: served 3, local 2"]


def test_detections_are_paired_by_place():
    boxes = [[0.0, 0, 5, 5], [50.0, 0, 5, 5]]
    objects = [{"label": 0, "class": "a", "bbox": box, "score": 0.9} for box in boxes]
    frames = [{"frame_id": 0, "objects": objects}]
    turned = [{"frame_id": 0, "objects": objects[::-1]}]
    assert differ({"frames": turned}, {"frames": frames}, EXACT) == []


def test_followed_object():
    def video(score, x):
        return {"frames": [{"frame_id": 0, "objects": [{"bbox": [x, 0, 1, 1], "score": score}]}]}

    assert differ(video(None, 0.0), video(None, 0.0)) == []
    assert differ(video(0.0, 0.0), video(0.5, 5.0)) == [
        "frame 0: the object: box [0.0, 0, 1, 1] served, [5.0, 0, 1, 1] local",
        "frame 0: the object: score 0.0 served, 0.5 local",
    ]


def test_long_lists_are_shortened():
    assert listed(["a"] * 10).count("\n") == 9
    assert listed(["a"] * 12).endswith("... and 2 more")


@pytest.fixture
def video(tmp_path):
    def write(name, frames):
        with VideoFileWriter(tmp_path / name, 10) as writer:
            for frame in frames:
                writer.write(frame)
        return str(tmp_path / name)

    return write


def test_videos(video):
    frames = [np.full((48, 64, 3), 80, np.uint8) for _ in range(3)]
    first = video("a.mp4", frames)
    assert compare_videos(first, first, EXACT) == ([], 3, 0.0)
    changed = [frame.copy() for frame in frames]
    changed[1][:24] = 255
    found = compare_videos(first, video("b.mp4", changed), Tolerance())
    assert len(found.problems) == 1
    assert found.problems[0].startswith("frame 1: ")
    assert found.worst == pytest.approx(0.5, abs=0.05)
    assert compare_videos(video("c.mp4", frames[:2]), first, EXACT).problems == [
        "the served video ends after 2 frames, the other goes on"
    ]
    assert compare_videos(first, video("d.mp4", [f[:32] for f in frames]), EXACT).problems == [
        "frame 0: served (48, 64, 3), local (32, 64, 3)"
    ]
