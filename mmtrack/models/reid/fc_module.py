"""Fully connected layer with normalisation and activation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmcv.cnn import build_activation_layer, build_norm_layer
from mmcv.runner import BaseModule
from torch import nn

from ..builder import REID

DEFAULT_ACT = {"type": "ReLU"}
DEFAULT_INIT = {"type": "Kaiming", "layer": "Linear"}


@REID.register_module()
class FcModule(BaseModule):
    """A linear layer, then normalisation and activation if wanted.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        norm_cfg: Config of the normalisation; None for none.
        act_cfg: Config of the activation; None for none.
        inplace: Let the activation overwrite its input.
        init_cfg: Initialisation of the weights.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = DEFAULT_ACT,
        inplace: bool = True,
        init_cfg: dict | list[dict] | None = DEFAULT_INIT,
    ):
        super().__init__(init_cfg)
        self.with_norm = norm_cfg is not None
        self.with_activation = act_cfg is not None
        self.fc = nn.Linear(in_channels, out_channels)
        self.norm_name: str | None = None
        if self.with_norm:
            # named after its kind ('bn'), as in published checkpoints
            self.norm_name, norm = build_norm_layer(norm_cfg, out_channels)
            self.add_module(self.norm_name, norm)
        if self.with_activation:
            self.activate = build_activation_layer(_with_inplace(act_cfg, inplace))

    @property
    def norm(self) -> nn.Module | None:
        """The normalisation, if there is one."""
        return getattr(self, self.norm_name) if self.norm_name else None

    def forward(self, x: torch.Tensor, activate: bool = True, norm: bool = True) -> torch.Tensor:
        """Map ``(N, in_channels)`` to ``(N, out_channels)``.

        Args:
            x: Features.
            activate: Apply the activation, if there is one.
            norm: Apply the normalisation, if there is one.
        """
        x = self.fc(x)
        if norm and self.with_norm:
            x = self.norm(x)
        if activate and self.with_activation:
            x = self.activate(x)
        return x


# Activations that have no in-place form.
NOT_INPLACE = ("Tanh", "PReLU", "Sigmoid", "GELU")


def _with_inplace(act_cfg: Mapping, inplace: bool) -> dict:
    if act_cfg["type"] in NOT_INPLACE:
        return dict(act_cfg)
    return {"inplace": inplace, **act_cfg}
