"""Aggregation of features against loops over places, proposals and frames."""

from __future__ import annotations

import math

import pytest
import torch

from mmtrack.core.track import feature_aggregation
from mmtrack.core.track.feature_aggregation import (
    aggregate_by_similarity,
    attend,
    most_similar_features,
    temporal_attention,
)


def rand(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def softmax(values):
    total = sum(math.exp(v) for v in values)
    return [math.exp(v) / total for v in values]


def test_feature_maps_are_weighted_at_every_place():
    embeds, ref_embeds, feats = rand(1, 3, 2, 4), rand(5, 3, 2, 4, seed=1), rand(5, 6, 2, 4, seed=2)
    found = aggregate_by_similarity(embeds, ref_embeds, feats)
    assert found.shape == (1, 6, 2, 4)
    for y in range(2):
        for x in range(4):
            weights = softmax([cosine(embeds[0, :, y, x], e[:, y, x]) for e in ref_embeds])
            want = sum(w * f[:, y, x] for w, f in zip(weights, feats, strict=True))
            torch.testing.assert_close(found[0, :, y, x], want)


def test_frames_that_look_alike_count_alike():
    embeds, feats = rand(1, 3, 2, 4), rand(5, 6, 2, 4, seed=2)
    found = aggregate_by_similarity(embeds, 7 * embeds.expand(5, -1, -1, -1), feats)
    torch.testing.assert_close(found[0], feats.mean(0))


@pytest.mark.parametrize("heads", [1, 2, 6])
def test_attention(heads):
    queries, keys, values = rand(3, 6), rand(7, 6, seed=1), rand(7, 6, seed=2)
    found = attend(queries, keys, values, heads)
    size = 6 // heads
    for i in range(3):
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            weights = softmax([float(queries[i, part] @ k[part]) / math.sqrt(size) for k in keys])
            want = sum(w * v[part] for w, v in zip(weights, values, strict=True))
            torch.testing.assert_close(found[i, part], want)


def test_attention_without_anything():
    assert attend(rand(0, 4), rand(5, 4), rand(5, 4), 2).shape == (0, 4)
    assert not attend(rand(3, 4), rand(0, 4), rand(0, 4), 2).any()


def plain_most_similar(points, ref_feats, count):
    out = []
    for feats in ref_feats:
        places = feats.flatten(1).t()
        for point in points:
            ranked = sorted(places, key=lambda place: -cosine(point, place))[:count]
            weights = softmax([cosine(point, place) for place in ranked])
            out.append(sum(w * p for w, p in zip(weights, ranked, strict=True)))
    return torch.stack(out).unflatten(0, (len(ref_feats), len(points)))


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("budget", [1, 50, 2**27], ids="budget={}".format)
def test_most_similar_places(count, budget, monkeypatch):
    monkeypatch.setattr(feature_aggregation, "MAX_SIMILARITIES", budget)
    points, ref_feats = rand(4, 3), rand(3, 3, 2, 5, seed=1)
    found = most_similar_features(points, ref_feats, count)
    torch.testing.assert_close(found, plain_most_similar(points, ref_feats, count))


def test_maps_smaller_than_the_number_of_places():
    points, ref_feats = rand(2, 3), rand(1, 3, 1, 2, seed=1)
    found = most_similar_features(points, ref_feats, 9)
    torch.testing.assert_close(found, plain_most_similar(points, ref_feats, 2))


def test_an_object_is_found_where_it_went():
    points, ref_feats = rand(2, 8), rand(3, 8, 4, 6, seed=1)
    for i, (y, x) in enumerate([(0, 5), (3, 1), (2, 2)]):
        ref_feats[i, :, y, x] = 3 * points[1]
    found = most_similar_features(points, ref_feats, 1)
    torch.testing.assert_close(found[:, 1], 3 * points[1].expand(3, -1))


def test_gradients_of_most_similar_places():
    points = rand(2, 3).requires_grad_()
    ref_feats = rand(2, 3, 2, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda p, r: most_similar_features(p, r, 2), (points, ref_feats)
    )


@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_attention_over_frames(blocks):
    embeds, feats = rand(4, 2, 8, 3, 3), rand(4, 2, 8, 3, 3, seed=1)
    found = temporal_attention(embeds, feats, blocks)
    size = 8 // blocks
    for region, y, x, block in [(0, 0, 0, 0), (1, 2, 1, blocks - 1), (0, 1, 2, blocks // 2)]:
        part = slice(block * size, (block + 1) * size)
        vectors = embeds[:, region, part, y, x]
        weights = softmax([float(vectors[0] @ v) / math.sqrt(size) for v in vectors])
        want = sum(w * f[region, part, y, x] for w, f in zip(weights, feats, strict=True))
        torch.testing.assert_close(found[region, part, y, x], want)


def test_mixed_precision():
    points, ref_feats = rand(4, 3).float(), rand(3, 3, 2, 5, seed=1).float()
    want = most_similar_features(points, ref_feats, 2)
    with torch.autocast("cpu", torch.bfloat16):
        found = most_similar_features(points.bfloat16(), ref_feats.bfloat16(), 2)
    torch.testing.assert_close(found.float(), want, atol=0.05, rtol=0.05)
