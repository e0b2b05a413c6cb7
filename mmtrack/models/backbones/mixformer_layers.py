"""Blocks of the backbone of MixFormer: convolutions make queries, keys and values for attention."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn import build_norm_layer
from mmcv.cnn.bricks import DropPath
from mmcv.cnn.bricks.transformer import FFN
from torch import nn

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


def _as_maps(tokens: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Tokens ``(B, h * w, C)`` as maps ``(B, C, h, w)``, without a copy."""
    return tokens.transpose(1, 2).unflatten(2, size)
