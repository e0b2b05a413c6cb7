"""VOT challenges: polygons, and a tracker that is started again after a failure."""

from __future__ import annotations

import logging
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmdet.datasets.builder import DATASETS

from mmtrack.core.evaluation import eval_sot_accuracy_robustness, eval_sot_eao

from .parsers.sot_txt import SOTFormatError, check_boxes
from .pipelines import decode_image
from .sot_scoring import check_metrics, report_scores, results_by_video
from .sot_test_splits import PublicTestDataset

_METRICS = ["track"]
# Lengths of sequences over which the expected overlap is averaged; long-term challenges have none.
INTERVALS = {
    "vot2018": [100, 356],
    "vot2018_lt": None,
    "vot2019": [46, 291],
    "vot2019_lt": None,
    "vot2020": [115, 755],
    "vot2021": [115, 755],
}
BOX, POLYGON = 4, 8
CORNERS = [0, 1, 2, 1, 2, 3, 0, 3]  # x1y1x2y2 to the corners, clockwise from the top left one


@DATASETS.register_module()
class VOTDataset(PublicTestDataset):
    """A VOT challenge, for testing.

    Args:
        dataset_type: ``'vot2018'``, ``'vot2019'``, ``'vot2020'``, ``'vot2021'``, or a long-term
            challenge, ``'vot2018_lt'`` or ``'vot2019_lt'``.
        *args: As of `BaseSOTDataset`.
        **kwargs: As `args`.

    Reference: Kristan et al., "The sixth Visual Object Tracking VOT2018 challenge results", ECCVW
    2018.
    """

    def __init__(self, dataset_type: str = "vot2018", *args, **kwargs):
        if dataset_type not in INTERVALS:
            raise ValueError(f"there is no {dataset_type!r}, only {', '.join(INTERVALS)}")
        self.dataset_type = dataset_type
        super().__init__(*args, **kwargs)

    def get_bboxes_from_video(self, video_ind: int) -> np.ndarray:
        """Boxes ``(N, 4)`` x, y, width, height or polygons ``(N, 8)`` of a video, as in the file.

        Raises:
            SOTFormatError: A line has neither 4 nor 8 numbers, or lines and frames differ.
        """
        boxes, name = self.load_table(self.data_infos[video_ind]["ann_path"])
        check_boxes(boxes, (BOX, POLYGON), name)
        self._check_length(boxes, video_ind, name)
        return boxes

    def load_ann_infos(self, video_ind: int) -> dict[str, np.ndarray]:
        """Polygons of a video.

        Returns:
            ``bboxes`` (N, 8), x and y of four corners; ``bboxes_isvalid`` and ``visible`` (N,),
            which are true.
        """
        bboxes = self.get_bboxes_from_video(video_ind)
        if bboxes.shape[1] == BOX:
            bboxes = np.concatenate((bboxes[:, :2], bboxes[:, :2] + bboxes[:, 2:]), axis=1)
            bboxes = bboxes[:, CORNERS]
        visible = self.get_visibility_from_video(video_ind)["visible"]
        return {"bboxes": bboxes, "bboxes_isvalid": np.ones(len(bboxes), bool), "visible": visible}

    def test_annotation(self, video_ind: int, frame_ind: int) -> dict:
        """Polygon ``bboxes`` (8,) and ``visible`` of one frame.

        Raises:
            SOTFormatError: The polygon of the first frame has NaN or no extent.
        """
        found = super().test_annotation(video_ind, frame_ind)
        if frame_ind == 0:
            extent = np.ptp(found["bboxes"].reshape(-1, 2), axis=0)
            if not (extent > 0).all():
                raise SOTFormatError(
                    f"{self.data_infos[video_ind]['ann_path']}: the first polygon has no area: "
                    f"{found['bboxes'].tolist()}"
                )
        return found

    def video_size(self, video_ind: int) -> tuple[int, int]:
        """Width and height of the first frame of a video."""
        name = osp.join(self.img_prefix, self.frame_name(video_ind, 0))
        height, width = decode_image(self.file_client.get(name), name).shape[:2]
        return width, height

    def evaluate(
        self,
        results: dict[str, list],
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
        interval: Sequence[int] | None = None,
    ) -> dict[str, float]:
        """Score results in the VOT protocol.

        Args:
            results: ``track_bboxes`` for each frame of all videos: x1, y1, x2, y2, score, or a
                state and a score: 1 the tracker was started, 2 it failed, 0 it waits.
            metric: ``'track'``.
            logger: Where scores are printed.
            interval: Shortest and longest sequence of the expected average overlap; None for that
                of the challenge.

        Returns:
            ``eao``, ``accuracy``, ``robustness``, ``num_fails``.

        Raises:
            ValueError: Unknown metric, results of other videos, or there is no interval.
        """
        check_metrics(metric)
        interval = INTERVALS[self.dataset_type] if interval is None else interval
        if interval is None:
            raise ValueError(
                f"{self.dataset_type} is a long-term challenge without an interval for the "
                "expected average overlap: give evaluate(interval=[shortest, longest])"
            )
        per_video = results_by_video(results, self.num_frames_per_video, str(self.ann_file))
        videos = [
            [_to_protocol(row, info["video_path"], frame) for frame, row in enumerate(rows)]
            for info, rows in zip(self.data_infos, per_video, strict=True)
        ]
        count = range(len(self.data_infos))
        annotations = [list(self.get_ann_infos_from_video(i)["bboxes"]) for i in count]
        sizes = [self.video_size(i) for i in count]
        scores = dict(eval_sot_eao(videos, annotations, interval=list(interval), videos_wh=sizes))
        scores.update(eval_sot_accuracy_robustness(videos, annotations, videos_wh=sizes))
        return report_scores(scores, 4, logger)


def _to_protocol(row: np.ndarray, video: str, frame: int) -> np.ndarray:
    """Result of a frame for the evaluation: x, y, width, height, or the state alone."""
    row = np.array(row, np.float64).ravel()
    if row.size == 2:
        return row[:1]
    if row.size != 5:
        raise ValueError(
            f"result of {video}, frame {frame}, has {row.size} numbers, expected 5 (x1, y1, x2, "
            "y2, score) or 2 (state, score)"
        )
    return np.concatenate((row[:2], row[2:4] - row[:2]))
