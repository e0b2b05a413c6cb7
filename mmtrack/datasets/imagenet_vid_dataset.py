"""ImageNet VID and ImageNet DET, for video object detection."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log
from mmdet.datasets.builder import DATASETS

from mmtrack.core.evaluation.vid_speed import (
    SpeedScores,
    motion_ious,
    speed_average_precision,
    speed_table,
)

from .coco_video_dataset import CocoVideoDataset
from .imagenet_vid_classes import VID_CLASSES
from .parsers import CocoVID, ColumnarCOCO

_FLAG = "is_vid_train_frame"
_CONVERTERS = "Convert the data with tools/convert_datasets/ilsvrc."


@DATASETS.register_module()
class ImagenetVIDDataset(CocoVideoDataset):
    """ImageNet VID (videos), or with ``load_as_video=False`` ImageNet DET (images).

    Every image has the key ``is_vid_train_frame``. Training draws key frames among the images
    where it is true, and reference frames among all frames of the video. Testing uses all
    images; ``key_img_sampler`` is not applied. ``evaluate`` of videos adds the average precision
    of slow, medium and fast objects, see ``mmtrack.core.evaluation.vid_speed``.

    Args:
        *args: As of ``CocoVideoDataset``.
        **kwargs: As of ``CocoVideoDataset``.

    Raises:
        ValueError: images lack ``is_vid_train_frame``, none is a training frame, or a test uses
            a file with training frames; the message names the file and the remedy.
    """

    CLASSES = VID_CLASSES

    def load_annotations(self, ann_file: str) -> list[dict]:
        """Read the annotation file as videos (VID) or as images (DET).

        Args:
            ann_file: Local path (of a copy, where the data lie on a remote storage).

        Returns:
            The images, ``filename`` added.
        """
        return super().load_annotations(ann_file)

    def load_video_anns(self, ann_file: str) -> list[dict]:
        """Read a CocoVID file; training frames, or all frames in testing, video by video."""
        self.coco = CocoVID(ann_file, name=self.ann_file)
        self._set_categories()
        self.vid_ids = self.coco.get_vid_ids()
        frames = [i for vid in self.vid_ids for i in self.coco.get_img_ids_from_vid(vid)]
        flagged = self._training_images()
        if not self.test_mode:
            return self._load_img_infos([i for i in frames if i in flagged])
        if flagged:
            raise ValueError(
                f"{self.ann_file}: {len(flagged)} images have {_FLAG}=true, so the file is meant "
                "for training. Testing needs all frames of videos that nothing was trained on: "
                "use imagenet_vid_val.json."
            )
        return self._load_img_infos(frames)

    def load_image_anns(self, ann_file: str) -> list[dict]:
        """Read a COCO file; training images, or all images in testing."""
        self.coco = ColumnarCOCO(ann_file, name=self.ann_file)
        self._set_categories()
        flagged = self._training_images()
        ids = self.coco.get_img_ids()
        return self._load_img_infos([i for i in ids if self.test_mode or i in flagged])

    def _training_images(self) -> set[int]:
        """Ids of the images that are training frames."""
        self.coco.require("images", _FLAG, remedy=_CONVERTERS)
        flags = self.coco.flags("images", _FLAG)
        if not self.test_mode and not flags.any():
            raise ValueError(
                f"{self.ann_file}: no image has {_FLAG}=true, so there is nothing to train on. "
                f"Use the file of the training set. {_CONVERTERS}"
            )
        return set(self.coco.ids("images", "id")[flags].tolist())

    def _evaluate_coco(
        self,
        detections: list[dict],
        metric: str,
        logger: logging.Logger | str | None,
        classwise: bool = False,
        iou_thrs: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> dict[str, float | str]:
        """COCO scores; for boxes of videos also those of slow, medium and fast objects."""
        scores = super()._evaluate_coco(
            detections, metric, logger, classwise=classwise, iou_thrs=iou_thrs, **kwargs
        )
        if metric != "bbox" or not self.load_as_video:
            return scores
        found = self.speed_scores(detections, iou_thrs)
        if found is None:
            print_log(
                f"{self.ann_file}: objects without 'instance_id' have no speed; the scores of "
                "slow, medium and fast objects are left out.",
                logger=logger,
            )
            return scores
        names = self.category_names() if classwise else None
        print_log("\n" + speed_table(found, names), logger=logger)
        return {**scores, **{f"{metric}_{key}": round(v, 4) for key, v in found.scores.items()}}

    def speed_scores(
        self, detections: list[dict], iou_thrs: Sequence[float] | float | None = None
    ) -> SpeedScores | None:
        """AP of slow, medium and fast objects; None where objects have no identity.

        Args:
            detections: As of ``detection_inputs``.
            iou_thrs: IoU thresholds; None takes 0.5, 0.55, ..., 0.95.
        """
        motion = self._motion()
        if motion is None:
            return None
        return speed_average_precision(
            self._ground_truth("bbox"),
            motion,
            detections,
            cat_ids=self.cat_ids,
            iou_thrs=[iou_thrs] if isinstance(iou_thrs, float) else iou_thrs,
        )

    def _motion(self) -> np.ndarray | None:
        """Motion IoU of the annotations in the order of ``_ground_truth``; None without ids."""
        anns = self.coco.load_anns(self.coco.get_ann_ids(img_ids=self.img_ids))
        if not all("instance_id" in ann for ann in anns):
            return None
        frames = {i["id"]: (i["video_id"], i["frame_id"]) for i in self.data_infos}
        places = np.array([frames[ann["image_id"]] for ann in anns], np.int64).reshape(-1, 2)
        instances = np.array([ann["instance_id"] for ann in anns], np.int64)
        # Instance ids may start again in each video.
        _, tracks = np.unique(np.stack((places[:, 0], instances)), axis=1, return_inverse=True)
        boxes = np.array([ann["bbox"] for ann in anns], np.float64).reshape(-1, 4)
        return motion_ious(boxes, tracks.ravel(), places[:, 1])
