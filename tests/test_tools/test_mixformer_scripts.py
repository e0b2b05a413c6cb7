"""MixFormer through the tools, as a user trains it: first stage, second stage, test."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from mmcv import Config
from tiny_project import read_rows
from tiny_quickstart import TRIDENT_OPTIONS, write_sot

from mmtrack.apis import inference_sot, init_model

NAME = "mixformer_st1_cvt_synthetic-lasot"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, root):
    """Miniature data under the paths of the quick start, and configs of both stages."""
    folder = tmp_path_factory.mktemp("mixformer")
    write_sot(folder / "data" / "synthetic")
    cfg = Config.fromfile(root / "configs" / "quickstart" / f"{NAME}.py")
    cfg.merge_from_dict({
        "data.samples_per_gpu": 2, "data.workers_per_gpu": 0, "total_epochs": 1,
        "log_config.interval": 1, "model.test_cfg.update_interval": [2], **TRIDENT_OPTIONS,
    })  # fmt: skip
    cfg.dump(str(folder / "first.py"))
    cfg.model.frozen_modules = ["backbone"]
    cfg.model.head.frozen_modules = ["bbox_head"]
    cfg.model.head.score_head = {
        "type": "MixFormerScoreDecoder", "pool_size": 2, "feat_size": 12, "stride": 8,
        "num_heads": 2, "hidden_dim": 64,
    }  # fmt: skip
    for part in cfg.data.train.dataset_cfgs:
        for step in part.pipeline:
            if step["type"] == "TridentSampling":
                step["train_cls_head"] = True
            elif step["type"] == "SeqLoadAnnotations":
                step["with_label"] = True
            elif step["type"] == "VideoCollect":
                step["keys"] += ["gt_labels"]
    cfg.dump(str(folder / "second.py"))
    return folder


@pytest.fixture(scope="module")
def trained(folder, run_script):
    """Both work dirs, after two iterations each."""
    for name, options in (
        ("first", []),
        ("second", ["--cfg-options", f"load_from={folder / 'first' / 'latest.pth'}"]),
    ):
        run_script(
            "tools/train.py", folder / f"{name}.py", "--work-dir", folder / name, "--device",
            "cpu", "--seed", "0", "--no-validate", *options, cwd=folder,
        )  # fmt: skip
    return {name: folder / name for name in ("first", "second")}


def weights(work_dir):
    return torch.load(work_dir / "latest.pth", weights_only=True)["state_dict"]


def test_two_stages(trained):
    rows = {name: read_rows(work_dir) for name, work_dir in trained.items()}
    assert {"loss_iou", "loss_bbox"} <= set(rows["first"][0])
    assert "loss_cls" in rows["second"][0]
    assert "loss_bbox" not in rows["second"][0]
    first, second = (weights(trained[name]) for name in ("first", "second"))
    assert all(torch.equal(second[key], value) for key, value in first.items())
    assert {key.split(".")[1] for key in set(second) - set(first)} == {"score_decoder_head"}


def test_test_script_and_inference_agree(trained, folder, run_script):
    out, checkpoint = folder / "out.json", trained["second"] / "latest.pth"
    run_script(
        "tools/test.py", folder / "second.py", "--checkpoint", checkpoint, "--device", "cpu",
        "--eval", "track", "--out", out, cwd=folder,
    )  # fmt: skip
    found = np.array(json.loads(out.read_text())["track_bboxes"])
    model = init_model(str(folder / "second.py"), str(checkpoint), device="cpu")
    (video,) = (folder / "data/synthetic/sot/lasot/LaSOTBenchmark").glob("*/person-1")
    frames = [cv2.imread(str(path)) for path in sorted((video / "img").glob("*.jpg"))]
    assert len(frames) == len(found)
    for i, frame in enumerate(frames):
        row = inference_sot(model, frame, found[0, :4], i)["track_bboxes"]
        np.testing.assert_allclose(row, found[i], rtol=1e-4, atol=1e-2)
    assert (found[1:, 4] > 0).all()
    assert len(model.online_templates) == 2
