"""Time and memory of opening a large CocoVID file, beside json + pycocotools-style indices.

    python tools/analysis/bench/bench_cocovid.py                # 300k images, 1.5M annotations
    python tools/analysis/bench/bench_cocovid.py --images 20000 --annotations 100000

Writes a synthetic file, then opens it in three fresh processes: with ``json.load`` and dicts (how
0.14 and pycocotools do it), with ``CocoVID`` without a cache entry, and with ``CocoVID`` again.
All processes import the same packages first; ``data MB`` is the peak without the imports. CPU
seconds are steadier than seconds where other programs run. ``CocoVID`` makes its indices when they
are first asked for: ``indices s`` is the time until all of them exist.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
MODES = ("baseline", "first", "again")
FRAMES_PER_VIDEO = 300
FILE_NAME = "video_{:05d}/img1/{:06d}.jpg"
GROUP = 1000  # annotations written at once


def write_file(path: Path, num_images: int, num_annotations: int, seed: int) -> None:
    """Write a CocoVID file as the MOT converter does: the same keys, unrounded boxes."""
    rng = np.random.default_rng(seed)
    num_videos = -(-num_images // FRAMES_PER_VIDEO)
    videos = [
        {"id": i + 1, "name": f"video_{i:05d}", "fps": 30, "width": 1920, "height": 1080}
        for i in range(num_videos)
    ]
    images = [
        {
            "id": i + 1,
            "video_id": i // FRAMES_PER_VIDEO + 1,
            "frame_id": i % FRAMES_PER_VIDEO,
            "mot_frame_id": i % FRAMES_PER_VIDEO + 1,
            "file_name": FILE_NAME.format(i // FRAMES_PER_VIDEO, i % FRAMES_PER_VIDEO + 1),
            "width": 1920,
            "height": 1080,
        }
        for i in range(num_images)
    ]
    with path.open("w") as file:
        head = {"categories": [{"id": 1, "name": "pedestrian"}], "videos": videos, "images": images}
        file.write(json.dumps(head)[:-1] + ', "annotations": [')
        for first in range(0, num_annotations, GROUP):
            text = json.dumps(_annotations(rng, first, num_images, num_annotations))
            file.write((", " if first else "") + text[1:-1])
        file.write("]}")


def _annotations(
    rng: np.random.Generator, first: int, num_images: int, num_annotations: int
) -> list[dict]:
    """The next annotations, spread evenly over the images."""
    rows = range(first, min(first + GROUP, num_annotations))
    boxes = (rng.random((len(rows), 4)) * (1800, 900, 120, 180) + (0, 0, 10, 20)).tolist()
    visibility = rng.random(len(rows)).tolist()
    return [
        {
            "id": row + 1,
            "image_id": row * num_images // num_annotations + 1,
            "video_id": row * num_images // num_annotations // FRAMES_PER_VIDEO + 1,
            "category_id": 1,
            "instance_id": row * num_images // num_annotations // FRAMES_PER_VIDEO * 50 + row % 50,
            "bbox": box,
            "area": box[2] * box[3],
            "iscrowd": False,
            "visibility": seen,
            "mot_instance_id": row % 50,
            "mot_conf": 1.0,
            "mot_class_id": 1,
        }
        for row, box, seen in zip(rows, boxes, visibility, strict=True)
    ]


class PlainIndex:
    """``json.load`` and indices of dicts, as pycocotools makes them."""

    def __init__(self, path: str):
        with open(path) as file:
            self.dataset = json.load(file)
        self.anns, self.imgs, self.videos = {}, {}, {}
        self.img_to_anns, self.cat_to_imgs = defaultdict(list), defaultdict(list)
        self.vid_to_imgs, self.vid_to_instances = defaultdict(list), defaultdict(dict)
        self.instances_to_imgs = defaultdict(list)
        for video in self.dataset["videos"]:
            self.videos[video["id"]] = video
        for ann in self.dataset["annotations"]:
            self.img_to_anns[ann["image_id"]].append(ann)
            self.anns[ann["id"]] = ann
            self.cat_to_imgs[ann["category_id"]].append(ann["image_id"])
            self.instances_to_imgs[ann["instance_id"]].append(ann["image_id"])
            self.vid_to_instances[ann["video_id"]][ann["instance_id"]] = None
        for img in self.dataset["images"]:
            self.imgs[img["id"]] = img
            self.vid_to_imgs[img["video_id"]].append(img)
        for video_id, imgs in self.vid_to_imgs.items():
            imgs.sort(key=lambda img: img["frame_id"])
            self.vid_to_imgs[video_id] = [img["id"] for img in imgs]

    def summary(self) -> list:
        """Values that must agree with those of ``CocoVID``."""
        last = list(self.videos)[-1]
        anns = self.img_to_anns[self.vid_to_imgs[last][-1]]
        return [self.vid_to_imgs[last], list(self.vid_to_instances[last]), anns]


def measure(mode: str, path: str) -> dict:
    """Open the file in this process.

    Returns:
        Seconds and CPU seconds to open, seconds with all indices, peak memory in MB with and
        without imports, values to compare.
    """
    import resource

    sys.path.insert(0, str(ROOT))
    from mmtrack.datasets.parsers import CocoVID

    def peak() -> float:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

    before, start, cpu = peak(), time.perf_counter(), time.process_time()
    opened = PlainIndex(path) if mode == "baseline" else CocoVID(path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if mode != "baseline":  # these indices are made when they are first asked for
        indices = (opened.vidToImgs, opened.vidToInstances, opened.instancesToImgs)
        indices += (opened.imgToAnns, opened.catToImgs, opened.imgs, opened.anns)
        last = opened.get_vid_ids()[-1]
        values = [opened.get_img_ids_from_vid(last), opened.get_ins_ids_from_vid(last)]
        values.append(opened.imgToAnns[values[0][-1]])
    complete, memory = time.perf_counter() - start, peak()
    if mode == "baseline":
        values = opened.summary()
    found = {"seconds": seconds, "cpu": cpu, "complete": complete, "peak": memory}
    return {**found, "data": memory - before, "values": values}


def run(mode: str, path: Path, cache: str) -> dict:
    """Measure one mode in a fresh process."""
    env = {**os.environ, "MMTRACK_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", __file__, "--worker", mode, "--file", str(path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{mode} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=300_000, help="number of images")
    parser.add_argument("--annotations", type=int, default=1_500_000, help="their annotations")
    parser.add_argument("--seed", type=int, default=0, help="seed of the boxes")
    parser.add_argument("--file", type=Path, help="CocoVID file to open instead of a synthetic one")
    parser.add_argument("--worker", choices=MODES, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Print a table of the three ways to open the file."""
    args = parse_args()
    if args.worker:
        print(json.dumps(measure(args.worker, str(args.file))))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = args.file or Path(folder) / "cocovid.json"
        if args.file is None:
            write_file(path, args.images, args.annotations, args.seed)
        print(f"{path.stat().st_size / 1e6:.0f} MB of JSON")
        found = {mode: run(mode, path, os.path.join(folder, "cache")) for mode in MODES}
    if any(found[mode]["values"] != found["baseline"]["values"] for mode in MODES):
        raise SystemExit("the indices differ from those of the baseline")
    columns = {"seconds": "open s", "cpu": "CPU s", "complete": "indices s"}
    columns |= {"data": "data MB", "peak": "peak MB"}
    print(f"{'':24}" + "".join(f"{title:>10}{'ratio':>7}" for title in columns.values()))
    labels = ("json + dicts", "CocoVID, first open", "CocoVID, from the cache")
    for mode, label in zip(MODES, labels, strict=True):
        row, base = found[mode], found["baseline"]
        cells = (f"{row[key]:10.2f}{base[key] / row[key]:7.1f}" for key in columns)
        print(f"{label:24}" + "".join(cells))


if __name__ == "__main__":
    main()
