"""Search for the settings of a tracker that score best on a data set."""

from __future__ import annotations

import copy
import csv
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import mmcv
import numpy as np
from torch.utils.data import Dataset

from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.reading import check_object, read_json_object

from .network_pass import video_frames
from .replay import VideoTracks
from .video_store import hash_of_value

# Settings that are sequences by nature: a tuple here is one value, and so is a list.
SEQUENCES = ("img_scale", "img_norm_cfg")
LOWER_IS_BETTER = ("FP", "FN", "IDs", "IDSw", "FM", "ML", "PT", "IDt", "IDa", "IDm", "MOTP")
SETTINGS_PREFIX = "model.tracker."


class Score(NamedTuple):
    """Settings by dotted path below ``model.tracker``, and what they scored."""

    settings: dict[str, Any]
    scores: dict[str, float]


# ------------------------------------------------------------------ what is tried
def search_space(tracker: Mapping[str, Any], path: str = "") -> dict[str, list]:
    """Values to try of each setting: those that the config gives as a list.

    Args:
        tracker: Config of the tracker.
        path: Dotted path of ``tracker``, for the names.

    Raises:
        ValueError: a list is empty, or several values are given as something else than a list.
    """
    space: dict[str, list] = {}
    for name, value in tracker.items():
        here = f"{path}{name}"
        if name in SEQUENCES:
            continue
        if isinstance(value, Mapping):
            space.update(search_space(value, f"{here}."))
        elif isinstance(value, list):
            if not value:
                raise ValueError(f"{SETTINGS_PREFIX}{here} is an empty list: name values to try")
            space[here] = [v for i, v in enumerate(value) if v not in value[:i]]
        elif isinstance(value, tuple | set | range):
            raise ValueError(
                f"{SETTINGS_PREFIX}{here} = {value!r}: values to try are a list, such as [0.4, 0.5]"
            )
    return space


def combine(space: Mapping[str, list]) -> list[dict[str, Any]]:
    """All combinations of the values, the last setting changing fastest.

    Raises:
        ValueError: there is nothing to search.
    """
    if not space:
        raise ValueError(
            "nothing to search: give settings of model.tracker as lists of values, such as "
            "obj_score_thr=[0.4, 0.5, 0.6] in the config, or --cfg-options "
            'model.tracker.obj_score_thr="[0.4,0.5,0.6]"'
        )
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())]


def with_settings(tracker: Mapping[str, Any], settings: Mapping[str, Any]) -> dict:
    """Config of a tracker with one combination of values."""
    tracker = copy.deepcopy(mmcv.ConfigDict(tracker)).to_dict()
    for path, value in settings.items():
        *parents, name = path.split(".")
        node = tracker
        for parent in parents:
            node = node[parent]
        node[name] = value
    return tracker


# ------------------------------------------------------------------ scores
def score_tracks(
    dataset: Dataset, tracks: Mapping[int, VideoTracks], options: Mapping[str, Any]
) -> dict[str, float]:
    """Scores of the tracks of all videos.

    Args:
        dataset: The test data set.
        tracks: Tracks by number of the video.
        options: Arguments of ``dataset.evaluate``.
    """
    results = results_of(dataset, tracks)
    scores = dataset.evaluate({"track_bboxes": results}, logger="silent", **options)
    return {name: value for name, value in scores.items() if isinstance(value, int | float)}


def results_of(dataset: Dataset, tracks: Mapping[int, VideoTracks]) -> list[list[np.ndarray]]:
    """Entries of ``track_bboxes`` in the order of the data set."""
    results: list = [None] * len(dataset)
    for video, frames in video_frames(dataset, range(len(dataset))).items():
        found = tracks[video].as_results(len(dataset.CLASSES))
        for index, entry in zip(frames, found, strict=True):
            results[index] = entry
    return results


class ScoreFolder:
    """Scores of finished combinations on disk, for a search that goes on after an interruption."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self.folder = folder
        self.identity = dict(identity)

    def path(self, settings: Mapping[str, Any]) -> Path:
        """File of a combination; it changes with everything that the scores depend on."""
        return self.folder / f"{hash_of_value([self.identity, settings])[:20]}.json"

    def load(self, settings: Mapping[str, Any]) -> dict[str, float] | None:
        """Scores of a combination, None where it is not done."""
        path = self.path(settings)
        if not path.is_file():
            return None
        content = read_json_object(path)
        check_object(content, {"scores": (dict,)}, str(path))
        scores = content["scores"]
        check_object(scores, dict.fromkeys(scores, (int, float)), f"{path}: scores")
        return scores

    def save(self, settings: Mapping[str, Any], scores: Mapping[str, float]) -> None:
        """Keep the scores of a combination."""
        with atomic_write(self.path(settings)) as file:
            json.dump({"settings": settings, "scores": scores}, file, indent=1)


def rank(scores: Sequence[Score], key: str) -> list[Score]:
    """Combinations from the best to the worst; equal ones stay in their order."""
    sign = 1 if key in LOWER_IS_BETTER else -1
    # an undefined score is worse than any other
    return sorted(scores, key=lambda s: np.nan_to_num(sign * s.scores[key], nan=np.inf))


def check_keys(keys: Sequence[str], scores: Mapping[str, float]) -> None:
    """Refuse scores that the data set does not compute.

    Raises:
        KeyError: one is unknown.
    """
    unknown = [key for key in keys if key not in scores]
    if unknown:
        raise KeyError(f"there is no score {unknown[0]!r}; there are {', '.join(scores)}")


def table_of(scores: Sequence[Score], keys: Sequence[str]) -> list[list[str]]:
    """Rows of text, the head first: settings, then scores."""
    head = [*scores[0].settings, *keys]
    body = [
        [*map(str, s.settings.values()), *(_text(s.scores[key]) for key in keys)] for s in scores
    ]
    return [head, *body]


def _text(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def write_search(
    folder: Path, cfg: mmcv.Config, ranked: Sequence[Score], keys: Sequence[str]
) -> list[Path]:
    """Write the table as ``scores.csv``, and the config with the best settings.

    Args:
        folder: Receives the files.
        cfg: The config that was searched.
        ranked: Scores from the best to the worst.
        keys: Scores of the table.

    Returns:
        The files.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table_of(ranked, keys))
    best = mmcv.Config(cfg._cfg_dict.to_dict())
    best.model.tracker = with_settings(cfg.model.tracker, ranked[0].settings)
    files = {folder / "scores.csv": text.getvalue(), folder / "best_config.py": best.pretty_text}
    for path, content in files.items():
        with atomic_write(path) as file:
            file.write(content)
    return list(files)
