"""Miniatures of the data that the quick-start configs train on, under the paths they name.

A script that is started in the folder finds ``data/synthetic/...``, so the configs are used as
they are; only lengths and batch sizes are overridden. Imported by tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import tiny_vid
import tiny_vis

from mmtrack.datasets.converters import convert_mot_subset, find_sequences
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman
from mmtrack.datasets.converters.sot_benchmarks import find_lasot
from mmtrack.datasets.converters.sot_video import write_infos
from mmtrack.datasets.synthetic.layouts import LAYOUTS


def render(name: str, folder: Path, **options: object) -> Path:
    """Write a data set in its official layout."""
    layout = LAYOUTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    layout.write(folder, replace(layout.options, **options), lambda: None)
    return folder


def write_mot(data: Path) -> None:
    """MOT17 and CrowdHuman."""
    size = (320, 192)
    mot = render(
        "mot17", data / "MOT17", size=size, sequences=1, test_sequences=1, frames=4, test_frames=2,
        test_gt=True,
    )  # fmt: skip
    for split in ("train", "test"):
        path = mot / "annotations" / f"{split}_cocoformat.json"
        convert_mot_subset(find_sequences(mot / split)).write(path)
    crowd = render("crowdhuman", data / "crowdhuman", size=size, images=4, val_images=0)
    convert_crowdhuman(crowd, "train").write(crowd / "annotations" / "crowdhuman_train.json")


def write_reid(data: Path) -> None:
    """Crops of people."""
    render(
        "reid", data / "MOT17" / "reid", size=(320, 192), sequences=2, frames=10, people=9,
        min_crops=4,
    )  # fmt: skip


def write_vid(data: Path) -> None:
    """ImageNet VID and DET."""
    tiny_vid.make_data(data / "ILSVRC")


def write_vis(data: Path) -> None:
    """YouTube-VIS."""
    tiny_vis.write_vis_data(data / "youtube_vis_2019")


def write_sot(data: Path) -> None:
    """LaSOT, and ImageNet VID as training data of single-object trackers."""
    small = {"size": (160, 96), "people": 3, "frames": 6}
    lasot = render("lasot", data / "sot" / "lasot", videos=1, test_videos=1, **small)
    render("imagenet-vid", data / "sot" / "vid", videos=2, val_videos=0, **small)
    for split in ("train", "test"):
        videos = find_lasot(lasot / "LaSOTBenchmark", split, ("person-1", "person-5"))
        write_infos(lasot / "annotations" / f"lasot_{split}_infos.txt", videos)


@dataclass(frozen=True)
class QuickStart:
    """A quick-start config in miniature."""

    write_data: Callable[[Path], None]
    needs: str | None = None  # quick start whose weights it begins with
    options: dict[str, object] = field(default_factory=dict)


SOT_OPTIONS = {
    "data.samples_per_epoch": 4,
    "lr_config.warmup_iters": 1,
    **{f"data.train.dataset_cfgs.{i}.bbox_min_size": 2 for i in range(2)},
}
TRIDENT_OPTIONS = {
    **SOT_OPTIONS,
    **{f"data.train.dataset_cfgs.{i}.pipeline.0.min_num_frames": 2 for i in range(2)},
}
QUICK_STARTS = {
    "bytetrack_yolox_tiny_synthetic-mot17": QuickStart(
        write_mot, options={"lr_config.num_last_epochs": 0, "lr_config.warmup_iters": 1}
    ),
    "faster-rcnn_r18_synthetic-mot17": QuickStart(write_mot),
    "qdtrack_faster-rcnn_r18_synthetic-mot17": QuickStart(
        write_mot, needs="faster-rcnn_r18_synthetic-mot17"
    ),
    "reid_resnet18_synthetic-mot17": QuickStart(
        write_reid, options={"data.samples_per_gpu": 1}
    ),
    "faster_rcnn_r18_synthetic-vid": QuickStart(write_vid),
    "selsa_faster_rcnn_r18_synthetic-vid": QuickStart(
        write_vid, needs="faster_rcnn_r18_synthetic-vid", options={"data.samples_per_gpu": 1}
    ),
    "fgfa_faster_rcnn_r18_synthetic-vid": QuickStart(
        write_vid, needs="faster_rcnn_r18_synthetic-vid"
    ),
    "mask-rcnn_r18_synthetic-youtubevis": QuickStart(write_vis),
    "masktrack_rcnn_r18_synthetic-youtubevis": QuickStart(
        write_vis, needs="mask-rcnn_r18_synthetic-youtubevis"
    ),
    "siamese_rpn_r50_synthetic-lasot": QuickStart(write_sot, options=SOT_OPTIONS),
    "stark_st1_r18_synthetic-lasot": QuickStart(write_sot, options=TRIDENT_OPTIONS),
    "mixformer_st1_cvt_synthetic-lasot": QuickStart(write_sot, options=TRIDENT_OPTIONS),
}  # fmt: skip


class Workshop:
    """Trains quick starts in a folder; data and weights that they need are made once."""

    def __init__(self, folder: Path, root: Path, run_script: Callable):
        self.folder, self.root, self.run_script = folder, root, run_script
        self.written = set()

    def train(self, name: str, work_dir: Path, *options: object, **env: str) -> Path:
        """Two short epochs on the CPU; returns the work dir."""
        quick = QUICK_STARTS[name]
        if quick.write_data not in self.written:
            quick.write_data(self.folder / "data" / "synthetic")
            self.written.add(quick.write_data)
        if quick.needs and not (weights := self._work_dir(quick.needs)).exists():
            self.train(quick.needs, weights)
        settings = {
            "total_epochs": 2, "data.samples_per_gpu": 2, "log_config.interval": 1,
            "checkpoint_config.interval": 1, **quick.options,
        }  # fmt: skip
        self.run_script(
            "tools/train.py", self.root / "configs" / "quickstart" / f"{name}.py", "--work-dir",
            work_dir, "--device", "cpu", "--seed", "0", "--no-validate", *options, "--cfg-options",
            *(f"{key}={value}" for key, value in settings.items()), cwd=self.folder,
            env={"OMP_NUM_THREADS": "2", **env},
        )  # fmt: skip
        return work_dir

    def _work_dir(self, name: str) -> Path:
        return self.folder / "work_dirs" / "quickstart" / name
