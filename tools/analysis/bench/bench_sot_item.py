"""Time of a SiameseRPN++ training item from 1080p frames, beside a plain way of making it.

    python tools/analysis/bench/bench_sot_item.py
    python tools/analysis/bench/bench_sot_item.py --video ../shared/data/demo.mp4 --items 40

Plain: frames become float32 when they are loaded, the colour of the padding is the mean of the
float frame (numpy), the crop is cut out of the float frame, and the annotations of both videos are
parsed for every item. Ours: the data set and the pipeline as the configs have them. Both draw the
same frames and take turns; times are the median of an item in milliseconds of processor time, which
busy neighbours change less. The last line is the largest difference of the crops in grey levels,
which are within [0, 255]: the float32 mean of two million pixels is rounded, ours is not.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from mmtrack.core.utils import crop_image
from mmtrack.datasets import LaSOTDataset
from mmtrack.datasets.pipelines import PIPELINES, SeqCropLikeSiamFC

import mmcv

SIZE = (1080, 1920)
NUM_VIDEOS = 4
STEPS = [
    {"type": "PairSampling", "frame_range": 100, "pos_prob": 0.8},
    {"type": "LoadMultiImagesFromFile", "to_float32": True},
    {"type": "SeqLoadAnnotations", "with_bbox": True, "with_label": False},
    {"type": "SeqCropLikeSiamFC", "context_amount": 0.5, "exemplar_size": 127, "crop_size": 511},
    {"type": "SeqShiftScaleAug", "target_size": [127, 255], "shift": [4, 64]},
    {"type": "SeqColorAug", "prob": [1.0, 1.0]},
    {"type": "SeqBlurAug", "prob": [0.0, 0.2]},
    {"type": "VideoCollect", "keys": ["img", "gt_bboxes", "is_positive_pairs"]},
    {"type": "ConcatSameTypeFrames"},
    {"type": "SeqDefaultFormatBundle", "ref_prefix": "search"},
]


class PlainCrop(SeqCropLikeSiamFC):
    """The same crop out of the whole float frame."""

    def crop_like_SiamFC(
        self,
        image: np.ndarray,
        bbox: np.ndarray,
        context_amount: float = 0.5,
        exemplar_size: int = 127,
        crop_size: int = 511,
    ) -> np.ndarray:
        """See the base class."""
        wh = bbox[2:] - bbox[:2]
        side = np.sqrt(np.prod(wh + context_amount * wh.sum()))
        half = side * crop_size / exemplar_size / 2
        center = (bbox[:2] + bbox[2:]) / 2
        region = np.concatenate((center - half, center + half))
        return crop_image(image, region, crop_size, np.mean(image, axis=(0, 1)))


class PlainDataset(LaSOTDataset):
    """The same data set without kept annotations."""

    def get_ann_infos_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """See the base class."""
        return self.load_ann_infos(video_ind)


def write_videos(folder: Path, video: str | None, frames: int, seed: int) -> str:
    """Write videos in the layout of LaSOT and return the list of them."""
    rng = np.random.default_rng(seed)
    if video is not None:
        images = [mmcv.imresize(img, SIZE[::-1]) for img in mmcv.VideoReader(video)[:frames]]
        frames = len(images)
    lines = ["video_path,annotation_path,start_frame_id,end_frame_id"]
    for v in range(NUM_VIDEOS):
        name = f"object-{v}"
        (folder / name / "img").mkdir(parents=True)
        if video is None:
            coarse = rng.integers(0, 256, (frames, 68, 120, 3)).astype(np.uint8)
            images = (cv2.resize(c, SIZE[::-1], interpolation=cv2.INTER_CUBIC) for c in coarse)
        for i, image in enumerate(images, 1):
            cv2.imwrite(str(folder / name / "img" / f"{i:08d}.jpg"), image)
        xy = rng.uniform((100, 100), (1500, 700), (frames, 2))
        boxes = np.concatenate((xy, rng.uniform(60, 300, (frames, 2))), axis=1)
        np.savetxt(folder / name / "groundtruth.txt", boxes, "%.2f", ",")
        for flags in ("full_occlusion.txt", "out_of_view.txt"):
            (folder / name / flags).write_text(",".join(["0"] * frames))
        lines.append(f"{name}/img,{name}/groundtruth.txt,1,{frames}")
    (folder / "infos.txt").write_text("\n".join(lines))
    return str(folder / "infos.txt")


def plain_pipeline() -> mmcv.utils.Registry:
    """The steps without our shortcuts."""
    steps = [PlainCrop(0.5, 127, 511) if s["type"] == "SeqCropLikeSiamFC" else s for s in STEPS]
    return PIPELINES.build({"type": "Compose", "transforms": steps})


def item(dataset: LaSOTDataset, seed: int) -> tuple[float, dict]:
    """Milliseconds of processor time of an item, and the item."""
    random.seed(seed)
    np.random.seed(seed)
    start = time.process_time()
    sample = dataset[0]
    return 1e3 * (time.process_time() - start), sample


def decode_time(folder: Path) -> float:
    """Milliseconds of decoding a frame, which both ways have to do twice."""
    data = (folder / "object-0" / "img" / "00000001.jpg").read_bytes()
    times = []
    for _ in range(20):
        start = time.process_time()
        mmcv.imfrombytes(data)
        times.append(1e3 * (time.process_time() - start))
    return float(np.median(times))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--video", help="take the frames from this video")
    parser.add_argument("--items", type=int, default=30)
    parser.add_argument("--frames", type=int, default=20, help="frames of each of the videos")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        infos = write_videos(Path(folder), args.video, args.frames, args.seed)
        settings = {"ann_file": infos, "img_prefix": folder, "split": "train"}
        plain = PlainDataset(pipeline=[], **settings)
        plain.pipeline = plain_pipeline()
        ours = LaSOTDataset(pipeline=STEPS, **settings)
        times, difference = {"plain": [], "ours": []}, 0.0
        for seed in range(args.items + 1):
            found = {}
            for name, dataset in (("plain", plain), ("ours", ours)):
                elapsed, found[name] = item(dataset, seed)
                if seed > 0:  # the first item warms up
                    times[name].append(elapsed)
            for key in ("img", "search_img"):
                pair = [found[name][key].data for name in times]
                difference = max(difference, float((pair[0] - pair[1]).abs().max()))
        decode = decode_time(Path(folder))
    medians = {name: float(np.median(values)) for name, values in times.items()}
    print(f"decoding two frames {2 * decode:7.1f} ms")
    for name, value in medians.items():
        print(f"{name:19} {value:7.1f} ms an item")
    print(f"ratio               {medians['plain'] / medians['ours']:7.2f}")
    print(f"largest difference of the crops: {difference:.2g}")


if __name__ == "__main__":
    main()
