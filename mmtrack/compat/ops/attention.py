"""Operators of detector necks and heads: CARAFE, deformable attention, masked convolution."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ._tensors import gradients, widen, without_autocast


@without_autocast
def _reassemble(features: Tensor, masks: Tensor, kernel: int, groups: int, scale: int) -> Tensor:
    """Weighted sum of each source pixel's neighbourhood for ``scale`` x ``scale`` outputs.

    Wang et al., CARAFE: Content-Aware ReAssembly of FEatures, 2019, equation 3.
    """
    images, channels, height, width = features.shape
    patches = functional.unfold(features, kernel, padding=(kernel - 1) // 2)
    patches = patches.view(images, groups, channels // groups, kernel * kernel, height, width)
    weights = masks.view(images, groups, kernel * kernel, height, scale, width, scale)
    result = torch.einsum("ngckhw,ngkhawb->ngchawb", patches, weights)
    return result.reshape(images, channels, height * scale, width * scale)


def carafe_naive_forward(
    features: Tensor,
    masks: Tensor,
    output: Tensor,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Fill ``output`` (n, c, h * scale_factor, w * scale_factor)."""
    image, weights = widen(features, masks)
    output.copy_(_reassemble(image, weights, kernel_size, group_size, scale_factor))


def carafe_naive_backward(
    grad_output: Tensor,
    features: Tensor,
    masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Fill the gradients of features and masks."""
    grad, image, weights = widen(grad_output, features, masks)
    by_input, by_masks = gradients(
        lambda image, weights: _reassemble(image, weights, kernel_size, group_size, scale_factor),
        (image, weights),
        grad,
    )
    grad_input.copy_(by_input)
    grad_masks.copy_(by_masks)


def carafe_forward(
    features: Tensor,
    masks: Tensor,
    rfeatures: Tensor,
    routput: Tensor,
    rmasks: Tensor,
    output: Tensor,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Fill ``output``, and ``rfeatures`` with what the backward needs (here: the features)."""
    rfeatures.copy_(features)
    carafe_naive_forward(features, masks, output, kernel_size, group_size, scale_factor)


def carafe_backward(
    grad_output: Tensor,
    rfeatures: Tensor,
    masks: Tensor,
    rgrad_output: Tensor,
    rgrad_input_hs: Tensor,
    rgrad_input: Tensor,
    rgrad_masks: Tensor,
    grad_input: Tensor,
    grad_masks: Tensor,
    kernel_size: int,
    group_size: int,
    scale_factor: int,
) -> None:
    """Fill the gradients of features and masks; the scratch tensors are not needed."""
    sizes = (kernel_size, group_size, scale_factor)
    carafe_naive_backward(grad_output, rfeatures, masks, grad_input, grad_masks, *sizes)


@without_autocast
def _attend(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    # Imported on use: mmcv.ops imports this module while it is itself being imported.
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    return multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Multi-scale deformable attention (Zhu et al., Deformable DETR, 2021).

    Args:
        value: (b, keys, heads, c).
        value_spatial_shapes: (levels, 2) height and width of each level.
        value_level_start_index: (levels,) first key of each level; follows from the shapes.
        sampling_locations: (b, queries, heads, levels, points, 2) x, y in [0, 1].
        attention_weights: (b, queries, heads, levels, points).
        im2col_step: Chunk size of the compiled operator; not needed.

    Returns:
        (b, queries, heads * c).
    """
    wide, locations, weights = widen(value, sampling_locations, attention_weights)
    return _attend(wide, value_spatial_shapes, locations, weights).to(value.dtype)


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int,
) -> None:
    """Fill the gradients of value, sampling locations and attention weights."""
    grad, *inputs = widen(grad_output, value, sampling_locations, attention_weights)
    results = gradients(
        lambda value, locations, weights: _attend(value, value_spatial_shapes, locations, weights),
        inputs,
        grad,
    )
    targets = (grad_value, grad_sampling_loc, grad_attn_weight)
    for target, result in zip(targets, results, strict=True):
        target.copy_(result)


def masked_im2col_forward(
    im: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    col: Tensor,
    kernel_h: int,
    kernel_w: int,
    pad_h: int,
    pad_w: int,
) -> None:
    """Fill ``col`` (c * kernel_h * kernel_w, m) with the patches of ``im`` (1, c, h, w)."""
    padded = functional.pad(im[0], (pad_w, pad_w, pad_h, pad_h))
    windows = padded.unfold(1, kernel_h, 1).unfold(2, kernel_w, 1)  # a view
    patches = windows[:, mask_h_idx, mask_w_idx]  # (c, m, kernel_h, kernel_w)
    col.copy_(patches.permute(0, 2, 3, 1).reshape(col.shape))


def masked_col2im_forward(
    col: Tensor,
    mask_h_idx: Tensor,
    mask_w_idx: Tensor,
    im: Tensor,
    height: int,
    width: int,
    channels: int,
) -> None:
    """Write the columns ``col`` (channels, m) to their pixels of ``im`` (1, channels, h, w)."""
    im[0, :, mask_h_idx, mask_w_idx] = col
