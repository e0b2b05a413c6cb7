"""Depth-wise correlation of feature maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def depthwise_correlation(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Correlate every channel of every sample with its own kernel.

    Args:
        x: Search features, ``(N, C, H_x, W_x)``.
        kernel: Template features, ``(N, C, H_k, W_k)``, or ``(1, C, H_k, W_k)`` for all samples.

    Returns:
        ``(N, C, H_x - H_k + 1, W_x - W_k + 1)``.

    Reference: Li et al., "SiamRPN++: Evolution of Siamese Visual Tracking with Very Deep Networks",
    CVPR 2019, section 3.4.
    """
    if x.shape[1] == kernel.shape[1] and len(kernel) == 1:
        return F.conv2d(x, kernel.transpose(0, 1), groups=x.shape[1])
    if x.shape[:2] != kernel.shape[:2]:
        raise ValueError(
            "depthwise_correlation: features and kernels must agree in samples and channels, "
            f"found {tuple(x.shape)} and {tuple(kernel.shape)}"
        )
    samples, channels = kernel.shape[:2]
    groups = samples * channels
    out = F.conv2d(
        x.reshape(1, groups, *x.shape[2:]),
        kernel.reshape(groups, 1, *kernel.shape[2:]),
        groups=groups,
    )
    return out.reshape(samples, channels, *out.shape[2:])
