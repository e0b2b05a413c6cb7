"""Time of preparing 1080p frames for a detector: our pipelines beside mmdet's, in one run.

    python tools/analysis/bench/bench_pipeline.py
    python tools/analysis/bench/bench_pipeline.py --video ../shared/data/demo.mp4 --repeat 50

Every row is a pipeline as the configs have it. Columns are milliseconds of processor time a frame
(of one thread), the least of the repeats, which take turns: mmdet's steps on float32 pixels
(``to_float32=True``), mmdet's steps on uint8 pixels, and ours. "decode" is the part of each of them
that reads the JPEG. The last column says whether the tensors of ours and mmdet's are equal bit for
bit.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from mmtrack.datasets.pipelines import PIPELINES, build_pipeline

import mmcv

SIZE = (1080, 1920)
NORM = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "to_rgb": True}
YOLOX_NORM = {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "to_rgb": False}
YOLOX_PAD = {"size_divisor": 32, "pad_val": {"img": (114.0, 114.0, 114.0)}}
VARIANTS = ("mmdet float32", "mmdet uint8", "ours")


def single(scale: tuple[int, int], norm: dict, pad: dict, *, to_float32: bool) -> list[dict]:
    """Test pipeline of a detector on single frames."""
    steps = [
        {"type": "Resize", "keep_ratio": True},
        {"type": "RandomFlip"},
        {"type": "Normalize", **norm},
        {"type": "Pad", **pad},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "VideoCollect", "keys": ["img"]},
    ]
    aug = {"type": "MultiScaleFlipAug", "img_scale": scale, "flip": False, "transforms": steps}
    return [{"type": "LoadImageFromFile", "to_float32": to_float32}, aug]


def listed(scale: tuple[int, int], norm: dict, pad: dict, *, to_float32: bool) -> list[dict]:
    """Test pipeline of a video detector on a list of one frame."""
    return [
        {"type": "LoadMultiImagesFromFile", "to_float32": to_float32},
        {"type": "SeqResize", "img_scale": scale, "keep_ratio": True},
        {"type": "SeqRandomFlip", "share_params": True, "flip_ratio": 0.0},
        {"type": "SeqNormalize", **norm},
        {"type": "SeqPad", **pad},
        {"type": "VideoCollect", "keys": ["img"]},
        {"type": "ConcatVideoReferences"},
        {"type": "MultiImagesToTensor"},
        {"type": "ToList"},
    ]


CONFIGS = {
    "Faster R-CNN, 1088x1088 (MOT)": (single, (1088, 1088), NORM, {"size_divisor": 32}),
    "YOLOX, 800x1440 (MOT)": (single, (800, 1440), YOLOX_NORM, YOLOX_PAD),
    "Faster R-CNN, 1000x600 (VID)": (listed, (1000, 600), NORM, {"size_divisor": 16}),
}


def make_frames(folder: Path, video: str | None, count: int) -> list[str]:
    """Write JPEG frames, of a video or painted ones, and return their names."""
    if video is not None:
        frames = [mmcv.imresize(frame, SIZE[::-1]) for frame in mmcv.VideoReader(video)[:count]]
    else:
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 256, (count, 68, 120, 3)).astype(np.uint8)
        frames = [cv2.resize(c, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for c in coarse]
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:06d}.jpg"), frame)
    return [f"{i:06d}.jpg" for i in range(len(frames))]


def sample_of(folder: Path, name: str, *, as_list: bool) -> dict | list[dict]:
    """What a data set hands to the pipeline."""
    frame = {"img_prefix": str(folder), "img_info": {"filename": name}, "bbox_fields": []}
    return [frame] if as_list else frame


def run(pipeline: Callable, folder: Path, names: list[str], *, as_list: bool) -> float:
    """Milliseconds of processor time a frame."""
    samples = [sample_of(folder, name, as_list=as_list) for name in names]
    start = time.process_time()
    for sample in samples:
        pipeline(sample)
    return 1e3 * (time.process_time() - start) / len(names)


def plain(steps: list[dict]) -> Callable:
    """The steps as mmdet runs them."""
    return PIPELINES.build({"type": "Compose", "transforms": steps})


def tensor(output: dict) -> torch.Tensor:
    """The image that a test pipeline made."""
    return output["img"][0]


def compare(name: str, folder: Path, names: list[str], repeat: int) -> list[str]:
    """One row of the table."""
    make, *args = CONFIGS[name]
    as_list = make is listed
    pipelines = {
        "mmdet float32": plain(make(*args, to_float32=True)),
        "mmdet uint8": plain(make(*args, to_float32=False)),
        "ours": build_pipeline(make(*args, to_float32=False)),
    }
    loading = plain(make(*args, to_float32=False)[:1])
    times = {key: [] for key in (*pipelines, "decode")}
    for _ in range(repeat):
        for key, pipeline in (*pipelines.items(), ("decode", loading)):
            times[key].append(run(pipeline, folder, names, as_list=as_list))
    sample = sample_of(folder, names[0], as_list=as_list)
    slow, fast = (pipelines[key](copy.deepcopy(sample)) for key in ("mmdet uint8", "ours"))
    best = {key: min(values) for key, values in times.items()}
    ratio = best["mmdet uint8"] / best["ours"]
    cells = [f"{best[key]:.1f}" for key in (*VARIANTS, "decode")]
    return [name, *cells, f"{ratio:.1f}x", str(torch.equal(tensor(slow), tensor(fast)))]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", help="take the frames of a video, scaled to 1080p")
    parser.add_argument("--frames", type=int, default=4, help="how many different frames")
    parser.add_argument("--repeat", type=int, default=20, help="how often each pipeline runs")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        names = make_frames(Path(folder), args.video, args.frames)
        rows = [compare(name, Path(folder), names, args.repeat) for name in CONFIGS]
    head = ["ms a 1080p frame", *VARIANTS, "decode", "faster than uint8", "equal"]
    for row in (head, *rows):
        print("  ".join(cell.rjust(14) if i else cell.ljust(30) for i, cell in enumerate(row)))


if __name__ == "__main__":
    main()
