"""Miniature ImageNet VID and DET, and the quick-start configs of video detectors on it.

Imported by tests that run scripts as a user does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mmcv import Config

from mmtrack.datasets.converters import ilsvrc
from mmtrack.datasets.synthetic.layouts import LAYOUTS

VIDEOS, FRAMES = 3, 4  # of the test set
KEY_FRAMES = 2 * FRAMES  # of two training videos
IMAGES = 2
METHODS = {
    "faster_rcnn": "faster_rcnn_r18_synthetic-vid",
    "selsa": "selsa_faster_rcnn_r18_synthetic-vid",
    "fgfa": "fgfa_faster_rcnn_r18_synthetic-vid",
}


def make_data(folder: Path) -> Path:
    """Write the official layout and convert it."""
    layout = LAYOUTS["ilsvrc"]
    options = replace(
        layout.options,
        size=(96, 64),
        videos=2,
        val_videos=VIDEOS,
        frames=FRAMES,
        images=IMAGES,
        other_images=1,
    )
    folder.mkdir(parents=True)
    layout.write(folder, options, lambda: None)
    videos = {
        "train": ilsvrc.vid_training_videos(folder),
        "val": ilsvrc.vid_validation_videos(folder),
    }
    for split, listed in videos.items():
        path = folder / "annotations" / f"imagenet_vid_{split}.json"
        ilsvrc.convert_vid(folder, listed).write(path)
    images = ilsvrc.convert_det(folder, *ilsvrc.det_training_images(folder))
    images.write(folder / "annotations" / "imagenet_det_30plus1cls.json")
    return folder


def tiny_config(root: Path, method: str, data: Path) -> Config:
    """A quick-start config moved to the miniature, with a model of milliseconds."""
    path = root / "configs" / "quickstart" / f"{METHODS[method]}.py"
    text = Config.fromfile(path).pretty_text.replace("data/synthetic/ILSVRC/", f"{data}/")
    cfg = Config.fromstring(text.replace("(240, 160)", "(96, 64)"), ".py")
    cfg.model.detector.init_cfg = None  # a checkpoint of a training
    cfg.model.detector.backbone.base_channels = 4
    cfg.model.detector.neck.in_channels = [32]
    cfg.data.workers_per_gpu = 0
    cfg.log_config.interval = 1
    return cfg


def make_vid_project(root: Path, folder: Path) -> Path:
    """Data, and a config ``<method>.py`` with weights ``<method>.pth`` for each method."""
    import torch

    from mmtrack.apis.task import build_task_model

    data = make_data(folder / "data")
    for method in METHODS:
        cfg = tiny_config(root, method, data)
        cfg.dump(str(folder / f"{method}.py"))
        torch.manual_seed(0)
        model = build_task_model(cfg)
        model.init_weights()
        meta = {"CLASSES": cfg.data.test.classes}
        torch.save({"meta": meta, "state_dict": model.state_dict()}, folder / f"{method}.pth")
    return folder
