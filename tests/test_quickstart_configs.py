"""Configs for two CPU cores: they build, train a step and run on rendered frames."""

from dataclasses import replace

import pytest
import torch
from mmcv import Config

from mmtrack.datasets import build_dataset
from mmtrack.datasets.converters import convert_mot_subset, find_sequences
from mmtrack.datasets.converters.crowdhuman import convert_crowdhuman
from mmtrack.datasets.synthetic.layouts import LAYOUTS
from mmtrack.models import build_detector, build_model, build_reid

TRACKERS = (
    "bytetrack_yolox_tiny",
    "ocsort_yolox_tiny",
    "sort_yolox_tiny",
    "deepsort_yolox_tiny",
    "qdtrack_faster-rcnn_r18",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A miniature of data/synthetic/MOT17 with its crops."""
    folder = tmp_path_factory.mktemp("MOT17")
    layout = LAYOUTS["mot17"]
    options = replace(
        layout.options,
        size=(320, 192),
        sequences=1,
        test_sequences=1,
        frames=4,
        test_frames=3,
        test_gt=True,
    )
    layout.write(folder, options, lambda: None)
    for split in ("train", "test"):
        path = folder / "annotations" / f"{split}_cocoformat.json"
        convert_mot_subset(find_sequences(folder / split)).write(path)
    layout = LAYOUTS["crowdhuman"]
    options = replace(layout.options, size=(320, 192), images=2, val_images=0)
    crowd = folder / "crowdhuman"
    layout.write(crowd, options, lambda: None)
    convert_crowdhuman(crowd, "train").write(crowd / "annotations" / "crowdhuman_train.json")
    layout = LAYOUTS["reid"]
    options = replace(
        layout.options, size=(320, 192), sequences=2, frames=10, people=9, min_crops=4
    )
    layout.write(folder / "reid", options, lambda: None)
    return folder


def load(root, name, data):
    """A config whose data root is moved to the miniature."""
    text = (root / "configs" / "quickstart" / f"{name}.py").read_text()
    assert text.startswith("# ")
    cfg = Config.fromfile(root / "configs" / "quickstart" / f"{name}.py")
    moved = cfg.pretty_text.replace("data/synthetic/MOT17", str(data))
    moved = moved.replace("data/synthetic/crowdhuman", str(data / "crowdhuman"))
    return Config.fromstring(moved, ".py")


@pytest.mark.parametrize("method", TRACKERS)
def test_tracks_a_frame(root, data, method):
    cfg = load(root, f"{method}_synthetic-mot17", data)
    dataset = build_dataset(cfg.data.test, {"test_mode": True})
    assert len(dataset) == 3
    for part in {"detector", "reid"} & set(cfg.model):
        cfg.model[part].init_cfg = None  # checkpoints of a training
    model = build_model(cfg.model).eval()
    model.init_weights()
    sample = dataset[0]
    with torch.no_grad():
        result = model(
            return_loss=False,
            rescale=True,
            img=[sample["img"][0][None]],
            img_metas=[[sample["img_metas"][0].data]],
        )
    assert set(result) == {"det_bboxes", "track_bboxes"}
    assert len(result["track_bboxes"]) == 1
    assert sample["img_metas"][0].data["pad_shape"] == (192, 320, 3)


def test_detector_learns(root, data):
    cfg = load(root, "bytetrack_yolox_tiny_synthetic-mot17", data)
    dataset = build_dataset(cfg.data.train)
    assert len(dataset) == 4 + 2
    torch.manual_seed(0)
    model = build_model(cfg.model).train()
    samples = [dataset[i] for i in range(4)]
    batch = {
        "img": torch.stack([s["img"].data for s in samples]),
        "img_metas": [s["img_metas"].data for s in samples],
        "gt_bboxes": [s["gt_bboxes"].data for s in samples],
        "gt_labels": [s["gt_labels"].data for s in samples],
    }
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optimizer.lr)
    totals = []
    for _ in range(12):
        losses = model.forward_train(**batch)
        total = sum(value for key, value in losses.items() if "loss" in key)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert min(totals[-3:]) < 0.8 * totals[0]


def test_reid_config_fits_its_crops(root, data):
    cfg = load(root, "reid_resnet18_synthetic-mot17", data)
    dataset = build_dataset(cfg.data.train)
    sample = dataset[0]
    assert sample["img"].data.shape == (32, 3, 128, 64)
    model = build_reid(cfg.model.reid).train()
    losses = model.forward_train(sample["img"].data[None], sample["gt_label"].data[None])
    parts = [value for key, value in losses.items() if "loss" in key]
    assert len(parts) == 2
    assert all(torch.isfinite(value).all() for value in parts)
    for name in ("deepsort_yolox_tiny", "tracktor_faster-rcnn_r18"):
        tracker = load(root, f"{name}_synthetic-mot17", data)
        ours = {k: v for k, v in tracker.model.reid.items() if k != "init_cfg"}
        assert ours == dict(cfg.model.reid)


def test_small_faster_rcnn_learns(root, data):
    cfg = load(root, "faster-rcnn_r18_synthetic-mot17", data)
    dataset = build_dataset(cfg.data.train)
    assert len(dataset) == 4 + 2
    torch.manual_seed(0)
    model = build_detector(cfg.model.detector).train()
    samples = [dataset[i] for i in range(2)]
    batch = {
        "img": torch.stack([s["img"].data for s in samples]),
        "img_metas": [s["img_metas"].data for s in samples],
        "gt_bboxes": [s["gt_bboxes"].data for s in samples],
        "gt_labels": [s["gt_labels"].data for s in samples],
    }
    assert batch["img"].shape[1:] == (3, 192, 320)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.optimizer.lr)
    totals = []
    for _ in range(8):
        losses = model.forward_train(**batch)
        parts = [sum(v) if isinstance(v, list) else v for k, v in losses.items() if "loss" in k]
        optimizer.zero_grad()
        sum(parts).backward()
        optimizer.step()
        totals.append(float(sum(parts).detach()))
    assert min(totals[-2:]) < 0.8 * totals[0]


def test_qdtrack_learns_from_videos_and_images(root, data):
    cfg = load(root, "qdtrack_faster-rcnn_r18_synthetic-mot17", data)
    dataset = build_dataset(cfg.data.train)
    assert len(dataset) == 4 + 2
    torch.manual_seed(0)
    cfg.model.detector.init_cfg = None  # checkpoint of a training
    model = build_model(cfg.model).train()
    samples = [dataset[0], dataset[4]]
    batch = {
        key: [sample[key].data for sample in samples]
        for prefix in ("", "ref_")
        for key in (f"{prefix}img_metas", f"{prefix}gt_bboxes", f"{prefix}gt_labels")
    }
    batch["gt_match_indices"] = [sample["gt_match_indices"].data for sample in samples]
    for key in ("img", "ref_img"):
        batch[key] = torch.stack([sample[key].data for sample in samples])
    losses = model.forward_train(**batch)
    total = sum(sum(v) if isinstance(v, list) else v for k, v in losses.items() if "loss" in k)
    total.backward()
    assert float(losses["loss_track"].detach()) > 0
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_qdtrack_starts_from_the_detector_of_its_quick_start(root, data):
    parts = [
        build_detector(load(root, f"{name}_synthetic-mot17", data).model.detector).state_dict()
        for name in ("qdtrack_faster-rcnn_r18", "faster-rcnn_r18")
    ]
    shapes = [{name: value.shape for name, value in part.items()} for part in parts]
    assert shapes[0] == shapes[1]
