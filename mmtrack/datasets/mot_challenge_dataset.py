"""MOTChallenge data: public detections, result files and scores."""

from __future__ import annotations

import logging
import os
import os.path as osp
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log
from mmdet.core import eval_map
from mmdet.datasets.builder import DATASETS

from mmtrack.core.evaluation import MOTTable, evaluate_mot_challenge, format_score_table
from mmtrack.utils.file_io import path_below
from mmtrack.utils.folder_io import fresh_folder

from .coco_video_dataset import CocoVideoDataset
from .mot_results import FILE_ORIGIN, ORIGIN_KEY, detection_table, track_table
from .parsers.mot_txt import read_mot_txt, read_seqinfo, write_mot_txt
from .parsers.public_detections import load_public_detections

_METRICS = ["track"]
RESULT_KEYS = {"track": "track_bboxes", "bbox": "det_bboxes"}
BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20")
ANN_KEYS = ("bboxes", "labels", "bboxes_ignore", "instance_ids")
HALVES = ("half-train", "half-val")
TRACK_SCORES = (
    *("IDF1", "IDP", "IDR", "Rcll", "Prcn", "GT", "MT", "PT", "ML", "FP", "FN", "IDs", "FM"),
    *("MOTA", "MOTP", "IDt", "IDa", "IDm", "HOTA"),
)
DETECTION_COLUMNS = 7


@DATASETS.register_module()
class MOTChallengeDataset(CocoVideoDataset):
    """Pedestrians of MOT15, MOT16, MOT17 and MOT20.

    Args:
        visibility_thr: Least visibility of the objects used in training.
        interpolate_tracks_cfg: Fill gaps of the resulting tracks linearly, with ``min_num_frames``
            (least length of a track, 5) and ``max_num_frames`` (longest gap, 20); None to leave
            tracks as they are.
        detection_file: Public detections, see `load_public_detections`.
        *args: Further arguments are those of CocoVideoDataset.
        benchmark: Name of the benchmark, which decides about distractors; None to find it in
            ``img_prefix``.
        **kwargs: As `args`.
    """

    CLASSES = ("pedestrian",)
    ALLOWED_METRICS = tuple(RESULT_KEYS)

    def __init__(
        self,
        visibility_thr: float = -1,
        interpolate_tracks_cfg: dict | None = None,
        detection_file: str | None = None,
        *args,
        benchmark: str | None = None,
        **kwargs,
    ):
        self.visibility_thr = visibility_thr
        self.interpolate_tracks_cfg = interpolate_tracks_cfg
        self.benchmark = benchmark
        super().__init__(*args, **kwargs)
        self.detections = self.load_detections(detection_file)

    # ------------------------------------------------------------------ samples
    def load_detections(self, detection_file: str | None = None) -> dict | list | None:
        """Load public detections, by ``file_name`` or by position of the image in ``img_ids``.

        Raises:
            ValueError: A list does not have one entry per image.
        """
        if detection_file is None:
            return None
        detections = load_public_detections(detection_file)
        if isinstance(detections, list) and len(detections) != len(self.img_ids):
            raise ValueError(
                f"{detection_file} has detections of {len(detections)} images, {self.ann_file} has "
                f"{len(self.img_ids)}"
            )
        return detections

    def _detections_of(self, img_info: dict) -> list[np.ndarray]:
        if isinstance(self.detections, list):
            return self.detections[self._position_of_image[img_info["id"]]]
        if img_info["file_name"] not in self.detections:
            known = next(iter(self.detections), None)
            raise KeyError(
                f"detection_file has nothing for {img_info['file_name']}; its names look like "
                f"{known}. Images without detections need an empty entry"
            )
        return self.detections[img_info["file_name"]]

    def prepare_results(self, img_info: dict) -> dict:
        """Sample of one image, with its public detections where these were loaded."""
        results = super().prepare_results(img_info)
        if self.detections is not None:
            results["detections"] = self._detections_of(img_info)
        return results

    def _is_visible(self, ann: dict) -> bool:
        """Whether an object is seen well enough to train on it."""
        if self.test_mode or self.visibility_thr < 0:
            return True
        if "visibility" not in ann:
            raise ValueError(
                f"{self.ann_file}: annotation {ann['id']} has no 'visibility', which "
                f"visibility_thr={self.visibility_thr} needs"
            )
        return ann["visibility"] >= self.visibility_thr

    def _parse_ann_info(self, img_info: dict, ann_info: list[dict]) -> dict:
        """Boxes, labels and ids of an image.

        Other than in the parent class, annotations marked ``ignore`` are ignored regions, and
        objects seen too little are left out in training.

        Args:
            img_info: The image with its ``width`` and ``height``.
            ann_info: Its annotations.

        Returns:
            ``bboxes`` (n, 4), ``labels`` (n,), ``bboxes_ignore`` (k, 4), ``instance_ids`` (n,).
        """
        wanted = []
        for ann in ann_info:
            if ann.get("ignore"):
                wanted.append({**ann, "ignore": False, "iscrowd": True})
            elif ann.get("iscrowd") or self._is_visible(ann):
                wanted.append(ann)
        parsed = super()._parse_ann_info(img_info, wanted)
        return {key: value for key, value in parsed.items() if key in ANN_KEYS}

    # ------------------------------------------------------------------ result files
    def _videos(self) -> dict[str, np.ndarray]:
        """Name of each video and the positions of its frames in ``data_infos``."""
        if not self.load_as_video:
            raise ValueError("tracks belong to videos, but the data set has load_as_video=False")
        ids = np.array([info["video_id"] for info in self.data_infos])
        _, first = np.unique(ids, return_index=True)
        videos = self.coco.load_vids([int(ids[i]) for i in np.sort(first)])
        return {video["name"]: np.flatnonzero(ids == video["id"]) for video in videos}

    def _frames_of_results(self, results: dict | list, metric: str) -> list:
        """Entries of a metric, one per image; a detector's results are a list."""
        key = RESULT_KEYS[metric]
        if isinstance(results, list) and metric == "bbox":
            results = {key: results}
        return self._entries(results, key, metric)

    def _origin(self) -> int:
        """Coordinate of the first pixel in the boxes of the annotation file."""
        origin = self.coco.dataset.get(ORIGIN_KEY, FILE_ORIGIN)
        if origin not in (0, 1):
            raise ValueError(f"{self.ann_file}: {ORIGIN_KEY!r} is {origin!r:.60}, expected 0 or 1")
        return origin

    def _track_table(self, results: list, infos: list[dict]) -> MOTTable:
        return track_table(results, infos, self._origin(), self.interpolate_tracks_cfg)

    def format_track_results(self, results: list, infos: list[dict], resfile: str) -> None:
        """Write the tracks of one video, ``frame,id,x1,y1,width,height,score,-1,-1,-1``.

        Args:
            results: One list over classes of arrays ``(n, 6)`` id-x1y1x2y2-score per frame.
            infos: The images of the frames.
            resfile: The file to write.
        """
        write_mot_txt(resfile, self._track_table(results, infos))

    def format_bbox_results(self, results: list, infos: list[dict], resfile: str) -> None:
        """Write the detections of one video, ``frame,-1,x1,y1,width,height,score``.

        Args:
            results: One list over classes of arrays ``(n, 5)`` x1y1x2y2-score per frame.
            infos: The images of the frames.
            resfile: The file to write.
        """
        table = detection_table(results, infos, self._origin())
        write_mot_txt(resfile, table, columns=DETECTION_COLUMNS)

    def format_results(
        self,
        results: dict,
        resfile_path: str | None = None,
        metrics: str | Sequence[str] = _METRICS,
    ) -> tuple[str, dict[str, str], list[str], Any]:
        """Write results as text files for the benchmark, ``<path>/<metric>/<video>.txt``.

        Nothing is deleted or overwritten: where `resfile_path` has files, a new folder ``run_001``,
        ``run_002``, ... below it is used.

        Args:
            results: Of a test run, with ``track_bboxes`` or ``det_bboxes``.
            resfile_path: Folder for the files; None for a temporary one.
            metrics: ``'track'``, ``'bbox'`` or both.

        Returns:
            The folder, the folder of each metric, the names of the videos, and the temporary
            directory that is to be cleaned up, or None.

        Raises:
            ValueError: Unknown metric, or results without the entry that it needs, or not with one
                entry per image.
        """
        frames = {m: self._frames_of_results(results, m) for m in self._check_metrics(metrics)}
        tmp_dir = None
        if resfile_path is None:
            tmp_dir = tempfile.TemporaryDirectory()
            resfile_path = tmp_dir.name
        else:
            resfile_path = fresh_folder(resfile_path)
        videos = self._videos()
        resfiles = {metric: osp.join(resfile_path, metric) for metric in frames}
        writers = {"track": self.format_track_results, "bbox": self.format_bbox_results}
        for name in videos:
            path_below(resfile_path, name, f"{self.ann_file}: video")
        for metric, entries in frames.items():
            os.makedirs(resfiles[metric])
            for name, at in videos.items():
                infos = [self.data_infos[i] for i in at]
                resfile = osp.join(resfiles[metric], f"{name}.txt")
                writers[metric]([entries[i] for i in at], infos, resfile)
        return resfile_path, resfiles, list(videos), tmp_dir

    # ------------------------------------------------------------------ scores
    def get_benchmark_and_eval_split(self) -> tuple[str, str]:
        """Name of the benchmark, as configured or found in ``img_prefix``, and of the split."""
        prefix = str(self.img_prefix).upper()
        guess = next((name for name in BENCHMARKS if name in prefix), BENCHMARKS[-1])
        return self.benchmark or guess, "train"

    def _gt_name(self) -> str:
        """Name of the ground truth file of each video; halves have their own."""
        ann_file = osp.basename(self.ann_file)
        return next((f"gt_{half}.txt" for half in HALVES if half in ann_file), "gt.txt")

    def _read_ground_truth(self, name: str) -> MOTTable:
        path = osp.join(self.img_prefix, name, "gt", self._gt_name())
        if not osp.isfile(path):
            raise FileNotFoundError(
                f"no ground truth of {name} at {path}: the converter writes the files of half "
                "splits, and videos of test sets have none (use --format-only)"
            )
        return read_mot_txt(path)

    def get_dataset_cfg_for_hota(self, gt_folder: str, tracker_folder: str, seqmap: str) -> dict:
        """Settings for trackeval's MotChallenge2DBox.

        Args:
            gt_folder: Folder of the videos with their ground truth.
            tracker_folder: Folder with the result folder ``track``.
            seqmap: File with the names of the videos, one a line below a header.
        """
        benchmark, split = self.get_benchmark_and_eval_split()
        return {
            "GT_FOLDER": gt_folder,
            "TRACKERS_FOLDER": tracker_folder,
            "OUTPUT_FOLDER": None,
            "TRACKERS_TO_EVAL": ["track"],
            "CLASSES_TO_EVAL": list(self.CLASSES),
            "BENCHMARK": benchmark,
            "SPLIT_TO_EVAL": split,
            "INPUT_AS_ZIP": False,
            "PRINT_CONFIG": False,
            "DO_PREPROC": benchmark != "MOT15",
            "TRACKER_SUB_FOLDER": "",
            "OUTPUT_SUB_FOLDER": "",
            "TRACKER_DISPLAY_NAMES": None,
            "SEQMAP_FOLDER": None,
            "SEQMAP_FILE": seqmap,
            "SEQ_INFO": None,
            "GT_LOC_FORMAT": "{gt_folder}/{seq}/gt/" + self._gt_name(),
            "SKIP_SPLIT_FOL": True,
        }

    def sequences(
        self, results: dict | list
    ) -> tuple[dict[str, MOTTable], dict[str, MOTTable], dict[str, int]]:
        """Ground truth and tracks of each video in pixels of the benchmark, and known lengths.

        Args:
            results: With ``track_bboxes``, one entry per image.

        Returns:
            Ground truth, results and lengths by name of the video.
        """
        tables = self.result_tables(results)
        truth, lengths = self.ground_truth()
        return truth, tables, lengths

    def ground_truth(self) -> tuple[dict[str, MOTTable], dict[str, int]]:
        """Ground truth of each video in pixels of the benchmark, and known lengths."""
        truth, lengths = {}, {}
        for name in self._videos():
            truth[name] = self._read_ground_truth(name)
            seqinfo = osp.join(self.img_prefix, name, "seqinfo.ini")
            if osp.isfile(seqinfo):
                lengths[name] = read_seqinfo(seqinfo).length
        return truth, lengths

    def result_tables(self, results: dict | list) -> dict[str, MOTTable]:
        """Tracks of each video in pixels of the benchmark.

        Args:
            results: With ``track_bboxes``, one entry per image.
        """
        frames = self._frames_of_results(results, "track")
        return {
            name: self._track_table([frames[i] for i in at], [self.data_infos[i] for i in at])
            for name, at in self._videos().items()
        }

    def _score_tracks(
        self, results: dict | list, iou_thr: float, logger: logging.Logger | str | None
    ) -> dict[str, float]:
        truth, tables, lengths = self.sequences(results)
        scores = evaluate_mot_challenge(
            truth,
            tables,
            benchmark=self.get_benchmark_and_eval_split()[0],
            seq_lengths=lengths,
            iou_thr=iou_thr,
        )
        print_log("\n" + format_score_table(scores, TRACK_SCORES), logger=logger)
        return {key: scores["OVERALL"][key] for key in TRACK_SCORES}

    def _score_bboxes(
        self, results: dict | list, iou_thr: float, logger: logging.Logger | str | None
    ) -> dict[str, float]:
        frames = self._frames_of_results(results, "bbox")
        annotations = [self.get_ann_info(info) for info in self.data_infos]
        mean_ap, _ = eval_map(
            frames, annotations, iou_thr=iou_thr, dataset=self.CLASSES, logger=logger
        )
        return {"mAP": float(mean_ap)}

    def evaluate(
        self,
        results: dict | list,
        metric: str | Sequence[str] = "track",
        logger: logging.Logger | str | None = None,
        resfile_path: str | None = None,
        bbox_iou_thr: float = 0.5,
        track_iou_thr: float = 0.5,
    ) -> dict[str, float]:
        """Score the results of a test run with CLEAR, identity and HOTA, or with mAP.

        Args:
            results: With ``track_bboxes`` and ``det_bboxes``, one entry per image.
            metric: ``'track'``, ``'bbox'`` or both.
            logger: Where the table of scores is printed.
            resfile_path: Folder to which the results are written as well, see `format_results`.
            bbox_iou_thr: Least IoU of a match for mAP.
            track_iou_thr: Least IoU of a match for CLEAR and identity scores.

        Returns:
            IDF1, IDP, IDR, Rcll, Prcn, GT, MT, PT, ML, FP, FN, IDs, FM, MOTA, MOTP, IDt, IDa, IDm,
            HOTA over all videos; mAP.

        Raises:
            FileNotFoundError: A video has no ground truth.
            ValueError: Unknown metric, or the results do not fit data set or ground truth; the
                message says why.
        """
        metrics = self._check_metrics(metric)
        if resfile_path is not None:
            folder = self.format_results(results, resfile_path, metrics)[0]
            print_log(f"results are written to {folder}", logger=logger)
        evaluators = {
            "track": (self._score_tracks, track_iou_thr),
            "bbox": (self._score_bboxes, bbox_iou_thr),
        }
        scores = {}
        for name in metrics:
            evaluator, iou_thr = evaluators[name]
            scores.update(evaluator(results, iou_thr, logger))
        return scores
