"""Raw results of tools/test.py and the data set of their config as a report."""

from __future__ import annotations

import os.path as osp
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmtrack.core.evaluation import MOTTable
from mmtrack.core.visualization.report import Column, Report
from mmtrack.datasets import (
    CocoVideoDataset,
    MOTChallengeDataset,
    SOTTestDataset,
    TaoDataset,
    VOTDataset,
    YouTubeVISDataset,
)
from mmtrack.datasets.base_sot_dataset import BaseSOTDataset
from mmtrack.datasets.parsers.public_detections import load_arrays
from mmtrack.datasets.sot_results import read_sot_results
from mmtrack.datasets.tao_results import DETECTION_WIDTH, TRACK_WIDTH, stack_results

from .detections import detection_report
from .frames import Frames, frames_of_dataset
from .instances import instance_report, unscored_instances
from .mot import mot_report, score_tables
from .mot_folder import read_result_folder
from .restarts import restart_report
from .single_object import read_scored_boxes, sot_report
from .video_tracks import track_report, unscored_report

_PICKLES = (".pkl", ".pickle")


class NoGroundTruth(ValueError):
    """The data set has no ground truth to compare with."""


def default_metrics(dataset: Dataset, results: Any) -> list[str]:
    """What is shown without --eval: tracks where there are some, else detections."""
    if isinstance(dataset, YouTubeVISDataset):
        return ["track_segm"]
    has_tracks = isinstance(results, dict) and "track_bboxes" in results
    return ["track"] if has_tracks or isinstance(dataset, BaseSOTDataset) else ["bbox"]


def gather_report(
    base: Report,
    dataset: Dataset,
    path: str,
    options: Mapping[str, Any],
    *,
    truth: bool = True,
    mask_width: int = 480,
) -> Report:
    """Fill a report.

    Args:
        base: Title and facts of the report.
        dataset: ``data.test`` of the config that was tested.
        path: ``.pkl`` or ``.json`` of tools/test.py --out; a folder or zip archive of text files
            for single objects; a folder of MOTChallenge text files.
        options: Arguments of ``dataset.evaluate``; ``metric`` may be missing.
        truth: False shows results alone.
        mask_width: Masks wider than this are stored smaller.

    Raises:
        ValueError: results that do not fit the data set, or a data set that is not shown.
    """
    if hasattr(dataset, "datasets"):
        raise ValueError(
            f"data.test joins {len(dataset.datasets)} data sets: test and show them one by one"
        )
    if isinstance(dataset, BaseSOTDataset):
        return _gather_sot(base, dataset, path, options, truth=truth)
    if not isinstance(dataset, CocoVideoDataset) or not dataset.load_as_video:
        raise ValueError(
            f"{type(dataset).__name__} has no videos (load_as_video=False): a report shows videos"
        )
    if isinstance(dataset, SOTTestDataset):
        raise ValueError("SOTTestDataset is deprecated: use the data set of the benchmark")
    base = replace(base, classes=[str(name) for name in dataset.category_names()])
    if isinstance(dataset, MOTChallengeDataset):
        return _gather_mot(base, dataset, path, options, truth=truth)
    results = load_arrays(path)
    metrics = options.get("metric") or default_metrics(dataset, results)
    options = {**options, "metric": metrics}
    if isinstance(dataset, YouTubeVISDataset):
        _check_finite(dataset, results, "track_bboxes", TRACK_WIDTH)
        fill = instance_report if truth else unscored_instances
        return fill(base, dataset, results, mask_width=mask_width)
    return _gather_video(base, dataset, results, options, truth=truth)


def _gather_sot(
    base: Report,
    dataset: BaseSOTDataset,
    path: str,
    options: Mapping[str, Any],
    *,
    truth: bool,
) -> Report:
    if truth and getattr(dataset, "has_hidden_boxes", False):
        raise NoGroundTruth(
            f"the boxes of split {dataset.split!r} of {type(dataset).__name__} are not public"
        )
    if isinstance(dataset, VOTDataset):
        results = load_arrays(path)
        scores = dataset.evaluate(results, **{**options, "logger": "silent"})
        return restart_report(base, dataset, results, scores)
    if path.endswith((*_PICKLES, ".json")):
        boxes: Sequence = read_scored_boxes(dataset, load_arrays(path))
    else:
        boxes = read_sot_results(path, dataset)
    return sot_report(base, dataset, boxes, truth=truth)


def _gather_mot(
    base: Report,
    dataset: MOTChallengeDataset,
    path: str,
    options: Mapping[str, Any],
    *,
    truth: bool,
) -> Report:
    frames = frames_of_dataset(dataset)
    if osp.isdir(path):
        results, tables = None, _tables_of_folder(path, frames, str(dataset.ann_file))
    else:
        results = load_arrays(path)
        tables = dataset.result_tables(results)
    if not truth:
        return mot_report(base, frames, tables, {}, None)
    try:
        known, lengths = dataset.ground_truth()
    except FileNotFoundError as error:
        raise NoGroundTruth(str(error)) from error
    benchmark = dataset.get_benchmark_and_eval_split()[0]
    scored = score_tables(
        known,
        tables,
        benchmark=benchmark,
        seq_lengths=lengths,
        iou_thr=options.get("track_iou_thr", 0.5),
    )
    base = replace(base, facts={**base.facts, "rules": benchmark})
    report = mot_report(base, frames, tables, known, scored)
    if results is None or "bbox" not in options.get("metric", ()):
        return report
    return _with_scores(report, dataset, results, {**options, "metric": ["bbox"]})


def _tables_of_folder(path: str, frames: Sequence[Frames], ann_file: str) -> dict[str, MOTTable]:
    """Results by name of the video from text files."""
    tables = read_result_folder(path)
    missing = [own.name for own in frames if own.name not in tables]
    if missing:
        raise FileNotFoundError(f"{path} has no {missing[0]}.txt, a video of {ann_file}")
    return tables


def _gather_video(
    base: Report,
    dataset: CocoVideoDataset,
    results: dict | list,
    options: Mapping[str, Any],
    *,
    truth: bool,
) -> Report:
    """Tracks or detections of a data set in the CocoVID format."""
    metrics = [options["metric"]] if isinstance(options["metric"], str) else options["metric"]
    tracks = "track" in metrics
    key = "track_bboxes" if tracks else "det_bboxes"
    if isinstance(results, list) and not tracks:
        results = {key: [entry[0] if isinstance(entry, tuple) else entry for entry in results]}
    if key not in results or len(results[key]) != len(dataset):
        have = sorted(results) if isinstance(results, dict) else "a list"
        raise ValueError(
            f"{dataset.ann_file} has {len(dataset)} images and needs as many entries of {key!r}, "
            f"but the results are {have}"
        )
    width = TRACK_WIDTH if tracks else DETECTION_WIDTH
    _check_finite(dataset, results, key, width)
    if not truth:
        task = "MOT" if tracks else "VID"
        return unscored_report(replace(base, task=task), dataset, results[key], width)
    if tracks and isinstance(dataset, TaoDataset):
        report = track_report(base, dataset, results, {}, judge=False)
    elif tracks:
        report = track_report(base, dataset, results, options.get("track_kwargs", {}))
    else:
        report = detection_report(base, dataset, results, options.get("bbox_kwargs", {}))
    rest = [m for m in metrics if m != ("track" if tracks else "bbox")]
    if isinstance(dataset, TaoDataset):
        rest = list(metrics)
    return _with_scores(report, dataset, results, {**options, "metric": rest}) if rest else report


def _check_finite(dataset: CocoVideoDataset, results: dict, key: str, width: int) -> None:
    """Refuse boxes and scores that are not finite, before anything is computed with them."""
    if not isinstance(results, dict) or len(results.get(key, ())) != len(dataset):
        return  # refused by whoever reads them
    rows, images, _ = stack_results(results[key], width)
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        name = dataset.data_infos[images[wrong[0]]]["filename"]
        raise ValueError(
            f"{key!r} of {name}: the row {rows[wrong[0]].tolist()} is not finite; the model that "
            "made it has diverged, or the file is damaged"
        )


def _with_scores(
    report: Report, dataset: CocoVideoDataset, results: dict, options: Mapping[str, Any]
) -> Report:
    """Add the scores of further metrics to the head of a report."""
    scores = dataset.evaluate(results, **{**options, "logger": "silent"})
    more = [
        (Column(name, "as tools/test.py --eval prints it", 3), value)
        for name, value in scores.items()
        if not isinstance(value, str)
    ]
    return replace(report, headline=[*report.headline, *more])
