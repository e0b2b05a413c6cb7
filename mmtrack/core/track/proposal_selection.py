"""Choice among the proposals of a Siamese tracker: small changes near the middle are preferred."""

from __future__ import annotations

from typing import NamedTuple

import torch


class Selection(NamedTuple):
    """The chosen proposal of each object, ``(..., 1)`` on the device of the proposals.

    Attributes:
        index: Number of the proposal.
        score: Its classification score.
        penalty: Factor in (0, 1] for its change of size and shape.
    """

    index: torch.Tensor
    score: torch.Tensor
    penalty: torch.Tensor


def select_proposal(
    scores: torch.Tensor,
    sizes: torch.Tensor,
    prev_size: tuple[torch.Tensor, torch.Tensor],
    window: torch.Tensor,
    *,
    penalty_k: float | torch.Tensor,
    window_influence: float | torch.Tensor,
) -> Selection:
    """Choose the best proposal of each object after re-ranking.

    Nothing is read back from the device.

    Args:
        scores: ``(..., N)``, within [0, 1].
        sizes: ``(..., N, 2)``, width and height of the proposals.
        prev_size: Width and height of the object in the last frame, in the same unit: ``(..., 1)``,
            or without dimensions; the latter may be in main memory with proposals on any device.
        window: ``(N,)``, preference of each place.
        penalty_k: How strongly changes of size and shape are punished; a number or ``(..., 1)``.
        window_influence: Share of the window, within [0, 1]; a number or ``(..., 1)``.

    Reference: Li et al., "High Performance Visual Tracking with Siamese Region Proposal Network",
    CVPR 2018, section 4.3, equations 11 and 12.
    """
    widths, heights = sizes.unbind(-1)
    ratios = widths / heights
    shape_change = _either_way(prev_size[0] / prev_size[1] / ratios)
    size_change = _either_way(_padded_side(widths, heights) / _padded_side(*prev_size))
    penalties = torch.exp(-(shape_change * size_change - 1) * penalty_k)
    ranks = penalties * scores * (1 - window_influence) + window * window_influence
    # a tensor as index would be read back by some kernels; gathering leaves it on the device
    best = ranks.argmax(dim=-1, keepdim=True)
    return Selection(best, scores.gather(-1, best), penalties.gather(-1, best))


def _either_way(change: torch.Tensor) -> torch.Tensor:
    """Halving is as large a change as doubling."""
    return torch.maximum(change, 1 / change)


def _padded_side(width: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Side of the square with the area of the box and its context (half of width plus height)."""
    context = (width + height) / 2
    return torch.sqrt((width + context) * (height + context))
