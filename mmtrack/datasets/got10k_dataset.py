"""GOT-10k: 10,000 videos of moving objects in the wild."""

from __future__ import annotations

import os.path as osp

import numpy as np
from mmdet.datasets.builder import DATASETS

from .sot_submission import write_got10k_zip
from .sot_test_splits import HiddenTestDataset

FULL_COVER = 8  # cover.label counts visible eighths


@DATASETS.register_module()
class GOT10kDataset(HiddenTestDataset):
    """GOT-10k, for training and testing.

    The test split has no public boxes after the first frame: results are written with
    `format_results`.

    Args:
        *args: As of `BaseSOTDataset`; ``split`` is ``'train'``, ``'val'``, ``'test'``,
            ``'train_vot'`` or ``'val_vot'``.
        **kwargs: As `args`.

    Reference: Huang et al., "GOT-10k: A Large High-Diversity Benchmark for Generic Object Tracking
    in the Wild", TPAMI 2021.
    """

    SPLITS = ("train", "val", "test", "train_vot", "val_vot")
    write_submission = staticmethod(write_got10k_zip)

    def get_visibility_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """Visibility from ``absence.label`` and ``cover.label``, which training reads.

        Returns:
            ``visible`` (N,) bool, and in training ``visible_ratio`` (N,) within [0, 1].
        """
        if self.test_mode:
            return super().get_visibility_from_video(video_ind)
        folder = self.data_infos[video_ind]["video_path"]
        absent = self.load_flags(video_ind, osp.join(folder, "absence.label"))
        cover = self.load_flags(video_ind, osp.join(folder, "cover.label"))
        return {"visible": (absent == 0) & (cover > 0), "visible_ratio": cover / FULL_COVER}
