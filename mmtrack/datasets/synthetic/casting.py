"""Put scenes together: a street with walkers, a dense crowd, a stage with dancers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .figures import (
    DANCE_PHASES,
    STANDING,
    WALK_PHASES,
    Appearance,
    BenchFigure,
    CarFigure,
    Figure,
    KioskFigure,
    LampPostFigure,
    PersonFigure,
    SeatedFigure,
    dancing,
    random_appearance,
    walking,
)
from .geometry import CameraPath, Ground, camera_path
from .motion import Area, Track, accompany, dance, drive, stay, walk
from .scene import Actor, Scene, seeded
from .surroundings import paint_stage, paint_street

_STRIDE_POSES = [walking(phase) for phase in range(WALK_PHASES)] + [STANDING]
_DANCE_POSES = [dancing(phase) for phase in range(DANCE_PHASES)]
_FINEST, _COARSEST = 400.0, 16.0  # pixels per metre that figures are drawn at
_MARGIN = (1.35, 1.15)  # surroundings relative to a frame


@dataclass(frozen=True)
class SceneSpec:
    """What a video should look like.

    Attributes:
        name: Name of the video; together with the seed it determines every pixel.
        seed: Seed of the data set.
        size: Width and height of the frames in pixels.
        length: Number of frames.
        fps: Frames per second.
        people: How many people are in the picture on average.
        camera: ``'static'``, ``'pan'``, ``'handheld'``, ``'zoom'``.
    """

    name: str
    seed: int = 0
    size: tuple[int, int] = (640, 360)
    length: int = 60
    fps: float = 15.0
    people: int = 9
    camera: str = "static"

    def __post_init__(self):
        if min(self.size) < 64:
            raise ValueError(f"frames of {self.size} are too small, 64 pixels is the least")
        if self.length < 1 or self.people < 0 or self.fps <= 0:
            raise ValueError(
                f"a scene needs frames, a frame rate, and no negative number of people; got "
                f"length={self.length}, fps={self.fps}, people={self.people}"
            )


def lay_out(
    rng: np.random.Generator, spec: SceneSpec, near: tuple, far: tuple
) -> tuple[Ground, tuple[int, int]]:
    """Draw a ground on which people have the wanted sizes.

    Args:
        rng: Source of all choices.
        spec: The scene.
        near: Range of the height of a near person relative to the frame.
        far: Same for the farthest person.
    """
    width, height = (int(value * factor) for value, factor in zip(spec.size, _MARGIN, strict=True))
    person, tallest = 1.7, rng.uniform(*near) * spec.size[1]
    focal = 1.1 * spec.size[1]
    horizon = (height - spec.size[1]) / 2 + rng.uniform(0.14, 0.26) * spec.size[1]
    feet = (height + spec.size[1]) / 2 - 0.03 * spec.size[1]
    ground = Ground(
        focal=focal,
        horizon=horizon,
        centre=width / 2,
        camera_height=(feet - horizon) / tallest * person,
        near=focal * person / tallest,
        far=focal * person / (rng.uniform(*far) * spec.size[1]),
    )
    return ground, (width, height)


def sprite_resolution(ground: Ground, distance: float, camera: CameraPath) -> float:
    """Pixels per metre that a figure needs at its nearest."""
    wanted = 1.05 * ground.focal / distance * camera.zoom.max()
    return float(np.clip(wanted, _COARSEST, _FINEST))


def exposure(rng: np.random.Generator) -> np.ndarray:
    """Brightness and tint of the light on the surroundings, a factor for each channel."""
    factors = rng.uniform(0.85, 1.12) * (1 + 0.04 * rng.uniform(-1, 1, 3))
    return factors.astype(np.float32)


def make_grain(rng: np.random.Generator, size: tuple[int, int], strength: float) -> np.ndarray:
    """Sensor noise around 128."""
    noise = rng.standard_normal((size[1] + 48, size[0] + 48, 3), dtype=np.float32)
    return np.clip(np.rint(noise * strength + 128), 0, 255).astype(np.uint8)


def random_person(
    rng: np.random.Generator, track: Track, ground: Ground, camera: CameraPath
) -> Actor:
    """A walker whose looks are drawn from the generator."""
    resolution = sprite_resolution(ground, track.distance.min(), camera)
    return Actor(PersonFigure(random_appearance(rng), _STRIDE_POSES, resolution), track, "person")


def crossings(
    rng: np.random.Generator, area: Area, count: int, move: Callable[..., Track], together: float
) -> list[Track]:
    """Paths of those there at the start and of those who come in later, ``count`` at a time.

    Args:
        rng: Source of all choices.
        area: Where they move.
        count: How many are in the picture on average.
        move: Such as ``walk``.
        together: Share of those at the start whom somebody walks beside.
    """
    tracks: list[Track] = []
    present = np.zeros(area.length, int)

    def add(track: Track) -> None:
        tracks.append(track)
        present[track.start : track.start + len(track)] += 1

    while present[0] < count:
        add(move(rng, area, 0, entering=False))
        if together and present[0] < count and rng.uniform() < together:
            add(accompany(rng, area, tracks[-1]))
    for frame in range(1, area.length):
        if present[frame] < count:
            add(move(rng, area, frame, entering=True))
    return tracks


def _walkers(rng: np.random.Generator, area: Area, people: int, camera: CameraPath) -> list[Actor]:
    """People there at the start and people who come in later, about ``people`` at a time."""
    tracks = crossings(rng, area, people, walk, together=0.2)
    return [random_person(rng, track, area.ground, camera) for track in tracks]


def _cars(rng: np.random.Generator, area: Area, road: tuple, camera: CameraPath) -> list[Actor]:
    """A few cars on the road."""
    actors = []
    for start in range(0, area.length, max(int(4 * area.fps), 1)):
        lane = rng.uniform(road[0] + 0.8, road[1] - 0.8)
        begin = min(start + int(rng.uniform(0, 2) * area.fps), area.length - 1)
        paint = tuple(int(value) for value in rng.uniform(40, 220, 3))
        figure = CarFigure(sprite_resolution(area.ground, lane, camera), paint)
        actors.append(Actor(figure, drive(rng, area, begin, lane), "car"))
    return actors


def _props(rng: np.random.Generator, area: Area, camera: CameraPath) -> list[Actor]:
    """Lamp posts, perhaps a kiosk, and somebody on a bench."""
    ground = area.ground

    def place(share: float) -> tuple[float, float]:
        distance = ground.near + share * (ground.far - ground.near)
        return rng.uniform(-0.6, 0.6) * area.reach(distance), distance

    def put(figure_type: type[Figure], share: float, *looks: object) -> Actor:
        across, distance = place(share)
        figure = figure_type(sprite_resolution(ground, distance, camera), *looks)
        return Actor(figure, stay(area, across, distance), "occluder")

    actors = [put(LampPostFigure, rng.uniform(0.2, 1.0)) for _ in range(int(rng.integers(1, 3)))]
    if rng.uniform() < 0.5:
        looks = (tuple(rng.integers(60, 160, 3).tolist()), tuple(rng.integers(60, 240, 3).tolist()))
        actors.append(put(KioskFigure, rng.uniform(0.5, 1.0), *looks))
    bench = put(BenchFigure, rng.uniform(0.6, 1.0))
    across, distance = bench.track.across[0], bench.track.distance[0]
    seat = stay(area, across + rng.uniform(-0.3, 0.3), distance - 0.05, int(rng.choice((1, 7))))
    seated = SeatedFigure(random_appearance(rng), bench.figure.resolution)
    return [*actors, bench, Actor(seated, seat, "static_person")]


def street_scene(spec: SceneSpec) -> Scene:
    """People crossing a square, with cars, posts and a seated person in it.

    The categories follow MOTChallenge: everything but walkers is there to distract.
    """
    rng = seeded(spec.seed, spec.name)
    ground, picture_size = lay_out(rng, spec, near=(0.38, 0.5), far=(0.17, 0.22))
    camera = camera_path(rng, spec.camera, spec.length, spec.size, picture_size, spec.fps)
    area = Area(ground, picture_size[0], spec.fps, spec.length)
    road = (ground.far + 1.0, ground.far + 7.0)
    picture = paint_street(rng, picture_size, ground, road)
    actors = _walkers(rng, area, spec.people, camera)
    actors += _cars(rng, area, road, camera) + _props(rng, area, camera)
    picture *= exposure(rng)
    grain = make_grain(rng, spec.size, rng.uniform(1.5, 3.5))
    return Scene(spec.name, spec.size, spec.fps, picture, ground, camera, actors, grain)


def crowd_scene(spec: SceneSpec) -> Scene:
    """A picture full of people of very different sizes, as in CrowdHuman.

    Cars, posts and a seated person stand among them, as in ``street_scene``.
    """
    rng = seeded(spec.seed, spec.name)
    ground, picture_size = lay_out(rng, spec, near=(0.35, 0.75), far=(0.12, 0.22))
    camera = camera_path(rng, "static", spec.length, spec.size, picture_size, spec.fps)
    area = Area(ground, spec.size[0], spec.fps, spec.length)
    road = (ground.far + 1.0, ground.far + 7.0)
    picture = paint_street(rng, picture_size, ground, road) * exposure(rng)
    actors = _walkers(rng, area, spec.people, camera)
    actors += _cars(rng, area, road, camera) + _props(rng, area, camera)
    grain = make_grain(rng, spec.size, rng.uniform(1.5, 4.0))
    return Scene(spec.name, spec.size, spec.fps, picture, ground, camera, actors, grain)


def _costume(rng: np.random.Generator, uniform: Appearance) -> Appearance:
    """The costume of the group on another body."""
    body = random_appearance(rng)
    return replace(uniform, height=body.height, build=body.build, skin=body.skin, hair=body.hair)


def stage_scene(spec: SceneSpec) -> Scene:
    """A group of dancers in the same costume whose paths cross all the time, as in DanceTrack."""
    rng = seeded(spec.seed, spec.name)
    ground, picture_size = lay_out(rng, spec, near=(0.5, 0.6), far=(0.34, 0.42))
    camera = camera_path(rng, spec.camera, spec.length, spec.size, picture_size, spec.fps)
    picture = paint_stage(rng, picture_size, ground)
    area = Area(ground, spec.size[0], spec.fps, spec.length)
    uniform = replace(random_appearance(rng), bag="none")
    middle = (ground.near + ground.far) / 2
    reach = ground.half_width(middle, spec.size[0]) * 0.8
    actors = []
    for number in range(spec.people):
        share = (number + 0.5) / spec.people * 2 - 1
        row = ground.near + (0.3 + 0.4 * (number % 2)) * (ground.far - ground.near)
        track = dance(rng, area, (share * reach, row))
        resolution = sprite_resolution(ground, track.distance.min(), camera)
        figure = PersonFigure(_costume(rng, uniform), _DANCE_POSES, resolution)
        actors.append(Actor(figure, track, "person"))
    grain = make_grain(rng, spec.size, 2.5)
    return Scene(spec.name, spec.size, spec.fps, picture, ground, camera, actors, grain)
