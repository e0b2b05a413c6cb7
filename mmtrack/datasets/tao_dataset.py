"""TAO: tracking any object; and LVIS, whose images it is trained with."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.utils import print_log
from mmdet.datasets.builder import DATASETS
from terminaltables import AsciiTable

from mmtrack.core.evaluation.lvis_ap import lvis_average_precision
from mmtrack.utils.file_io import atomic_write
from mmtrack.utils.folder_io import fresh_folder
from mmtrack.utils.reading import reading

from .coco_video_dataset import CocoVideoDataset
from .tao_results import detection_rows, track_rows

_METRICS = ["bbox", "track"]
RESULT_FILES = {"bbox": "tao_bbox.json", "track": "tao_track.json"}
_RESULT_KEYS = {"bbox": "det_bboxes", "track": "track_bboxes"}
# LVIS v0.5 names images as COCO 2014 did; the folders of COCO 2017 have the end of the name.
_OLD_PREFIX, _NEW_LENGTH = "COCO", 16
_COPYPASTE = ("AP", "AP50", "AP75", "APs", "APm", "APl")


@DATASETS.register_module()
class TaoDataset(CocoVideoDataset):
    """Videos of TAO, or with ``load_as_video=False`` images of LVIS.

    There is no built-in list of classes: hand in ``classes``, a list of names or a file with one
    name a line, such as the ``tao_classes.txt`` that tools/convert_datasets/tao/tao2coco.py writes.
    Without it all categories of the annotation file are used.

    Reference: Dave et al., "TAO: A Large-Scale Benchmark for Tracking Any Object", ECCV 2020.
    """

    ALLOWED_METRICS = tuple(_RESULT_KEYS)
    METRICS = ALLOWED_METRICS

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)

    def load_annotations(self, ann_file: str) -> list[dict]:
        """Read the annotation file as videos or as images."""
        return self.load_tao_anns(ann_file) if self.load_as_video else self.load_lvis_anns(ann_file)

    def load_lvis_anns(self, ann_file: str) -> list[dict]:
        """Read a json of LVIS, or of COCO."""
        return self.load_image_anns(ann_file)

    def load_tao_anns(self, ann_file: str) -> list[dict]:
        """Read a json of TAO that was converted to CocoVID."""
        return self.load_video_anns(ann_file)

    def _load_img_infos(self, img_ids: list[int]) -> list[dict]:
        infos = super()._load_img_infos(img_ids)
        for info in infos:
            info["filename"] = _file_name(info["file_name"])
        return infos

    def ref_img_sampling(self, img_info: dict, *args: Any, **kwargs: Any) -> list[dict]:
        """Draw reference frames, see `CocoVideoDataset.ref_img_sampling`."""
        frames = super().ref_img_sampling(img_info, *args, **kwargs)
        for frame in frames:
            frame["filename"] = _file_name(frame["file_name"])
        return frames

    # ------------------------------------------------------------------ result files
    def _rows(self, results: dict | list, metric: str) -> list[dict]:
        """Rows of a result file."""
        key = _RESULT_KEYS[metric]
        if isinstance(results, list) and metric == "bbox":
            results = {key: results}
        entries = self._entries(results, key, metric)
        if metric == "bbox":
            return detection_rows(entries, self.img_ids, self.cat_ids)
        if not self.load_as_video:
            raise ValueError("tracks belong to videos, but the data set has load_as_video=False")
        return track_rows(entries, self.data_infos, self.cat_ids)

    def format_results(
        self, results: dict | list, resfile_path: str | None = None
    ) -> tuple[dict[str, str], Any]:
        """Write results in the format of TAO, ``tao_bbox.json`` and ``tao_track.json``.

        Nothing is deleted or overwritten: where `resfile_path` has files, a new folder ``run_001``,
        ``run_002``, ... below it is used.

        Args:
            results: Of a test run, with ``det_bboxes``, ``track_bboxes`` or both; each gets a file.
            resfile_path: Folder for the files; None for a temporary one.

        Returns:
            The path of each file under ``'bbox'`` and ``'track'``, and the temporary directory that
            is to be cleaned up, or None.

        Raises:
            ValueError: the results have neither, or do not fit the data set.
        """
        if isinstance(results, list):
            results = {_RESULT_KEYS["bbox"]: results}
        metrics = [metric for metric, key in _RESULT_KEYS.items() if key in results]
        if not metrics:
            raise ValueError(
                f"results need {' or '.join(map(repr, _RESULT_KEYS.values()))}, but have "
                f"{sorted(results)}"
            )
        rows = {metric: self._rows(results, metric) for metric in metrics}
        tmp_dir = None
        if resfile_path is None:
            tmp_dir = tempfile.TemporaryDirectory()
            resfile_path = tmp_dir.name
        folder = Path(fresh_folder(resfile_path))
        files = {}
        for metric in metrics:
            files[metric] = str(folder / RESULT_FILES[metric])
            with atomic_write(files[metric]) as file:
                json.dump(rows[metric], file)
        return files, tmp_dir

    # ------------------------------------------------------------------ scores
    def evaluate(
        self,
        results: dict | list,
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
        resfile_path: str | None = None,
    ) -> dict[str, float | str]:
        """Score boxes in the protocol of LVIS, and tracks in that of TAO.

        Args:
            results: Of a test run, with ``det_bboxes`` and ``track_bboxes``.
            metric: ``'bbox'``, ``'track'`` or both.
            logger: Where tables are printed.
            resfile_path: Folder to which the results are written as well, see `format_results`.

        Returns:
            ``bbox_AP``, ``bbox_AP50``, ... (see `lvis_average_precision`) and
            ``bbox_mAP_copypaste``; ``track_AP``, ``track_AP50``, ... (see `tao_track_ap`).

        Raises:
            ImportError: lvis is missing.
            ValueError: an unknown metric, or results or annotations that do not fit.
        """
        metrics = self._check_metrics(metric)
        if resfile_path is not None:
            self.format_results(results, resfile_path)
        scores: dict[str, float | str] = {}
        for name in metrics:
            rows = self._rows(results, name)
            found = self._score_boxes(rows) if name == "bbox" else self._score_tracks(rows)
            table = [[key, f"{value:.4f}"] for key, value in found.items()]
            print_log("\n" + AsciiTable([["score", name], *table]).table, logger=logger)
            scores.update({f"{name}_{key}": round(value, 4) for key, value in found.items()})
            if name == "bbox":
                scores["bbox_mAP_copypaste"] = " ".join(f"{found[key]:.4f}" for key in _COPYPASTE)
        return scores

    def _truth(self, *extra: str) -> dict[str, list[dict]]:
        """Images, annotations of the classes, and categories, as copies."""
        self.coco.require("annotations", "image_id", "category_id", "bbox", "area", *extra)
        ann_ids = self.coco.get_ann_ids(img_ids=self.img_ids, cat_ids=self.cat_ids)
        return {
            "images": [dict(info) for info in self.data_infos],
            "annotations": [dict(ann) for ann in self.coco.load_anns(ann_ids)],
            "categories": [dict(self.coco.cats[cat_id]) for cat_id in self.cat_ids],
        }

    def _score_boxes(self, rows: list[dict]) -> dict[str, float]:
        remedy = "Take the official json of LVIS, or convert that of TAO again with tao2coco.py."
        self.coco.require(
            "images", "neg_category_ids", "not_exhaustive_category_ids", remedy=remedy
        )
        with reading(self.ann_file):
            return lvis_average_precision(self._truth(), rows, self.cat_ids)

    def _score_tracks(self, rows: list[dict]) -> dict[str, float]:
        # It imports trackeval, which costs seconds.
        from mmtrack.core.evaluation.tao import tao_track_ap

        videos = [dict(video) for video in self.coco.load_vids(np.unique(self.vid_ids).tolist())]
        with reading(self.ann_file):
            return tao_track_ap(rows, {"videos": videos, **self._truth("instance_id")})


def _file_name(name: str) -> str:
    """Where an image is found on the disk."""
    return name[-_NEW_LENGTH:] if name.startswith(_OLD_PREFIX) else name
