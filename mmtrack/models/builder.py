"""Registries of models and their parts, and the functions that build them from configs."""

from __future__ import annotations

import warnings
from typing import Any

from mmcv.cnn import MODELS as MMCV_MODELS
from mmcv.utils import ConfigDict, Registry
from mmdet.models.builder import MODELS as MMDET_MODELS
from mmdet.models.builder import build_detector as build_mmdet_detector
from torch import nn

MODELS = Registry("models", parent=MMCV_MODELS)

# The documented names of the kinds of parts. They are one registry, so a part is found by its
# name whatever kind it was registered as, and custom code may register under any of them.
TRACKERS = MODELS
MOTION = MODELS
REID = MODELS
AGGREGATORS = MODELS

__all__ = [
    "AGGREGATORS",
    "MODELS",
    "MOTION",
    "REID",
    "TRACKERS",
    "build_aggregator",
    "build_detector",
    "build_model",
    "build_motion",
    "build_part",
    "build_reid",
    "build_tracker",
]


def build_tracker(cfg: dict) -> Any:
    """Build a tracker, the part that gives detections their identities."""
    return TRACKERS.build(cfg)


def build_motion(cfg: dict) -> Any:
    """Build a motion model, for example a Kalman filter or a flow network."""
    return MOTION.build(cfg)


def build_reid(cfg: dict) -> nn.Module:
    """Build a re-identification model."""
    return REID.build(cfg)


def build_aggregator(cfg: dict) -> nn.Module:
    """Build an aggregator of features of several frames."""
    return AGGREGATORS.build(cfg)


def build_detector(cfg: dict) -> nn.Module:
    """Build a detector of single images: one of mmdet, or one registered here."""
    if _is_registered_here(cfg):
        return MODELS.build(cfg)
    # mmdet reads nested settings as attributes, so plain dicts are welcome here
    return build_mmdet_detector(ConfigDict(cfg))


def build_part(cfg: dict) -> nn.Module:
    """Build a backbone, neck, head or loss by its name: ours first, then those of mmdet."""
    return (MODELS if _is_registered_here(cfg) else MMDET_MODELS).build(cfg)


def _is_registered_here(cfg: dict) -> bool:
    kind = cfg.get("type") if isinstance(cfg, dict) else None
    return isinstance(kind, str) and kind in MODELS


def build_model(
    cfg: dict, train_cfg: dict | None = None, test_cfg: dict | None = None
) -> nn.Module:
    """Build a whole model.

    Without ``train_cfg`` and ``test_cfg``, both deprecated, the model gets the keys of ``cfg`` and
    no others: multi object trackers take neither of them.

    Args:
        cfg: Config of the model with its ``type``.
        train_cfg: Deprecated place of ``cfg.train_cfg``.
        test_cfg: Deprecated place of ``cfg.test_cfg``.

    Raises:
        ValueError: a setting is given both inside ``cfg`` and beside it.
    """
    if train_cfg is None and test_cfg is None:
        return MODELS.build(cfg)
    warnings.warn(
        "train_cfg and test_cfg beside the model are deprecated, put them into the model",
        DeprecationWarning,
        stacklevel=2,
    )
    beside = {"train_cfg": train_cfg, "test_cfg": test_cfg}
    for name, value in beside.items():
        if value is not None and cfg.get(name) is not None:
            raise ValueError(f"{name} is given twice: as model.{name} and beside the model")
    return MODELS.build(cfg, default_args=beside)
