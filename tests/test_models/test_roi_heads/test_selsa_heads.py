"""RoI extractors and heads that look at several frames."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.builder import build_roi_extractor
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor as Plain
from tiny_video_detectors import CHANNELS, selsa

from mmtrack.core.track.feature_aggregation import most_similar_features, temporal_attention
from mmtrack.models.roi_heads import SingleRoIExtractor, TemporalRoIAlign

LAYER = {"type": "RoIAlign", "output_size": 3, "sampling_ratio": 2}
SETTINGS = {"roi_layer": LAYER, "out_channels": 8, "featmap_strides": [16]}
ROIS = torch.tensor([[0, 3.0, 4.0, 40.0, 50.0], [0, 20.0, 8.0, 70.0, 60.0]])


def feats(count, seed=0):
    return torch.randn(count, 8, 4, 6, generator=torch.Generator().manual_seed(seed))


def test_name_in_the_registry_takes_further_arguments():
    found = build_roi_extractor({"type": "SingleRoIExtractor", **SETTINGS})
    assert type(found) is SingleRoIExtractor
    wanted = Plain(LAYER, 8, [16])([feats(1)], ROIS)
    assert torch.equal(found([feats(1)], ROIS, ref_feats=[feats(3)], more=1), wanted)


def align(**kwargs):
    torch.manual_seed(0)
    return TemporalRoIAlign(**{"num_temporal_attention_blocks": 2, **SETTINGS, **kwargs}).eval()


def test_regions_of_references_are_plain():
    assert torch.equal(align()([feats(1)], ROIS), Plain(LAYER, 8, [16])([feats(1)], ROIS))


@pytest.mark.parametrize("blocks", [0, 2])
def test_regions_are_enriched(blocks):
    module = align(num_temporal_attention_blocks=blocks)
    plain = Plain(LAYER, 8, [16])([feats(1)], ROIS)
    references = feats(3, seed=1)
    points = plain.permute(0, 2, 3, 1).reshape(-1, 8)
    similar = most_similar_features(points, references, 2).view(3, 2, 3, 3, 8)
    stack = torch.cat((plain[None], similar.permute(0, 1, 4, 2, 3)))
    if blocks:
        embeds = torch.stack([module.embed_network.conv(frame) for frame in stack])
        want = temporal_attention(embeds, stack, blocks)
    else:
        assert module.state_dict() == {}
        want = stack.mean(0)
    torch.testing.assert_close(module([feats(1)], ROIS, ref_feats=[references]), want)


def test_no_region():
    assert align()([feats(1)], ROIS[:0], ref_feats=[feats(2)]).shape == (0, 8, 3, 3)


def test_settings_of_temporal_roi_align_are_checked():
    with pytest.raises(ValueError, match="num_most_similar_points must be at least 1"):
        align(num_most_similar_points=0)
    with pytest.raises(ValueError, match="must be a multiple of"):
        align(num_temporal_attention_blocks=3)
    pyramid = align(featmap_strides=[16, 32])
    with pytest.raises(ValueError, match="looks up similar places in one level, found 2"):
        pyramid([feats(1)] * 2, ROIS, ref_feats=[feats(2)] * 2)


@pytest.fixture(scope="module")
def head():
    return selsa().detector.roi_head


def metas():
    return [{"img_shape": (64, 96, 3), "scale_factor": 1.0}]


def inputs(references=2):
    generator = torch.Generator().manual_seed(3)
    maps = torch.randn(1 + references, CHANNELS, 4, 6, generator=generator)
    proposals = torch.cat((ROIS[:, 1:], torch.ones(2, 1)), 1)
    return [maps[:1]], [maps[1:]], [proposals], [proposals] * references


@torch.no_grad()
def test_shared_layers_are_aggregated_one_by_one(head):
    box_head = head.bbox_head
    x, ref_x = torch.randn(2, CHANNELS, 3, 3), torch.randn(5, CHANNELS, 3, 3)
    scores, boxes = box_head(x, ref_x)
    a, b = x.flatten(1), ref_x.flatten(1)
    for fc, aggregator in zip(box_head.shared_fcs, box_head.aggregator, strict=True):
        a, b = fc(a), fc(b)
        a, b = (a + aggregator(a, b)).relu(), b.relu()
    torch.testing.assert_close(scores, box_head.fc_cls(a))
    torch.testing.assert_close(boxes, box_head.fc_reg(a))


@torch.no_grad()
def test_encoded_references_give_the_same_boxes(head):
    x, ref_x, proposals, ref_proposals = inputs()
    plain = head.simple_test(x, ref_x, proposals, ref_proposals, metas())
    encoded = head.encode_references(ref_x, ref_proposals)
    again = head.simple_test(x, ref_x, proposals, None, metas(), references=encoded)
    assert sum(map(len, plain[0])) > 0
    for a, b in zip(plain[0], again[0], strict=True):
        assert (a == b).all()


@torch.no_grad()
@pytest.mark.parametrize("empty", ["key", "references", "both"])
def test_frames_without_proposals(head, empty):
    x, ref_x, proposals, ref_proposals = inputs()
    if empty != "references":
        proposals = [proposals[0][:0]]
    if empty != "key":
        ref_proposals = [p[:0] for p in ref_proposals]
    found = head.simple_test(x, ref_x, proposals, ref_proposals, metas())
    assert len(found[0]) == 3
    assert (sum(map(len, found[0])) > 0) == (empty == "references")
