"""RetinaNet: its graph, and the ONNX file, against the detector of mmdet."""

from __future__ import annotations

import copy

import mmcv
import numpy as np
import pytest
import torch
from tiny_project import PIPELINES

from mmtrack.apis.export import build_onnx, make_part, verify_onnx
from mmtrack.apis.export.detectors import detector_graph
from mmtrack.models import build_detector
from mmtrack.models.mot.detections import detect_objects

# Two levels, of which the coarse one has fewer anchors than nms_pre.
CONFIG = """
detector = dict(
    type='RetinaNet',
    backbone=dict(type='ResNet', depth=18, base_channels=4, num_stages=3, out_indices=(1, 2),
                  strides=(1, 2, 2), dilations=(1, 1, 1)),
    neck=dict(type='FPN', in_channels=[8, 16], out_channels=8, num_outs=2),
    bbox_head=dict(
        type='RetinaHead', num_classes=3, in_channels=8, feat_channels=8, stacked_convs=1,
        anchor_generator=dict(type='AnchorGenerator', octave_base_scale=2, scales_per_octave=1,
                              ratios=[0.5, 1.0, 2.0], strides=[8, 16]),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_stds=[0.5, 0.5, 1.0, 1.0])),
    test_cfg=dict(nms_pre=200, min_bbox_size=0, score_thr=0.3,
                  nms=dict(type='nms', iou_threshold=0.4), max_per_img=60))
"""


@pytest.fixture(scope="module")
def retina():
    """A RetinaNet that is sure of some boxes, none of which scores 1, and a config."""
    cfg = mmcv.Config.fromstring(CONFIG + PIPELINES, ".py")
    cfg.data = {"test": {"pipeline": cfg.test_pipeline}}
    torch.manual_seed(0)
    detector = build_detector(cfg.detector)
    detector.init_weights()
    torch.nn.init.normal_(detector.bbox_head.retina_cls.weight, std=0.03)
    torch.nn.init.zeros_(detector.bbox_head.retina_cls.bias)
    torch.nn.init.normal_(detector.bbox_head.retina_reg.weight, std=0.01)
    return detector.eval(), cfg


def compared(detector, image, content=(56, 90)):
    """Boxes and labels of the graph, after a comparison with those of mmdet."""
    graph = detector_graph(detector).eval()
    metas = [{"img_shape": (*content, 3), "scale_factor": np.ones(4, np.float32)}]
    with torch.no_grad():
        dets, labels = graph(image, torch.tensor(content, dtype=torch.float32))
        expected = detect_objects(detector, image, metas, rescale=False)
    torch.testing.assert_close(dets, expected.bboxes)
    torch.testing.assert_close(labels, expected.labels)
    return dets, labels


def images(count):
    generator = torch.Generator().manual_seed(1)
    return 60 * torch.randn(count, 1, 3, 64, 96, generator=generator)


@pytest.mark.parametrize("clips", [False, True], ids=["boxes may leave", "boxes are clipped"])
@pytest.mark.parametrize("agnostic", [False, True], ids=["per class", "over classes"])
def test_graph(retina, agnostic, clips):
    detector = copy.deepcopy(retina[0])
    detector.bbox_head.bbox_coder.clip_border = clips
    detector.bbox_head.test_cfg.nms.class_agnostic = agnostic
    assert detector_graph(detector).clips == clips
    found = [compared(detector, image) for image in images(3)]
    boxes = torch.cat([dets for dets, _ in found])
    assert 10 < len(boxes) <= 180
    assert len(set(torch.cat([labels for _, labels in found]).tolist())) > 1
    outside = (boxes[:, :2].min() < 0) | (boxes[:, 2].max() > 90) | (boxes[:, 3].max() > 56)
    assert bool(outside) != clips


def test_nothing_found(retina):
    detector = copy.deepcopy(retina[0])
    detector.bbox_head.test_cfg.score_thr = 1.0
    graph = detector_graph(detector).eval()
    with torch.no_grad():
        dets, labels = graph(images(1)[0], torch.tensor([64.0, 96.0]))
    assert (dets.shape, labels.shape) == ((0, 5), (0,))


@pytest.mark.slow
def test_file_for_any_size(retina, clip):
    part = make_part(*retina, "detector", dynamic=True)
    cases = part.cases(clip)
    assert all(len(case.expected["dets"]) for case in cases)
    differences = verify_onnx(build_onnx(part, cases[0]), cases, rtol=1e-5, atol=1e-4)
    assert [d.output for d in differences] == ["boxes", "scores", "labels"]


def test_refusals(retina):
    detector = copy.deepcopy(retina[0])
    detector.bbox_head.test_cfg.nms_pre = -1
    with pytest.raises(ValueError, match="has no nms_pre: set how many"):
        detector_graph(detector)

    class Other(type(detector.bbox_head)):
        def forward(self, feats):
            return super().forward(feats)

    detector.bbox_head.__class__ = Other
    with pytest.raises(ValueError, match="bbox_head is Other; AnchorHead can be exported"):
        detector_graph(detector)
