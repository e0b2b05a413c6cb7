"""One pass of the network over the test videos, kept on disk for any number of trackers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mmcv
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.utils import Progress
from mmtrack.models import build_motion, build_tracker
from mmtrack.models.trackers.appearance import AppearanceTracker

from .replay import DetectionRecorder, TrackerBank, VideoDetections, VideoTracks, replay
from .video_store import VideoStore, hash_of_file, hash_of_value


def identity_of(
    cfg: mmcv.Config, dataset: Dataset, checkpoint: str | None, more: Mapping[str, Any]
) -> dict[str, Any]:
    """What detections and embeddings depend on, by name: digests of contents where there are any.

    Args:
        cfg: The config.
        dataset: The test data set.
        checkpoint: File of the weights of the whole model, or None.
        more: Further settings that matter.
    """
    parts = {name: part for name, part in cfg.model.items() if name != "tracker"}
    test = cfg.data.test
    images = [os.path.join(dataset.img_prefix, i["file_name"]) for i in dataset.data_infos]
    return {
        "annotations": hash_of_file(dataset.ann_file),
        "images": hash_of_value([(p, os.path.getsize(p)) for p in images if os.path.isfile(p)]),
        "public detections": _hash_if_file(test.get("detection_file")),
        "pipeline": hash_of_value(test.pipeline),
        "model": hash_of_value(parts),
        "weights": _hash_if_file(checkpoint) or [_hash_if_file(f) for f in sorted(_files(parts))],
        **more,
    }


def _hash_if_file(path: str | None) -> str | None:
    return hash_of_file(path) if path is not None and os.path.isfile(path) else path


def _files(node: Any) -> set[str]:
    """Names of all checkpoints in a config."""
    if isinstance(node, Mapping):
        own = {node["checkpoint"]} if isinstance(node.get("checkpoint"), str) else set()
        return own.union(*map(_files, node.values()))
    if isinstance(node, list | tuple):
        return set().union(*map(_files, node))
    return set()


def video_frames(dataset: Dataset, indices: Iterable[int]) -> dict[int, list[int]]:
    """Indices of the frames of each video, by its number in the annotations.

    Raises:
        ValueError: the data set has no videos.
    """
    videos: dict[int, list[int]] = {}
    for index in indices:
        info = dataset.data_infos[int(index)]
        if "video_id" not in info:
            raise ValueError(f"{type(dataset).__name__} has no videos, but trackers need them")
        videos.setdefault(int(info["video_id"]), []).append(int(index))
    return videos


@dataclass
class NetworkPass:
    """What is kept of the one pass of the network, and where.

    Attributes:
        store: One file per video.
        trackers: Trackers that read frames run along, and their tracks are kept; trackers that do
            not read frames run later on the detections that are kept.
    """

    store: VideoStore
    trackers: Sequence[nn.Module]

    @property
    def keeps_tracks(self) -> bool:
        """Whether tracks are kept, and not detections."""
        return reads_frames(self.trackers)

    def run(self, model: nn.Module, inner: nn.Module, loader: DataLoader) -> None:
        """Go through the videos of this process that are not kept yet.

        Args:
            model: The tracking model in its parallel wrapper.
            inner: The tracking model itself.
            loader: Loader of the test data set.
        """
        videos = video_frames(loader.dataset, loader.sampler)
        missing = {video: frames for video, frames in videos.items() if video not in self.store}
        if not missing:
            return
        todo = [index for frames in missing.values() for index in frames]
        batches = DataLoader(
            loader.dataset,
            sampler=todo,
            num_workers=loader.num_workers,
            collate_fn=loader.collate_fn,
        )
        passenger = self._passenger(inner)
        own_tracker, inner.tracker = inner.tracker, passenger
        ends = {frames[-1]: video for video, frames in missing.items()}
        with Progress(len(todo)) as progress, torch.no_grad():
            for index, data in zip(todo, batches, strict=True):
                model(return_loss=False, rescale=True, **data)
                if index in ends:
                    self.store.save(ends[index], passenger.take())
                progress.update()
        inner.tracker = own_tracker

    def _passenger(self, inner: nn.Module) -> nn.Module:
        if self.keeps_tracks:
            return _Riders(self.trackers, inner)
        describers = [t for t in self.trackers if inner.with_reid and describes(t)]
        return DetectionRecorder(lowest_score(self.trackers), (describers or [None])[0])

    def tracks(self, number: int, tracker: dict, motion: dict | None, video: int) -> VideoTracks:
        """Tracks of a video.

        Args:
            number: Number of the tracker among all.
            tracker: Its config.
            motion: Config of its motion model.
            video: The video.
        """
        arrays = self.store.load(video)
        if self.keeps_tracks:
            return VideoTracks(*(arrays[f"{number}_{name}"] for name in VideoTracks._fields))
        return replay(build_tracker(tracker), build_motion(motion), VideoDetections(**arrays))


class _Riders(TrackerBank):
    """Trackers side by side, whose tracks go into one file per video."""

    def take(self) -> dict[str, np.ndarray]:
        return {
            f"{number}_{name}": column
            for number, tracks in enumerate(super().take())
            for name, column in tracks._asdict().items()
        }


def reads_frames(trackers: Sequence[nn.Module]) -> bool:
    """Whether any of the trackers looks at more than detections and embeddings."""
    return any(getattr(tracker, "reads_frames", True) for tracker in trackers)


def describes(tracker: nn.Module) -> bool:
    """Whether a tracker compares appearance."""
    return isinstance(tracker, AppearanceTracker) and tracker.with_reid


def lowest_score(trackers: Sequence[nn.Module]) -> float:
    """Detections must score above it to be looked at by any of the trackers."""
    return min(tracker.lowest_score for tracker in trackers)


def pass_settings(trackers: Sequence[nn.Module]) -> dict[str, Any]:
    """What the pass of the network depends on besides model and data."""
    if reads_frames(trackers):
        return {"trackers": hash_of_value([repr(vars_of(tracker)) for tracker in trackers])}
    crops = {
        json.dumps([tracker.reid.get("img_scale"), tracker.reid.get("img_norm_cfg")])
        for tracker in trackers
        if describes(tracker)
    }
    if len(crops) > 1:
        raise ValueError(
            "the trackers differ in reid.img_scale or reid.img_norm_cfg, but one set of embeddings "
            "is made for all"
        )
    return {"lowest score": lowest_score(trackers), "crops": sorted(crops)}


def vars_of(tracker: nn.Module) -> dict[str, Any]:
    """Settings of a tracker: its plain attributes."""
    return {k: v for k, v in vars(tracker).items() if isinstance(v, int | float | str | dict)}
