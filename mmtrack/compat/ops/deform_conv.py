"""Deformable convolutions v1 and v2 on torchvision's kernels.

Dai et al., Deformable Convolutional Networks, 2017; Zhu et al., Deformable ConvNets v2, 2019.
Offsets are laid out alike in mmcv and torchvision: (y, x) of each kernel position.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import deform_conv2d

from ._tensors import widen

_FAR_OUTSIDE = 1e6  # pixels: counts as zero in any image


def _finite(offset: Tensor) -> Tensor:
    """Offsets without NaN, which mmcv counts as outside and torchvision reads memory at."""
    far = _FAR_OUTSIDE
    return torch.nan_to_num(offset, nan=far, posinf=far, neginf=-far)


def _gradients(
    grad_output: Tensor,
    tensors: tuple[Tensor, Tensor, Tensor, Tensor | None],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
    deform_groups: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Gradients by input, offset, weight and mask (input, weight, offset, mask are given)."""
    image, weight, offset, mask = tensors
    use_mask = mask is not None
    if mask is None:
        mask = image.new_zeros((image.size(0), 1))
    grad_image, grad_weight, grad_offset, grad_mask, _ = (
        torch.ops.torchvision._deform_conv2d_backward(
            grad_output,
            image,
            weight,
            _finite(offset),
            mask,
            weight.new_zeros(weight.size(0)),
            *stride,
            *padding,
            *dilation,
            groups,
            deform_groups,
            use_mask,
        )
    )
    return grad_image, grad_offset, grad_weight, grad_mask


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    kW: int,  # noqa: N803 - names of mmcv's operator
    kH: int,  # noqa: N803
    dW: int,  # noqa: N803
    dH: int,  # noqa: N803
    padW: int,  # noqa: N803
    padH: int,  # noqa: N803
    dilationW: int,  # noqa: N803
    dilationH: int,  # noqa: N803
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> None:
    """Fill ``output`` (n, c_out, h_out, w_out); ``columns`` and ``ones`` are not needed."""
    image, kernel, shift = widen(input, weight, offset)
    result = deform_conv2d(
        image,
        _finite(shift),
        kernel,
        stride=(dH, dW),
        padding=(padH, padW),
        dilation=(dilationH, dilationW),
    )
    output.copy_(result)


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    weight: Tensor,
    columns: Tensor,
    kW: int,  # noqa: N803
    kH: int,  # noqa: N803
    dW: int,  # noqa: N803
    dH: int,  # noqa: N803
    padW: int,  # noqa: N803
    padH: int,  # noqa: N803
    dilationW: int,  # noqa: N803
    dilationH: int,  # noqa: N803
    group: int,
    deformable_group: int,
    im2col_step: int,
) -> None:
    """Fill ``grad_input`` and ``grad_offset``."""
    grad, image, shift, kernel = widen(grad_output, input, offset, weight)
    by_image, by_offset, _, _ = _gradients(
        grad,
        (image, kernel, shift, None),
        (dH, dW),
        (padH, padW),
        (dilationH, dilationW),
        group,
        deformable_group,
    )
    grad_input.copy_(by_image)
    grad_offset.copy_(by_offset)


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_weight: Tensor,
    columns: Tensor,
    ones: Tensor,
    kW: int,  # noqa: N803
    kH: int,  # noqa: N803
    dW: int,  # noqa: N803
    dH: int,  # noqa: N803
    padW: int,  # noqa: N803
    padH: int,  # noqa: N803
    dilationW: int,  # noqa: N803
    dilationH: int,  # noqa: N803
    group: int,
    deformable_group: int,
    scale: float,
    im2col_step: int,
) -> None:
    """Add ``scale`` times the gradient of the weights to ``grad_weight``."""
    grad, image, shift = widen(grad_output, input, offset)
    kernel = torch.zeros_like(grad_weight, dtype=grad.dtype)  # its values do not matter here
    _, _, by_weight, _ = _gradients(
        grad,
        (image, kernel, shift, None),
        (dH, dW),
        (padH, padW),
        (dilationH, dilationW),
        group,
        deformable_group,
    )
    grad_weight.add_(by_weight.to(grad_weight.dtype), alpha=scale)


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
    with_bias: bool,
) -> None:
    """Fill ``output`` (n, c_out, h_out, w_out); ``columns`` and ``ones`` are not needed."""
    image, kernel, shift, modulation = widen(input, weight, offset, mask)
    result = deform_conv2d(
        image,
        _finite(shift),
        kernel,
        bias.to(image.dtype) if with_bias else None,
        stride=(stride_h, stride_w),
        padding=(pad_h, pad_w),
        dilation=(dilation_h, dilation_w),
        mask=modulation,
    )
    output.copy_(result)


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    kernel_h: int,
    kernel_w: int,
    stride_h: int,
    stride_w: int,
    pad_h: int,
    pad_w: int,
    dilation_h: int,
    dilation_w: int,
    group: int,
    deformable_group: int,
    with_bias: bool,
) -> None:
    """Fill the gradients of input, offset, mask, weight and, if there is one, bias."""
    grad, image, kernel, shift, modulation = widen(grad_output, input, weight, offset, mask)
    by_image, by_offset, by_weight, by_mask = _gradients(
        grad,
        (image, kernel, shift, modulation),
        (stride_h, stride_w),
        (pad_h, pad_w),
        (dilation_h, dilation_w),
        group,
        deformable_group,
    )
    grad_input.copy_(by_image)
    grad_offset.copy_(by_offset)
    grad_weight.copy_(by_weight)
    grad_mask.copy_(by_mask)
    if with_bias:
        grad_bias.copy_(grad.sum((0, 2, 3)))
