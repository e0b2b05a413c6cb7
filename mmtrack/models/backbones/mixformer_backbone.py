"""CvT with mixed attention, the backbone of MixFormer: templates and search region in one network.

Templates never look at the search region, so all that the search region needs of them are keys and
values. :meth:`ConvVisionTransformer.encode_templates` computes these, and
:meth:`ConvVisionTransformer.encode_search` uses them: once in a forward pass, in every frame of a
video until a template changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmcv.cnn.bricks import DropPath
from mmcv.cnn.bricks.transformer import FFN
from mmcv.runner import BaseModule
from torch import nn

from ..builder import MODELS

CLASSES = 1000  # of ImageNet, of the classifier that published weights still hold

# Keys and values of one block, each (N, heads, L, C // heads)
KeysValues = tuple[torch.Tensor, torch.Tensor]


class QuickGELU(nn.Module):
    """GELU approximated by a sigmoid.

    Reference: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Values ``x * sigmoid(1.702 * x)`` of any shape."""
        return x * torch.sigmoid(1.702 * x)


class LayerNormAutofp32(nn.LayerNorm):
    """LayerNorm that computes in float32 and answers in the type it was asked in."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised values, shape and type of ``x``."""
        scale, shift = self.weight.float(), self.bias.float()
        return F.layer_norm(x.float(), self.normalized_shape, scale, shift, self.eps).to(x.dtype)


class MixedAttention(nn.Module):
    """Attention whose queries, keys and values come from depthwise convolutions.

    Args:
        dim: Channels of a token.
        num_heads: Number of heads.
        qkv_bias: Whether the linear layers of queries, keys and values have a bias.
        method: ``'dw_bn'``: depthwise convolution and normalisation; ``'avg'``: mean over the
            kernel; ``'linear'``: no projection before the linear layers.
        kernel: Side of the kernels.
        padding_q: Padding for queries.
        padding_kv: Padding for keys and values.
        stride_q: Stride for queries.
        stride_kv: Stride for keys and values, which makes them fewer.
        norm_cfg: Config of the normalisation after the convolutions.
        attn_drop: Share of attention weights that are dropped in training.
        proj_drop: Share of outputs that are dropped in training.

    Reference: Cui et al., "MixFormer: End-to-End Tracking with Iterative Mixed Attention", CVPR
    2022, section 3.1; the projections: Wu et al., "CvT: Introducing Convolutions to Vision
    Transformers", ICCV 2021, section 3.2. Products are divided by the root of the whole width, not
    of that of a head: the published weights were trained so, as all code that derives from CvT.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        *,
        qkv_bias: bool,
        method: str,
        kernel: int,
        padding_q: int,
        padding_kv: int,
        stride_q: int,
        stride_kv: int,
        norm_cfg: dict,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
    ):
        super().__init__()
        if dim % num_heads:
            raise ValueError(f"dim_embed {dim} is no multiple of num_heads {num_heads}")
        self.num_heads = num_heads
        self.scale = dim**-0.5
        make = partial(_projection, method, dim, kernel, norm_cfg)
        self.conv_proj_q = make(padding_q, stride_q)
        self.conv_proj_k = make(padding_kv, stride_kv)
        self.conv_proj_v = make(padding_kv, stride_kv)
        self.proj_q = nn.Linear(dim, dim, bias=qkv_bias)
        self.proj_k = nn.Linear(dim, dim, bias=qkv_bias)
        self.proj_v = nn.Linear(dim, dim, bias=qkv_bias)
        self.attn_drop = attn_drop
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(
        self, maps: torch.Tensor, samples: int, memory: KeysValues | None = None
    ) -> tuple[torch.Tensor, KeysValues]:
        """Let all places of the maps of a sample attend to each other, and to what is remembered.

        Args:
            maps: ``(N * T, C, h, w)``, T maps of each sample, one after another.
            samples: N.
            memory: Keys and values of other maps that are attended to as well.

        Returns:
            Tokens ``(N * T, h * w, C)``, and the keys and values of ``maps``.
        """
        query = self._heads(self.conv_proj_q(maps), self.proj_q, samples)
        own = (
            self._heads(self.conv_proj_k(maps), self.proj_k, samples),
            self._heads(self.conv_proj_v(maps), self.proj_v, samples),
        )
        keys, values = own
        if memory is not None:
            keys, values = (torch.cat(pair, dim=2) for pair in zip(memory, own, strict=True))
        dropped = self.attn_drop if self.training else 0.0
        found = F.scaled_dot_product_attention(
            query, keys, values, dropout_p=dropped, scale=self.scale
        )
        found = found.transpose(1, 2).reshape(maps.shape[0], -1, maps.shape[1])
        return self.proj_drop(self.proj(found)), own

    def _heads(self, maps: torch.Tensor, layer: nn.Linear, samples: int) -> torch.Tensor:
        """Maps ``(N * T, C, h, w)`` as ``(N, heads, T * h * w, C // heads)``."""
        tokens = layer(maps.flatten(2).transpose(1, 2))
        width = maps.shape[1] // self.num_heads
        return tokens.reshape(samples, -1, self.num_heads, width).transpose(1, 2)


def _projection(
    method: str, dim: int, kernel: int, norm_cfg: dict, padding: int, stride: int
) -> nn.Module:
    if method == "dw_bn":
        conv = nn.Conv2d(dim, dim, kernel, stride, padding, groups=dim, bias=False)
        norm = build_norm_layer(norm_cfg, dim)[1]
        return nn.Sequential(OrderedDict(conv=conv, bn=norm))
    if method == "avg":
        return nn.AvgPool2d(kernel, stride, padding)
    if method == "linear":
        return nn.Identity()
    raise ValueError(f"qkv_proj_method is {method!r}, expected 'dw_bn', 'avg' or 'linear'")


class PatchEmbed(nn.Module):
    """Overlapping patches as tokens.

    Args:
        in_chans: Channels of the input.
        dim: Channels of a token.
        patch_size: Side of a patch.
        stride: Distance between patches.
        padding: Zeros around the input.
        norm_layer: Makes the normalisation of tokens from their channels.

    Reference: Wu et al., ICCV 2021, section 3.1.
    """

    def __init__(
        self,
        in_chans: int,
        dim: int,
        patch_size: int,
        stride: int,
        padding: int,
        norm_layer: Callable[[int], nn.Module],
    ):
        super().__init__()
        self.proj = nn.Conv2d(in_chans, dim, patch_size, stride, padding)
        self.norm = norm_layer(dim)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """Tokens ``(B, h * w, C)`` of images or maps ``(B, C', H, W)``, and h and w."""
        maps = self.proj(x)
        return self.norm(maps.flatten(2).transpose(1, 2)), tuple(maps.shape[-2:])


class Block(nn.Module):
    """Mixed attention and a two-layer perceptron, each added to its input.

    Args:
        dim: Channels of a token.
        attn: The attention.
        mlp_channel_ratio: Hidden channels of the perceptron over those of a token.
        drop: Share of outputs that are dropped in training.
        path_drop: Probability that a sample skips the block in training.
        act_layer: Makes the activation of the perceptron.
        norm_layer: Makes the normalisation of tokens from their channels.
    """

    def __init__(
        self,
        dim: int,
        attn: MixedAttention,
        mlp_channel_ratio: float,
        drop: float,
        path_drop: float,
        act_layer: type[nn.Module],
        norm_layer: Callable[[int], nn.Module],
    ):
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn
        self.drop_path = DropPath(path_drop)
        self.norm2 = norm_layer(dim)
        self.mlp = FFN(
            embed_dims=dim,
            feedforward_channels=int(dim * mlp_channel_ratio),
            act_cfg={"type": act_layer},
            ffn_drop=drop,
            dropout_layer={"type": "DropPath", "drop_prob": path_drop},
        )

    def forward(
        self,
        tokens: torch.Tensor,
        size: tuple[int, int],
        samples: int,
        memory: KeysValues | None = None,
    ) -> tuple[torch.Tensor, KeysValues]:
        """Tokens after the block, and the keys and values of their attention.

        Args:
            tokens: ``(N * T, h * w, C)``, see :class:`MixedAttention`.
            size: h and w.
            samples: N.
            memory: Keys and values of other maps that are attended to as well.
        """
        maps = _as_maps(self.norm1(tokens), size)
        found, own = self.attn(maps, samples, memory)
        tokens = tokens + self.drop_path(found)
        return self.mlp(self.norm2(tokens), identity=tokens), own


class Stage(nn.Module):
    """A coarser grid of tokens, and blocks on it.

    Args:
        patch_embed: Makes the tokens.
        blocks: The blocks.
    """

    def __init__(self, patch_embed: PatchEmbed, blocks: Sequence[Block]):
        super().__init__()
        self.patch_embed = patch_embed
        self.blocks = nn.ModuleList(blocks)

    def forward(
        self, x: torch.Tensor, samples: int, memory: Sequence[KeysValues | None]
    ) -> tuple[torch.Tensor, list[KeysValues]]:
        """Map ``(N * T, C, h, w)`` of inputs ``(N * T, C', H, W)``, and keys and values per block.

        Args:
            x: Images, or maps of the stage before; T of each sample, one after another.
            samples: N.
            memory: Per block keys and values to be attended to as well, or None.
        """
        tokens, size = self.patch_embed(x)
        made = []
        for block, known in zip(self.blocks, memory, strict=True):
            tokens, own = block(tokens, size, samples, known)
            made.append(own)
        return _as_maps(tokens, size), made


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


def _as_maps(tokens: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Tokens ``(B, h * w, C)`` as maps ``(B, C, h, w)``, without a copy."""
    return tokens.transpose(1, 2).unflatten(2, size)


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
