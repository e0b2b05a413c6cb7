"""Similarity of embeddings."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def embed_similarity(
    key_embeds: torch.Tensor,
    ref_embeds: torch.Tensor,
    method: str = "dot_product",
    temperature: float = -1,
) -> torch.Tensor:
    """Similarity of every key embedding with every reference embedding.

    Args:
        key_embeds: ``(N1, C)``.
        ref_embeds: ``(N2, C)``.
        method: ``'dot_product'`` or ``'cosine'``.
        temperature: Similarities are divided by it when it is positive.

    Returns:
        ``(N1, N2)``.

    Raises:
        ValueError: the method is unknown.
    """
    if method not in ("dot_product", "cosine"):
        raise ValueError(f"method must be 'dot_product' or 'cosine', found {method!r}")
    if method == "cosine":
        key_embeds = F.normalize(key_embeds, p=2, dim=1)
        ref_embeds = F.normalize(ref_embeds, p=2, dim=1)
    similarity = key_embeds @ ref_embeds.t()
    return similarity / temperature if temperature > 0 else similarity
