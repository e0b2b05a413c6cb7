"""DanceTrack: dancers that look alike, in the layout of MOTChallenge."""

from __future__ import annotations

from mmdet.datasets.builder import DATASETS

from .mot_challenge_dataset import MOTChallengeDataset


@DATASETS.register_module()
class DanceTrackDataset(MOTChallengeDataset):
    """Group dances, see `MOTChallengeDataset` for the arguments.

    Reference: Sun et al., "DanceTrack: Multi-Object Tracking in Uniform Appearance and Diverse
    Motion", CVPR 2022.
    """

    def get_benchmark_and_eval_split(self) -> tuple[str, str]:
        """Name of the benchmark and of the split that has ground truth to evaluate on."""
        return self.benchmark or "DanceTrack", "val"
