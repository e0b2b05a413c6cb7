"""Cross entropy with several positives per row."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmdet.models import LOSSES, weight_reduce_loss
from torch import nn


@LOSSES.register_module()
class MultiPosCrossEntropyLoss(nn.Module):
    """Cross entropy of embeddings that may match several others.

    Args:
        reduction: ``'none'``, ``'mean'`` or ``'sum'`` over the rows.
        loss_weight: Factor of the loss.

    Reference: Pang et al., "Quasi-Dense Similarity Learning for Multiple Object Tracking",
    CVPR 2021, equation 4.
    """

    def __init__(self, reduction: str = "mean", loss_weight: float = 1.0):
        super().__init__()
        self.reduction = reduction
        self.loss_weight = loss_weight

    def forward(
        self,
        cls_score: torch.Tensor,
        label: torch.Tensor,
        weight: torch.Tensor | None = None,
        avg_factor: float | None = None,
        reduction_override: str | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Loss of the rows.

        Args:
            cls_score: Similarities, ``(N, M)``.
            label: 1 where row and column match, 0 elsewhere, ``(N, M)``.
            weight: Of the rows, ``(N,)``.
            avg_factor: Divisor of the mean instead of the number of rows.
            reduction_override: Reduction of this call.
            **kwargs: Accepted for calls written for other losses.
        """
        loss = self.multi_pos_cross_entropy(
            cls_score, label, weight, reduction_override or self.reduction, avg_factor
        )
        return self.loss_weight * loss

    def multi_pos_cross_entropy(
        self,
        pred: torch.Tensor,
        label: torch.Tensor,
        weight: torch.Tensor | None = None,
        reduction: str = "mean",
        avg_factor: float | None = None,
    ) -> torch.Tensor:
        """``log(1 + sum over positives and negatives of exp(negative - positive))`` of every row.

        The double sum is the product of two sums, so that two log-sum-exp are enough. A row without
        positives or without negatives has no loss.
        """
        positive, negative = label == 1, label == 0
        log_sum = _masked_logsumexp(pred, negative) + _masked_logsumexp(-pred, positive)
        defined = positive.any(dim=1) & negative.any(dim=1)
        loss = F.softplus(torch.where(defined, log_sum, 0.0)) * defined
        weight = None if weight is None else weight.float()
        return weight_reduce_loss(loss, weight, reduction, avg_factor)


def _masked_logsumexp(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    # a finite floor instead of -inf: a row without entries must not give NaN gradients
    floor = torch.finfo(values.dtype).min / 2
    return torch.logsumexp(values.masked_fill(~mask, floor), dim=1)
