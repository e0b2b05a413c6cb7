"""CvT with mixed attention, the backbone of MixFormer: templates and search region in one network.

Templates never look at the search region, so all that the search region needs of them are keys and
values. :meth:`ConvVisionTransformer.encode_templates` computes these, and
:meth:`ConvVisionTransformer.encode_search` uses them: once in a forward pass, in every frame of a
video until a template changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import torch
from mmcv.runner import BaseModule
from torch import nn

from ..builder import MODELS
from .mixformer_layers import (
    Block,
    KeysValues,
    LayerNormAutofp32,
    MixedAttention,
    PatchEmbed,
    QuickGELU,
    Stage,
)

CLASSES = 1000  # of ImageNet, of the classifier that published weights still hold


@MODELS.register_module()
class ConvVisionTransformer(BaseModule):
    """CvT that extracts features of a search region and mixes in those of templates.

    Attention is asymmetric: templates attend to templates, the search region to everything. So
    templates need not be computed again for a new search region. There are no encodings of
    positions: the convolutions see where things are.

    Args:
        in_chans: Channels of the images.
        act_layer: Class of the activation.
        norm_layer: Makes the normalisation of tokens from their channels.
        init: Initialisation of linear layers, ``'trunc_norm'`` or ``'xavier'``.
        num_stages: Number of stages. The lists that follow have an entry for each.
        patch_size: Side of a patch.
        patch_stride: Distance between patches.
        patch_padding: Zeros around what is cut into patches.
        dim_embed: Channels of a token.
        num_heads: Heads of the attention.
        depth: Number of blocks.
        mlp_channel_ratio: Hidden channels of the perceptron over those of a token.
        attn_drop_rate: Share of attention weights that are dropped in training.
        drop_rate: Share of outputs that are dropped in training.
        path_drop_probs: Probability that a sample skips the last block in training; it grows from
            zero in the first block of a stage.
        qkv_bias: Whether the linear layers of queries, keys and values have a bias.
        qkv_proj_method: Projection before these layers, see :class:`MixedAttention`.
        kernel_qkv: Side of its kernels.
        padding_kv: Its padding for keys and values.
        stride_kv: Its stride for keys and values.
        padding_q: Its padding for queries.
        stride_q: Its stride for queries; other strides than 1 would change the number of tokens.
        norm_cfg: Config of its normalisation. With ``requires_grad=False`` the statistics stay as
            they are, too: BatchNorm is frozen in the whole training (section 4.1 of the paper).
        init_cfg: Initialisation of the weights, in place of ``init``; for example pretrained ones.

    Raises:
        ValueError: a list has no entry for each stage, or a value is not known.

    Reference: Cui et al., "MixFormer: End-to-End Tracking with Iterative Mixed Attention", CVPR
    2022, sections 3.1 and 3.2. ``norm`` and ``head`` belong to the classifier that CvT was trained
    as. Published weights still hold them; nothing computes with them.
    """

    # What runs in a test in place of ``forward``, to be compiled or cast.
    network_methods = ("encode_templates", "encode_search")

    def __init__(
        self,
        in_chans: int = 3,
        act_layer: type[nn.Module] = QuickGELU,
        norm_layer: Callable[[int], nn.Module] = LayerNormAutofp32,
        init: str = "trunc_norm",
        num_stages: int = 3,
        patch_size: Sequence[int] = (7, 3, 3),
        patch_stride: Sequence[int] = (4, 2, 2),
        patch_padding: Sequence[int] = (2, 1, 1),
        dim_embed: Sequence[int] = (64, 192, 384),
        num_heads: Sequence[int] = (1, 3, 6),
        depth: Sequence[int] = (1, 4, 16),
        mlp_channel_ratio: Sequence[float] = (4, 4, 4),
        attn_drop_rate: Sequence[float] = (0.0, 0.0, 0.0),
        drop_rate: Sequence[float] = (0.0, 0.0, 0.0),
        path_drop_probs: Sequence[float] = (0.0, 0.0, 0.1),
        qkv_bias: Sequence[bool] = (True, True, True),
        qkv_proj_method: Sequence[str] = ("dw_bn", "dw_bn", "dw_bn"),
        kernel_qkv: Sequence[int] = (3, 3, 3),
        padding_kv: Sequence[int] = (1, 1, 1),
        stride_kv: Sequence[int] = (2, 2, 2),
        padding_q: Sequence[int] = (1, 1, 1),
        stride_q: Sequence[int] = (1, 1, 1),
        norm_cfg: dict = {"type": "BN", "requires_grad": False},  # noqa: B006 - read only
        init_cfg: dict | list[dict] | None = None,
    ):
        super().__init__(init_cfg or _initialisation(init))
        per_stage = {
            "patch_size": patch_size, "patch_stride": patch_stride, "patch_padding": patch_padding,
            "dim_embed": dim_embed, "num_heads": num_heads, "depth": depth,
            "mlp_channel_ratio": mlp_channel_ratio, "attn_drop_rate": attn_drop_rate,
            "drop_rate": drop_rate, "path_drop_probs": path_drop_probs, "qkv_bias": qkv_bias,
            "qkv_proj_method": qkv_proj_method, "kernel_qkv": kernel_qkv,
            "padding_kv": padding_kv, "stride_kv": stride_kv, "padding_q": padding_q,
            "stride_q": stride_q,
        }  # fmt: skip
        for name, values in per_stage.items():
            if len(values) != num_stages:
                raise ValueError(f"{name} has {len(values)} entries for {num_stages} stages")
        if any(stride != 1 for stride in stride_q):
            raise ValueError(f"stride_q is {list(stride_q)}: queries are as many as tokens, so 1")
        self.num_stages = num_stages
        self.depth = tuple(depth)
        self.norm_frozen = not norm_cfg.get("requires_grad", True)
        channels = (in_chans, *dim_embed)
        for i in range(num_stages):
            settings = {name: values[i] for name, values in per_stage.items()}
            stage = _stage(channels[i], settings, norm_cfg, act_layer, norm_layer)
            self.add_module(f"stage{i}", stage)
        self.norm = norm_layer(dim_embed[-1])
        self.head = nn.Linear(dim_embed[-1], CLASSES)
        for leftover in (self.norm, self.head):
            leftover.requires_grad_(False)
        self.reset()

    def reset(self) -> None:
        """Forget the templates."""
        self._online: tuple[torch.Tensor, list[KeysValues]] | None = None

    @property
    def online(self) -> tuple[torch.Tensor, list[KeysValues]]:
        """What :meth:`encode_templates` gave for the templates of :meth:`set_online`.

        Raises:
            RuntimeError: there are no templates yet.
        """
        if self._online is None:
            raise RuntimeError("there are no templates: call set_online before forward_test")
        return self._online

    def train(self, mode: bool = True) -> nn.Module:
        """Set the mode of all parts but frozen normalisation, whose statistics stay."""
        super().train(mode)
        if self.norm_frozen:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(
        self, template: torch.Tensor, online_template: torch.Tensor, search: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features of templates and search regions.

        Args:
            template: First template of each sample, ``(N, C, H, W)``, normalised.
            online_template: K further templates of each sample, ``(N * K, C, H, W)``, those of a
                sample one after another.
            search: Search regions, ``(N, C, H', W')``.

        Returns:
            Maps of the first templates, ``(N, C', H // stride, W // stride)``, and of the search
            regions.
        """
        feat, memory = self.encode_templates(_by_sample(template, online_template))
        return feat, self.encode_search(search, memory)

    def set_online(self, template: torch.Tensor, online_template: torch.Tensor) -> None:
        """Compute all that search regions need of the templates, for :meth:`forward_test`.

        Args:
            template: See :meth:`forward`.
            online_template: See :meth:`forward`.
        """
        self._online = self.encode_templates(_by_sample(template, online_template))

    def forward_test(self, search: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What :meth:`forward` gives with the templates of :meth:`set_online`.

        Args:
            search: Search regions, ``(N, C, H', W')``.

        Raises:
            RuntimeError: there are no templates yet.
        """
        feat, memory = self.online
        return feat, self.encode_search(search, memory)

    def encode_templates(self, templates: torch.Tensor) -> tuple[torch.Tensor, list[KeysValues]]:
        """Map of the first template, and keys and values of all, one entry per block.

        Args:
            templates: ``(N, T, C, H, W)``, T templates of each sample.
        """
        samples, count = templates.shape[:2]
        unknown = [[None] * len(stage.blocks) for stage in self._stages()]
        maps, made = self._run(templates.flatten(0, 1), samples, unknown)
        # a copy, because the layout of a view would depend on the number of templates
        return maps.unflatten(0, (samples, count))[:, 0].contiguous(), made

    def encode_search(self, search: torch.Tensor, memory: Sequence[KeysValues]) -> torch.Tensor:
        """Map ``(N, C', H // stride, W // stride)`` of search regions.

        Args:
            search: ``(N, C, H, W)``.
            memory: Keys and values of the templates, from :meth:`encode_templates`.
        """
        known = iter(memory)
        parts = [[next(known) for _ in stage.blocks] for stage in self._stages()]
        return self._run(search, search.shape[0], parts)[0]

    def _run(
        self, x: torch.Tensor, samples: int, memory: Sequence[Sequence[KeysValues | None]]
    ) -> tuple[torch.Tensor, list[KeysValues]]:
        made = []
        for stage, known in zip(self._stages(), memory, strict=True):
            x, own = stage(x, samples, known)
            made.append(own)
        return x, list(chain.from_iterable(made))

    def _stages(self) -> list[Stage]:
        return [getattr(self, f"stage{i}") for i in range(self.num_stages)]


def _by_sample(template: torch.Tensor, online_template: torch.Tensor) -> torch.Tensor:
    """All templates, ``(N, 1 + K, C, H, W)``."""
    samples = len(template)
    if len(online_template) % samples:
        raise ValueError(f"{len(online_template)} online templates for {samples} samples")
    online = online_template.unflatten(0, (samples, len(online_template) // samples))
    return torch.cat((template[:, None], online), dim=1)


def _initialisation(kind: str) -> list[dict]:
    """Of the linear layers; everything else begins as PyTorch makes it, as in CvT."""
    linear = {
        "trunc_norm": {"type": "TruncNormal", "std": 0.02},
        "xavier": {"type": "Xavier", "distribution": "uniform"},
    }
    if kind not in linear:
        raise ValueError(f"init is {kind!r}, expected one of {', '.join(linear)}")
    return [{"layer": "Linear", **linear[kind]}]


def _stage(
    in_chans: int,
    settings: dict,
    norm_cfg: dict,
    act_layer: type[nn.Module],
    norm_layer: Callable[[int], nn.Module],
) -> Stage:
    """A stage of the settings of :class:`ConvVisionTransformer`, one value of each list."""
    dim, depth = settings["dim_embed"], settings["depth"]
    embed = PatchEmbed(
        in_chans, dim, settings["patch_size"], settings["patch_stride"],
        settings["patch_padding"], norm_layer,
    )  # fmt: skip
    blocks = []
    for path_drop in np.linspace(0, settings["path_drop_probs"], depth).tolist():
        attn = MixedAttention(
            dim,
            settings["num_heads"],
            qkv_bias=settings["qkv_bias"],
            method=settings["qkv_proj_method"],
            kernel=settings["kernel_qkv"],
            padding_q=settings["padding_q"],
            padding_kv=settings["padding_kv"],
            stride_q=settings["stride_q"],
            stride_kv=settings["stride_kv"],
            norm_cfg=norm_cfg,
            attn_drop=settings["attn_drop_rate"],
            proj_drop=settings["drop_rate"],
        )
        ratio, drop = settings["mlp_channel_ratio"], settings["drop_rate"]
        blocks.append(Block(dim, attn, ratio, drop, path_drop, act_layer, norm_layer))
    return Stage(embed, blocks)
