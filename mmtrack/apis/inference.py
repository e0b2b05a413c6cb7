"""Build a model for use, and run it on frames one after the other."""

from __future__ import annotations

import contextlib
import copy
import logging
import os
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import mmcv
import numpy as np
import torch
from mmcv.parallel import DataContainer, collate, scatter
from mmcv.utils import get_logger
from mmcv.utils.logging import logger_initialized
from mmdet.datasets import DATASETS
from mmdet.datasets.pipelines import Compose, LoadImageFromWebcam
from torch import nn

from mmtrack.datasets.pipelines import build_pipeline, with_byte_frames
from mmtrack.models import build_model

from .checkpoint import initialize, load_model_checkpoint
from .config_file import read_config
from .task import takes_byte_frames

SEVERAL_IMAGES = "LoadMultiImagesFromFile"  # first step of pipelines for a frame and its references
LOADING_STEPS = ("LoadImageFromFile", SEVERAL_IMAGES, "LoadImageFromWebcam")
REF_IMG_SAMPLER = {"frame_stride": 10, "num_left_ref_imgs": 10}

# Test pipelines by model: settings they were built from, and the callable. Building one takes
# longer than running a small model on a frame.
_PIPELINES: WeakKeyDictionary[nn.Module, dict[bool, tuple[str, Compose]]] = WeakKeyDictionary()


def init_model(
    config: str | os.PathLike | mmcv.Config,
    checkpoint: str | os.PathLike | None = None,
    device: str | torch.device = "cuda:0",
    cfg_options: dict | None = None,
    verbose_init_params: bool = False,
) -> nn.Module:
    """Build a model from a config, ready for inference.

    Args:
        config: File of a config, or the config.
        checkpoint: Weights of the whole model. Without it, or for parts it does not hold, the
            weights named by ``init_cfg`` in the config are loaded.
        device: Where the model runs.
        cfg_options: Values that override those of the config, keys with dots.
        verbose_init_params: Log how every parameter was initialised.

    Returns:
        The model in evaluation mode, with ``cfg`` (the config) and ``CLASSES`` (from the
        checkpoint, else from the test dataset, else None).

    Raises:
        TypeError: ``config`` is neither a path nor a config.
        ValueError: the weights do not fit, or the config trains a part of a model alone.
    """
    if isinstance(config, (str, os.PathLike)):
        config = read_config(config)
    elif not isinstance(config, mmcv.Config):
        raise TypeError(f"config must be a file name or a Config, but is {type(config).__name__}")
    if cfg_options is not None:
        config = copy.deepcopy(config)  # the caller's config stays as it is
        config.merge_from_dict(cfg_options)
    for flag in ("USE_MMDET", "TRAIN_REID"):
        if config.get(flag, False):
            raise ValueError(
                f"{config.filename or 'the config'} has {flag}=True: it trains and tests one part "
                "of a video model, which tells nothing about videos. Give the config of the whole "
                "model"
            )
    model = build_model(config.model)
    meta: dict[str, Any] = {}
    with contextlib.nullcontext() if verbose_init_params else quiet_loggers():
        if checkpoint is None:
            initialize(model)
        else:
            meta = load_model_checkpoint(model, checkpoint)
    model.CLASSES = meta.get("CLASSES") or classes_of(model, config)
    model.cfg = config
    model.to(device)
    return model.eval()


def inference_mot(model: nn.Module, img: str | np.ndarray, frame_id: int) -> dict[str, Any]:
    """Track the objects of one frame with a model for multi-object tracking.

    Args:
        model: A model from :func:`init_model`.
        img: File name, or image ``(H, W, 3)`` uint8, BGR.
        frame_id: Number of the frame, counted from 0; 0 begins a new video.

    Returns:
        ``track_bboxes``: per class ``(n, 6)``: id, x1, y1, x2, y2 (pixels of ``img``), score;
        ``det_bboxes``: per class ``(n, 5)``; masks where the model has them.

    Raises:
        ValueError: the test pipeline of the config wants public detections.
    """
    data = _pipeline(model, from_array=not isinstance(img, str))(_frame(img, frame_id))
    batch = to_device(collate([data], samples_per_gpu=1), next(model.parameters()).device)
    with torch.no_grad():
        return model(return_loss=False, rescale=True, **batch)


def inference_sot(
    model: nn.Module, image: str | np.ndarray, init_bbox: np.ndarray, frame_id: int
) -> dict[str, np.ndarray]:
    """Follow one object into a frame with a model for single object tracking.

    Args:
        model: A model from :func:`init_model`.
        image: File name, or image ``(H, W, 3)`` uint8, BGR.
        init_bbox: Box of the object in frame 0, ``(4,)``, x1, y1, x2, y2 in pixels. It is not used
            in later frames, except by models that follow the VOT protocol.
        frame_id: Number of the frame, counted from 0; 0 begins a new video.

    Returns:
        ``track_bboxes``: ``(5,)``: x1, y1, x2, y2 in pixels of ``image``, score (-1 in frame 0).

    Raises:
        ValueError: the box is not finite, has no area, lies outside of the image or has another
            count of numbers than 4 or 8.
    """
    info: dict[str, Any] = {"frame_id": frame_id}
    bboxes = np.asarray(init_bbox, dtype=np.float32)
    data: dict[str, Any] = {
        "img_info": info,
        "img_prefix": None,
        "ann_info": {"bboxes": bboxes, "visible": True},
        "bbox_fields": [],
    }
    if isinstance(image, str):
        info["filename"] = image
    else:
        data["img"] = image
    data = _pipeline(model, from_array=not isinstance(image, str))(data)
    if takes_byte_frames(model):
        batch = _batch_of_one(data)
    else:
        device = next(model.parameters()).device
        batch = to_device(collate([data], samples_per_gpu=1), device)
    with torch.no_grad():
        return model(return_loss=False, rescale=True, **batch)


def inference_vid(
    model: nn.Module,
    image: str | np.ndarray,
    frame_id: int,
    ref_img_sampler: dict = REF_IMG_SAMPLER,
) -> dict[str, Any]:
    """Detect the objects of one frame with a model for video object detection.

    Args:
        model: A model from :func:`init_model`.
        image: File name, or image ``(H, W, 3)`` uint8, BGR.
        frame_id: Number of the frame, counted from 0; 0 begins a new video.
        ref_img_sampler: Which earlier frames are references, for models whose test pipeline loads
            several images: every ``frame_stride`` frames one of them is kept, the
            ``num_left_ref_imgs`` last ones. Later frames are not known here.

    Returns:
        ``det_bboxes``: per class ``(n, 5)``: x1, y1, x2, y2 (pixels of ``image``), score; masks
        where the model has them.

    Raises:
        KeyError: an entry of ``ref_img_sampler`` is missing.
        ValueError: an entry is negative, or the stride is 0.
    """
    pipeline = _pipeline(model, from_array=not isinstance(image, str))
    device = next(model.parameters()).device
    if not isinstance(image, str):
        # as in MMTracking 0.14: arrays are resized without rounding, files are not
        image = image.astype(np.float32)
    if model.cfg.data.test.pipeline[0]["type"] != SEVERAL_IMAGES:
        batch = to_device(collate([pipeline(_frame(image, frame_id))], samples_per_gpu=1), device)
    else:
        stride, left = _checked_sampler(ref_img_sampler)
        copies = 2 if frame_id % stride == 0 else 1
        data = pipeline([_frame(image, frame_id) for _ in range(copies)])
        batch = to_device(collate([data], samples_per_gpu=1), device)
        batch["img_metas"][0][0].update(frame_stride=stride, num_left_ref_imgs=left)
        if frame_id == 0:
            # the first frame fills the window; views, so that it costs nothing
            batch["ref_img"] = [batch["ref_img"][0].expand(-1, left + 1, -1, -1, -1)]
            batch["ref_img_metas"] = [[batch["ref_img_metas"][0][0] * (left + 1)]]
    with torch.no_grad():
        return model(return_loss=False, rescale=True, **batch)


def _frame(image: str | np.ndarray, frame_id: int) -> dict[str, Any]:
    """A frame as pipelines for detectors want it."""
    frame: dict[str, Any] = {"img_info": {"frame_id": frame_id}, "img_prefix": None}
    if isinstance(image, str):
        frame["img_info"]["filename"] = image
    else:
        frame["img"] = image
    return frame


def _checked_sampler(sampler: dict) -> tuple[int, int]:
    """Stride and number of references of a ``ref_img_sampler``."""
    missing = sorted(set(REF_IMG_SAMPLER) - set(sampler))
    if missing:
        raise KeyError(f"ref_img_sampler has no {', '.join(missing)}; it is {sampler}")
    stride, left = sampler["frame_stride"], sampler["num_left_ref_imgs"]
    if stride < 1 or left < 0:
        raise ValueError(
            f"ref_img_sampler wants frame_stride >= 1 and num_left_ref_imgs >= 0, found {sampler}"
        )
    return stride, left


def to_device(batch: dict, device: torch.device) -> dict:
    """A collated batch taken out of its containers, tensors on the device."""
    target = -1 if device.type == "cpu" else (device.index or 0)  # -1 is mmcv's name of the CPU
    return scatter(batch, [target])[0]


def classes_of(model: nn.Module, config: mmcv.Config) -> tuple[str, ...] | None:
    """Class names of the detector inside a model, else of the test dataset, else None."""
    detector = getattr(model, "detector", None)
    if getattr(detector, "CLASSES", None):
        return detector.CLASSES
    test = config.get("data", {}).get("test", {})
    if test.get("classes"):
        classes = test["classes"]
        return tuple(mmcv.list_from_file(classes) if isinstance(classes, str) else classes)
    dataset = DATASETS.get(test["type"]) if test.get("type") else None
    return getattr(dataset, "CLASSES", None)


@contextlib.contextmanager
def quiet_loggers() -> Iterator[None]:
    """Hold back the hundreds of lines mmcv logs while it initialises parameters."""
    get_logger("mmcv")  # created now, or mmcv would create it at level INFO inside
    loggers = [logging.getLogger(name) for name in logger_initialized]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _batch_of_one(data: dict) -> dict:
    """Output of a test pipeline as a batch of one frame, without copying the frame."""

    def add_axis(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, DataContainer):
            return [value.data]
        return torch.as_tensor(value)[None]

    return {key: [add_axis(value) for value in views] for key, views in data.items()}


def _pipeline(model: nn.Module, *, from_array: bool) -> Compose:
    """The test pipeline of a model's config, built at the first frame and when it is changed."""
    steps = model.cfg.data.test.pipeline
    settings = repr(steps)
    known = _PIPELINES.setdefault(model, {})
    if from_array not in known or known[from_array][0] != settings:
        pipeline = build_pipeline(_raw_frame_steps(steps, from_array))
        if takes_byte_frames(model):
            pipeline = with_byte_frames(pipeline)
        known[from_array] = (settings, pipeline)
    return known[from_array][1]


def _raw_frame_steps(steps: list[dict], from_array: bool) -> list[dict]:
    """Steps for a frame that comes alone; an array needs no loading from a file."""
    types = [step["type"] for step in steps]
    if "LoadDetections" in types:
        raise ValueError(
            "the test pipeline of this config loads public detections, which a raw frame does not "
            "have; use a config with private detections"
        )
    if not from_array:
        return list(steps)
    if not set(types) & set(LOADING_STEPS):
        raise ValueError(f"the test pipeline has no step that loads an image; it has {types}")
    return [_array_step(step) if step["type"] in LOADING_STEPS else step for step in steps]


class FramesInMemory:
    """In place of ``LoadMultiImagesFromFile``: frames that are arrays already.

    Args:
        to_float32: Convert them.
    """

    def __init__(self, to_float32: bool = False):
        self._load = LoadImageFromWebcam(to_float32=to_float32)

    def __call__(self, results: list[dict]) -> list[dict]:
        """Add to each frame what its image tells."""
        return [self._load(frame) for frame in results]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(to_float32={self._load.to_float32})"


def _array_step(step: dict) -> dict | FramesInMemory:
    """Step for an image in memory in the place of one that loads a file."""
    if step["type"] == SEVERAL_IMAGES:
        return FramesInMemory(step.get("to_float32", False))
    return {"type": "LoadImageFromWebcam", "to_float32": step.get("to_float32", False)}
