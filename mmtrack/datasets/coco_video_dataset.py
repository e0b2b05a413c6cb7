"""Frames of videos, or images, annotated in the CocoVID format."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.datasets.builder import DATASETS
from mmdet.datasets.coco import CocoDataset

from mmtrack.core.mask import check_segmentation
from mmtrack.utils.reading import read_text

from .coco_video_scoring import CocoVideoScoring
from .parsers import CocoVID, ColumnarCOCO
from .parsers.public_detections import load_arrays
from .pipelines import optimize_pipeline
from .reference_sampling import check_sampler, sample_references

_KEY_IMG_SAMPLER = {"interval": 1}
_REF_IMG_SAMPLER = {
    "frame_range": 10,
    "stride": 1,
    "num_ref_imgs": 1,
    "filter_key_img": True,
    "method": "uniform",
    "return_key_img": True,
}
_MOST_REDRAWS = 1000


@DATASETS.register_module()
class CocoVideoDataset(CocoVideoScoring, CocoDataset):
    """Data set for video object detection, multi-object tracking and their training on images.

    Args:
        load_as_video: The annotation file is CocoVID (else plain COCO, whose images are samples
            of their own).
        key_img_sampler: ``dict(interval=n)`` uses every n-th frame of a video; None uses all.
        ref_img_sampler: How reference frames are drawn for a key frame, see
            :meth:`ref_img_sampling`. None: a sample is one frame instead of a list of frames.
        test_load_ann: Load annotations in testing too.
        *args: As of ``CocoDataset``.
        **kwargs: As of ``CocoDataset``; ``classes=None`` takes the categories of the file.

    Raises:
        FileNotFoundError: there is no annotation file.
        ValueError: the annotation file does not fit; the message names file, field and remedy.
    """

    CLASSES = None
    BOX_SIZE = 4  # numbers of a box in the annotation file
    reads_masks = False  # whether masks are checked when annotations are read

    def __init__(
        self,
        load_as_video: bool = True,
        key_img_sampler: dict | None = _KEY_IMG_SAMPLER,
        ref_img_sampler: dict | None = _REF_IMG_SAMPLER,
        test_load_ann: bool = False,
        *args: Any,
        **kwargs: Any,
    ):
        self.load_as_video = load_as_video
        self.key_img_sampler = None if key_img_sampler is None else dict(key_img_sampler)
        self.ref_img_sampler = None if ref_img_sampler is None else check_sampler(ref_img_sampler)
        self.test_load_ann = test_load_ann
        super().__init__(*args, **kwargs)
        self.reads_masks |= any(getattr(s, "with_mask", False) for s in self.pipeline.transforms)
        self.pipeline = optimize_pipeline(self.pipeline)
        self._position_of_image = {img_id: i for i, img_id in enumerate(self.img_ids)}

    @classmethod
    def get_classes(cls, classes: str | Sequence[str] | None = None) -> Sequence[str] | None:
        """Names of the classes: those given, those of a file with one a line, or the default.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is no text.
        """
        if isinstance(classes, str):
            return [line.strip() for line in read_text(classes).split("\n") if line.strip()]
        return super().get_classes(classes)

    def load_proposals(self, proposal_file: str) -> list:
        """Boxes of each image from a file, which is read without running code.

        Args:
            proposal_file: ``.pkl`` or ``.json``, a list with an array per image.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is damaged, or a pickle of more than arrays.
        """
        proposals = load_arrays(proposal_file)
        if not isinstance(proposals, list):
            raise ValueError(f"{proposal_file} holds no list with the proposals of each image")
        return proposals

    def load_annotations(self, ann_file: str) -> list[dict]:
        """Read the annotation file as videos or as images.

        Args:
            ann_file: Local path (of a copy, where the data lie on a remote storage).

        Returns:
            The images, ``filename`` added.
        """
        if self.load_as_video:
            return self.load_video_anns(ann_file)
        return self.load_image_anns(ann_file)

    def load_video_anns(self, ann_file: str) -> list[dict]:
        """Read a CocoVID file; the key frames video by video."""
        self.coco = CocoVID(ann_file, name=self.ann_file)
        self._set_categories()
        self.vid_ids = self.coco.get_vid_ids()
        img_ids = []
        for vid_id in self.vid_ids:
            own = self.coco.get_img_ids_from_vid(vid_id)
            if self.key_img_sampler is not None:
                own = self.key_img_sampling(own, **self.key_img_sampler)
            img_ids += own
        return self._load_img_infos(img_ids)

    def load_image_anns(self, ann_file: str) -> list[dict]:
        """Read a COCO file."""
        self.coco = ColumnarCOCO(ann_file, name=self.ann_file)
        self._set_categories()
        return self._load_img_infos(self.coco.get_img_ids())

    def _load_img_infos(self, img_ids: list[int]) -> list[dict]:
        """Images of the given ids, which become ``img_ids``."""
        self.img_ids = img_ids
        self.coco.require("images", "file_name")
        if not self.test_mode:
            self.coco.require("images", "width", "height")
            self.coco.require("annotations", "bbox", "area")
        self._check_values()
        infos = [dict(info) for info in self.coco.load_imgs(img_ids)]
        for info in infos:
            info["filename"] = info["file_name"]
        return infos

    def _check_values(self) -> None:
        """Raise an error that names the first object whose values are not what they should be."""
        self.coco.check_texts("images", "file_name")
        self.coco.check_numbers("images", "width", "height", "mot_frame_id")
        self.coco.check_numbers("annotations", "area", "visibility", "instance_id")
        self.coco.flags("annotations", "iscrowd")
        self.coco.check_numbers("annotations", "bbox", size=self.BOX_SIZE)
        for key in ("images", "annotations"):
            ids = self.coco.ids(key, "id")
            if len(np.unique(ids)) < len(ids):
                raise ValueError(f"{self.ann_file}: the ids of {key} are not unique.")

    def _set_categories(self) -> None:
        """Choose the categories of the file that belong to the classes of the data set."""
        if "categories" not in self.coco.dataset:
            raise ValueError(f"{self.ann_file} has no list 'categories'. Convert the data again.")
        names = [category["name"] for category in self.coco.dataset.get("categories", [])]
        if self.CLASSES is None:
            self.CLASSES = tuple(names)
        self.cat_ids = self.coco.get_cat_ids(cat_names=self.CLASSES)
        self.cat2label = {cat_id: i for i, cat_id in enumerate(self.cat_ids)}
        if names and not self.cat_ids:
            raise ValueError(
                f"{self.ann_file} has no category named as one of the classes "
                f"{list(self.CLASSES)}; its categories are {names}. Set 'classes' in the config."
            )
        known = [name for name in names if name in self.CLASSES]
        if names and list(self.CLASSES) != known:
            warnings.warn(
                f"labels follow the categories of {self.ann_file}, {known}, and not the order of "
                f"the classes {list(self.CLASSES)}."
            )

    def key_img_sampling(self, img_ids: list[int], interval: int = 1) -> list[int]:
        """Every ``interval``-th image."""
        return img_ids[::interval]

    def ref_img_sampling(
        self,
        img_info: dict,
        frame_range: int | Sequence[int],
        stride: int = 1,
        num_ref_imgs: int = 1,
        filter_key_img: bool = True,
        method: str = "uniform",
        return_key_img: bool = True,
    ) -> list[dict]:
        """Draw reference frames of the same video.

        Args:
            img_info: The key frame.
            frame_range: Frames before and after the key frame: ``[-2, 1]``, or 2 for ``[-2, 2]``.
            stride: Distance of the references of ``'test_with_fix_stride'``.
            num_ref_imgs: Number of references.
            filter_key_img: The key frame is no reference.
            method: ``'uniform'``: distinct random frames within the range.
                ``'bilateral_uniform'``: half of them before, half after the key frame.
                ``'test_with_adaptive_stride'``: for the first frame, frames spread evenly over
                the video; none for other frames. ``'test_with_fix_stride'``: for the first frame
                all frames around it at a distance of ``stride`` (the first frame in place of
                frames before it); for later frames only the new one, if any.
            return_key_img: Return the key frame too, first.

        Returns:
            The references sorted by frame, each a copy. Where the image is not part of a video,
            or the range is [0, 0], copies of the key frame.

        Raises:
            ValueError: the arguments do not fit each other.
        """
        refs, key = [], dict(img_info)
        sampler = check_sampler(
            {
                "frame_range": frame_range,
                "stride": stride,
                "num_ref_imgs": num_ref_imgs,
                "filter_key_img": filter_key_img,
                "method": method,
            },
            reset_count=False,
        )
        left, right = sampler["frame_range"]
        is_frame = self.load_as_video and img_info.get("frame_id") is not None
        if not is_frame or left == right == 0:
            refs = [dict(img_info) for _ in range(num_ref_imgs)]
        else:
            img_ids = self.coco.get_img_ids_from_vid(img_info["video_id"])
            frames = sample_references(img_info["frame_id"], len(img_ids), **sampler)
            for info in self.coco.load_imgs([img_ids[frame] for frame in sorted(frames)]):
                refs.append({**info, "filename": info["file_name"]})
            if method == "test_with_fix_stride":
                key.update(num_left_ref_imgs=-left, frame_stride=stride)
        return [key, *refs] if return_key_img else refs

    def get_ann_info(self, img_info: dict | int) -> dict:
        """Annotations of an image.

        Args:
            img_info: The image, or its position in the data set.

        Returns:
            ``bboxes`` (n, 4) x1y1x2y2 float32, ``labels`` (n,) int64, ``bboxes_ignore`` (k, 4),
            ``masks`` (n values as in the file), ``seg_map`` (a file name), ``instance_ids`` (n,).
            Without instance ids in the file there is no ``instance_ids``.
        """
        if not isinstance(img_info, dict):
            img_info = self.data_infos[img_info]
        ann_ids = self.coco.get_ann_ids(img_ids=[img_info["id"]])
        try:
            return self._parse_ann_info(img_info, self.coco.load_anns(ann_ids))
        except KeyError as error:  # test sets are opened without the fields of annotations
            raise ValueError(
                f"{self.ann_file}: image {img_info['id']} or one of its annotations has no {error}."
                " Convert the data again."
            ) from error

    def _parse_ann_info(self, img_info: dict, ann_info: list[dict]) -> dict:
        """Sort annotations into objects and ignored regions.

        Those marked ``ignore``, without overlap with the image, smaller than a pixel or of other
        categories are left out; crowds are ignored regions.
        """
        if self.reads_masks:
            self._check_masks(img_info, ann_info)
        boxes = np.array([ann["bbox"] for ann in ann_info], np.float64).reshape(-1, 4)
        inside = _overlaps_image(boxes, img_info["width"], img_info["height"])
        keep = [
            bool(fits)
            and not ann.get("ignore", False)
            and ann["area"] > 0
            and ann["category_id"] in self.cat2label
            for ann, fits in zip(ann_info, inside, strict=True)
        ]
        crowd = np.array([bool(ann.get("iscrowd", False)) for ann in ann_info], bool)
        keep = np.array(keep, bool)
        boxes[:, 2:] += boxes[:, :2]
        objects = [ann_info[i] for i in np.flatnonzero(keep & ~crowd)]
        parsed = {
            "bboxes": boxes[keep & ~crowd].astype(np.float32),
            "labels": np.array([self.cat2label[a["category_id"]] for a in objects], np.int64),
            "bboxes_ignore": boxes[keep & crowd].astype(np.float32),
            "masks": [ann.get("segmentation") for ann in objects],
            "seg_map": img_info["file_name"].rsplit(".", 1)[0] + self.seg_suffix,
        }
        if not self.load_as_video:
            parsed["instance_ids"] = np.arange(len(objects))
        elif all("instance_id" in ann for ann in objects):
            parsed["instance_ids"] = np.array([ann["instance_id"] for ann in objects], np.int64)
        return parsed

    def _check_masks(self, img_info: dict, ann_info: list[dict]) -> None:
        """Raise a ValueError that names an object whose mask does not fit.

        pycocotools trusts what it gets, and takes memory or crashes where it should not.
        """
        for ann in ann_info:
            try:
                check_segmentation(ann.get("segmentation"), img_info["height"], img_info["width"])
            except ValueError as error:
                raise ValueError(
                    f"{self.ann_file}: segmentation of annotation {ann['id']} in "
                    f"{img_info['file_name']}: {error}"
                ) from error

    def _filter_imgs(self, min_size: int = 32) -> list[int]:
        """Positions of images to train on: large enough, with objects if empty ones are filtered.

        Raises:
            ValueError: no image is left.
        """
        sides = [min(info["width"], info["height"]) for info in self.data_infos]
        valid = np.array(sides, np.float64) >= min_size
        if self.filter_empty_gt:
            valid &= np.isin(self.img_ids, self.coco.image_ids_with(self.cat_ids))
        if not valid.any():
            raise ValueError(
                f"{self.ann_file}: none of {len(valid)} images can be trained on: they need a "
                f"shorter side of at least {min_size} pixels and objects of the classes "
                f"{list(self.CLASSES)} (filter_empty_gt=False keeps images without objects)."
            )
        positions = np.flatnonzero(valid).tolist()
        self.img_ids = [self.img_ids[i] for i in positions]
        return positions

    def prepare_results(self, img_info: dict) -> dict:
        """What the pipeline gets for one image: the image, annotations, prefixes and fields."""
        results = {"img_info": img_info}
        if not self.test_mode or self.test_load_ann:
            results["ann_info"] = self.get_ann_info(img_info)
        if self.proposals is not None:
            results["proposals"] = self.proposals[self._position_of_image[img_info["id"]]]
        super().pre_pipeline(results)
        results["is_video_data"] = self.load_as_video
        return results

    def prepare_data(self, idx: int) -> Any:
        """Sample after the pipeline, which gets one frame or a list of frames, the key first."""
        img_info = self.data_infos[idx]
        if self.ref_img_sampler is None:
            return self.pipeline(self.prepare_results(dict(img_info)))
        frames = self.ref_img_sampling(img_info, **self.ref_img_sampler)
        return self.pipeline([self.prepare_results(frame) for frame in frames])

    def __getitem__(self, idx: int) -> Any:
        """Sample after the pipeline; in training another one where the pipeline rejects it.

        Raises:
            RuntimeError: the pipeline rejects one sample after the other.
        """
        if self.test_mode:
            return self.prepare_test_img(idx)
        for _ in range(_MOST_REDRAWS):
            data = self.prepare_train_img(idx)
            if data is not None:
                return data
            idx = self._rand_another(idx)
        raise RuntimeError(
            f"the pipeline rejected {_MOST_REDRAWS} samples of {self.ann_file} in a row. Check "
            "that frames of a video share instance ids and that crops fit into the images."
        )

    def prepare_train_img(self, idx: int) -> Any:
        """Training sample after the pipeline; None if the pipeline rejects it."""
        return self.prepare_data(idx)

    def prepare_test_img(self, idx: int) -> Any:
        """Test sample after the pipeline."""
        return self.prepare_data(idx)


def _overlaps_image(boxes: np.ndarray, width: float, height: float) -> np.ndarray:
    """Boxes ``(n, 4)`` x, y, w, h of at least a pixel that overlap the image, ``(n,)`` bool."""
    x, y, w, h = boxes.T
    inside_w = np.minimum(x + w, width) - np.maximum(x, 0)
    inside_h = np.minimum(y + h, height) - np.maximum(y, 0)
    return (inside_w > 0) & (inside_h > 0) & (w >= 1) & (h >= 1)
