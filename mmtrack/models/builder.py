"""Registries of models and their parts, and the functions that build them from configs."""

from __future__ import annotations

import warnings

from mmcv.cnn import MODELS as MMCV_MODELS
from mmcv.utils import Registry
from torch import nn

MODELS = Registry("models", parent=MMCV_MODELS)

# The documented names of the kinds of parts. They are one registry, so a part is found by its
# name whatever kind it was registered as, and custom code may register under any of them.
TRACKERS = MODELS
MOTION = MODELS
REID = MODELS
AGGREGATORS = MODELS
