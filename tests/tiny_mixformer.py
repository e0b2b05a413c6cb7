"""A MixFormer that takes milliseconds for a frame. Imported by tests."""

from __future__ import annotations

import torch
from mmcv import ConfigDict
from torch import nn

from mmtrack.models import build_model

STAGES = {
    "num_stages": 3,
    "dim_embed": [4, 8, 16],
    "num_heads": [1, 2, 4],
    "depth": [1, 2, 2],
    "mlp_channel_ratio": [2, 2, 2],
}
SEARCH, TEMPLATE = 64, 32


def config(*, score: bool = True, frozen: bool = False, **test_cfg: object) -> ConfigDict:
    """Config of a model whose maps have 4 x 4 places of 16 pixels."""
    head = {
        "type": "MixFormerHead",
        "bbox_head": {
            "type": "CornerPredictorHead",
            "inplanes": 16,
            "channel": 16,
            "feat_size": 4,
            "stride": 16,
        },
    }
    if score:
        head["score_head"] = {
            "type": "MixFormerScoreDecoder",
            "pool_size": 2,
            "feat_size": 4,
            "stride": 16,
            "num_heads": 4,
            "hidden_dim": 16,
            "num_layers": 3,
        }
    if frozen:
        head["frozen_modules"] = ["bbox_head"]
    settings = {
        "search_factor": 4.5,
        "search_size": SEARCH,
        "template_factor": 2.0,
        "template_size": TEMPLATE,
        "update_interval": [2],
        "online_size": [2],
        "max_score_decay": [0.9],
    }
    return ConfigDict(
        type="MixFormer",
        backbone={"type": "ConvVisionTransformer", **STAGES},
        head=head,
        frozen_modules=["backbone"] if frozen else None,
        test_cfg={**settings, **test_cfg},
    )


def build(seed: int = 46, **options: object) -> nn.Module:
    """A model whose statistics and weights are all other than those it begins with.

    With the seed of this function the corners of its boxes are in the right order, so that there
    is something to score, and its scores differ.
    """
    torch.manual_seed(seed)
    model = stirred(build_model(config(**options)))
    if model.head.score_decoder_head is not None:
        with torch.no_grad():
            for weight in model.head.score_decoder_head.parameters():
                weight.mul_(3)
            model.head.score_decoder_head.score_head.layers[-1].bias.sub_(9)
    return model.eval()


def stirred(module: nn.Module) -> nn.Module:
    """Change all weights a little, so that none is 0 or 1 and forgotten ones are noticed."""
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.is_floating_point():
                value.add_(0.4 * torch.rand_like(value) - 0.2)
    return module
