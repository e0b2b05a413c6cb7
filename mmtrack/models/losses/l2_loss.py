"""Squared error of similarities with margins and sampled negatives."""

from __future__ import annotations

import torch
from mmdet.models import LOSSES, weight_reduce_loss
from torch import nn


@LOSSES.register_module()
class L2Loss(nn.Module):
    """Squared error of similarities, which should be 1 for matches and 0 for others.

    Args:
        neg_pos_ub: At most so many negatives per positive count; -1 for all.
        pos_margin: Subtracted from the similarities of positives; -1 for none.
        neg_margin: Subtracted from the similarities of negatives, so that those below it count as
            0; -1 for none.
        hard_mining: Keep the negatives with the largest error instead of random ones.
        reduction: ``'none'``, ``'mean'`` or ``'sum'``.
        loss_weight: Factor of the loss.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, equation 5.
    """

    def __init__(
        self,
        neg_pos_ub: int = -1,
        pos_margin: float = -1,
        neg_margin: float = -1,
        hard_mining: bool = False,
        reduction: str = "mean",
        loss_weight: float = 1.0,
    ):
        super().__init__()
        self.neg_pos_ub = neg_pos_ub
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.hard_mining = hard_mining
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
    ) -> torch.Tensor:
        """Loss of a matrix of similarities.

        Args:
            pred: Similarities, ``(N, M)``.
            target: 1 for matches, 0 for others, ``(N, M)``.
            weight: Of the entries, ``(N, M)``; entries with weight 0 or less are left out.
            avg_factor: Replaced by the number of entries that count.
            reduction_override: Reduction of this call.
        """
        pred, weight, avg_factor = self.update_weight(pred, target, weight, avg_factor)
        reduction = reduction_override or self.reduction
        error = (pred - target).square()
        # mmdet divides by avg_factor for the mean only and refuses it together with a sum
        avg_factor = avg_factor if reduction == "mean" else None
        return self.loss_weight * weight_reduce_loss(error, weight, reduction, avg_factor)

    def update_weight(
        self,
        pred: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        avg_factor: float | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Apply the margins and choose the negatives.

        Returns:
            Similarities within [0, 1], weights with 0 for what does not count, and the number of
            entries that count. The arguments stay as they are.
        """
        weight = torch.ones_like(pred) if weight is None else weight.to(pred)
        used = weight > 0
        positive, negative = used & (target == 1), used & (target == 0)
        if self.pos_margin > 0:
            pred = torch.where(positive, pred - self.pos_margin, pred)
        if self.neg_margin > 0:
            pred = torch.where(negative, pred - self.neg_margin, pred)
        pred = pred.clamp(min=0, max=1)
        dropped = negative & ~self._sample_negatives(pred, positive, negative)
        weight = weight.masked_fill(~used | dropped, 0)
        return pred, weight, (weight > 0).sum()

    def _sample_negatives(
        self, pred: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor
    ) -> torch.Tensor:
        """Mask of the negatives that count, ``(N, M)``."""
        wanted = int(positive.sum()) * self.neg_pos_ub
        if self.neg_pos_ub <= 0 or int(negative.sum()) <= wanted:
            return negative
        candidates = negative.flatten().nonzero()[:, 0]
        if self.hard_mining:
            error = pred.detach().flatten()[candidates]  # the target is 0
            chosen = candidates[error.topk(wanted).indices]
        else:
            chosen = self.random_choice(candidates, wanted)
        keep = torch.zeros(negative.numel(), dtype=torch.bool, device=negative.device)
        keep[chosen] = True
        return keep.view_as(negative)

    @staticmethod
    def random_choice(gallery: torch.Tensor, num: int) -> torch.Tensor:
        """``num`` different entries of ``gallery`` in random order."""
        return gallery[torch.randperm(len(gallery), device=gallery.device)[:num]]
