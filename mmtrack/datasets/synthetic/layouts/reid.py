"""Re-identification layout: crops of people from rendered videos, and lists of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mmtrack.datasets.converters.mot import find_sequences
from mmtrack.datasets.converters.mot_reid import ReIDRules, crop_identities, write_reid_lists

from .base import Progress, RenderOptions, option
from .mot import MOT17Options, write_mot

VAL_SHARE = 0.2


@dataclass(frozen=True)
class ReIDOptions(RenderOptions):
    """Options of the ReID layout."""

    sequences: int = option(4, "number of videos that people are cut from")
    frames: int = option(60, "frames of each video")
    people: int = option(8, "people in the picture on average")
    min_crops: int = option(8, "people with fewer crops are left out")


def write_reid(folder: Path, options: ReIDOptions, progress: Progress) -> None:
    """Write imgs/ and meta/ as ``tools/convert_datasets/mot/mot2reid.py`` does."""
    videos = folder / "videos"
    source = MOT17Options(
        options.seed, options.size, options.sequences, 0, options.frames, people=options.people
    )
    write_mot("MOT17", videos, source, progress)
    rules = ReIDRules(min_crops=options.min_crops)
    people = crop_identities(find_sequences(videos / "train"), folder / "imgs", rules)
    write_reid_lists(people, folder / "meta", VAL_SHARE)
    shutil.rmtree(videos)


def count_reid(options: ReIDOptions) -> int:
    """Frames that will be rendered."""
    return options.sequences * options.frames
