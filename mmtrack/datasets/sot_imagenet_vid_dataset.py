"""Objects of ImageNet VID, to train single object trackers."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmdet.datasets.builder import DATASETS

from .parsers import CocoVID
from .sot_coco_dataset import AnnotationFileDataset


@DATASETS.register_module()
class SOTImageNetVIDDataset(AnnotationFileDataset):
    """ImageNet VID, for training: each instance is a video of the frames that show it.

    Args:
        ann_file: CocoVID file. Its instance ids are unique over all videos.
        *args: Further arguments are those of `BaseSOTDataset`.
        **kwargs: As `args`.

    Raises:
        ValueError: There are objects without ``instance_id``.
    """

    PARSER = CocoVID

    def object_ids(self) -> list[int]:
        """Instance ids in the order of the file."""
        self.occluded = self.coco.flags("annotations", "occluded")
        images = self.coco.ids("images", "id")
        order = np.argsort(images)
        at = order[np.searchsorted(images, self.image_ids, sorter=order)]
        self.frame_ids = self.coco.ids("images", "frame_id")[at]
        instances = self.coco.ids("annotations", "instance_id")
        # Rows of one instance become neighbours and keep their order.
        by_instance = np.argsort(instances, kind="stable")
        ids, first = np.unique(instances, return_index=True)
        groups = np.split(by_instance, np.flatnonzero(np.diff(instances[by_instance])) + 1)
        in_file = np.argsort(first)
        self.rows = [groups[i] for i in in_file]
        return ids[in_file].tolist()

    def rows_of_video(self, video_ind: int) -> np.ndarray:
        """Positions of the annotations of an instance in the file, ``(N,)``."""
        return self.rows[video_ind]

    def get_visibility_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """``visible`` (N,) bool: the object is not marked as occluded."""
        return {"visible": ~self.occluded[self.rows_of_video(video_ind)]}

    def get_img_infos_from_video(self, video_ind: int) -> dict[str, Any]:
        """Images that show an instance; their ``frame_ids`` (N,) may have gaps."""
        infos = super().get_img_infos_from_video(video_ind)
        infos["frame_ids"] = self.frame_ids[self.rows_of_video(video_ind)]
        return infos
