"""What a config trains or tests: a video model, one of its detectors, or a ReID model."""

from __future__ import annotations

import mmcv
from torch import nn
from torch.utils.data import Dataset

from mmtrack.datasets.pipelines import with_byte_frames
from mmtrack.models import build_detector, build_model, build_reid


def model_config(cfg: mmcv.Config) -> dict:
    """The part of ``cfg.model`` that is trained and tested.

    ``USE_MMDET = True`` stands for ``model.detector``, ``TRAIN_REID = True`` for ``model.reid``
    (or ``model`` itself where it has no such key); all other configs for the whole model.
    """
    for flag, part in (("USE_MMDET", "detector"), ("TRAIN_REID", "reid")):
        if cfg.get(flag, False):
            return cfg.model.get(part, cfg.model)
    return cfg.model


def build_task_model(cfg: mmcv.Config) -> nn.Module:
    """Build the model that a config trains or tests, weights not initialised."""
    if cfg.get("USE_MMDET", False):
        # Old configs of mmdet keep these two beside the model.
        beside = {key: cfg[key] for key in ("train_cfg", "test_cfg") if cfg.get(key) is not None}
        return build_detector({**model_config(cfg), **beside})
    if cfg.get("TRAIN_REID", False):
        return build_reid(model_config(cfg))
    return build_model(model_config(cfg))


def takes_byte_frames(model: nn.Module) -> bool:
    """Whether a model converts the pixels of a frame itself, where it looks at them."""
    return getattr(model, "takes_byte_frames", False)


def hand_on_bytes(dataset: Dataset, model: nn.Module) -> None:
    """Let a test data set give frames as they were decoded to a model that takes them so.

    Args:
        dataset: The data set, or a concatenation; its pipeline is replaced.
        model: The model without parallel wrapper.
    """
    if not takes_byte_frames(model):
        return
    for member in getattr(dataset, "datasets", [dataset]):
        member.pipeline = with_byte_frames(member.pipeline)
