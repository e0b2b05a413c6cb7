"""Data sets by what is known of their test videos."""

from __future__ import annotations

import logging
import os.path as osp
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log

from .base_sot_dataset import BaseSOTDataset

_METRICS = ["track"]


class PublicTestDataset(BaseSOTDataset):
    """Videos that are mostly used for testing: the split is ``'test'`` unless told.

    Args:
        *args: As of `BaseSOTDataset`.
        **kwargs: As `args`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def load_data_infos(self, split: str = "test") -> list[dict]:
        """Read the list of videos, see `BaseSOTDataset.load_data_infos`."""
        return super().load_data_infos(split)


class HiddenTestDataset(BaseSOTDataset):
    """Videos whose test boxes after the first frame are known to an evaluation server alone.

    Args:
        *args: As of `BaseSOTDataset`.
        **kwargs: As `args`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    @property
    def has_hidden_boxes(self) -> bool:
        """Whether the boxes of this split are hidden."""
        return self.split == "test"

    def _num_annotations_may_differ(self) -> bool:
        return self.test_mode and self.has_hidden_boxes

    def test_annotation(self, video_ind: int, frame_ind: int) -> dict[str, Any]:
        """Box ``bboxes`` (4,) and ``visible`` of one frame; zeros after the first frame."""
        if frame_ind > 0:
            return {"bboxes": np.zeros(4, np.float32), "visible": True}
        return super().test_annotation(video_ind, frame_ind)

    def evaluate(
        self,
        results: dict[str, list],
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
    ) -> dict[str, float]:
        """Score results of a split with public boxes, see `BaseSOTDataset.evaluate`.

        Raises:
            ValueError: The boxes are hidden.
        """
        if self.has_hidden_boxes:
            raise ValueError(
                f"the boxes of split {self.split!r} of {type(self).__name__} are not public: write "
                "the results with --format-only and submit them to the server of the benchmark"
            )
        return super().evaluate(results, metric, logger)

    @staticmethod
    @abstractmethod
    def write_submission(path: str, videos: dict[str, np.ndarray]) -> None:
        """Write the archive of boxes (N, 4) x, y, width, height by name of the video."""

    def format_results(
        self,
        results: dict[str, list],
        resfile_path: str | None = None,
        logger: logging.Logger | str | None = None,
    ) -> str:
        """Write results as the archive that the server expects.

        Args:
            results: ``track_bboxes``: x1, y1, x2, y2, score for each frame of all videos.
            resfile_path: Name of the archive; ``.zip`` is added. An archive is never overwritten.
            logger: Where the name is printed.

        Returns:
            The name of the archive.

        Raises:
            ValueError: There is no `resfile_path`, or the results belong to other videos.
            FileExistsError: There is such a file.
        """
        if resfile_path is None:
            raise ValueError("resfile_path, the name of the archive, is missing")
        path = f"{resfile_path.rstrip('/').removesuffix('.zip')}.zip"
        if osp.exists(path):
            raise FileExistsError(f"{path} exists: choose another resfile_path, or move the file")
        names = [osp.basename(info["video_path"].rstrip("/")) for info in self.data_infos]
        videos = {}
        for name, boxes in zip(names, self.boxes_by_video(results), strict=True):
            if name in videos:
                raise ValueError(f"{self.ann_file} has two videos of the name {name!r}")
            videos[name] = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), axis=1)
        self.write_submission(path, videos)
        print_log(f"results are in {path}", logger=logger)
        return path
