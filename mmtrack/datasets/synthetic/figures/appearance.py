"""What a person looks like: body, hair, clothes and their patterns."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

_SKIN = ((198, 217, 244), (164, 190, 228), (120, 160, 208), (84, 118, 168), (52, 78, 118))
_HAIR = ((24, 24, 28), (36, 48, 66), (52, 84, 128), (92, 148, 196), (150, 150, 156))
_TROUSERS = ((96, 62, 40), (42, 38, 36), (60, 74, 92), (120, 150, 176), (92, 96, 98), (138, 96, 60))
PATTERNS = ("plain", "plain", "bands", "stripes", "checks", "dots", "halves", "badge")


@dataclass(frozen=True)
class Appearance:
    """One person's looks; colours are blue, green, red.

    Attributes:
        height: Metres.
        build: Width relative to an average body.
        skin: Colour of face and hands.
        hair: Colour of the hair or hat.
        hair_style: ``'short'``, ``'long'``, ``'bun'``, ``'bald'`` or ``'hat'``.
        top: Colour of the upper clothes.
        accent: Second colour of their pattern.
        pattern: One of ``PATTERNS``.
        long_sleeves: Whether the forearms are covered.
        legwear: ``'trousers'``, ``'shorts'``, ``'skirt'`` or ``'coat'``.
        bottom: Colour of trousers or skirt.
        shoes: Colour of the shoes.
        bag: ``'none'``, ``'backpack'`` or ``'handbag'``.
        bag_colour: Its colour.
    """

    height: float
    build: float
    skin: Colour
    hair: Colour
    hair_style: str
    top: Colour
    accent: Colour
    pattern: str
    long_sleeves: bool
    legwear: str
    bottom: Colour
    shoes: Colour
    bag: str
    bag_colour: Colour


def _choice(rng: np.random.Generator, options: tuple) -> object:
    return options[int(rng.integers(len(options)))]


def _cloth(rng: np.random.Generator) -> Colour:
    """A dye: mostly saturated, sometimes black, grey or white."""
    if rng.uniform() < 0.25:
        level = int(_choice(rng, (30, 70, 150, 235)))
        return (level, level, level)
    rgb = colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0.45, 0.95), rng.uniform(0.4, 0.95))
    return tuple(int(255 * value) for value in rgb[::-1])


def _jitter(rng: np.random.Generator, colour: Colour, spread: int = 14) -> Colour:
    shifted = np.array(colour) + rng.integers(-spread, spread + 1, 3)
    return tuple(int(value) for value in np.clip(shifted, 0, 255))


def random_appearance(rng: np.random.Generator) -> Appearance:
    """Draw a person; two draws hardly ever look the same."""
    legwear = _choice(rng, ("trousers", "trousers", "trousers", "shorts", "skirt", "coat"))
    bottom = _cloth(rng) if legwear == "skirt" else _jitter(rng, _choice(rng, _TROUSERS))
    return Appearance(
        height=float(np.clip(rng.normal(1.7, 0.09), 1.45, 1.95)),
        build=float(np.clip(rng.normal(1.05, 0.12), 0.8, 1.4)),
        skin=_jitter(rng, _choice(rng, _SKIN), 8),
        hair=_jitter(rng, _choice(rng, _HAIR), 10),
        hair_style=_choice(rng, ("short", "short", "long", "bun", "bald", "hat")),
        top=_cloth(rng),
        accent=_cloth(rng),
        pattern=_choice(rng, PATTERNS),
        long_sleeves=bool(rng.uniform() < 0.6),
        legwear=legwear,
        bottom=bottom,
        shoes=_jitter(rng, _choice(rng, ((30, 30, 34), (60, 60, 64), (230, 230, 230)))),
        bag=_choice(rng, ("none", "none", "backpack", "handbag")),
        bag_colour=_cloth(rng),
    )


def cloth_texture(
    appearance: Appearance, size: tuple[int, int], unit: float, origin: tuple[float, float]
) -> np.ndarray:
    """Picture of the upper clothes over a canvas.

    Args:
        appearance: Colours and pattern.
        size: Width and height of the canvas in pixels.
        unit: Pixels per body height.
        origin: Canvas position of the top of the chest; the pattern moves with it.

    Returns:
        ``(h, w, 3)`` uint8.
    """
    width, height = size
    x = (np.arange(width)[None] - origin[0]) / unit
    y = (np.arange(height)[:, None] - origin[1]) / unit
    if appearance.pattern == "bands":
        accent = (y % 0.085 < 0.035) & (x == x)
    elif appearance.pattern == "stripes":
        accent = (x % 0.055 < 0.02) & (y == y)
    elif appearance.pattern == "checks":
        accent = (x % 0.08 < 0.04) ^ (y % 0.08 < 0.04)
    elif appearance.pattern == "dots":
        accent = np.hypot(x % 0.06 - 0.03, y % 0.06 - 0.03) < 0.015
    elif appearance.pattern == "halves":
        accent = (y > 0.14) & (x == x)
    elif appearance.pattern == "badge":
        accent = (np.abs(x) < 0.045) & (np.abs(y - 0.1) < 0.04)
    else:
        accent = np.zeros((height, width), bool)
    top, other = np.array(appearance.top, np.uint8), np.array(appearance.accent, np.uint8)
    return np.where(accent[..., None], other, top)
