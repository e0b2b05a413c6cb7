"""Official layouts that rendered scenes can be written in."""

from functools import partial

from .base import Layout, RenderOptions
from .crowdhuman import CrowdHumanOptions, count_crowdhuman, write_crowdhuman
from .mot import (
    DanceTrackOptions,
    MOT17Options,
    MOTOptions,
    count_dancetrack,
    count_mot,
    write_dancetrack,
    write_mot,
)
from .reid import ReIDOptions, count_reid, write_reid

_VIDEOS = "train/ and test/ videos with img1/, seqinfo.ini, det/det.txt and gt/gt.txt"

_ALL = (
    Layout(
        "mot15",
        f"MOT15: {_VIDEOS} without classes.",
        MOTOptions(),
        partial(write_mot, "MOT15"),
        count_mot,
    ),
    Layout(
        "mot16",
        f"MOT16: {_VIDEOS} with classes and visibility.",
        MOTOptions(),
        partial(write_mot, "MOT16"),
        count_mot,
    ),
    Layout(
        "mot17",
        f"MOT17: {_VIDEOS} with classes and visibility; videos carry their detector's name.",
        MOT17Options(),
        partial(write_mot, "MOT17"),
        count_mot,
    ),
    Layout(
        "mot20",
        f"MOT20: crowded {_VIDEOS} with classes and visibility.",
        MOTOptions(people=24),
        partial(write_mot, "MOT20"),
        count_mot,
    ),
    Layout(
        "dancetrack",
        "DanceTrack: train/, val/ and test/ videos of dancers in the same costume.",
        DanceTrackOptions(),
        write_dancetrack,
        count_dancetrack,
    ),
    Layout(
        "crowdhuman",
        "CrowdHuman: pictures of crowds with full, visible and head boxes (.odgt).",
        CrowdHumanOptions(size=(640, 480)),
        write_crowdhuman,
        count_crowdhuman,
    ),
    Layout(
        "reid",
        "Crops of people and lists of them (imgs/, meta/), as mot2reid.py makes from MOT17.",
        ReIDOptions(),
        write_reid,
        count_reid,
    ),
)
LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in _ALL}

__all__ = ["LAYOUTS", "Layout", "RenderOptions"]
