"""A small report in which every kind of box has a known place."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as coco_mask

from mmtrack.core.visualization.report import (
    BoxColumns,
    Chart,
    Column,
    ErrorKind,
    Report,
    ScoreTable,
    Video,
)

HOSTILE = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2"><!--$title'
SIZE, FRAMES = (100, 60), 12
SWITCH_FRAME, FALSE_FRAME, MISS_FRAME = 6, 3, 8
FALSE_BOX, OTHER_BOX = (60, 5, 80, 25), (50, 32, 70, 52)
MASK_BOX = (16, 36, 36, 56)
KINDS = (
    ErrorKind("FP", "false positive", (0, 0, 230)),
    ErrorKind("FN", "missed object", (0, 215, 255), True),
    ErrorKind("IDSW", "identity switch", (255, 130, 0)),
)
GREEN = (40, 160, 60)  # BGR of the picture


def moving_box(frame):
    """Where object 1 is."""
    return (4 + 2 * frame, 6, 24 + 2 * frame, 30)


def make_video(name):
    """Object 1 is followed by 1, then 7; object 2 by 2 with a gap; 9 is a false positive."""
    rows, objects = [], []
    for f in range(FRAMES):
        state = 4 if f == SWITCH_FRAME else 1
        rows.append((f, moving_box(f), 1 if f < SWITCH_FRAME else 7, 0, 0.9, state, 1))
        if f == FALSE_FRAME:
            rows.append((f, FALSE_BOX, 9, 1, 0.35, 2, -1))
        if f != MISS_FRAME:
            rows.append((f, OTHER_BOX, 2, 1, 0.8, 1, 2))
        objects.append((f, moving_box(f), 1, 0, 1, 1, 1 if f < SWITCH_FRAME else 7))
        lost = f == MISS_FRAME
        objects.append((f, OTHER_BOX, 2, 1, 1, 3 if lost else 1, -1 if lost else 2))
    return Video(name, SIZE, np.arange(FRAMES) + 1, columns(rows), columns(objects))


def columns(rows, **more):
    frames, boxes, ids, labels, scores, states, partners = zip(*rows, strict=True)
    return BoxColumns.make(
        frames, boxes, ids=np.array(ids), labels=np.array(labels), scores=np.array(scores),
        states=np.array(states, np.uint8), partners=np.array(partners), **more,
    )  # fmt: skip


def make_masked_video():
    """A track whose mask is the left half of its box, and objects found by scores 0.6 and 0.9."""
    mask = np.zeros(SIZE[::-1], np.uint8, order="F")
    mask[MASK_BOX[1] : MASK_BOX[3], MASK_BOX[0] : MASK_BOX[0] + 10] = 1
    text = coco_mask.encode(mask)["counts"].decode()
    rows = [(0, MASK_BOX, 3, 0, 0.6, 1, 5), (1, MASK_BOX, 4, 0, 0.9, 1, 6)]
    objects = [(0, MASK_BOX, 5, 0, 1, 1, 3), (1, MASK_BOX, 6, 0, 1, 1, 4)]
    found = columns(rows, masks=[text, ""], mask_size=SIZE[::-1])
    truth = columns(objects, found_scores=np.array([0.6, 0.9]))
    return Video("masks", SIZE, np.array([1, 2]), found, truth, over_time={"overlap": np.ones(2)})


def small_report():
    """Report with three videos, the first one called `HOSTILE`."""
    videos = [make_video(HOSTILE), make_video("b"), make_masked_video()]
    score = Column("MOTA", "help <i>", percent=True)
    table = ScoreTable(
        "Scores",
        [score, Column("FP", digits=0, better="low")],
        {HOSTILE: [0.25, 7], "b": [0.5, 1], "masks": [float("nan"), 30], "OVERALL": [0.375, 38]},
        {HOSTILE: 0, "b": 1, "masks": 2},
        "OVERALL",
    )
    curve = Chart("Curve", "x", "y", np.linspace(0, 1, 5), {"up": np.linspace(0, 1, 5)})
    bars = Chart("Bars", "", "AP", [HOSTILE, "b"], {"AP": np.array([0.5, np.nan])}, "bars")
    return Report(
        HOSTILE, "MOT", {"results": HOSTILE}, (HOSTILE, "car"), KINDS, [(score, 0.375)], [table],
        [curve, bars], videos, [HOSTILE],
    )  # fmt: skip
