"""Deprecated test data of single object trackers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence

import numpy as np
from mmdet.datasets.builder import DATASETS

from mmtrack.core.evaluation import eval_sot_ope

from .coco_video_dataset import CocoVideoDataset
from .sot_scoring import boxes_by_video, check_metrics, check_starts, report_scores

_METRICS = ["track"]


@DATASETS.register_module()
class SOTTestDataset(CocoVideoDataset):
    """Videos of one object each in the CocoVID format.

    Deprecated: use the data set of the benchmark, such as `LaSOTDataset`.

    Args:
        *args: As of `CocoVideoDataset`.
        **kwargs: As `args`.
    """

    CLASSES = (0,)

    def __init__(self, *args, **kwargs):
        warnings.warn(
            "SOTTestDataset is deprecated: use the data set of the benchmark, such as LaSOTDataset",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(*args, **kwargs)
        if not self.load_as_video or not self.test_mode:
            raise ValueError(
                "SOTTestDataset is for testing on videos: load_as_video=True, test_mode=True"
            )

    def _parse_ann_info(self, img_info: dict, ann_info: list[dict]) -> dict:
        """Box ``bboxes`` (4,) float32 of an image, from its first annotation, and its label.

        Raises:
            ValueError: The image has no annotation.
        """
        if not ann_info:
            raise ValueError(f"{self.ann_file}: {img_info['file_name']} has no annotation")
        x, y, w, h = ann_info[0]["bbox"]
        return {
            "bboxes": np.array([x, y, x + w, y + h], np.float32),
            "labels": np.array(self.cat2label[ann_info[0]["category_id"]]),
        }

    def evaluate(
        self,
        results: dict,
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
    ) -> dict[str, float]:
        """Score results in the one-pass evaluation, see `BaseSOTDataset.evaluate`."""
        check_metrics(metric)
        videos = np.array([info["video_id"] for info in self.data_infos])
        truth = np.array([self.get_ann_info(info)["bboxes"] for info in self.data_infos], float)
        lengths = [int(np.count_nonzero(videos == vid_id)) for vid_id in self.vid_ids]
        boxes = boxes_by_video(results, lengths, self.ann_file)
        annotations = np.split(truth, np.cumsum(lengths)[:-1])
        check_starts(boxes, annotations, self.ann_file)
        return report_scores(eval_sot_ope(results=boxes, annotations=annotations), 3, logger)
