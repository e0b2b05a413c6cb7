"""Aggregators of feature maps and of proposals."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mmtrack.core.track.feature_aggregation import aggregate_by_similarity, attend
from mmtrack.models import AGGREGATORS, build_aggregator
from mmtrack.models.aggregators import EmbedAggregator, SelsaAggregator


def test_embedding_ends_without_activation():
    module = EmbedAggregator(num_convs=3, channels=4, norm_cfg={"type": "BN"})
    assert [conv.with_activation for conv in module.embed_convs] == [True, True, False]
    assert [conv.with_norm for conv in module.embed_convs] == [True, True, False]
    assert list(EmbedAggregator(channels=4).state_dict()) == [
        "embed_convs.0.conv.weight",
        "embed_convs.0.conv.bias",
    ]


def test_features_are_compared_by_their_embeddings():
    module = build_aggregator({"type": "EmbedAggregator", "num_convs": 2, "channels": 4})
    x, ref_x = torch.randn(1, 4, 5, 6), torch.randn(3, 4, 5, 6)
    first, second = (conv.conv for conv in module.embed_convs)
    embed = lambda feat: second(first(feat).relu())  # noqa: E731
    want = aggregate_by_similarity(embed(x), embed(ref_x), ref_x)
    torch.testing.assert_close(module(x, ref_x), want)


def test_one_key_frame_at_a_time():
    with pytest.raises(ValueError, match="one key frame at a time, found 2"):
        EmbedAggregator(channels=4)(torch.randn(2, 4, 5, 6), torch.randn(3, 4, 5, 6))


def test_selsa_attends_to_references():
    module = SelsaAggregator(8, num_attention_blocks=2)
    x, ref_x = torch.randn(3, 8), torch.randn(5, 8)
    attended = attend(module.fc_embed(x), module.ref_fc_embed(ref_x), module.ref_fc(ref_x), 2)
    torch.testing.assert_close(module(x, ref_x), module.fc(attended))
    torch.testing.assert_close(module(x, module.encode(ref_x)), module(x, ref_x))
    torch.testing.assert_close(module(x, ref_x.flip(0)), module(x, ref_x))
    assert module(x[:0], ref_x).shape == (0, 8)
    torch.testing.assert_close(module(x, ref_x[:0]), module.fc.bias.expand(3, -1))


def test_settings_are_checked():
    with pytest.raises(ValueError, match="must be a multiple of"):
        SelsaAggregator(10, num_attention_blocks=4)
    with pytest.raises(ValueError, match="num_convs of EmbedAggregator must be at least 1"):
        EmbedAggregator(num_convs=0)


def test_an_aggregator_of_a_user(request):
    @AGGREGATORS.register_module()
    class MeanOfAll(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, x, ref_x):
            return x + self.factor * ref_x.mean(0)

    request.addfinalizer(lambda: AGGREGATORS.module_dict.pop("MeanOfAll"))
    from tiny_video_detectors import Video, build, detector, run

    cfg = detector(selsa=True)
    cfg["roi_head"]["bbox_head"]["aggregator"] = {"type": "MeanOfAll", "factor": 0.5}
    model = build({"type": "SELSA", "detector": cfg})
    assert sum(map(len, run(model, Video(4, left=1, right=1))[3])) > 0
