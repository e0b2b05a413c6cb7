"""Images of COCO as videos of one frame, to train single object trackers."""

from __future__ import annotations

from abc import abstractmethod

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
        self.coco.check_texts("images", "file_name")
        self.coco.check_numbers("annotations", "bbox", size=4)
        self.boxes = self.coco.boxes()
        self.image_ids = self.coco.ids("annotations", "image_id")
        unknown = np.setdiff1d(self.image_ids, self.coco.ids("images", "id"))
        if len(unknown):
            raise ValueError(
                f"{self.ann_file}: there are annotations of image {unknown[0]}, which is not in "
                "'images'"
            )
        ids = self.object_ids()
        if not ids:
            raise ValueError(f"{self.ann_file} has no objects to train on")
        return ids

    @abstractmethod
    def object_ids(self) -> list[int]:
        """Ids of the objects, each of which is a video."""

    @abstractmethod
    def rows_of_video(self, video_ind: int) -> np.ndarray:
        """Positions of the annotations of a video in the file, one per frame, ``(N,)``."""

    def get_len_per_video(self, video_ind: int) -> int:
        """Number of frames of a video."""
        return len(self.rows_of_video(video_ind))

    def get_bboxes_from_video(self, video_ind: int) -> np.ndarray:
        """Boxes of a video, ``(N, 4)`` float64, x, y, width, height."""
        return self.boxes[self.rows_of_video(video_ind)]

    def frame_name(self, video_ind: int, frame_ind: int) -> str:
        """File of a frame, relative to ``img_prefix``."""
        row = self.rows_of_video(video_ind)[frame_ind]
        return self.coco.imgs[int(self.image_ids[row])]["file_name"]


@DATASETS.register_module()
class SOTCocoDataset(AnnotationFileDataset):
    """COCO, for training: each object of an image is a video of one frame. Crowds are left out.

    Args:
        ann_file: COCO file.
        *args: Further arguments are those of `BaseSOTDataset`.
        **kwargs: As `args`.
    """

    def object_ids(self) -> list[int]:
        """Ids of the annotations that are no crowds, in the order of the file."""
        self.rows = np.flatnonzero(~self.coco.flags("annotations", "iscrowd"))
        return self.coco.ids("annotations", "id")[self.rows].tolist()

    def rows_of_video(self, video_ind: int) -> np.ndarray:
        """Position of the annotation in the file, ``(1,)``."""
        return self.rows[video_ind : video_ind + 1]
