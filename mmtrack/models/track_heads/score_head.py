"""Head that scores embeddings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmcv.runner import BaseModule
from torch import nn

from ..builder import MODELS


@MODELS.register_module()
class ScoreHead(BaseModule):
    """Fully connected layers with ReLU between them.

    Args:
        input_dim: Length of an embedding.
        hidden_dim: Outputs of every layer but the last.
        output_dim: Scores per embedding.
        num_layers: Number of layers.
        use_bn: Normalise the output of every layer but the last over the batch.

    Reference: Yan et al., "Learning Spatio-Temporal Transformer for Visual Tracking", ICCV 2021,
    section 3.3: a three-layer perceptron tells whether the target is in the search region.
    """

    def __init__(
        self,
        input_dim: int,
        hidden_dim: int,
        output_dim: int,
        num_layers: int,
        use_bn: bool = False,
    ):
        super().__init__()
        widths = [input_dim, *[hidden_dim] * (num_layers - 1), output_dim]
        self.layers = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(widths[:-1], widths[1:], strict=True)
        )
        self.norms = (
            nn.ModuleList(nn.BatchNorm1d(hidden_dim) for _ in self.layers[:-1]) if use_bn else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of embeddings.

        Args:
            x: ``(..., input_dim)``.

        Returns:
            ``(..., output_dim)``, any real number: the sigmoid is not applied.
        """
        rows = x.flatten(0, -2)
        for i, layer in enumerate(self.layers[:-1]):
            rows = layer(rows)
            if self.norms is not None:
                rows = self.norms[i](rows)
            rows = F.relu(rows)
        return self.layers[-1](rows).view(*x.shape[:-1], -1)
