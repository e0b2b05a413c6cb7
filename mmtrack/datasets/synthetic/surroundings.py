"""Paint what does not move: paving, road and houses, or a stage."""

from __future__ import annotations

import cv2
import numpy as np

from .geometry import Ground

_TEXTURE_PIXELS_PER_METRE = 48
_SEAM = 7.3  # metres that the seam of the repeated texture lies beside the middle


def noise_texture(rng: np.random.Generator, size: tuple[int, int], grain: int) -> np.ndarray:
    """Cloudy noise ``(h, w)`` float32 of zero mean and about unit spread.

    Args:
        rng: Source of the noise.
        size: Width and height.
        grain: Pixels across the largest clouds; halved four times.
    """
    width, height = size
    total = np.zeros((height, width), np.float32)
    for octave in range(5):
        cell = max(grain >> octave, 1)
        coarse = rng.standard_normal((height // cell + 2, width // cell + 2), dtype=np.float32)
        fine = cv2.resize(
            coarse, (coarse.shape[1] * cell, coarse.shape[0] * cell), interpolation=cv2.INTER_LINEAR
        )
        total += fine[:height, :width] * 0.7**octave
    return (total - total.mean()) / total.std()


def _rows(picture: np.ndarray, start: float, end: float) -> slice:
    """Rows of a picture, clipped."""
    return slice(max(int(start), 0), max(int(end), 0))


def _tile_colour(rng: np.random.Generator) -> np.ndarray:
    """A muted colour of stone or tar."""
    warmth = rng.uniform(-1, 1)
    return rng.uniform(95, 165) * np.array([1 - 0.08 * warmth, 1.0, 1 + 0.08 * warmth])


def _paving(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Top view of paving stones with dirt, ``(h, w, 3)`` uint8."""
    width, height = size
    unit = _TEXTURE_PIXELS_PER_METRE
    stone = (int(unit * rng.uniform(0.6, 1.4)), int(unit * rng.uniform(0.5, 1.2)))
    rows, columns = height // stone[1] + 1, width // stone[0] + 2
    tint = 1 + 0.06 * rng.normal(size=(rows, columns)).astype(np.float32)
    x, y = np.arange(width)[None], np.arange(height)[:, None]
    row = y // stone[1]
    shifted = x + (row % 2) * (stone[0] // 2)
    shade = tint[np.broadcast_to(row, (height, width)), shifted // stone[0]]
    joint = (shifted % stone[0] < 2) | (y % stone[1] < 2)
    shade = np.where(joint, shade * 0.72, shade)
    shade = shade * (1 + 0.05 * noise_texture(rng, size, 64))
    return np.clip(shade[..., None] * _tile_colour(rng), 0, 255).astype(np.uint8)


def _planks(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Top view of a wooden floor, ``(h, w, 3)`` uint8."""
    width, height = size
    plank = int(0.3 * _TEXTURE_PIXELS_PER_METRE)
    tint = 1 + 0.1 * rng.normal(size=height // plank + 1).astype(np.float32)
    y = np.arange(height)[:, None]
    grain = noise_texture(rng, (width // 8 + 1, height), 16)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)
    shade = tint[y // plank] * (1 + 0.05 * grain)
    shade = np.where(y % plank < 2, shade * 0.6, shade)
    wood = np.array([70, 108, 152]) * rng.uniform(0.6, 1.1)
    return np.clip(shade[..., None] * wood, 0, 255).astype(np.uint8)


def _lay_ground(picture: np.ndarray, ground: Ground, texture: np.ndarray) -> None:
    """Project a top view onto the picture below the horizon, in place.

    The texture repeats; it is averaged over blocks of samples because its far part is much
    finer than a pixel.
    """
    height, width = picture.shape[:2]
    first = max(int(ground.horizon) + 2, 0)
    samples = 2
    rows = first + (np.arange((height - first) * samples, dtype=np.float32) + 0.5) / samples
    columns = (np.arange(width * samples, dtype=np.float32) + 0.5) / samples
    distance = ground.focal * ground.camera_height / (rows[:, None] - ground.horizon)
    across = (columns - ground.centre) * (distance / ground.focal) + _SEAM
    unit = _TEXTURE_PIXELS_PER_METRE
    away = np.broadcast_to(distance * unit, across.shape).astype(np.float32)
    laid = cv2.remap(
        texture,
        (across * unit).astype(np.float32),
        away,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    picture[first:] = cv2.resize(laid, (width, height - first), interpolation=cv2.INTER_AREA)


def _paint_band(
    picture: np.ndarray, ground: Ground, near: float, far: float, colour: np.ndarray
) -> None:
    """Colour the ground between two distances in place, keeping its texture faintly."""
    rows = _rows(
        picture,
        ground.horizon + ground.focal * ground.camera_height / far,
        ground.horizon + ground.focal * ground.camera_height / near,
    )
    picture[rows] = 0.12 * picture[rows] + 0.88 * colour


def _paint_house(
    rng: np.random.Generator, picture: np.ndarray, left: int, right: int, bottom: int, storey: int
) -> None:
    """One facade with rows of windows, in place."""
    storeys = int(rng.integers(3, 7))
    top = bottom - storeys * storey - storey // 2
    wall = rng.uniform(85, 200) * (1 + 0.12 * rng.uniform(-1, 1, 3))
    cv2.rectangle(picture, (left, top), (right, bottom), wall.tolist(), -1)
    cv2.rectangle(picture, (left, top), (right, top + storey // 5), (0.7 * wall).tolist(), -1)
    pitch = int(storey * rng.uniform(0.6, 1.0))
    window = (int(pitch * rng.uniform(0.4, 0.6)), int(storey * rng.uniform(0.45, 0.65)))
    for level in range(storeys):
        y = bottom - (level + 1) * storey + storey // 5
        for x in range(left + pitch // 4, right - window[0], pitch):
            glass = np.array([110, 95, 80]) * rng.uniform(0.45, 1.3)
            corner = (x + window[0], y + window[1])
            cv2.rectangle(picture, (x, y), corner, glass.tolist(), -1)
            cv2.rectangle(picture, (x, y), corner, (1.15 * wall).tolist(), max(storey // 24, 1))


def _paint_tree(
    rng: np.random.Generator, picture: np.ndarray, x: int, bottom: int, height: int
) -> None:
    """A tree as a trunk and many leaves, in place."""
    trunk = (int(x - height * 0.03), int(bottom - height * 0.5))
    cv2.rectangle(picture, trunk, (int(x + height * 0.03), bottom), (42, 58, 72), -1)
    for _ in range(90):
        at = rng.normal(0, (0.16, 0.12)) * height
        green = np.array([50, 112, 74]) * rng.uniform(0.55, 1.25)
        centre = (int(x + at[0]), int(bottom - 0.68 * height + at[1]))
        cv2.circle(picture, centre, max(int(height * 0.05), 1), green.tolist(), -1)


def paint_street(
    rng: np.random.Generator, size: tuple[int, int], ground: Ground, road: tuple[float, float]
) -> np.ndarray:
    """A square with houses, trees and a road behind it.

    Args:
        rng: Source of all choices.
        size: Width and height of the picture.
        ground: Where the ground lies in the picture.
        road: Nearer and farther edge of the road, metres.

    Returns:
        ``(h, w, 3)`` float32 in [0, 255].
    """
    width, height = size
    picture = np.zeros((height, width, 3), np.float32)
    sky = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture[:] = np.array([225, 190, 150]) * (1 - sky) + np.array([235, 228, 220]) * sky
    picture += 10 * noise_texture(rng, size, max(width // 4, 16))[..., None]
    _lay_ground(picture, ground, _paving(rng, (576, 576)))
    resolution = ground.focal / (road[1] + 2.5)
    bottom = int(ground.horizon + ground.camera_height * resolution)
    storey, left = max(int(3.0 * resolution), 6), 0
    while left < width:
        right = left + int(resolution * rng.uniform(5, 11))
        _paint_house(rng, picture, left, right, bottom, storey)
        left = right + 1
    grey = rng.uniform(70, 105)
    _paint_band(picture, ground, road[0], road[1], np.array([grey + 2, grey, grey]))
    for edge in road:
        _paint_band(picture, ground, edge - 0.12, edge + 0.12, np.full(3, 178))
    _paint_lane(picture, ground, sum(road) / 2)
    for _ in range(int(rng.integers(2, 6))):
        tall = int(resolution * rng.uniform(3.5, 6))
        _paint_tree(rng, picture, int(rng.uniform(0, width)), bottom + storey // 8, tall)
    picture *= 1 + 0.025 * noise_texture(rng, size, 8)[..., None]
    return np.clip(picture, 0, 255)


def paint_meadow(rng: np.random.Generator, size: tuple[int, int], ground: Ground) -> np.ndarray:
    """Grass or steppe below a sky, with trees behind it.

    Args:
        rng: Source of all choices.
        size: Width and height of the picture.
        ground: Where the ground lies in the picture.

    Returns:
        ``(h, w, 3)`` float32 in [0, 255].
    """
    width, height = size
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = np.array([228, 205, 180]) * rng.uniform(0.85, 1.05)
    picture += 8 * noise_texture(rng, size, max(width // 4, 16))[..., None]
    dry = rng.uniform()  # from green grass to a yellow steppe
    colour = (1 - dry) * np.array([58, 128, 98]) + dry * np.array([96, 150, 168])
    shade = 1 + 0.16 * noise_texture(rng, (576, 576), 48)
    _lay_ground(picture, ground, np.clip(shade[..., None] * colour, 0, 255).astype(np.uint8))
    resolution = ground.focal / (1.6 * ground.far)
    bottom = int(ground.horizon + ground.camera_height * resolution)
    for _ in range(int(rng.integers(3, 10))):
        tall = int(resolution * rng.uniform(2, 5))
        _paint_tree(rng, picture, int(rng.uniform(0, width)), bottom, tall)
    picture *= 1 + 0.03 * noise_texture(rng, size, 8)[..., None]
    return np.clip(picture, 0, 255)


def _paint_lane(picture: np.ndarray, ground: Ground, distance: float) -> None:
    """Dashes along the middle of the road, in place."""
    reach = ground.half_width(distance, 2 * picture.shape[1])
    for start in np.arange(-reach, reach, 3.0):
        corners = [(start, -0.08), (start + 1.5, -0.08), (start + 1.5, 0.08), (start, 0.08)]
        across, offset = np.array(corners).T
        x, y, _ = ground.project(across, distance + offset)
        dash = np.round(np.stack((x, y), 1)).astype(np.int32)
        cv2.fillPoly(picture, [dash], (205, 210, 210))


def paint_stage(rng: np.random.Generator, size: tuple[int, int], ground: Ground) -> np.ndarray:
    """A dance floor in front of a curtain, under spotlights.

    Args:
        rng: Source of all choices.
        size: Width and height of the picture.
        ground: Where the ground lies in the picture.

    Returns:
        ``(h, w, 3)`` float32 in [0, 255].
    """
    width, height = size
    fold = np.arange(width) / width * rng.uniform(40, 80) + noise_texture(rng, (width, 1), 64)[0]
    cloth = rng.uniform(30, 130, 3)
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = (0.75 + 0.25 * np.sin(fold))[None, :, None] * cloth
    _lay_ground(picture, ground, _planks(rng, (576, 576)))
    back = ground.horizon + ground.focal * ground.camera_height / (ground.far + 1.5)
    wall = _rows(picture, ground.horizon, back)
    picture[wall] = picture[max(wall.start - 1, 0)]
    light = np.full((height, width), 0.62, np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(4):
        at = rng.uniform((0.1 * width, 0.5 * height), (0.9 * width, 0.95 * height))
        radius = rng.uniform(0.2, 0.4) * width
        light += 0.4 * np.exp(-(((x - at[0]) ** 2 + 4 * (y - at[1]) ** 2) / radius**2))
    picture *= light[..., None] * (1 + 0.02 * noise_texture(rng, size, 8)[..., None])
    return np.clip(picture, 0, 255)
