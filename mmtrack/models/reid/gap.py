"""Global average pooling."""

from __future__ import annotations

import torch
from torch import nn

from ..builder import REID


@REID.register_module()
class GlobalAveragePooling(nn.Module):
    """Average a feature map over its positions.

    Args:
        kernel_size: Size of the feature map, ``(height, width)`` or one number for both; None
            averages maps of any size.
        stride: Of the pooling, if the map is larger than ``kernel_size``; None for ``kernel_size``.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int] | None = None,
        stride: int | tuple[int, int] | None = None,
    ):
        super().__init__()
        if kernel_size is None:
            self.gap = nn.AdaptiveAvgPool2d((1, 1))
        else:
            self.gap = nn.AvgPool2d(_int_or_pair(kernel_size), stride)

    def forward(
        self, inputs: torch.Tensor | tuple[torch.Tensor, ...] | list[torch.Tensor]
    ) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Pool ``(N, C, H, W)`` to ``(N, C)``, or each map of a tuple.

        Raises:
            TypeError: the input is neither a tensor nor a tuple or list of tensors.
        """
        if isinstance(inputs, torch.Tensor):
            return self.gap(inputs).flatten(1)
        if isinstance(inputs, list | tuple):
            return tuple(self.gap(x).flatten(1) for x in inputs)
        raise TypeError(f"features must be a tensor or a tuple of tensors, not {type(inputs)}")


def _int_or_pair(value: int | tuple[int, int] | list[int]) -> int | tuple[int, ...]:
    return value if isinstance(value, int) else tuple(value)
