"""Search for the settings of SiamRPN++ that score best on a data set."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import os
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import mmcv
import numpy as np
import torch
from mmcv.runner import get_dist_info
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.utils import Progress
from mmtrack.core.visualization import ResultDrawer
from mmtrack.models.sot.siamrpn_search import result_of_row
from mmtrack.models.track_heads.siamese_rpn_head import TrackSettings
from mmtrack.utils.file_io import atomic_write

from .video_store import VideoStore, hash_of_file

BOXES = "track_bboxes"  # in the store, ``(T, K, 5)``: frames, settings, x1y1x2y2 and score


class Score(NamedTuple):
    """Settings and what they scored."""

    settings: TrackSettings
    scores: dict[str, float]


def parse_range(text: str, name: str) -> list[float]:
    """Numbers from ``start,stop,step``; the stop is left out, as in ``range``.

    The numbers are decimal, so that 0.01,0.22,0.05 gives 0.01, 0.06, 0.11, 0.16, 0.21.

    Args:
        text: What the user wrote.
        name: Name of the option, for errors.

    Raises:
        ValueError: not three finite numbers, a step that is not positive, or an empty range.
    """
    form = f"{name} {text}: expected start,stop,step, such as 0.01,0.22,0.05"
    try:
        numbers = [Decimal(part.strip()) for part in text.split(",")]
    except InvalidOperation:
        raise ValueError(form) from None
    if len(numbers) != 3 or not all(number.is_finite() for number in numbers):
        raise ValueError(form)
    start, stop, step = numbers
    if step <= 0:
        raise ValueError(f"{name} {text}: the step must be above zero")
    if start >= stop:
        raise ValueError(
            f"{name} {text}: the range is empty, since the stop is left out; it must be above the "
            f"start, {start},{start + step},{step} for one value"
        )
    count = int(((stop - start) / step).to_integral_value(ROUND_CEILING))
    return [float(start + i * step) for i in range(count)]


def combine(
    configured: dict[str, float], ranges: dict[str, Sequence[float] | None]
) -> list[TrackSettings]:
    """All combinations of the values to try.

    Args:
        configured: ``test_cfg.rpn`` of the config, for settings that are not searched.
        ranges: Values of each setting, or None.

    Raises:
        ValueError: there is nothing to search.
    """
    if not any(ranges.values()):
        raise ValueError(
            "nothing to search: give --penalty-k-range, --lr-range or --win-influ-range"
        )
    values = [ranges.get(name) or [configured[name]] for name in TrackSettings._fields]
    return [TrackSettings(*each) for each in itertools.product(*values)]


def identity_of(
    cfg: mmcv.Config, checkpoint: str | None, settings: Sequence[TrackSettings], fused: bool
) -> dict[str, Any]:
    """What the boxes of a search depend on, by name.

    Args:
        cfg: The config.
        checkpoint: File of the weights.
        settings: What is tried.
        fused: Whether batch norms are folded into convolutions.
    """
    text = mmcv.Config({"model": cfg.model, "test": cfg.data.test}).pretty_text
    weights = hash_of_file(checkpoint) if checkpoint and os.path.isfile(checkpoint) else None
    return {
        "settings": [list(each) for each in settings],
        "config": hashlib.sha256(text.encode()).hexdigest(),
        "weights": weights or checkpoint,
        "fuse_conv_bn": fused,
    }


def track_videos(
    model: nn.Module,
    loader: DataLoader,
    store: VideoStore,
    drawer: ResultDrawer | None = None,
) -> list[int]:
    """Track the videos of this process that are not in the store.

    Args:
        model: A :class:`~mmtrack.models.sot.siamrpn_search.SiamRPNSearch` in its parallel wrapper.
        loader: Loader of the test data set, whose sampler gives ``(video, frame)``.
        store: Receives the boxes, as ``BOXES``.
        drawer: Draws what is tracked.

    Returns:
        The videos of this process, old and new.
    """
    indices = [(int(video), int(frame)) for video, frame in loader.sampler]
    videos = list(dict.fromkeys(video for video, _ in indices))
    missing = {video for video in videos if video not in store}
    todo = [index for index in indices if index[0] in missing]
    lengths = loader.dataset.num_frames_per_video
    frames = DataLoader(
        loader.dataset, sampler=todo, num_workers=loader.num_workers, collate_fn=loader.collate_fn
    )
    rows: list[np.ndarray] = []
    with _progress(len(todo)) as progress:
        for (video, frame), data in zip(todo, frames, strict=True):
            with torch.no_grad():
                result = model(return_loss=False, rescale=True, **data)
            if drawer is not None:
                drawer.draw(model.module, data, [result])
            rows.append(result["track_bboxes"])
            if frame == lengths[video] - 1:
                store.save(video, {BOXES: np.stack(rows)})
                rows = []
            progress.update()
    return videos


def score_settings(
    dataset: Dataset,
    rows: Sequence[np.ndarray],
    settings: Sequence[TrackSettings],
    options: dict[str, Any],
) -> list[Score]:
    """Scores of all settings, in their order.

    Args:
        dataset: The test data set.
        rows: Boxes of each of its videos, ``(T, K, 5)``.
        settings: ``K`` settings.
        options: Arguments of ``dataset.evaluate``.
    """
    scores = []
    for number, each in enumerate(settings):
        boxes = list(np.concatenate([video[:, number] for video in rows]))
        boxes = [result_of_row(row) for row in boxes] if np.isnan(boxes).any() else boxes
        found = dataset.evaluate({"track_bboxes": boxes}, logger="silent", **options)
        scores.append(Score(each, {key: float(value) for key, value in found.items()}))
    return scores


def rank(scores: Sequence[Score], key: str | None = None) -> tuple[list[Score], str]:
    """Settings from the best to the worst; equal ones stay in their order.

    Args:
        scores: Scores of all settings.
        key: Name of the score that counts; by default the first one.

    Returns:
        The sorted scores, and the name of the score.
    """
    names = list(scores[0].scores)
    key = key if key in names else names[0]
    # an undefined score is worse than any other
    return sorted(scores, key=lambda s: -np.nan_to_num(s.scores[key], nan=-np.inf)), key


def table_of(scores: Iterable[Score]) -> list[list[str]]:
    """Rows of text, the head first."""
    scores = list(scores)
    head = [*TrackSettings._fields, *scores[0].scores]
    body = [
        [*(f"{v:g}" for v in s.settings), *(f"{v:.3f}" for v in s.scores.values())] for s in scores
    ]
    return [head, *body]


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def write_search(folder: Path, cfg: mmcv.Config, ranked: Sequence[Score]) -> list[Path]:
    """Write the table as ``scores.csv``, and the config with the best settings.

    Args:
        folder: Receives the files.
        cfg: The config that was searched.
        ranked: Scores from the best to the worst.

    Returns:
        The files.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table_of(ranked))
    best = mmcv.Config(cfg._cfg_dict.to_dict())
    best.model.test_cfg.rpn.update(ranked[0].settings._asdict())
    files = {folder / "scores.csv": text.getvalue(), folder / "best_config.py": best.pretty_text}
    for path, content in files.items():
        with atomic_write(path) as file:
            file.write(content)
    return list(files)


def _progress(length: int) -> contextlib.AbstractContextManager:
    """Progress on the first process, silence on others."""
    if get_dist_info()[0] == 0:
        return Progress(length)
    return Progress(length, file=io.StringIO())
