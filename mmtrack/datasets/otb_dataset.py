"""OTB100: 100 short videos."""

from __future__ import annotations

import numpy as np
from mmdet.datasets.builder import DATASETS

from .parsers.sot_txt import check_boxes
from .sot_test_splits import PublicTestDataset

FRAME_TEMPLATES = {"Board": "%05d.jpg"}
# Lines at the head of the annotations that belong to frames before the first one of the video.
SKIPPED_LINES = {"Tiger1": 5}


def _name_of(info: dict) -> str:
    """Name of a video, the folder around ``img``: ``Board/img`` as well as ``data/Board/img``."""
    folders = info["video_path"].rstrip("/").split("/")
    return folders[-2] if folders[-1] == "img" and len(folders) > 1 else folders[-1]


@DATASETS.register_module()
class OTB100Dataset(PublicTestDataset):
    """OTB100, for testing.

    Args:
        *args: As of `BaseSOTDataset`; ``split`` is ``'test'``.
        **kwargs: As `args`.

    Reference: Wu et al., "Object Tracking Benchmark", TPAMI 2015.
    """

    SPLITS = ("test",)
    FRAME_TEMPLATE = "%04d.jpg"

    def load_data_infos(self, split: str = "test") -> list[dict]:
        """Read the list of videos; ``init_skip_num`` counts annotations before the first frame."""
        infos = super().load_data_infos(split)
        for info in infos:
            name = _name_of(info)
            info["framename_template"] = FRAME_TEMPLATES.get(name, self.FRAME_TEMPLATE)
            if name in SKIPPED_LINES:
                info["init_skip_num"] = SKIPPED_LINES[name]
        return infos

    def get_bboxes_from_video(self, video_ind: int) -> np.ndarray:
        """Boxes of a video, ``(N, 4)`` float64, x, y, width, height."""
        info = self.data_infos[video_ind]
        boxes, name = self.load_table(info["ann_path"])
        boxes = check_boxes(boxes, (4,), name)[info.get("init_skip_num", 0) :]
        self._check_length(boxes, video_ind, name)
        return boxes
