"""Images of COCO as videos of one frame, to train single object trackers."""

from __future__ import annotations

import numpy as np
from mmdet.datasets.builder import DATASETS

from .base_sot_dataset import BaseSOTDataset
from .parsers import ColumnarCOCO


class AnnotationFileDataset(BaseSOTDataset):
    """Training videos made of the objects of a COCO or CocoVID file.

    Args:
        ann_file: The annotation file.
        *args: Further arguments are those of `BaseSOTDataset`.
        **kwargs: As `args`.

    Raises:
        ValueError: Testing, which these data sets are not made for.
    """

    PARSER: type[ColumnarCOCO] = ColumnarCOCO

    def __init__(self, ann_file: str, *args, **kwargs):
        super().__init__(*args, ann_file=ann_file, **kwargs)

    def load_data_infos(self, split: str = "train") -> list[int]:
        """Read the annotation file.

        Args:
            split: Not used.

        Returns:
            One id per object.

        Raises:
            ValueError: Testing, no objects, or objects without a box.
        """
        if self.test_mode:
            raise ValueError(f"{type(self).__name__} is for training: set test_mode=False")
        with self.file_client.get_local_path(self.ann_file) as path:
            self.coco = self.PARSER(path, name=self.ann_file)
        self.coco.require("images", "file_name")
        self.coco.require("annotations", "bbox")
        ids = self.object_ids()
        if not ids:
            raise ValueError(f"{self.ann_file} has no objects to train on")
        return ids

    def object_ids(self) -> list[int]:
        """Ids of the objects, each of which is a video."""
        raise NotImplementedError

    def ann_ids(self, video_ind: int) -> list[int]:
        """Ids of the annotations of a video, one per frame."""
        raise NotImplementedError

    def get_len_per_video(self, video_ind: int) -> int:
        """Number of frames of a video."""
        return len(self.ann_ids(video_ind))

    def get_bboxes_from_video(self, video_ind: int) -> np.ndarray:
        """Boxes of a video, ``(N, 4)`` float64, x, y, width, height."""
        anns = self.coco.load_anns(self.ann_ids(video_ind))
        return np.array([ann["bbox"] for ann in anns], np.float64).reshape(-1, 4)

    def frame_name(self, video_ind: int, frame_ind: int) -> str:
        """File of a frame, relative to ``img_prefix``."""
        return self.image(video_ind, frame_ind)["file_name"]

    def image(self, video_ind: int, frame_ind: int) -> dict:
        """Entry of a frame in the annotation file."""
        ann = self.coco.anns[self.ann_ids(video_ind)[frame_ind]]
        return self.coco.imgs[ann["image_id"]]


@DATASETS.register_module()
class SOTCocoDataset(AnnotationFileDataset):
    """COCO, for training: each object of an image is a video of one frame. Crowds are left out.

    Args:
        ann_file: COCO file.
        *args: Further arguments are those of `BaseSOTDataset`.
        **kwargs: As `args`.
    """

    def __init__(self, ann_file: str, *args, **kwargs):
        super().__init__(ann_file, *args, **kwargs)

    def object_ids(self) -> list[int]:
        """Ids of the annotations that are no crowds, in the order of the file."""
        crowds = self.coco.flags("annotations", "iscrowd")
        return self.coco.ids("annotations", "id")[~crowds].tolist()

    def ann_ids(self, video_ind: int) -> list[int]:
        """The id of the annotation."""
        return [self.data_infos[video_ind]]

    def get_len_per_video(self, video_ind: int) -> int:
        """Number of frames of a video, 1."""
        return 1
