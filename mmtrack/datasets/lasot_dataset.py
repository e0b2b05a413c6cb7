"""LaSOT: long videos of 70 categories."""

from __future__ import annotations

import os.path as osp

import numpy as np
from mmdet.datasets.builder import DATASETS

from .sot_test_splits import PublicTestDataset


@DATASETS.register_module()
class LaSOTDataset(PublicTestDataset):
    """LaSOT, for training and testing.

    Args:
        *args: As of `BaseSOTDataset`; ``split`` is ``'train'`` or ``'test'``.
        **kwargs: As `args`.

    Reference: Fan et al., "LaSOT: A High-quality Benchmark for Large-scale Single Object
    Tracking", CVPR 2019.
    """

    SPLITS = ("train", "test")

    def get_visibility_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """``visible`` (N,) bool: neither fully occluded nor out of view."""
        folder = osp.dirname(self.data_infos[video_ind]["video_path"])
        occluded = self.load_flags(video_ind, osp.join(folder, "full_occlusion.txt"))
        out_of_view = self.load_flags(video_ind, osp.join(folder, "out_of_view.txt"))
        return {"visible": (occluded == 0) & (out_of_view == 0)}
