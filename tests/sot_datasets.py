"""Single object tracking data sets over hand-written files, for the tests of several modules."""

import numpy as np
from sot_layout import (
    boxes_of,
    lines,
    write,
    write_frames,
    write_infos,
)

TEST_PIPELINE = [
    {"type": "LoadImageFromFile", "to_float32": True},
    {"type": "LoadAnnotations", "with_bbox": True, "with_label": False},
    {
        "type": "MultiScaleFlipAug",
        "scale_factor": 1,
        "flip": False,
        "transforms": [
            {"type": "VideoCollect", "keys": ["img", "gt_bboxes"]},
            {"type": "ImageToTensor", "keys": ["img"]},
        ],
    },
]
TRAIN_PIPELINE = [
    {"type": "PairSampling", "frame_range": 3, "pos_prob": 0.8},
    {"type": "LoadMultiImagesFromFile", "to_float32": True},
    {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": False},
    {"type": "SeqCropLikeSiamFC", "context_amount": 0.5, "exemplar_size": 127, "crop_size": 511},
    {"type": "SeqShiftScaleAug", "target_size": [127, 255], "shift": [4, 64], "scale": [0.05, 0.2]},
    {"type": "SeqColorAug", "prob": [1.0, 1.0]},
    {"type": "SeqBlurAug", "prob": [0.0, 0.2]},
    {"type": "VideoCollect", "keys": ["img", "gt_bboxes", "is_positive_pairs"]},
    {"type": "ConcatSameTypeFrames"},
    {"type": "SeqDefaultFormatBundle", "ref_prefix": "search"},
]


def build(kind, folder, infos, split="test", test_mode=True, pipeline=(), **kwargs):
    return kind(
        ann_file=infos,
        img_prefix=str(folder),
        pipeline=list(pipeline),
        split=split,
        test_mode=test_mode,
        **kwargs,
    )


def vot(folder, corners=8, length=5):
    """Two videos; returns the list of them."""
    rows = []
    for i, name in enumerate(("bag", "ball")):
        x, y, w, h = boxes_of(length, i).T
        polygons = np.stack((x, y, x + w, y, x + w, y + h, x, y + h), 1)
        table = polygons if corners == 8 else boxes_of(length, i)
        write(folder / "data" / name / "groundtruth.txt", lines(table))
        write_frames(folder / "data" / name / "color", ["00000001.jpg"])
        rows.append((f"data/{name}/color", f"data/{name}/groundtruth.txt", 1, length))
    return write_infos(folder, rows)
