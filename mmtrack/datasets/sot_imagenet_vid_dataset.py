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

    def __init__(self, ann_file: str, *args, **kwargs):
        super().__init__(ann_file, *args, **kwargs)

    def object_ids(self) -> list[int]:
        """Instance ids in the order of the file."""
        self.coco.require("annotations", "instance_id")
        return list(self.coco.instancesToAnns)

    def ann_ids(self, video_ind: int) -> list[int]:
        """Ids of the annotations of an instance, in the order of the file."""
        return self.coco.instancesToAnns[self.data_infos[video_ind]]

    def get_visibility_from_video(self, video_ind: int) -> dict[str, np.ndarray]:
        """``visible`` (N,) bool: the object is not marked as occluded."""
        anns = self.coco.load_anns(self.ann_ids(video_ind))
        return {"visible": np.array([not ann.get("occluded", False) for ann in anns], bool)}

    def get_img_infos_from_video(self, video_ind: int) -> dict[str, Any]:
        """Images that show an instance; their ``frame_ids`` (N,) may have gaps."""
        infos = super().get_img_infos_from_video(video_ind)
        img_ids = self.coco.instancesToImgs[self.data_infos[video_ind]]
        infos["frame_ids"] = np.array([img["frame_id"] for img in self.coco.load_imgs(img_ids)])
        return infos
