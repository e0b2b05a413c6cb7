"""Masks of images as compressed run lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pycocotools.mask as coco_mask
import torch


def encode_masks(masks: Any) -> Any:
    """Masks ``(H, W)`` inside nested lists as run lengths of pycocotools.

    Masks whose columns lie one after the other in memory, as those of
    :func:`mmtrack.core.mask.paste_masks`, are read where they are; others are copied.

    Args:
        masks: A mask, ``(H, W)`` bool or numbers; an array ``(n, H, W)``, which becomes a list; a
            tensor of either shape; run lengths, which stay; or lists of all these.

    Returns:
        The same lists with ``{"size": [H, W], "counts": bytes}`` in place of each mask.
    """
    if isinstance(masks, (list, tuple)):
        return [encode_masks(item) for item in masks]
    if isinstance(masks, torch.Tensor):
        masks = masks.cpu().numpy()
    if isinstance(masks, np.ndarray):
        if masks.ndim == 3:
            return [encode_masks(mask) for mask in masks]
        pixels = masks.view(np.uint8) if masks.dtype == bool else masks
        return coco_mask.encode(np.asfortranarray(pixels, dtype=np.uint8))
    return masks


def rle_as_text(rle: dict) -> dict[str, Any]:
    """Run lengths that fit into a JSON file: pycocotools gives their counts as bytes."""
    counts = rle["counts"]
    text = counts.decode() if isinstance(counts, bytes) else counts
    return {"size": [int(side) for side in rle["size"]], "counts": text}
