"""Detections and ground truth in the files of MOTChallenge, for trackers without images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmtrack.core.evaluation import MOTTable, evaluate_mot_challenge
from mmtrack.datasets.parsers.detections import (
    read_detections,
    read_ground_truth,
    read_sequence_lengths,
)
from mmtrack.models import build_motion

from .replay import VideoDetections, VideoTracks, replay
from .track_detections import build_blind_tracker, table_of_tracks, video_of_table
from .video_store import hash_of_value


class DetectionFiles:
    """Sequences with detections and ground truth.

    Args:
        detections: Folder or file, see :func:`read_detections`.
        gt: Folder with ``SEQUENCE/gt/gt.txt``.
        benchmark: Rules of scoring; by default those of MOT15 where the ground truth names no
            classes, and those of MOT17 elsewhere.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: no sequence has both.
    """

    def __init__(self, detections: str, gt: str, benchmark: str | None = None):
        tables = read_detections(detections)
        self.gt: dict[str, MOTTable] = read_ground_truth(gt, list(tables))
        if not self.gt:
            raise ValueError(f"no sequence of {detections} has ground truth in {gt}")
        self.lengths = read_sequence_lengths(gt, list(self.gt))
        classes_known = any((table.classes >= 0).any() for table in self.gt.values())
        self.benchmark = benchmark or ("MOT17" if classes_known else "MOT15")
        self.videos: dict[str, VideoDetections] = {
            name: video_of_table(tables[name], self.lengths.get(name)) for name in self.gt
        }

    def digest(self) -> str:
        """Changes with everything that scores depend on."""
        tables = [(name, *(c.tolist() for c in video[:3])) for name, video in self.videos.items()]
        truth = [(name, t.frames.tolist(), t.boxes.tolist()) for name, t in self.gt.items()]
        return hash_of_value([tables, truth, self.benchmark])

    def track(
        self,
        tracker: Mapping[str, Any],
        motion: Mapping[str, Any] | None,
        on_frame: Callable[[], None] | None = None,
    ) -> dict[str, VideoTracks]:
        """Tracks of all sequences, without appearance.

        Args:
            tracker: Config of a tracker that does not read frames.
            motion: Config of its motion model.
            on_frame: Called after every frame (progress).
        """
        built = build_blind_tracker(tracker)
        motion_model = build_motion(motion)
        return {
            name: replay(built, motion_model, video, on_frame)
            for name, video in self.videos.items()
        }

    def score(self, tracks: Mapping[str, VideoTracks]) -> dict[str, dict[str, float]]:
        """Scores of each sequence and of all under ``'OVERALL'``."""
        tables = {name: table_of_tracks(each) for name, each in tracks.items()}
        return evaluate_mot_challenge(
            self.gt, tables, benchmark=self.benchmark, seq_lengths=self.lengths or None
        )
