"""Matching of detections with remembered instances by appearance, score, overlap and class.

Reference: Yang et al., "Video Instance Segmentation", ICCV 2019, sections 4.1 to 4.3. Column 0 of
all tables stands for "a new instance", column ``k + 1`` for the remembered instance ``k``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

NEW = 0  # column of "a new instance"
NOT_MATCHED = -1


def match_logits(embeds: torch.Tensor, ref_embeds: torch.Tensor) -> torch.Tensor:
    """Similarity of every embedding with "new" and with every reference embedding.

    The softmax of a row is the probability of each identity, equation (1) of the paper.

    Args:
        embeds: ``(N, C)``.
        ref_embeds: ``(M, C)``.

    Returns:
        ``(N, M + 1)``; column 0 is zero.
    """
    return F.pad(embeds @ ref_embeds.t(), (1, 0))


def identity_targets(ids: torch.Tensor, ref_ids: torch.Tensor) -> torch.Tensor:
    """Column of :func:`match_logits` that is right for each instance.

    Args:
        ids: Identities ``(N,)``.
        ref_ids: Identities of the references, ``(M,)``, each once.

    Returns:
        ``(N,)`` int64: one more than the position in ``ref_ids``, 0 for those that are not there.
    """
    same = F.pad(ids[:, None] == ref_ids[None], (1, 0), value=False)
    same[:, NEW] = ~same.any(dim=1)
    return same.int().argmax(dim=1)


def match_scores(
    logits: torch.Tensor,
    scores: torch.Tensor,
    ious: torch.Tensor,
    same_label: torch.Tensor,
    weights: dict[str, float],
) -> torch.Tensor:
    """How well each detection continues each instance, equation (2) of the paper.

    Args:
        logits: Of :func:`match_logits`, ``(N, M + 1)``.
        scores: Of the detections, ``(N,)``.
        ious: Overlap with the last box of each instance, ``(N, M)``.
        same_label: Whether the class is that of the instance, ``(N, M)`` bool.
        weights: Of the three terms: ``det_score``, ``iou`` and ``det_label``.

    Returns:
        ``(N, M + 1)``. A new instance overlaps nothing and has the class of its detection.
    """
    return (
        logits.log_softmax(dim=1)
        + weights["det_score"] * scores.log()[:, None]
        + weights["iou"] * F.pad(ious, (1, 0))
        + weights["det_label"] * F.pad(same_label.to(logits), (1, 0), value=1.0)
    )


def choose_instances(scores: torch.Tensor, *, unique: bool = False) -> torch.Tensor:
    """Column that each detection gets.

    Every detection wants its best column. An instance that several detections want goes to a
    detection if no earlier one wants it with at least the same score; with ``unique`` to the best
    of them alone.

    Args:
        scores: Of :func:`match_scores`, ``(N, M + 1)``.
        unique: Give an instance to one detection at most, section 4.3 of the paper.

    Returns:
        ``(N,)`` int64: 0 for a new instance, ``k + 1`` for instance ``k``, -1 for detections whose
        instance went to another one.
    """
    best, columns = scores.max(dim=1)
    rivals = columns[:, None] == columns[None]
    not_worse = best[None] >= best[:, None]
    earlier = torch.ones_like(rivals).tril(-1)
    if unique:
        stronger = (best[None] > best[:, None]) | (not_worse & earlier)
    else:
        stronger = not_worse & earlier
    lost = (rivals & stronger).any(dim=1) & (columns != NEW)
    return columns.masked_fill(lost, NOT_MATCHED)
