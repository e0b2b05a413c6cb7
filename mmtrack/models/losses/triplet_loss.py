"""Triplet loss."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models import LOSSES
from torch import nn


@LOSSES.register_module()
class TripletLoss(nn.Module):
    """Pull embeddings of one identity together, push those of others away.

    Args:
        margin: Wanted difference of the distances to other and to own identities.
        loss_weight: Factor of the loss.
        hard_mining: For every sample take the farthest of its identity and the nearest of the
            others ("batch hard", equation 5 of the paper) instead of all triplets ("batch all",
            equation 6).

    Reference: Hermans et al., "In Defense of the Triplet Loss for Person Re-Identification",
    `arXiv:1703.07737 <https://arxiv.org/abs/1703.07737>`_.
    """

    def __init__(self, margin: float = 0.3, loss_weight: float = 1.0, hard_mining: bool = True):
        super().__init__()
        self.margin = margin
        self.loss_weight = loss_weight
        self.hard_mining = hard_mining

    def forward(self, inputs: torch.Tensor, targets: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Loss of a batch.

        Args:
            inputs: Embeddings, ``(N, C)``.
            targets: Identities, ``(N,)``.
            **kwargs: Accepted for calls written for other losses.

        Returns:
            Scalar; 0 if there is no triplet, for example with a single identity.
        """
        if not len(inputs):
            return inputs.sum()
        if self.hard_mining:
            return self.loss_weight * self.hard_mining_triplet_loss_forward(inputs, targets)
        return self.loss_weight * self.all_triplets_forward(inputs, targets)

    def hard_mining_triplet_loss_forward(
        self, inputs: torch.Tensor, targets: torch.Tensor
    ) -> torch.Tensor:
        """Mean of the hardest triplet of every sample, without the weight of the loss."""
        distance, same = _pairs(inputs, targets)
        farthest = distance.masked_fill(~same, -torch.inf).amax(dim=1)
        nearest = distance.masked_fill(same, torch.inf).amin(dim=1)
        # without another identity in the batch the nearest is infinitely far: no violation
        violation = (farthest - nearest + self.margin).clamp(min=0)
        return violation.mean()

    def all_triplets_forward(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean over all triplets of anchor, other sample of its identity and sample of another."""
        distance, same = _pairs(inputs, targets)
        other_sample = ~torch.eye(len(same), dtype=torch.bool, device=same.device)
        valid = (same & other_sample)[:, :, None] & ~same[:, None, :]
        violation = (distance[:, :, None] - distance[:, None, :] + self.margin).clamp(min=0)
        return (violation * valid).sum() / valid.sum().clamp(min=1)


def _pairs(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Euclidean distances ``(N, N)`` and which pairs have one identity."""
    # the exact form: through a matrix product, small distances drown in rounding
    distance = torch.cdist(inputs, inputs, compute_mode="donot_use_mm_for_euclid_dist")
    return distance, targets[:, None] == targets[None, :]
