"""What a model does with the frames of one video: infer, draw, and say what it found.

The scripts in demo/ and the server share the choices that a video alone does not tell: the
references of a video detector, the form of a first box, the protocol of a tracker.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import mmcv
import numpy as np
from torch import nn

from mmtrack.core.bbox import bbox_xyxy_to_x1y1wh
from mmtrack.core.mask import encode_masks, rle_as_text
from mmtrack.core.track import results2outs
from mmtrack.core.visualization import style_for
from mmtrack.datasets.reference_sampling import check_sampler
from mmtrack.models.mot import BaseMultiObjectTracker
from mmtrack.models.sot.base import BaseSingleObjectTracker
from mmtrack.models.vid import BaseVideoDetector

from .inference import REF_IMG_SAMPLER, inference_mot, inference_sot, inference_vid

POLYGON = 8  # numbers of a quadrangle, as in the files of VOT
TRIAL_SIZE = (240, 320)  # height, width
SOT_LINE = 3  # pixels; one box, which must be found at a glance


class VideoTask(ABC):
    """A model and what it is asked to do with one video.

    Attributes:
        name: ``'mot'``, ``'vid'``, ``'vis'`` or ``'sot'``.
    """

    name: str

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    @abstractmethod
    def infer(self, image: np.ndarray, frame_id: int) -> dict[str, Any]:
        """Result dictionary of a frame ``(H, W, 3)`` uint8, BGR; ``frame_id`` counts from 0."""

    @abstractmethod
    def draw(self, image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
        """The frame with its result, ``(H, W, 3)`` uint8, BGR."""

    @abstractmethod
    def objects(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """What was found in a frame, made of texts, numbers and lists only.

        Every object has ``bbox`` (x, y, w, h in pixels) and ``score``; depending on the task also
        ``id``, ``label``, ``class`` and ``mask`` (compressed run lengths).
        """


class FindObjects(VideoTask):
    """A model that finds any number of objects.

    Args:
        model: The model.
        score_thr: Lowest score that is shown.
    """

    results: str  # its keys in the result begin so

    def __init__(self, model: nn.Module, score_thr: float) -> None:
        super().__init__(model)
        self._score_thr = score_thr

    def draw(self, image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
        """The frame with the objects."""
        style = style_for(image)._asdict()
        return self.model.show_result(image, result, score_thr=self._score_thr, **style)

    def objects(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The objects whose score reaches the threshold."""
        masks = result.get(f"{self.results}_masks")
        return _objects(self.model, result[f"{self.results}_bboxes"], masks, self._score_thr)


class TrackObjects(FindObjects):
    """Multi-object tracking; video instance segmentation where the detector has masks."""

    results = "track"

    def __init__(self, model: BaseMultiObjectTracker, score_thr: float) -> None:
        super().__init__(model, score_thr)
        self.name = "vis" if getattr(model.detector, "with_mask", False) else "mot"

    def infer(self, image: np.ndarray, frame_id: int) -> dict[str, Any]:
        """Tracks of a frame."""
        return inference_mot(self.model, image, frame_id=frame_id)


class DetectObjects(FindObjects):
    """Video object detection."""

    name = "vid"
    results = "det"

    def __init__(self, model: BaseVideoDetector, score_thr: float) -> None:
        super().__init__(model, score_thr)
        self._references = reference_sampler(model.cfg)

    def infer(self, image: np.ndarray, frame_id: int) -> dict[str, Any]:
        """Detections of a frame."""
        return inference_vid(self.model, image, frame_id, self._references)


class FollowObject(VideoTask):
    """Single object tracking.

    Args:
        model: The tracker; :func:`without_restarts` is applied to it.
        region: Object in the first frame, as of :func:`region_corners`.
    """

    name = "sot"

    def __init__(self, model: BaseSingleObjectTracker, region: np.ndarray) -> None:
        super().__init__(without_restarts(model))
        self._region = region

    def infer(self, image: np.ndarray, frame_id: int) -> dict[str, Any]:
        """Box of the object."""
        return inference_sot(self.model, image, self._region, frame_id)

    def draw(self, image: np.ndarray, result: dict[str, Any]) -> np.ndarray:
        """The frame with the box."""
        font_scale = style_for(image).font_scale
        return self.model.show_result(
            image, result, thickness=SOT_LINE, show_score=True, font_scale=font_scale
        )

    def objects(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The box; the first frame's has no score."""
        *corners, score = np.asarray(result["track_bboxes"], np.float64).tolist()
        return [
            {"bbox": _xywh(np.array(corners)), "score": round(score, 6) if score >= 0 else None}
        ]


def follows_one_object(model: nn.Module) -> bool:
    """Whether a model needs the box of an object in the first frame."""
    return isinstance(model, BaseSingleObjectTracker)


def video_task(model: nn.Module, score_thr: float, region: np.ndarray | None) -> VideoTask:
    """The task of a model.

    Args:
        model: From :func:`~mmtrack.apis.init_model`.
        score_thr: Lowest score that is shown; not used where one object is followed.
        region: Object in the first frame, where one is followed; else not used.

    Raises:
        TypeError: the model is none of this toolbox's kinds.
        ValueError: a region is missing.
    """
    if follows_one_object(model):
        if region is None:
            raise ValueError(f"{type(model).__name__} needs the box of an object in frame 0")
        return FollowObject(model, region)
    if isinstance(model, BaseVideoDetector):
        return DetectObjects(model, score_thr)
    if isinstance(model, BaseMultiObjectTracker):
        return TrackObjects(model, score_thr)
    raise TypeError(
        f"{type(model).__name__} is no video model: it must derive from BaseMultiObjectTracker, "
        "BaseVideoDetector or BaseSingleObjectTracker"
    )


def try_out(model: nn.Module) -> None:
    """Run a model on a grey frame: what cannot work with raw frames fails now, and caches fill.

    Raises:
        TypeError: it is no video model.
        ValueError: its config needs more than frames, for example public detections.
    """
    height, width = TRIAL_SIZE
    task = video_task(model, 1.0, np.array([0.4, 0.4, 0.6, 0.6]) * [width, height, width, height])
    image = np.full((height, width, 3), 114, np.uint8)
    task.draw(image, task.infer(image, 0))


def reference_sampler(config: mmcv.Config) -> dict[str, int]:
    """Which earlier frames go with a frame of an unknown video, as ``inference_vid`` takes it.

    As in the tests of the config. Tests that spread references over the whole video know it
    beforehand; a demo or a server does not, and takes the default of ``inference_vid``.
    """
    chosen = dict(REF_IMG_SAMPLER)
    sampler = config.data.test.get("ref_img_sampler") or {}
    if sampler.get("method") == "test_with_fix_stride":
        sampler = check_sampler(sampler, reset_count=False)
        chosen["frame_stride"] = sampler.get("stride", 1)
        chosen["num_left_ref_imgs"] = -sampler["frame_range"][0]
    return chosen


def region_corners(values: np.ndarray, name: str) -> np.ndarray:
    """A box x, y, w, h as x1, y1, x2, y2; a polygon as it is.

    Args:
        values: ``(4,)`` or ``(8,)``, pixels.
        name: Where they come from, for messages.

    Raises:
        ValueError: another count of numbers, or a box that is not finite or has no area.
    """
    if len(values) == POLYGON:
        return values
    if len(values) != 4:
        raise ValueError(
            f"{name} has {len(values)} numbers; a box is x,y,w,h, or eight numbers of a polygon"
        )
    x, y, width, height = values
    if not (np.isfinite(values).all() and width > 0 and height > 0):
        raise ValueError(
            f"{name}: the box x={x:g}, y={y:g}, w={width:g}, h={height:g} must have finite "
            "numbers, and a width and height above zero"
        )
    return np.array([x, y, x + width, y + height])


def without_restarts(model: nn.Module) -> nn.Module:
    """A single object tracker that follows one pass, also where its config tests as VOT does.

    Restarts need the true box of every frame, and a video has none.
    """
    if model.test_cfg.get("test_mode") == "VOT":
        model.test_cfg["test_mode"] = "OPE"
    return model


def _objects(
    model: nn.Module, bboxes: list[np.ndarray], masks: list | None, score_thr: float
) -> list[dict[str, Any]]:
    """Objects of per-class results whose score reaches a threshold."""
    table = results2outs(bbox_results=bboxes)
    classes = getattr(model, "CLASSES", None)
    flat_masks = [mask for group in masks for mask in group] if masks is not None else None
    found = []
    for row in np.flatnonzero(table["bboxes"][:, 4] >= score_thr):
        label = int(table["labels"][row])
        entry = {"id": int(table["ids"][row])} if "ids" in table else {}
        entry["label"] = label
        entry["class"] = classes[label] if classes is not None else None
        entry["bbox"] = _xywh(table["bboxes"][row, :4])
        entry["score"] = round(float(table["bboxes"][row, 4]), 6)
        if flat_masks is not None:
            entry["mask"] = rle_as_text(encode_masks(flat_masks[row]))
        found.append(entry)
    return found


def _xywh(corners: np.ndarray) -> list[float]:
    """x, y, w, h of a box x1, y1, x2, y2, to a thousandth of a pixel."""
    values = bbox_xyxy_to_x1y1wh(np.asarray(corners, np.float64)[None])[0]
    return [round(float(value), 3) for value in values]
