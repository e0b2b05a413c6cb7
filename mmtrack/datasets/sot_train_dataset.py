"""Deprecated training data of single object trackers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.datasets.builder import DATASETS

from .coco_video_dataset import CocoVideoDataset
from .parsers import CocoVID
from .reference_sampling import check_sampler

_MOST_NEGATIVE_DRAWS = 1000


@DATASETS.register_module()
class SOTTrainDataset(CocoVideoDataset):
    """Pairs of template and search image from the videos of a CocoVID file.

    Deprecated: use `SOTImageNetVIDDataset`, `SOTCocoDataset` or the data set of a benchmark with
    `PairSampling`. The images of a COCO file become videos of one frame.

    Args:
        *args: As of `CocoVideoDataset`. ``ref_img_sampler`` are the arguments of
            :meth:`ref_img_sampling`.
        **kwargs: As `args`.

    Raises:
        ValueError: ``load_as_video=False`` or ``test_mode=True``.
    """

    def __init__(self, *args, **kwargs):
        warnings.warn(
            "SOTTrainDataset is deprecated: use SOTImageNetVIDDataset, SOTCocoDataset or the data "
            "set of a benchmark, with PairSampling",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(*args, **kwargs)
        if not self.load_as_video or self.test_mode:
            raise ValueError("SOTTrainDataset is for training on videos: load_as_video=True")

    def load_video_anns(self, ann_file: str) -> list[dict]:
        """Read the annotation file.

        Args:
            ann_file: Local path.

        Returns:
            The videos that have an object in at least two frames in a row, or are an image.
        """
        self.coco = CocoVID(ann_file, load_img_as_vid=True, name=self.ann_file)
        self._set_categories()
        self.coco.require("annotations", "instance_id", "bbox", "video_id")
        self.vid_ids = [i for i in self.coco.get_vid_ids() if self._usable_instances(i)]
        self.img_ids = self.coco.get_img_ids()
        return self.coco.load_vids(self.vid_ids)

    def _usable_instances(self, vid_id: int) -> list[int]:
        """Instances of a video from which a pair can be drawn."""
        instances = self.coco.get_ins_ids_from_vid(vid_id)
        return [instance for instance in instances if self._snippet(vid_id, instance)]

    def _snippet(self, vid_id: int, instance_id: int) -> list[int]:
        """Images of the last run of frames in a row that show an instance; empty without one."""
        img_ids = self.coco.get_img_ids_from_vid(vid_id)
        shown = set(self.coco.get_img_ids_from_ins_id(instance_id))
        if len(img_ids) == 1:
            return img_ids if shown else []
        frames = np.flatnonzero([img_id in shown for img_id in img_ids])
        runs = np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1)
        runs = [run for run in runs if len(run) > 1]
        return [img_ids[frame] for frame in runs[-1]] if runs else []

    def _filter_imgs(self, min_size: int = 32) -> list[int]:
        """Positions of the videos to train on: all of `load_video_anns`."""
        if not self.data_infos:
            raise ValueError(f"{self.ann_file} has no object in two frames in a row")
        return list(range(len(self.data_infos)))

    def _set_group_flag(self) -> None:
        """One group: all crops have the same size."""
        self.flag = np.zeros(len(self), np.uint8)

    def get_snippet_of_instance(self, idx: int) -> tuple[list[int], int, int]:
        """Draw an instance of a video, and one of the images that show it.

        Args:
            idx: Index of the video.

        Returns:
            The images in a row that show the instance, one of them, and the instance.
        """
        vid_id = self.data_infos[idx]["id"]
        instance_id = int(np.random.choice(self._usable_instances(vid_id)))
        snippet = self._snippet(vid_id, instance_id)
        return snippet, snippet[np.random.randint(len(snippet))], instance_id

    def ref_img_sampling(
        self,
        snippet: list[int],
        image_id: int,
        instance_id: int,
        frame_range: int | Sequence[int] = 5,
        pos_prob: float = 0.8,
        filter_key_img: bool = False,
        return_key_img: bool = True,
        **kwargs: Any,
    ) -> tuple[list[int], list[int], bool]:
        """Draw the search image of a template.

        Args:
            snippet: Images in a row that show the instance.
            image_id: The template, one of them.
            instance_id: The instance.
            frame_range: Frames before and after the template: ``[-2, 1]``, or 2 for ``[-2, 2]``.
            pos_prob: Probability of a search image that shows the instance; otherwise it is any
                image of any other instance.
            filter_key_img: The template is no search image, unless it is alone in its video.
            return_key_img: Return the template too, first.
            **kwargs: Accepted and ignored.

        Returns:
            Images, their instances, and whether the pair is a positive one.
        """
        sampler = check_sampler({"frame_range": frame_range}, reset_count=False)
        left, right = sampler["frame_range"]
        positive = np.random.random() < pos_prob
        if positive:
            at = snippet.index(image_id)
            around = snippet[max(at + left, 0) : at + right + 1]
            if filter_key_img and len(snippet) > 1:
                around = [i for i in around if i != image_id]
            search = (around[np.random.randint(len(around))], instance_id) if around else None
        else:
            search = self._other_instance(instance_id)
        if search is None:
            search, positive = (image_id, instance_id), True
        key = [(image_id, instance_id)] if return_key_img else []
        image_ids, instance_ids = zip(*key, search, strict=True)
        return list(image_ids), list(instance_ids), positive

    def _other_instance(self, instance_id: int) -> tuple[int, int] | None:
        """An image of another instance of any video; None if all videos show this one alone."""
        for _ in range(_MOST_NEGATIVE_DRAWS):
            _, image_id, other = self.get_snippet_of_instance(np.random.randint(len(self)))
            if other != instance_id:
                return image_id, other
        return None

    def prepare_results(self, img_id: int, instance_id: int, is_positive_pair: bool) -> dict:
        """What the pipeline gets for one image.

        Args:
            img_id: The image.
            instance_id: The instance, whose box becomes ``ann_info['bboxes']``, ``(1, 4)``.
            is_positive_pair: Stored as ``is_positive_pairs``.
        """
        info = dict(self.coco.load_imgs([img_id])[0])
        info["filename"] = info["file_name"]
        anns = self.coco.load_anns(self.coco.get_ann_ids(img_ids=[img_id]))
        x, y, w, h = next(ann["bbox"] for ann in anns if ann["instance_id"] == instance_id)
        ann_info = {
            "bboxes": np.array([[x, y, x + w, y + h]], np.float32),
            "labels": np.zeros(1, np.int64),
        }
        results = {"img_info": info, "ann_info": ann_info, "is_positive_pairs": is_positive_pair}
        self.pre_pipeline(results)
        results["is_video_data"] = self.load_as_video
        return results

    def prepare_train_img(self, idx: int) -> Any:
        """Pair of template and search image after the pipeline; None if the pipeline rejects it."""
        drawn = self.get_snippet_of_instance(idx)
        found = self.ref_img_sampling(*drawn, **(self.ref_img_sampler or {}))
        image_ids, instance_ids, positive = found
        pairs = zip(image_ids, instance_ids, strict=True)
        return self.pipeline([self.prepare_results(*pair, positive) for pair in pairs])
