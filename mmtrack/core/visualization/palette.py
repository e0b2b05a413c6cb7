"""Colours: one per identity, stable over frames and runs, far from each other."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

PALETTE_SIZE = 64
NO_IDENTITY = (128, 128, 128)  # grey: a box that belongs to no track


@lru_cache(maxsize=1)
def id_palette() -> np.ndarray:
    """Colours ``(PALETTE_SIZE, 3)`` uint8, BGR; every prefix of the list is well separated.

    Farthest-point sampling in CIELAB (distances there are close to what the eye sees) among
    colours that are neither too dark nor too pale to be seen on a photograph.

    Reference: Gonzalez, "Clustering to minimize the maximum intercluster distance", Theoretical
    Computer Science 38, 1985 (the greedy rule).
    """
    steps = np.linspace(0, 1, 18, dtype=np.float32)
    candidates = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 1, 3)
    lab = cv2.cvtColor(candidates, cv2.COLOR_BGR2Lab).reshape(-1, 3)
    lightness, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    usable = (lightness > 35) & (lightness < 92) & (chroma > 35)
    candidates, lab = candidates.reshape(-1, 3)[usable], lab[usable]
    chosen = [int(np.argmax(np.hypot(lab[:, 1], lab[:, 2])))]
    distance = np.full(len(lab), np.inf)
    while len(chosen) < PALETTE_SIZE:
        distance = np.minimum(distance, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(distance)))
    return np.round(candidates[chosen] * 255).astype(np.uint8)


def id_colors(ids: np.ndarray) -> np.ndarray:
    """Colour of each identity.

    Args:
        ids: ``(N,)`` integers; negative ones mean "no identity" and become grey.

    Returns:
        ``(N, 3)`` uint8, BGR.
    """
    ids = np.asarray(ids).astype(np.int64).reshape(-1)
    colors = id_palette()[ids % PALETTE_SIZE]
    colors[ids < 0] = NO_IDENTITY
    return colors


def text_color(background: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever reads better on a background; colours are BGR.

    Reference: ITU-R BT.601 luma.
    """
    blue, green, red = background
    luma = 0.114 * blue + 0.587 * green + 0.299 * red
    return (0, 0, 0) if luma > 140 else (255, 255, 255)
