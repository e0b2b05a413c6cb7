"""Pipeline steps that read: images, annotations, public detections."""

from __future__ import annotations

import os.path as osp

import cv2
import mmcv
import numpy as np
from mmdet.datasets.builder import PIPELINES
from mmdet.datasets.pipelines import LoadAnnotations, LoadImageFromFile

from mmtrack.core.track import results2outs
from mmtrack.utils.image_header import check_pixel_count
from mmtrack.utils.reading import UnreadableFileError

JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


class ImageReadError(UnreadableFileError):
    """A file that should be an image and cannot be decoded, or ends too early."""


def _is_truncated_jpeg(data: bytes) -> bool:
    """Whether a file is a JPEG without its end.

    Decoders fill the missing part of a truncated JPEG with grey and merely print a warning; those
    of other formats refuse. The end marker cannot occur inside the last scan, where 0xFF bytes are
    escaped; one before it belongs to an embedded thumbnail.
    """
    if not data.startswith(JPEG_START) or data.endswith(JPEG_END):
        return False
    return data.rfind(JPEG_END) < max(data.rfind(JPEG_SCAN), 0)


def decode_image(
    data: bytes, name: str, flag: str = "color", channel_order: str = "bgr"
) -> np.ndarray:
    """Decode an image file that was read into memory.

    Args:
        data: Content of the file.
        name: Name of the file, for errors.
        flag: How to decode, see `mmcv.imfrombytes`.
        channel_order: ``'bgr'`` or ``'rgb'``.

    Returns:
        The image ``(H, W, C)`` uint8, or ``(H, W)`` with ``flag='grayscale'``.

    Raises:
        ImageReadError: The file is empty, truncated or no image; the message names it.
    """
    data = bytes(data)
    if not data:
        raise ImageReadError(f"image {name} is an empty file")
    if _is_truncated_jpeg(data):
        raise ImageReadError(f"image {name} is truncated ({len(data)} bytes); copy it again")
    try:
        check_pixel_count(data, name)
    except ValueError as error:
        raise ImageReadError(str(error)) from error
    try:
        img = mmcv.imfrombytes(data, flag=flag, channel_order=channel_order)
    except (OSError, cv2.error) as error:  # as other backends than cv2 tell it
        raise ImageReadError(f"image {name} cannot be decoded: {error}") from error
    if img is None:
        raise ImageReadError(f"image {name} cannot be decoded: no image, or a damaged one")
    return img


class CheckedLoadImageFromFile(LoadImageFromFile):
    """mmdet's LoadImageFromFile with errors that name the file.

    It is not registered: `build_pipeline` puts it in the place of the original.
    """

    def __call__(self, results: dict) -> dict:
        """Load the image of one frame.

        Raises:
            FileNotFoundError: There is no such file.
            ImageReadError: The file is no complete image.
        """
        if self.file_client is None:
            self.file_client = mmcv.FileClient(**self.file_client_args)
        name = results["img_info"]["filename"]
        path = name if results["img_prefix"] is None else osp.join(results["img_prefix"], name)
        try:
            data = self.file_client.get(path)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"image {path} does not exist; check img_prefix and file_name"
            ) from error
        img = decode_image(data, path, self.color_type, self.channel_order)
        if self.to_float32:
            img = img.astype(np.float32)
        results["filename"] = path
        results["ori_filename"] = name
        results["img"] = img
        results["img_shape"] = img.shape
        results["ori_shape"] = img.shape
        results["img_fields"] = ["img"]
        return results


@PIPELINES.register_module()
class LoadMultiImagesFromFile(CheckedLoadImageFromFile):
    """Load the image of every frame of a list.

    Arguments are those of mmdet's LoadImageFromFile.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Load ``img`` of each frame, see `CheckedLoadImageFromFile`."""
        return [super(LoadMultiImagesFromFile, self).__call__(frame) for frame in results]


@PIPELINES.register_module()
class SeqLoadAnnotations(LoadAnnotations):
    """Load the annotations of every frame of a list.

    Args:
        with_track: Load the instance ids, ``gt_instance_ids``.
        *args: Further arguments are those of mmdet's LoadAnnotations.
        **kwargs: As `args`.
    """

    def __init__(self, with_track: bool = False, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.with_track = with_track

    def _load_track(self, results: dict) -> dict:
        results["gt_instance_ids"] = results["ann_info"]["instance_ids"].copy()
        return results

    def __call__(self, results: list[dict]) -> list[dict] | None:
        """Add ``gt_bboxes``, ``gt_labels``, ... as far as they are asked for to each frame."""
        outs = []
        for frame in results:
            frame = super().__call__(frame)
            if frame is None:
                return None
            outs.append(self._load_track(frame) if self.with_track else frame)
        return outs


@PIPELINES.register_module()
class LoadDetections:
    """Load public detections, one array ``(n, 5)`` x1y1x2y2-score for each class."""

    def __call__(self, results: dict) -> dict:
        """Add ``public_bboxes`` (n, 4), ``public_scores`` (n,) and ``public_labels`` (n,).

        The boxes join ``bbox_fields``, so that they are resized and flipped with the image.

        Raises:
            KeyError: The data set did not load detections.
        """
        if "detections" not in results:
            raise KeyError(
                "LoadDetections finds no 'detections' in the sample: set detection_file of the "
                "data set to the public detections"
            )
        outs = results2outs([np.asarray(boxes, np.float32) for boxes in results["detections"]])
        results["public_bboxes"] = outs["bboxes"][:, :4]
        results["public_scores"] = outs["bboxes"][:, 4]
        results["public_labels"] = outs["labels"]
        results["bbox_fields"].append("public_bboxes")
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
