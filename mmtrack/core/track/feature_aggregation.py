"""Features of one frame made stronger by those of other frames."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

# Similarities that are held in memory at a time: 512 MiB of floats.
MAX_SIMILARITIES = 2**27


def aggregate_by_similarity(
    embeds: torch.Tensor, ref_embeds: torch.Tensor, ref_feats: torch.Tensor
) -> torch.Tensor:
    """Mean of feature maps, at every place weighted by their similarity to a key frame.

    Args:
        embeds: Embedding of the key frame, ``(1, E, H, W)``.
        ref_embeds: Embeddings of the references, ``(N, E, H, W)``.
        ref_feats: Features of the references, ``(N, C, H, W)``.

    Returns:
        ``(1, C, H, W)``.

    Reference: Zhu et al., "Flow-Guided Feature Aggregation for Video Object Detection", ICCV 2017,
    equations 2 and 3.
    """
    similarity = F.cosine_similarity(ref_embeds, embeds, dim=1)
    weights = similarity.softmax(dim=0)[:, None]
    return (weights * ref_feats).sum(dim=0, keepdim=True)


def attend(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, num_heads: int
) -> torch.Tensor:
    """Attention of vectors to other vectors, in groups of channels.

    Args:
        queries: ``(N, C)``.
        keys: ``(M, C)``.
        values: ``(M, C)``. Without any (``M = 0``) the result is zero.
        num_heads: Number of groups, a divisor of ``C``.

    Returns:
        ``(N, C)``.

    Reference: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.
    """
    if not len(keys):
        return torch.zeros_like(queries)
    heads = (x.unflatten(1, (num_heads, -1)).transpose(0, 1)[None] for x in (queries, keys, values))
    return F.scaled_dot_product_attention(*heads)[0].transpose(0, 1).flatten(1)


def most_similar_features(
    points: torch.Tensor, ref_feats: torch.Tensor, num_points: int
) -> torch.Tensor:
    """The features of other frames that look most like given ones.

    For every vector and every frame, the places with the highest cosine similarity are looked up
    in the whole frame, and their features are averaged with the softmax of the similarities.

    Args:
        points: ``(P, C)``.
        ref_feats: Feature maps, ``(N, C, H, W)``.
        num_points: Number of places; all where the map has fewer.

    Returns:
        ``(N, P, C)``.

    Reference: Gong et al., "Temporal RoI Align for Video Object Recognition", AAAI 2021,
    section "Most Similar RoI Align".
    """
    directions = F.normalize(points, dim=1).t()
    places = ref_feats.flatten(2).transpose(1, 2)
    count = min(num_points, places.size(1))
    chunk = max(1, MAX_SIMILARITIES // max(1, len(points) * places.size(1)))
    return torch.cat(
        [_most_similar_in_chunk(directions, part, count) for part in places.split(chunk)]
    )


def _most_similar_in_chunk(
    directions: torch.Tensor, places: torch.Tensor, count: int
) -> torch.Tensor:
    """As :func:`most_similar_features`, with ``(C, P)`` directions and ``(N, HW, C)`` places."""
    similarity = torch.matmul(F.normalize(places, dim=2), directions)
    best, index = similarity.transpose(1, 2).topk(count, dim=2)
    start = torch.arange(len(places), device=places.device)[:, None, None] * places.size(1)
    # a weighted sum of rows of a table, without a copy of every row
    mean = F.embedding_bag(
        (index + start).flatten(0, 1),
        places.flatten(0, 1),
        mode="sum",
        # mixed precision computes the softmax in more bits than the table has
        per_sample_weights=best.softmax(dim=2).flatten(0, 1).to(places.dtype),
    )
    return mean.unflatten(0, (len(places), -1))


def temporal_attention(embeds: torch.Tensor, feats: torch.Tensor, num_blocks: int) -> torch.Tensor:
    """Weighted mean over frames, per place and group of channels; frame 0 asks.

    Args:
        embeds: Embeddings, ``(T, R, C, h, w)``.
        feats: Features, ``(T, R, C, h, w)``.
        num_blocks: Number of groups of channels, a divisor of ``C``.

    Returns:
        ``(R, C, h, w)``.

    Reference: Gong et al., "Temporal RoI Align for Video Object Recognition", AAAI 2021,
    section "Temporal Attentional Feature Aggregation".
    """
    embeds, feats = (x.unflatten(2, (num_blocks, -1)) for x in (embeds, feats))
    scores = (embeds * embeds[:1]).sum(dim=3, keepdim=True) / math.sqrt(embeds.size(3))
    return (scores.softmax(dim=0) * feats).sum(dim=0).flatten(1, 2)
