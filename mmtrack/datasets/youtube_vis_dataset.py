"""YouTube-VIS 2019 and 2021: objects with masks in videos."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from typing import Any

from mmdet.datasets.builder import DATASETS

from mmtrack.core.evaluation import eval_vis
from mmtrack.utils.folder_io import fresh_folder

from .coco_video_dataset import CocoVideoDataset
from .vis_results import video_tracks, write_submission
from .youtube_vis_classes import CLASSES_OF_VERSION

_METRICS = ["track_segm"]


@DATASETS.register_module()
class YouTubeVISDataset(CocoVideoDataset):
    """Videos of YouTube-VIS, converted by tools/convert_datasets/youtubevis.

    Args:
        dataset_version: ``'2019'`` or ``'2021'``, which have different categories.
        *args: Further arguments are those of CocoVideoDataset.
        **kwargs: As `args`.

    Raises:
        NotImplementedError: there is no such version.

    Reference: Yang, Fan and Xu, "Video Instance Segmentation", ICCV 2019.
    """

    ALLOWED_METRICS = tuple(_METRICS)
    METRICS = ALLOWED_METRICS
    reads_masks = True

    def __init__(self, dataset_version: str, *args: Any, **kwargs: Any):
        if str(dataset_version) not in CLASSES_OF_VERSION:
            raise NotImplementedError(
                f"dataset_version is {dataset_version!r}, expected one of "
                f"{', '.join(map(repr, CLASSES_OF_VERSION))}"
            )
        self.dataset_version = str(dataset_version)
        super().__init__(*args, **kwargs)

    def get_classes(self, classes: str | Sequence[str] | None = None) -> Sequence[str]:
        """Names of the classes: those asked for, or those of the version."""
        if classes is None:
            return CLASSES_OF_VERSION[self.dataset_version]
        return super().get_classes(classes)

    # ------------------------------------------------------------------ result files
    def _frames_of_videos(self) -> dict[int, list[int]]:
        """Positions of all frames of each video in ``data_infos``.

        Raises:
            ValueError: the data set leaves frames out.
        """
        frames = {}
        for video_id in self.vid_ids:
            img_ids = self.coco.get_img_ids_from_vid(video_id)
            frames[video_id] = [self._position_of_image.get(img_id, -1) for img_id in img_ids]
            if -1 in frames[video_id]:
                raise ValueError(
                    f"frames of video {video_id} are left out, but tracks are scored over all of "
                    "them: use test_mode=True and key_img_sampler=None"
                )
        return frames

    def format_results(
        self,
        results: dict,
        resfile_path: str | None = None,
        metrics: str | Sequence[str] = _METRICS,
        save_as_json: bool = True,
    ) -> tuple[str, Any] | list[dict]:
        """Write results for the server of YouTube-VIS.

        Nothing is deleted or overwritten: where `resfile_path` has files, a new folder ``run_001``,
        ``run_002``, ... below it is used.

        Args:
            results: Of a test run, with ``track_bboxes`` and ``track_masks`` (run lengths).
            resfile_path: Folder for ``results.json`` and ``submission_file.zip``; None for a
                temporary one.
            metrics: ``'track_segm'``.
            save_as_json: False returns the content of the file instead of writing it.

        Returns:
            The path of ``results.json``, and the temporary directory that is to be cleaned up, or
            None. Without `save_as_json` a list with one dict per track: ``video_id``, ``score``,
            ``category_id``, ``segmentations``.

        Raises:
            ValueError: an unknown metric, or results that do not fit the data set.
        """
        self._check_metrics(metrics)
        boxes = self._entries(results, "track_bboxes", "track_segm")
        masks = self._entries(results, "track_masks", "track_segm")
        tracks = []
        for video_id, frames in self._frames_of_videos().items():
            of_video = ([entries[i] for i in frames] for entries in (boxes, masks))
            tracks += video_tracks(*of_video, video_id, self.cat_ids)
        if not save_as_json:
            return tracks
        tmp_dir = None
        if resfile_path is None:
            tmp_dir = tempfile.TemporaryDirectory()
            resfile_path = tmp_dir.name
        return write_submission(fresh_folder(resfile_path), tracks), tmp_dir

    # ------------------------------------------------------------------ scores
    def convert_back_to_vis_format(self) -> dict[str, list[dict]]:
        """The annotations in the format of YouTube-VIS: one entry per object, not per image.

        Returns:
            ``categories`` (``id``, ``name``), ``videos`` (``id``, ``name``, ``width``, ``height``,
            ``length``) and ``annotations`` (``id``, ``video_id``, ``category_id``, ``iscrowd``,
            and for each frame an entry or None in ``segmentations``, ``bboxes`` and ``areas``).

        Raises:
            ValueError: an annotation misses a key, or an object changes its category.
        """
        self.coco.require("annotations", "instance_id", "segmentation", "bbox", "area")
        videos, objects = [], {}
        for video_id in self.vid_ids:
            images = self.coco.load_imgs(self.coco.get_img_ids_from_vid(video_id))
            name = self.coco.videos[video_id]["name"]
            size = {side: images[0][side] for side in ("width", "height") if images}
            videos.append({"id": video_id, "name": name, **size, "length": len(images)})
            for img in images:
                ann_ids = self.coco.get_ann_ids(img_ids=[img["id"]])
                for ann in self.coco.load_anns(ann_ids):
                    key = (video_id, ann["instance_id"])
                    own = objects.setdefault(key, _vis_object(ann, video_id, len(images)))
                    self._add_frame(own, ann, img["frame_id"])
        categories = [{"id": c["id"], "name": c["name"]} for c in self.coco.dataset["categories"]]
        return {"categories": categories, "videos": videos, "annotations": list(objects.values())}

    def _add_frame(self, own: dict, ann: dict, frame_id: int) -> None:
        """Enter the annotation of a frame into its object."""
        if ann["category_id"] != own["category_id"]:
            raise ValueError(
                f"{self.ann_file}: object {own['id']} of video {own['video_id']} has the "
                f"categories {own['category_id']} and {ann['category_id']}"
            )
        for many, one in _PER_FRAME.items():
            own[many][frame_id] = ann[one]

    def evaluate(
        self,
        results: dict,
        metric: str | Sequence[str] = _METRICS,
        logger: logging.Logger | str | None = None,
    ) -> dict[str, float | str]:
        """Score tracks of masks by average precision over whole videos.

        Args:
            results: Of a test run, with ``track_bboxes`` and ``track_masks``.
            metric: ``'track_segm'``.
            logger: Where the table is printed.

        Returns:
            See `eval_vis`.

        Raises:
            ValueError: an unknown metric, results that do not fit the data set, or a data set
                without annotations.
        """
        tracks = self.format_results(results, metrics=metric, save_as_json=False)
        return eval_vis(tracks, self.convert_back_to_vis_format(), logger)


_PER_FRAME = {"segmentations": "segmentation", "bboxes": "bbox", "areas": "area"}


def _vis_object(ann: dict, video_id: int, length: int) -> dict:
    """An object of a video that no frame shows yet."""
    return {
        "id": ann["instance_id"],
        "video_id": video_id,
        "category_id": ann["category_id"],
        "iscrowd": int(ann.get("iscrowd", 0)),
        **{key: [None] * length for key in _PER_FRAME},
    }
