"""Videos of one object: what all single object tracking data sets share."""

from __future__ import annotations

import logging
import os.path as osp
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from io import StringIO
from typing import Any

import mmcv
import numpy as np
from torch.utils.data import Dataset

from mmtrack.core.evaluation import eval_sot_ope
from mmtrack.utils.reading import decode_text, reading

from .parsers.sot_txt import SOTFormatError, check_boxes, parse_infos, parse_table
from .pipelines import build_sot_pipeline
from .sot_scoring import boxes_by_video, check_metrics, check_starts, report_scores

_METRICS = ["track"]
_FILE_CLIENT = {"backend": "disk"}
_MOST_REDRAWS = 1000
# Annotations of this many videos stay in memory, 80 kB each for the long videos of LaSOT.
_CACHED_VIDEOS = 1024


class FrameNames(Sequence):
    """File names of the frames of a video, made when they are asked for.

    A sample needs two or three of thousands of names.

    Args:
        dataset: Data set that knows the names.
        video_ind: Index of the video.
    """

    def __init__(self, dataset: BaseSOTDataset, video_ind: int):
        self._dataset = dataset
        self._video_ind = video_ind

    def __len__(self) -> int:
        return self._dataset.num_frames_per_video[self._video_ind]

    def __getitem__(self, index: int | slice) -> str | list[str]:
        frames = range(len(self))[index]
        if isinstance(frames, range):
            return [self._dataset.frame_name(self._video_ind, frame) for frame in frames]
        return self._dataset.frame_name(self._video_ind, frames)


class BaseSOTDataset(Dataset):
    """Videos of one object each, for training and for testing.

    In training a sample is drawn from two random videos, whichever index is asked for. In testing
    a sample is one frame and its index is ``(video, frame)``, or the number of the frame counted
    over all videos.

    Args:
        img_prefix: Folder that the paths of the list of videos are relative to.
        pipeline: Steps that each sample goes through.
        split: Part of the data set.
        ann_file: List of videos, see :func:`~mmtrack.datasets.parsers.sot_txt.parse_infos`.
        test_mode: Testing instead of training.
        bbox_min_size: Boxes are valid if width and height are larger than this, in pixels.
        only_eval_visible: Score only the frames in which the object is visible.
        file_client_args: Where files are read from, see ``mmcv.FileClient``.
        **kwargs: Accepted with a warning, and ignored.

    Raises:
        ValueError: The list of videos is broken, or there is no such split.
    """

    CLASSES = None
    METRICS: tuple[str, ...] = tuple(_METRICS)
    SPLITS: tuple[str, ...] | None = None  # None for any
    FRAME_TEMPLATE = "%08d.jpg"
    # Whole videos are tested in order, as the samplers ask.
    load_as_video = True

    def __init__(
        self,
        img_prefix: str,
        pipeline: Sequence[dict],
        split: str,
        ann_file: str | None = None,
        test_mode: bool = False,
        bbox_min_size: int = 0,
        only_eval_visible: bool = False,
        file_client_args: dict = _FILE_CLIENT,
        **kwargs: Any,
    ):
        if kwargs:
            warnings.warn(f"{type(self).__name__} ignores {', '.join(sorted(kwargs))}")
        if self.SPLITS is not None and split not in self.SPLITS:
            raise ValueError(
                f"{type(self).__name__} has no split {split!r}; it has {', '.join(self.SPLITS)}"
            )
        self.img_prefix = img_prefix
        self.split = split
        self.ann_file = ann_file
        self.test_mode = test_mode
        self.bbox_min_size = bbox_min_size
        self.only_eval_visible = only_eval_visible
        self.file_client_args = dict(file_client_args)
        self.file_client = mmcv.FileClient(**self.file_client_args)
        self.pipeline = build_sot_pipeline(pipeline)
        self._ann_cache: OrderedDict[int, dict] = OrderedDict()
        self.data_infos = self.load_data_infos(split)
        count = len(self.data_infos)
        self.num_frames_per_video = [self.get_len_per_video(i) for i in range(count)]
        self._first_frames = np.cumsum([0, *self.num_frames_per_video])

    # ------------------------------------------------------------------ reading
    def load_data_infos(self, split: str = "train") -> list[dict]:
        """Read the list of videos.

        Args:
            split: Part of the data set.

        Returns:
            One dict per video: ``video_path``, ``ann_path``, ``start_frame_id`` and
            ``end_frame_id`` as in the file names, and ``framename_template``.
        """
        if self.ann_file is None:
            raise ValueError(f"{type(self).__name__} needs ann_file, the list of videos")
        infos = parse_infos(self.loadtxt(self.ann_file, return_array=False), self.ann_file)
        return [{**info, "framename_template": self.FRAME_TEMPLATE} for info in infos]

    def loadtxt(
        self,
        filepath: str,
        dtype: type = float,
        delimiter: str | None = None,
        skiprows: int = 0,
        return_array: bool = True,
    ) -> np.ndarray | str:
        """Read a text file from where the data set lies.

        Args:
            filepath: The file.
            dtype: Type of the values.
            delimiter: What separates them; None for blanks.
            skiprows: Lines to leave out at the beginning.
            return_array: Parse the numbers; otherwise the text is returned.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is no text in UTF-8, or no table of numbers.
        """
        try:
            data = self.file_client.get(filepath)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise FileNotFoundError(
                f"{type(self).__name__}: {filepath} does not exist; check ann_file and img_prefix"
            ) from error
        text = decode_text(bytes(data), filepath)
        if not return_array:
            return text
        with reading(filepath):
            return np.loadtxt(StringIO(text), dtype=dtype, delimiter=delimiter, skiprows=skiprows)

    def load_table(self, *path: str) -> tuple[np.ndarray, str]:
        """Numbers of a file below ``img_prefix``, ``(N, k)`` float64, and the name of the file."""
        name = osp.join(self.img_prefix, *path)
        return parse_table(self.loadtxt(name, return_array=False), name), name

    def load_flags(self, video_ind: int, *path: str) -> np.ndarray:
        """One number for each frame of a video, ``(N,)``, separated by commas or line breaks.

        Raises:
            SOTFormatError: There are more or fewer numbers than frames.
        """
        table, name = self.load_table(*path)
        self._check_length(table.ravel(), video_ind, name)
        return table.ravel()

    def _check_length(self, values: np.ndarray, video_ind: int, name: str) -> None:
        """Raise an error unless there is one value (or row) per frame."""
        count = self.get_len_per_video(video_ind)
        if len(values) != count:
            raise SOTFormatError(
                f"{name} has {len(values)} annotations, but {self.ann_file} gives the video "
                f"{count} frames; correct the list of videos, or copy the data again"
            )

    # ------------------------------------------------------------------ videos
    def get_len_per_video(self, video_ind: int) -> int:
        """Number of frames of a video."""
        info = self.data_infos[video_ind]
        return info["end_frame_id"] - info["start_frame_id"] + 1

    def frame_name(self, video_ind: int, frame_ind: int) -> str:
        """File of a frame, relative to ``img_prefix``."""
        info = self.data_infos[video_ind]
        name = info["framename_template"] % (info["start_frame_id"] + frame_ind)
        return osp.join(info["video_path"], name)

    def _num_annotations_may_differ(self) -> bool:
        """Whether the annotation files may have other lengths than the videos."""
        return False

    def get_bboxes_from_video(self, video_ind: int) -> np.ndarray:
        """Boxes of a video as in the file, ``(N, 4)`` float64, x, y, width, height.

        Raises:
            SOTFormatError: The file does not have one box for each frame.
        """
        boxes, name = self.load_table(self.data_infos[video_ind]["ann_path"])
        check_boxes(boxes, (4,), name)
        if not self._num_annotations_may_differ():
            self._check_length(boxes, video_ind, name)
        return boxes

    def get_visibility_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """``visible``, ``(N,)`` bool: whether the object is visible in each frame."""
        return {"visible": np.ones(self.get_len_per_video(video_ind), bool)}

    def get_masks_from_video(self, video_ind: int) -> Any:
        """Masks of a video, which these data sets do not have."""
        raise NotImplementedError(f"{type(self).__name__} has no masks")

    def get_ann_infos_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """Annotations of a video, which are read once and kept; the arrays are read-only.

        Returns:
            ``bboxes`` (N, 4) float64 x1y1x2y2, ``bboxes_isvalid`` (N,), ``visible`` (N,), and
            ``visible_ratio`` (N,) where the data set has it. A box without area, or with NaN, is
            not valid: the object is absent.
        """
        if video_ind in self._ann_cache:
            self._ann_cache.move_to_end(video_ind)
        else:
            infos = self.load_ann_infos(video_ind)
            for values in infos.values():
                values.setflags(write=False)
            self._ann_cache[video_ind] = infos
            if len(self._ann_cache) > _CACHED_VIDEOS:
                self._ann_cache.popitem(last=False)
        return dict(self._ann_cache[video_ind])

    def load_ann_infos(self, video_ind: int) -> dict[str, np.ndarray]:
        """Annotations of a video, see :meth:`get_ann_infos_from_video`."""
        bboxes = self.get_bboxes_from_video(video_ind)
        isvalid = (bboxes[:, 2:] > self.bbox_min_size).all(axis=1)
        isvalid &= np.isfinite(bboxes).all(axis=1)
        bboxes = np.concatenate((bboxes[:, :2], bboxes[:, :2] + bboxes[:, 2:]), axis=1)
        visibility = self.get_visibility_from_video(video_ind)
        visible = visibility.pop("visible").astype(bool) & isvalid
        return {"bboxes": bboxes, "bboxes_isvalid": isvalid, "visible": visible, **visibility}

    def get_img_infos_from_video(self, video_ind: int) -> dict[str, Any]:
        """Images of a video.

        Returns:
            ``filename`` (sequence of N names relative to ``img_prefix``), ``frame_ids`` (N,) from
            0, and ``video_id``.
        """
        return {
            "filename": FrameNames(self, video_ind),
            "frame_ids": np.arange(self.get_len_per_video(video_ind)),
            "video_id": video_ind,
        }

    # ------------------------------------------------------------------ samples
    def pre_pipeline(self, results: dict) -> None:
        """Add what the steps of the pipeline expect: the prefix and the names of fields."""
        results["img_prefix"] = self.img_prefix
        results["bbox_fields"] = []
        results["mask_fields"] = []
        results["seg_fields"] = []

    def _video_sample(self, video_ind: int) -> dict:
        """A whole video for the sampling step of the pipeline."""
        results = self.get_ann_infos_from_video(video_ind)
        results.update(self.get_img_infos_from_video(video_ind))
        self.pre_pipeline(results)
        return results

    def prepare_train_data(self, video_ind: int) -> Any:
        """Sample from two random videos, which are different ones if there are two.

        Args:
            video_ind: Not used.

        Returns:
            The output of the pipeline, whose first step draws frames; None if it rejects them.
        """
        count = len(self.data_infos)
        first = np.random.randint(count)
        second = first if count == 1 else (first + np.random.randint(1, count)) % count
        return self.pipeline([self._video_sample(int(video)) for video in (first, second)])

    def test_annotation(self, video_ind: int, frame_ind: int) -> dict[str, Any]:
        """Box ``bboxes`` (4,) and ``visible`` of one frame.

        Raises:
            SOTFormatError: The box of the first frame, which starts the tracker, has no area.
        """
        infos = self.get_ann_infos_from_video(video_ind)
        if frame_ind == 0 and not infos["bboxes_isvalid"][0]:
            raise SOTFormatError(
                f"video {video_ind} ({self.frame_name(video_ind, 0)}) of {self.ann_file} starts "
                f"without an object: the first box of {self.data_infos[video_ind]['ann_path']} is "
                f"{infos['bboxes'][0].tolist()} (x1y1x2y2)"
            )
        return {key: infos[key][frame_ind] for key in ("bboxes", "visible")}

    def prepare_test_data(self, video_ind: int, frame_ind: int) -> Any:
        """One frame after the pipeline.

        Args:
            video_ind: Index of the video.
            frame_ind: Index of the frame, from 0.
        """
        results = {
            "img_info": {
                "filename": self.frame_name(video_ind, frame_ind),
                "frame_id": frame_ind,
            },
            "ann_info": self.test_annotation(video_ind, frame_ind),
        }
        self.pre_pipeline(results)
        return self.pipeline(results)

    def __len__(self) -> int:
        return int(self._first_frames[-1]) if self.test_mode else len(self.data_infos)

    def __getitem__(self, index: int | tuple[int, int]) -> Any:
        """Sample after the pipeline; training samples are drawn again if the pipeline rejects them.

        Raises:
            RuntimeError: The pipeline rejects one sample after the other.
        """
        if self.test_mode:
            return self.prepare_test_data(*self._video_and_frame(index))
        for _ in range(_MOST_REDRAWS):
            data = self.prepare_train_data(index)
            if data is not None:
                return data
        raise RuntimeError(
            f"the pipeline rejected {_MOST_REDRAWS} samples of {self.ann_file} in a row: are there "
            "valid boxes (bbox_min_size), and enough frames for the sampling step?"
        )

    def _video_and_frame(self, index: int | tuple[int, int]) -> tuple[int, int]:
        if isinstance(index, tuple):
            return index
        index = range(len(self))[index]
        video = int(np.searchsorted(self._first_frames, index, side="right")) - 1
        return video, int(index - self._first_frames[video])

    # ------------------------------------------------------------------ scores
    def boxes_by_video(self, results: dict[str, list]) -> list[np.ndarray]:
        """Boxes of a test run, ``(N, 4)`` x1y1x2y2 for each video.

        Raises:
            ValueError: There are no boxes, or not one per frame.
        """
        return boxes_by_video(results, self.num_frames_per_video, str(self.ann_file))

    def evaluate(
        self,
        results: dict[str, list],
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
    ) -> dict[str, float]:
        """Score results in the one-pass evaluation (OPE).

        Args:
            results: ``track_bboxes``: x1, y1, x2, y2, score for each frame of all videos.
            metric: ``'track'``.
            logger: Where scores are printed.

        Returns:
            ``success``, ``norm_precision`` and ``precision`` in percent.

        Raises:
            ValueError: Unknown metric, or results of other videos.
        """
        check_metrics(metric)
        boxes = self.boxes_by_video(results)
        infos = [self.get_ann_infos_from_video(i) for i in range(len(self.data_infos))]
        truth = [info["bboxes"] for info in infos]
        check_starts(boxes, truth, str(self.ann_file))
        visible = [info["visible"] for info in infos] if self.only_eval_visible else None
        scores = eval_sot_ope(results=boxes, annotations=truth, visible_infos=visible)
        return report_scores(scores, 3, logger)
