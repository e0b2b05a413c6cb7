"""Renormalisation of images between networks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch


def imrenormalize(
    img: torch.Tensor | np.ndarray, img_norm_cfg: Mapping, new_img_norm_cfg: Mapping
) -> torch.Tensor | np.ndarray:
    """Undo one normalisation and apply another, in one affine step per channel.

    Args:
        img: A float tensor ``(1, C, H, W)`` or array ``(H, W, C)``.
        img_norm_cfg: ``mean``, ``std`` and ``to_rgb`` the image was normalised with; ``mean`` and
            ``std`` are in the order of the image's channels.
        new_img_norm_cfg: The wanted normalisation. The channels are reversed when the two differ
            in ``to_rgb``.

    Returns:
        The renormalised image, of the same type and shape.

    Raises:
        ValueError: a standard deviation is zero.
    """
    old_mean, old_std = _mean_std(img_norm_cfg)
    new_mean, new_std = _mean_std(new_img_norm_cfg)
    channels = slice(None)
    if bool(img_norm_cfg.get("to_rgb")) != bool(new_img_norm_cfg.get("to_rgb")):
        channels = slice(None, None, -1)
    gain = old_std[channels] / new_std
    offset = (old_mean[channels] - new_mean) / new_std
    if isinstance(img, torch.Tensor):
        pixels = img.flip(1) if channels.step else img
        shape = (1, -1, 1, 1)
        return pixels * pixels.new_tensor(gain).view(shape) + pixels.new_tensor(offset).view(shape)
    return (img[..., channels] * gain + offset).astype(np.float32)


def _mean_std(cfg: Mapping) -> tuple[np.ndarray, np.ndarray]:
    mean = np.asarray(cfg["mean"], dtype=np.float64)
    std = np.asarray(cfg["std"], dtype=np.float64)
    if np.any(std == 0):
        raise ValueError(f"std of img_norm_cfg must not be zero, found {std.tolist()}")
    return mean, std
