"""Scenes of animals that graze, walk or run, and that only their coats tell apart."""

from __future__ import annotations

import numpy as np

from .casting import SceneSpec, crossings, exposure, lay_out, make_grain, sprite_resolution
from .figures.wildlife import GRAZING, PHASES, SPECIES, CoatedFigure, random_coat
from .geometry import camera_path, smooth_noise
from .motion import Area, Track, frames_until_gone
from .scene import Actor, Scene, seeded
from .surroundings import paint_meadow

_GAIT = 1.8  # metres covered by one cycle of the legs
_PACES = ((0.0, 0.1), (0.3, 1.2), (1.5, 5.0))  # metres per second: grazing, walking, running
_STANDS = 0.25  # metres per second below which an animal grazes


def savanna_scene(spec: SceneSpec) -> Scene:
    """Animals of one or two species on a meadow; ``people`` is their number."""
    rng = seeded(spec.seed, spec.name)
    ground, picture_size = lay_out(rng, spec, near=(0.32, 0.42), far=(0.2, 0.25))
    camera = camera_path(rng, spec.camera, spec.length, spec.size, picture_size, spec.fps)
    area = Area(ground, picture_size[0], spec.fps, spec.length)
    picture = paint_meadow(rng, picture_size, ground) * exposure(rng)
    present = rng.choice(SPECIES, 2, replace=False)
    actors = []
    for track in crossings(rng, area, spec.people, graze, together=0):
        species = str(present[int(rng.uniform() < 0.35)])
        size = sprite_resolution(ground, track.distance.min(), camera)
        actors.append(Actor(CoatedFigure(size, random_coat(rng, species)), track, species))
    grain = make_grain(rng, spec.size, rng.uniform(1.5, 3.5))
    return Scene(spec.name, spec.size, spec.fps, picture, ground, camera, actors, grain)


def graze(rng: np.random.Generator, area: Area, start: int, *, entering: bool) -> Track:
    """An animal that grazes, walks or runs across the view in profile.

    Args:
        rng: Source of all choices.
        area: Where to roam.
        start: First frame.
        entering: Begin outside of the picture instead of somewhere inside.
    """
    ground, length = area.ground, area.length - start
    distance = 1 / rng.uniform(1 / ground.far, 1 / ground.near)
    leftward = int(rng.integers(2))
    side = 1 - 2 * leftward
    gait = _PACES[int(rng.integers(1 if entering else 0, len(_PACES)))]
    variation = 1 + 0.15 * smooth_noise(rng, length, 2 * area.fps)
    speed = rng.uniform(*gait) * variation.clip(0.2) / area.fps
    reach = area.reach(distance)
    origin = -side * reach if entering else rng.uniform(-0.75, 0.75) * reach
    across = origin + side * np.cumsum(speed)
    last = frames_until_gone(area, across, np.full(length, distance))
    phases = (np.cumsum(speed) / _GAIT + rng.uniform()) * PHASES
    poses = phases.astype(int) % PHASES
    poses[speed * area.fps < _STANDS] = GRAZING
    same = np.ones(last)
    headings = np.full(last, leftward)
    return Track(start, across[:last], distance * same, poses[:last], headings)
