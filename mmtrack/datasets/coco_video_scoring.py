"""Scores of data sets in the CocoVID format: what is compared, and by which metric."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log
from terminaltables import AsciiTable

from mmtrack.core.evaluation import eval_mot
from mmtrack.core.evaluation.coco_ap import AP_NAMES, coco_average_precision

_METRICS = ["bbox", "track"]
_BBOX_KWARGS = {
    "classwise": False,
    "proposal_nums": (100, 300, 1000),
    "iou_thrs": None,
    "metric_items": None,
}
_TRACK_KWARGS = {
    "iou_thr": 0.5,
    "ignore_iof_thr": 0.5,
    "ignore_by_classes": False,
    "nproc": 4,
}


class CocoVideoScoring:
    """The part of :class:`CocoVideoDataset` that scores results.

    It reads what the data set has loaded: ``coco``, ``data_infos``, ``img_ids`` and ``cat_ids``.
    """

    ALLOWED_METRICS = ("bbox", "segm", "track")

    def evaluate(
        self,
        results: dict | list,
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
        bbox_kwargs: dict = _BBOX_KWARGS,
        track_kwargs: dict = _TRACK_KWARGS,
    ) -> dict[str, float | str]:
        """Score results by COCO average precision and by CLEAR MOT and identity metrics.

        Args:
            results: ``det_bboxes``, ``det_masks`` or ``track_bboxes`` with one entry per image;
                or the list of a detector's results.
            metric: ``'bbox'``, ``'segm'``, ``'track'``, or several of them.
            logger: Where tables are printed.
            bbox_kwargs: ``classwise`` (print the AP of each class), ``proposal_nums`` (numbers of
                detections per image), ``iou_thrs``, ``metric_items`` (names of the scores).
            track_kwargs: As of ``eval_mot``.

        Returns:
            ``bbox_mAP``, ``bbox_mAP_50``, ...; ``segm_mAP``, ...; ``MOTA``, ``IDF1``, ...

        Raises:
            ValueError: a metric is unknown, or the results do not fit the data set.
        """
        metrics = self._check_metrics(metric)
        scores = {}
        if "track" in metrics:
            scores.update(self._evaluate_tracks(results, logger, track_kwargs))
        for name in ("bbox", "segm"):
            if name in metrics:
                found = self._detections(results, name)
                scores.update(self._evaluate_coco(found, name, logger, **bbox_kwargs))
        return scores

    def _check_metrics(self, metric: str | Sequence[str]) -> list[str]:
        """Metrics as a list.

        Raises:
            ValueError: the data set does not compute one of them.
        """
        metrics = [metric] if isinstance(metric, str) else list(metric)
        unknown = [name for name in metrics if name not in self.ALLOWED_METRICS]
        if unknown:
            raise ValueError(
                f"{type(self).__name__} has no metric {unknown[0]!r}; it has "
                f"{', '.join(self.ALLOWED_METRICS)}."
            )
        return metrics

    def _entries(self, results: dict | list, key: str, metric: str) -> list:
        """Results under a key, one per image.

        Raises:
            ValueError: they are missing, or not one per image.
        """
        if not isinstance(results, dict) or key not in results:
            have = sorted(results) if isinstance(results, dict) else "a list"
            raise ValueError(f"metric {metric!r} needs results with {key!r}, but got {have}.")
        if len(results[key]) != len(self):
            raise ValueError(
                f"{key} has {len(results[key])} entries, but {self.ann_file} has {len(self)} "
                "images: evaluate all of the data set that was tested, once."
            )
        return results[key]

    def _evaluate_tracks(self, results: dict | list, logger: Any, track_kwargs: dict) -> dict:
        """CLEAR MOT and identity scores of ``track_bboxes``."""
        inputs = self.track_inputs(results)
        try:
            return eval_mot(**inputs, logger=logger, **track_kwargs)
        except ValueError as error:  # the metrics know no files
            raise ValueError(f"{self.ann_file} and its results: {error}") from error

    def track_inputs(self, results: dict | list) -> dict[str, list]:
        """What ``eval_mot`` compares: ``results``, ``annotations`` and ``classes``.

        Args:
            results: Of a test run, with ``track_bboxes``.

        Raises:
            ValueError: the results do not fit, or objects have no identity.
        """
        if not self.load_as_video:
            raise ValueError(
                "metric 'track' needs videos, but the data set has load_as_video=False."
            )
        tracks = self._entries(results, "track_bboxes", "track")
        groups = self.positions_of_videos()
        anns = [self.get_ann_info(info) for info in self.data_infos]
        if any("instance_ids" not in ann for ann in anns):
            self.coco.require("annotations", "instance_id")
        return {
            "results": [[tracks[i] for i in group] for group in groups],
            "annotations": [[anns[i] for i in group] for group in groups],
            "classes": self.category_names(),
        }

    def positions_of_videos(self) -> list[np.ndarray]:
        """Positions in ``data_infos`` of the frames of each video, in the order of the videos."""
        videos = np.array([info["video_id"] for info in self.data_infos])
        starts = np.flatnonzero(videos[1:] != videos[:-1]) + 1
        return np.split(np.arange(len(videos)), starts)

    def category_names(self) -> list[str]:
        """Names of the categories in the order of the labels."""
        return [self.coco.cats[cat_id]["name"] for cat_id in self.cat_ids]

    def detection_inputs(
        self, results: dict | list, metric: str = "bbox"
    ) -> tuple[dict[str, list[dict]], list[dict]]:
        """Ground truth and detections as ``coco_average_precision`` takes them.

        Args:
            results: See :meth:`evaluate`.
            metric: ``'bbox'`` or ``'segm'``.
        """
        return self._ground_truth(metric), self._detections(results, metric)

    def _detections(self, results: dict | list, metric: str) -> list[dict]:
        """Detections in the COCO result format: boxes with a mask for ``'segm'``.

        Args:
            results: See :meth:`evaluate`; entries of a detector are lists over classes of boxes,
                or pairs of these and of lists over classes of RLE masks.
            metric: ``'bbox'`` or ``'segm'``.
        """
        if isinstance(results, list):
            if results and isinstance(results[0], tuple):
                masks = [entry[1] for entry in results]
                results = {"det_bboxes": [entry[0] for entry in results], "det_masks": masks}
            else:
                results = {"det_bboxes": results}
        boxes = self._entries(results, "det_bboxes", metric)
        masks = self._entries(results, "det_masks", metric) if metric == "segm" else None
        found = []
        for i, per_class in enumerate(boxes):
            for label, rows in enumerate(per_class):
                own = None if masks is None else masks[i][label]
                found += _coco_results(rows, own, self.img_ids[i], self.cat_ids[label])
        return found

    def _evaluate_coco(
        self,
        detections: list[dict],
        metric: str,
        logger: Any,
        classwise: bool = False,
        proposal_nums: Sequence[int] = (100, 300, 1000),
        iou_thrs: Sequence[float] | None = None,
        metric_items: str | Sequence[str] | None = None,
    ) -> dict[str, float | str]:
        """COCO scores of detections."""
        print_log(f"Evaluating {metric}...", logger=logger)
        thresholds = [iou_thrs] if isinstance(iou_thrs, float) else iou_thrs
        found = coco_average_precision(
            self._ground_truth(metric),
            detections,
            iou_type=metric,
            cat_ids=self.cat_ids,
            max_dets=proposal_nums,
            iou_thrs=thresholds,
        )
        items = [metric_items] if isinstance(metric_items, str) else metric_items or AP_NAMES
        unknown = [item for item in items if item not in found.scores]
        if unknown:
            raise ValueError(
                f"metric_items: {unknown[0]!r} is not one of {', '.join(found.scores)}."
            )
        rows = [[name, f"{value:.4f}"] for name, value in found.scores.items()]
        print_log("\n" + AsciiTable([["score", metric], *rows]).table, logger=logger)
        if classwise:
            names = self.category_names()
            rows = [[n, f"{ap:.3f}"] for n, ap in zip(names, found.class_aps, strict=True)]
            print_log("\n" + AsciiTable([["category", "AP"], *rows]).table, logger=logger)
        scores = {f"{metric}_{item}": round(found.scores[item], 4) for item in items}
        values = [f"{found.scores[name]:.4f}" for name in AP_NAMES]
        return {**scores, f"{metric}_mAP_copypaste": " ".join(values)}

    def _ground_truth(self, metric: str) -> dict[str, list[dict]]:
        """Images, annotations and categories of the data set, as copies."""
        fields = ["image_id", "category_id", "bbox", "area"]
        if metric == "segm":
            fields.append("segmentation")
        self.coco.require("annotations", *fields)
        anns = self.coco.load_anns(self.coco.get_ann_ids(img_ids=self.img_ids))
        return {
            "images": [dict(info) for info in self.data_infos],
            "annotations": [
                {**{k: a[k] for k in fields if k in a}, "iscrowd": int(a.get("iscrowd", 0))}
                for a in anns
            ],
            "categories": [dict(category) for category in self.coco.dataset["categories"]],
        }


def _coco_results(
    rows: np.ndarray, masks: Sequence[dict] | None, img_id: int, cat_id: int
) -> list[dict]:
    """Boxes ``(n, 5)`` x1, y1, x2, y2, score (and RLE masks) of a class as COCO results."""
    rows = np.asarray(rows, np.float64).reshape(-1, 5).copy()
    rows[:, 2:4] -= rows[:, :2]
    scores = rows[:, 4].tolist()
    base = {"image_id": img_id, "category_id": cat_id}
    if masks is None:
        boxes = rows[:, :4].tolist()
        return [{**base, "bbox": box, "score": s} for box, s in zip(boxes, scores, strict=True)]
    # without a box the area of the mask decides what is small, medium and large
    return [{**base, "segmentation": m, "score": s} for m, s in zip(masks, scores, strict=True)]
