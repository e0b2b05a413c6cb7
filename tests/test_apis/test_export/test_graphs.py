"""Graphs of detectors without any export, against the detectors of mmdet."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
import torch
import torchvision
from tiny_vis import DETECTOR

from mmtrack.apis.export.boxes import decode_boxes
from mmtrack.apis.export.detectors import detector_graph, roi_features
from mmtrack.apis.export.operators import suppress
from mmtrack.models import build_detector
from mmtrack.models.mot.detections import detect_objects


def random_boxes(generator, count, extent=100.0):
    start = torch.rand(count, 2, generator=generator) * extent
    return torch.cat((start, start + 5 + 30 * torch.rand(count, 2, generator=generator)), dim=1)


def greedy(bboxes, scores, iou_threshold, score_threshold):
    """Suppression written as its definition: the best box removes those that overlap it."""
    left = [i for i in scores.argsort(descending=True).tolist() if scores[i] > score_threshold]
    kept = []
    while left:
        best, *rest = left
        kept.append(best)
        ious = torchvision.ops.box_iou(bboxes[best][None], bboxes[rest])[0]
        left = [i for i, iou in zip(rest, ious, strict=True) if iou <= iou_threshold]
    return kept


def test_suppression_within_groups():
    generator = torch.Generator().manual_seed(0)
    bboxes = torch.stack([random_boxes(generator, 60) for _ in range(3)])
    scores = torch.rand(3, 60, generator=generator)
    scores[1] = 0.0  # a group of which nothing is left
    kept = suppress(bboxes, scores, 0.4, 0.2)
    expected = [
        [group, box] for group in range(3) for box in greedy(bboxes[group], scores[group], 0.4, 0.2)
    ]
    assert kept.tolist() == expected
    assert 0 < len(kept) < 100


def test_decoding_of_several_classes(two_stage):
    generator = torch.Generator().manual_seed(0)
    coder = two_stage[0].roi_head.bbox_head.bbox_coder
    bboxes, deltas = random_boxes(generator, 20), 8 * torch.randn(20, 12, generator=generator)
    torch.testing.assert_close(decode_boxes(coder, bboxes, deltas), coder.decode(bboxes, deltas))
    assert decode_boxes(coder, bboxes[:0], deltas[:0]).shape == (0, 12)


def test_features_of_regions_from_their_level(two_stage):
    generator = torch.Generator().manual_seed(0)
    extractor = two_stage[0].roi_head.bbox_roi_extractor
    feats = [torch.randn(1, 16, 40 // s, 60 // s, generator=generator) for s in (1, 2)]
    rois = torch.cat((torch.zeros(30, 1), random_boxes(generator, 30, 200.0)), dim=1)
    rois[::3, 3:] += 150  # some for the coarse level
    assert len(extractor.map_roi_levels(rois, 2).unique()) == 2
    torch.testing.assert_close(roi_features(extractor, feats, rois), extractor(feats, rois))
    one_level = rois[1::3]
    assert roi_features(extractor, feats, one_level[:0]).shape == (0, 16, 7, 7)
    torch.testing.assert_close(
        roi_features(extractor, feats, one_level), extractor(feats, one_level)
    )


def detections(detector, image, content):
    metas = {
        "img_shape": (*content, 3),
        "scale_factor": np.ones(4, np.float32),
        "pad_shape": (*image.shape[-2:], 3),
    }
    return detect_objects(detector, image, [metas], rescale=False)


def assert_same_boxes(graph, detector, image, content=(64, 96)):
    inputs = (image, torch.tensor(content, dtype=torch.float32)) if graph.clips else (image,)
    with torch.no_grad():
        dets, labels = graph(*inputs)
        found = detections(detector, image, content)
    torch.testing.assert_close(dets, found.bboxes)
    torch.testing.assert_close(labels, found.labels)
    return dets, labels


def images(count):
    generator = torch.Generator().manual_seed(1)
    return 60 * torch.randn(count, 1, 3, 64, 96, generator=generator)


@pytest.mark.parametrize("agnostic", [False, True], ids=["per class", "over classes"])
def test_yolox(yolox, agnostic):
    detector = copy.deepcopy(yolox[0])
    detector.bbox_head.test_cfg.nms.update(iou_threshold=0.3, class_agnostic=agnostic)
    graph = detector_graph(detector).eval()
    assert not graph.clips
    seen = set()
    for image in images(3):
        dets, labels = assert_same_boxes(graph, detector, image + 100)
        seen |= set(labels.tolist())
        assert 5 < len(dets) < 126
    assert len(seen) > 1


@pytest.mark.parametrize("threshold", ["of a box", 0.0])
def test_yolox_keeps_scores_at_the_threshold(yolox, threshold):
    detector = copy.deepcopy(yolox[0])
    detector.bbox_head.test_cfg.nms.update(iou_threshold=1.0)  # nothing is suppressed
    image = images(1)[0] + 100
    if threshold == "of a box":
        scores = detections(detector, image, (64, 96)).bboxes[:, 4]
        threshold = float(scores.median())
    detector.bbox_head.test_cfg.score_thr = threshold
    dets, _ = assert_same_boxes(detector_graph(detector).eval(), detector, image)
    assert len(dets) == 126 if threshold == 0 else dets[-1, 4] == threshold


@pytest.mark.parametrize("clips", [False, True], ids=["boxes may leave", "boxes are clipped"])
def test_two_stages(two_stage, clips):
    detector = copy.deepcopy(two_stage[0])
    for coder in (detector.rpn_head.bbox_coder, detector.roi_head.bbox_head.bbox_coder):
        coder.clip_border = clips
    graph = detector_graph(detector).eval()
    assert graph.clips == clips
    content = (56, 90)  # the rest is padding
    found = [assert_same_boxes(graph, detector, image, content) for image in images(3)]
    boxes = torch.cat([dets for dets, _ in found])
    assert len(boxes)
    assert len(set(torch.cat([labels for _, labels in found]).tolist())) > 1
    outside = (boxes[:, :2].min() < 0) | (boxes[:, 2].max() > 90) | (boxes[:, 3].max() > 56)
    assert bool(outside) != clips


def test_boxes_shared_by_classes_and_suppressed_together():
    cfg = copy.deepcopy(DETECTOR)
    cfg["roi_head"]["bbox_head"]["reg_class_agnostic"] = True
    cfg["test_cfg"]["rcnn"].update(nms={"type": "nms", "iou_threshold": 0.3}, max_per_img=-1)
    torch.manual_seed(2)
    detector = build_detector(cfg).eval()
    torch.nn.init.normal_(detector.roi_head.bbox_head.fc_cls.weight, std=0.02)
    for agnostic in (False, True):
        detector.roi_head.test_cfg.nms.class_agnostic = agnostic
        dets, _ = assert_same_boxes(detector_graph(detector).eval(), detector, images(1)[0])
        assert len(dets)


def test_nothing_found(yolox, two_stage):
    sure = copy.deepcopy(yolox[0])
    sure.bbox_head.test_cfg.score_thr = 1.0
    second = copy.deepcopy(two_stage[0])
    second.roi_head.test_cfg.score_thr = 1.0
    first = copy.deepcopy(two_stage[0])
    first.rpn_head.test_cfg.min_bbox_size = 1000  # not even proposals
    for detector in (sure, second, first):
        graph = detector_graph(detector).eval()
        inputs = (images(1)[0], torch.tensor([64.0, 96.0])) if graph.clips else (images(1)[0],)
        with torch.no_grad():
            dets, labels = graph(*inputs)
        assert dets.shape == (0, 5)
        assert labels.shape == (0,)


class TestRefusals:
    def refused(self, change, message, detector):
        detector = copy.deepcopy(detector)
        change(detector)
        with pytest.raises(ValueError, match=message):
            detector_graph(detector)

    def test_other_suppression(self, yolox, two_stage):
        self.refused(
            lambda d: d.bbox_head.test_cfg.nms.update(type="soft_nms"), "type='nms'", yolox[0]
        )
        self.refused(
            lambda d: d.roi_head.test_cfg.nms.update(type="soft_nms"), "type='nms'", two_stage[0]
        )

    def test_other_parts(self, two_stage):
        def maximum(detector):
            detector.roi_head.bbox_roi_extractor.roi_layers[0].pool_mode = "max"

        class Other(type(two_stage[0].roi_head)):
            def simple_test_bboxes(self, *args, **kwargs):
                return super().simple_test_bboxes(*args, **kwargs)

        def subclass(detector):
            detector.roi_head.__class__ = Other

        self.refused(maximum, "pool_mode='avg'", two_stage[0])
        self.refused(subclass, "roi_head is Other; StandardRoIHead", two_stage[0])

    def test_unknown_detector(self):
        with pytest.raises(
            ValueError, match="no graph for Linear: YOLOX, RetinaNet, and two-stage"
        ):
            detector_graph(torch.nn.Linear(1, 1))


def test_numbers_are_not_shared_between_levels(two_stage):
    """Proposals of different levels do not suppress each other."""
    graph = detector_graph(two_stage[0]).eval()
    image = images(1)[0]
    with torch.no_grad():
        feats = two_stage[0].extract_feat(image)
        proposals = graph._proposals(feats, torch.tensor([96.0, 64.0, 96.0, 64.0]))
        metas = [{"img_shape": (64, 96, 3), "scale_factor": np.ones(4, np.float32)}]
        (expected,) = two_stage[0].rpn_head.simple_test_rpn(feats, metas)
    torch.testing.assert_close(proposals, expected[:, :4])
    pairs = itertools.combinations(range(len(proposals)), 2)
    ious = torchvision.ops.box_iou(proposals, proposals)
    assert any(ious[a, b] > 0.7 for a, b in pairs), "the case shows the point"
