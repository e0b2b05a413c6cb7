"""Retrieval scores of re-identification embeddings: mean average precision and CMC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Distances of one batch of queries to all images: 32 MB, and as much for each temporary array.
BATCH_CELLS = 1 << 22
METRICS = ("mAP", "CMC")


def eval_reid(
    embeds: np.ndarray,
    labels: np.ndarray,
    *,
    metrics: Sequence[str] = METRICS,
    rank_list: Sequence[int] = (1, 5, 10, 20),
    max_rank: int = 20,
) -> dict[str, float]:
    """Let every image search all images for others of its identity.

    Images are ranked by squared Euclidean distance; the nearest, which is the query itself, is
    left out. Images whose identity appears once have nothing to find and are no queries.
    Memory is bounded: queries are compared in batches.

    Args:
        embeds: Embeddings, ``(N, D)``.
        labels: Identity of each image, ``(N,)``.
        metrics: ``'mAP'``, ``'CMC'`` or both.
        rank_list: Ranks at which CMC is reported.
        max_rank: Largest rank that may be reported.

    Returns:
        ``mAP`` and ``R1``, ``R5``, ... (``R`` and the rank) within [0, 1].

    Raises:
        ValueError: unknown metric, lengths that do not agree, embeddings that are not finite, a
            rank above ``max_rank``, or no identity with two images.

    Reference: Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015,
    section 5.1.
    """
    embeds, labels = _check_inputs(embeds, labels, metrics, rank_list, max_rank)
    names, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    queries = np.flatnonzero(counts[which] > 1)
    if len(queries) == 0:
        raise ValueError(
            f"no identity has two images ({len(labels)} images of {len(names)} identities), so "
            "that there is nothing to retrieve"
        )
    norms = np.einsum("nd,nd->n", embeds, embeds)
    precision, hits = 0.0, np.zeros(min(max_rank, len(labels) - 1))
    for batch in np.array_split(queries, -(-len(queries) * len(labels) // BATCH_CELLS)):
        distances = norms[batch, None] + norms - 2 * embeds[batch] @ embeds.T
        order = np.argsort(distances, axis=1, kind="stable")[:, 1:]
        found = which[order] == which[batch, None]
        precision += _average_precision(found).sum()
        hits += (np.cumsum(found[:, : len(hits)], axis=1) > 0).sum(0)
    scores = {"mAP": float(precision / len(queries))} if "mAP" in metrics else {}
    if "CMC" in metrics:
        # With fewer images than ranks the last rank has found all there is.
        ranks = {f"R{rank}": hits[min(rank, len(hits)) - 1] for rank in rank_list}
        scores.update({name: float(count / len(queries)) for name, count in ranks.items()})
    return scores


def _average_precision(found: np.ndarray) -> np.ndarray:
    """Mean precision at the ranks of the hits, ``(Q,)``; ``found (Q, N)`` bool in rank order."""
    ranks = np.arange(1, found.shape[1] + 1)
    precision = np.cumsum(found, axis=1) / ranks
    return (precision * found).sum(1) / np.maximum(found.sum(1), 1)


def _check_inputs(
    embeds: np.ndarray,
    labels: np.ndarray,
    metrics: Sequence[str],
    rank_list: Sequence[int],
    max_rank: int,
) -> tuple[np.ndarray, np.ndarray]:
    unknown = [m for m in metrics if m not in METRICS]
    if unknown:
        raise ValueError(f"unknown metric {unknown[0]!r}; known are {', '.join(METRICS)}")
    embeds, labels = np.asarray(embeds, np.float64), np.asarray(labels)
    if embeds.ndim != 2 or len(embeds) != len(labels):
        raise ValueError(
            f"embeds have shape {embeds.shape} and there are {len(labels)} labels; expected (N, D) "
            "and N"
        )
    if not np.isfinite(embeds).all():
        row = int(np.flatnonzero(~np.isfinite(embeds).all(1))[0])
        raise ValueError(f"embedding of image {row} is not finite")
    if any(not 1 <= rank <= max_rank for rank in rank_list):
        raise ValueError(f"rank_list {list(rank_list)} must lie within 1 and max_rank {max_rank}")
    return embeds, labels
