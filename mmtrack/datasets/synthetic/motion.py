"""How figures move over the ground: paths in metres, with pose and heading for every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .figures import DANCE_PHASES, HEADINGS, WALK_PHASES
from .geometry import Ground, smooth_noise

STANDING_POSE = WALK_PHASES  # index of the standing pose after those of the stride
_STRIDE = 1.4  # metres covered by one cycle of the legs
_SLOW = 0.25  # metres per second below which a figure stands


@dataclass(frozen=True)
class Track:
    """Path of one figure from its first frame until it leaves or the video ends.

    Attributes:
        start: First frame, counted from 0.
        across: Metres to the right of the optical axis, ``(L,)``.
        distance: Metres in front of the camera, ``(L,)``.
        poses: Pose index ``(L,)``.
        headings: Heading index ``(L,)``.
    """

    start: int
    across: np.ndarray
    distance: np.ndarray
    poses: np.ndarray
    headings: np.ndarray

    def __len__(self) -> int:
        return len(self.across)


@dataclass(frozen=True)
class Area:
    """Where figures may be.

    Attributes:
        ground: The ground and its near and far limit.
        columns: Width in pixels of the picture that the camera may look at.
        fps: Frames per second.
        length: Number of frames of the video.
    """

    ground: Ground
    columns: int
    fps: float
    length: int

    def reach(self, distance: np.ndarray | float) -> np.ndarray | float:
        """Metres to the side beyond which a figure is out of the picture."""
        return self.ground.half_width(distance, self.columns) + 1.0


def fold(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Reflect values at both ends of an interval until they lie inside."""
    span = high - low
    return high - np.abs((values - low) % (2 * span) - span)


def heading_index(across: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Direction of movement as one of ``HEADINGS``; 0 towards the camera, then to the right."""
    angle = np.arctan2(across, towards)
    return np.round(angle / (2 * np.pi) * HEADINGS).astype(int) % HEADINGS


def _pace(rng: np.random.Generator, area: Area, length: int) -> np.ndarray:
    """Speed in metres per second for each frame; some figures stop for a while."""
    speed = np.full(length, rng.uniform(0.8, 1.7)) * (1 + 0.1 * smooth_noise(rng, length, area.fps))
    if rng.uniform() < 0.3:
        begin = int(rng.uniform(0.1, 0.8) * area.length)
        speed[begin : begin + int(rng.uniform(1, 3) * area.fps)] = 0
    window = max(int(0.4 * area.fps), 1)
    padded = np.pad(speed, (window, window), mode="edge")
    return np.convolve(padded, np.ones(window) / window, mode="same")[window:-window]


def walk(rng: np.random.Generator, area: Area, start: int, *, entering: bool) -> Track:
    """A walk that mostly crosses the view, bends a little, and may turn towards the camera.

    Args:
        rng: Source of all choices.
        area: Where to walk.
        start: First frame.
        entering: Begin outside of the picture instead of somewhere inside.
    """
    ground, length = area.ground, area.length - start
    distance = 1 / rng.uniform(1 / ground.far, 1 / ground.near)  # uniform in apparent size
    side = rng.choice((-1.0, 1.0))
    tilt = rng.uniform(0.5, 1.3) if rng.uniform() < 0.25 else rng.uniform(0, 0.25)
    heading = side * (np.pi / 2 - tilt) if rng.uniform() < 0.5 else side * (np.pi / 2 + tilt)
    heading = heading + 0.25 * smooth_noise(rng, length, 5 * area.fps)
    speed = _pace(rng, area, length) / area.fps
    reach = area.reach(distance)
    origin = -side * reach if entering else rng.uniform(-0.85, 0.85) * reach
    across = origin + np.cumsum(speed * np.sin(heading))
    depth = fold(distance - np.cumsum(speed * np.cos(heading)), ground.near, ground.far)
    return _finish_walk(rng, area, start, across, depth)


def accompany(rng: np.random.Generator, area: Area, leader: Track) -> Track:
    """Somebody who walks beside another."""
    length = len(leader)
    side = rng.choice((-1.0, 1.0)) * rng.uniform(0.45, 0.8)
    across = leader.across + side + 0.08 * smooth_noise(rng, length, 3 * area.fps)
    depth = leader.distance + rng.uniform(-0.35, 0.35)
    return _finish_walk(rng, area, leader.start, across, depth)


def _finish_walk(
    rng: np.random.Generator, area: Area, start: int, across: np.ndarray, depth: np.ndarray
) -> Track:
    """Cut a path where it leaves the picture for good; add steps and headings."""
    last = frames_until_gone(area, across, depth)
    across, depth = across[:last], depth[:last]
    step = np.stack((np.gradient(across), -np.gradient(depth))) if last > 1 else np.zeros((2, 1))
    moved = np.hypot(*step)
    walked = np.cumsum(moved) / _STRIDE + rng.uniform()
    poses = (walked * WALK_PHASES).astype(int) % WALK_PHASES
    poses[moved * area.fps < _SLOW] = STANDING_POSE
    # Averaging keeps a figure from flickering between two drawings.
    window = max(int(0.5 * area.fps), 1)
    kernel = np.ones(min(window, last)) / window
    headings = heading_index(*(np.convolve(axis, kernel, mode="same") for axis in step))
    return Track(start, across, depth, poses, headings)


def frames_until_gone(area: Area, across: np.ndarray, depth: np.ndarray) -> int:
    """Number of frames until a path leaves the picture for good."""
    inside = np.abs(across) <= area.reach(depth) + 0.01
    return int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 1


def dance(rng: np.random.Generator, area: Area, place: tuple[float, float]) -> Track:
    """Wide swaying around a place of the formation, with turns and quick changes.

    Args:
        rng: Source of all choices.
        area: The stage.
        place: Metres across and distance of the place.
    """
    time = np.arange(area.length)
    period = rng.uniform(1.5, 3.5) * area.fps
    across = place[0] + rng.uniform(0.5, 1.3) * smooth_noise(rng, area.length, period)
    depth = place[1] + rng.uniform(0.4, 1.0) * smooth_noise(rng, area.length, 1.3 * period)
    depth = fold(depth, area.ground.near, area.ground.far)
    rate = rng.uniform(0.6, 1.1)
    poses = (time / area.fps * rate * DANCE_PHASES + rng.uniform(0, 3)).astype(int) % DANCE_PHASES
    turn = HEADINGS * (0.18 * smooth_noise(rng, area.length, 3 * area.fps))
    return Track(0, across, depth, poses, np.round(turn).astype(int) % HEADINGS)


def roam(
    rng: np.random.Generator,
    area: Area,
    speed: tuple[float, float],
    gait: tuple[float, int],
    headings: tuple[int, int],
) -> Track:
    """Back and forth through the view, out of it on one side and back in after a while.

    Args:
        rng: Source of all choices.
        area: Where to be.
        speed: Slowest and fastest, metres per second.
        gait: Metres covered by a cycle of the legs, and poses of a cycle.
        headings: Index of the drawing that goes to the right, and of the one to the left.
    """
    ground, time = area.ground, np.arange(area.length)
    distance = 1 / rng.uniform(1 / ground.far, 1 / ground.near)
    depth = distance + 0.4 * smooth_noise(rng, area.length, 4 * area.fps)
    reach = area.reach(distance) + rng.uniform(0.3, 1.5)
    pace = rng.choice((-1.0, 1.0)) * rng.uniform(*speed) / area.fps
    across = fold(rng.uniform(-0.8, 0.8) * reach + pace * time, -reach, reach)
    step = np.gradient(across) if area.length > 1 else np.array([pace])
    stride, phases = gait
    poses = (np.cumsum(np.abs(step)) / stride * phases + rng.uniform(0, phases)).astype(int)
    sides = np.where(step > 0, *headings)
    return Track(0, across, fold(depth, ground.near, ground.far), poses % phases, sides)


def drive(rng: np.random.Generator, area: Area, start: int, lane: float) -> Track:
    """A car that crosses the view; heading 0 drives to the right, 1 to the left."""
    leftward = int(rng.integers(2))
    speed = rng.uniform(4, 8) / area.fps * (1 - 2 * leftward)
    reach = area.reach(lane) + 2.2
    across = -np.sign(speed) * reach + speed * np.arange(area.length - start)
    across = across[np.abs(across) <= reach + 0.01]
    same = np.ones(len(across), int)
    return Track(start, across, lane * same.astype(float), 0 * same, leftward * same)


def stay(area: Area, across: float, distance: float, heading: int = 0) -> Track:
    """A figure that never moves."""
    same = np.ones(area.length)
    headings = np.full(area.length, heading)
    return Track(0, across * same, distance * same, np.zeros(area.length, int), headings)
