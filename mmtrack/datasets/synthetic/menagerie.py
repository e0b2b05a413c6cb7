"""Scenes with objects of several kinds that leave the view, come back, and hide each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .casting import SceneSpec, exposure, lay_out, make_grain, random_person, sprite_resolution
from .figures import (
    ANIMALS,
    GAIT_PHASES,
    WALK_PHASES,
    AnimalFigure,
    CarFigure,
    KioskFigure,
    LampPostFigure,
    TruckFigure,
)
from .geometry import CameraPath, camera_path
from .motion import Area, roam, stay
from .scene import CATEGORIES, Actor, Frame, Scene, seeded
from .surroundings import paint_street

KINDS = ("person", "car", "truck", "dog", "horse", "zebra", "giraffe")
ALL_KINDS = ("person", "car", "truck", *ANIMALS)
_LEAST_SEEN = 0.08  # share of an object below which annotators do not see it
_FEWEST_PIXELS = 24
_PERSON_HEADINGS = (2, 6)  # of HEADINGS: to the right, to the left
_PERSON_SPEED, _CAR_SPEED, _TRUCK_SPEED = (0.9, 2.0), (2.0, 4.5), (1.5, 3.5)  # metres per second
_PERSON_STRIDE = 1.4  # metres


def menagerie_scene(spec: SceneSpec, kinds: Sequence[str] = KINDS) -> Scene:
    """People, vehicles and animals that cross a square behind and in front of kiosks.

    Args:
        spec: The scene; ``people`` is the number of objects, of whatever kind.
        kinds: Names out of ``ALL_KINDS``; each is used once before one is used again.
    """
    rng = seeded(spec.seed, spec.name)
    ground, picture_size = lay_out(rng, spec, near=(0.36, 0.46), far=(0.2, 0.26))
    camera = camera_path(rng, spec.camera, spec.length, spec.size, picture_size, spec.fps)
    area = Area(ground, spec.size[0], spec.fps, spec.length)
    road = (ground.far + 1.0, ground.far + 7.0)
    picture = paint_street(rng, picture_size, ground, road)
    order: list[str] = []
    while len(order) < spec.people:
        order += rng.permutation(list(kinds)).tolist()
    actors = [_actor(rng, kind, area, camera) for kind in order[: spec.people]]
    actors += _hideouts(rng, area, camera)
    picture *= exposure(rng)
    noise = make_grain(rng, spec.size, rng.uniform(1.5, 3.5))
    return Scene(spec.name, spec.size, spec.fps, picture, ground, camera, actors, noise)


def annotated_rows(frame: Frame) -> list[tuple[int, str]]:
    """Rows of the objects that annotators would see, and their kinds."""
    kinds = [CATEGORIES[category] for category in frame.categories]
    return [
        (row, kind)
        for row, kind in enumerate(kinds)
        if kind in ALL_KINDS
        and frame.visibility[row] >= _LEAST_SEEN
        and np.count_nonzero(frame.mask(row)) >= _FEWEST_PIXELS
    ]


def _actor(rng: np.random.Generator, kind: str, area: Area, camera: CameraPath) -> Actor:
    """An object of a kind with random looks and path."""
    if kind == "person":
        gait = (_PERSON_STRIDE, WALK_PHASES)
        track = roam(rng, area, _PERSON_SPEED, gait, _PERSON_HEADINGS)
        return random_person(rng, track, area.ground, camera)
    vehicles = {"car": _CAR_SPEED, "truck": _TRUCK_SPEED}
    if kind in vehicles:
        track = roam(rng, area, vehicles[kind], (1.0, 1), (0, 1))
    else:
        build = ANIMALS[kind]
        track = roam(rng, area, build.speed, (build.shoulder, GAIT_PHASES), (0, 1))
    resolution = sprite_resolution(area.ground, track.distance.min(), camera)
    if kind == "car":
        return Actor(CarFigure(resolution, _paint(rng)), track, kind)
    if kind == "truck":
        return Actor(TruckFigure(resolution, _paint(rng), _paint(rng)), track, kind)
    coat = build.coats[int(rng.integers(len(build.coats)))]
    shade = rng.uniform(0.85, 1.1)
    coat = tuple(int(min(shade * value, 255)) for value in coat)
    return Actor(AnimalFigure(resolution, build, coat, rng.uniform(0.85, 1.1)), track, kind)


def _paint(rng: np.random.Generator) -> tuple[int, int, int]:
    return tuple(int(value) for value in rng.uniform(40, 220, 3))


def _hideouts(rng: np.random.Generator, area: Area, camera: CameraPath) -> list[Actor]:
    """A kiosk and a lamp post that objects pass behind."""
    ground, actors = area.ground, []
    for figure_type, looks in ((KioskFigure, (_paint(rng), _paint(rng))), (LampPostFigure, ())):
        distance = ground.near + rng.uniform(0.0, 0.4) * (ground.far - ground.near)
        across = rng.uniform(-0.6, 0.6) * area.reach(distance)
        figure = figure_type(sprite_resolution(ground, distance, camera), *looks)
        actors.append(Actor(figure, stay(area, across, distance), "occluder"))
    return actors
