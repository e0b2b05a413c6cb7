"""Without the optional packages there is nothing to test here."""

from __future__ import annotations

import mmcv
import pytest
import tiny_mixformer
import tiny_project
import tiny_sot
import tiny_vis
import torch

for _name in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(_name, reason="export to ONNX needs it")

from mmtrack.apis.export import Clip  # noqa: E402
from mmtrack.models import build_detector, build_model  # noqa: E402


@pytest.fixture(scope="session")
def clip():
    """Rendered frames with people."""
    return Clip.rendered()


def config(text):
    return mmcv.Config.fromstring(text, ".py")


@pytest.fixture(scope="session")
def yolox():
    """A YOLOX of three classes that is sure of some boxes, and a config with its pipeline."""
    cfg = config(tiny_project.DETECTOR + tiny_project.PIPELINES)
    cfg.detector.bbox_head.num_classes = 3
    torch.manual_seed(0)
    detector = build_detector(cfg.detector)
    detector.init_weights()
    head = detector.bbox_head
    for conv in (*head.multi_level_conv_cls, *head.multi_level_conv_obj):
        torch.nn.init.normal_(conv.weight, std=500.0)  # features of random layers are tiny
        torch.nn.init.zeros_(conv.bias)
    for conv in head.multi_level_conv_reg:
        torch.nn.init.normal_(conv.weight, std=500.0)
        torch.nn.init.constant_(conv.bias, 0.5)  # boxes that overlap their neighbours
    return detector.eval(), with_test_pipeline(cfg)


@pytest.fixture(scope="session")
def two_stage():
    """A Mask R-CNN with two levels and three classes, and a config with its pipeline."""
    torch.manual_seed(0)
    detector = build_detector(tiny_vis.DETECTOR)
    detector.init_weights()
    torch.nn.init.normal_(detector.rpn_head.rpn_reg.weight, std=0.05)
    head = detector.roi_head.bbox_head
    torch.nn.init.normal_(head.fc_cls.weight, std=0.02)  # scores that do not reach 1
    torch.nn.init.normal_(head.fc_reg.weight, std=0.02)
    text = tiny_vis.CONFIG.format(model={}, classes=("a", "b", "c"), root="none")
    return detector.eval(), config(text)


def with_test_pipeline(cfg):
    cfg.data = {"test": {"pipeline": cfg.test_pipeline}}
    return cfg


@pytest.fixture(scope="session")
def reid():
    """A small ReID model and its config."""
    cfg = with_test_pipeline(config(tiny_project.REID))
    torch.manual_seed(0)
    model = build_model(cfg.model.reid).eval()
    return model, cfg


@pytest.fixture(scope="session")
def siamrpn():
    """A small SiameseRPN++ whose boxes move, and its config."""
    cfg = config(tiny_sot.CONFIG)
    torch.manual_seed(0)
    model = build_model(cfg.model).eval()
    with torch.no_grad():
        model.backbone.conv1.weight.mul_(0.02)
        for heads in (model.head.cls_heads, model.head.reg_heads):
            for head in heads:
                head.head_convs[-1].conv.weight.mul_(3)
    return model, cfg


@pytest.fixture(scope="session")
def stark(root):
    """A small STARK with a score head and a second template, and its config."""
    cfg = mmcv.Config.fromfile(root / "configs/quickstart/stark_st1_r18_synthetic-lasot.py")
    cfg.model.backbone.base_channels = 8
    cfg.model.neck.in_channels = [16]
    cfg.model.head.cls_head = {
        "type": "ScoreHead", "input_dim": 64, "hidden_dim": 16, "output_dim": 1, "num_layers": 3,
    }  # fmt: skip
    cfg.model.head.loss_cls = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    cfg.model.test_cfg.update_intervals = [1]
    torch.manual_seed(0)
    return build_model(cfg.model).eval(), cfg


@pytest.fixture(scope="session")
def mixformer():
    """A small MixFormer with up to two online templates, and its config."""
    cfg = mmcv.Config({"model": tiny_mixformer.config()})
    return tiny_mixformer.build(), cfg
