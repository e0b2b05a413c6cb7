"""Registries and builders, and modules of users as the manual shows them."""

from __future__ import annotations

import sys
import textwrap

import pytest
import torch
from mmcv import Config
from mmcv.cnn import MODELS as MMCV_MODELS
from mmdet.models import build_loss
from torch import nn

from mmtrack import models
from mmtrack.models import (
    AGGREGATORS,
    MODELS,
    MOTION,
    REID,
    TRACKERS,
    build_aggregator,
    build_model,
    build_motion,
    build_reid,
    build_tracker,
)


def test_registries_are_one_below_that_of_mmcv():
    assert MODELS is TRACKERS is MOTION is REID is AGGREGATORS
    assert MODELS.parent is MMCV_MODELS
    assert MODELS.scope == "mmtrack"
    assert MMCV_MODELS.get("mmtrack.ByteTrack") is models.ByteTrack


@pytest.mark.parametrize(
    "build", [build_tracker, build_motion, build_reid, build_aggregator, build_model]
)
def test_unknown_type_suggests_close_names(build):
    with pytest.raises(KeyError, match=r"KalmanFiltre.*KalmanFilter"):
        build(dict(type="KalmanFiltre"))


@MODELS.register_module()
class SettingsForTest(nn.Module):
    def __init__(self, train_cfg=None, test_cfg=None, size=1):
        super().__init__()
        self.settings = train_cfg, test_cfg, size


class TestSettingsBesideTheModel:
    def test_inside(self):
        model = build_model(dict(type="SettingsForTest", train_cfg=dict(a=1), size=3))
        assert model.settings == (dict(a=1), None, 3)

    def test_beside_is_deprecated(self):
        with pytest.warns(DeprecationWarning, match="into the model"):
            model = build_model(dict(type="SettingsForTest"), test_cfg=dict(b=2))
        assert model.settings == (None, dict(b=2), 1)

    def test_twice_is_an_error(self):
        config = dict(type="SettingsForTest", train_cfg=dict(a=1))
        with (
            pytest.warns(DeprecationWarning, match="into the model"),
            pytest.raises(ValueError, match=r"train_cfg is given twice"),
        ):
            build_model(config, train_cfg=dict(a=2))


# As in the chapters on customising VID, MOT and SOT models.
USER_MODULE = """
    import torch
    import torch.nn as nn
    from mmcv.runner import BaseModule
    from mmdet.models import HEADS, LOSSES, weighted_loss
    from mmdet.models.builder import BACKBONES

    from mmtrack.models import TRACKERS
    from mmtrack.models.builder import AGGREGATORS, MOTION, REID
    from mmtrack.models.trackers import BaseTracker


    @TRACKERS.register_module()
    class MyTracker(BaseTracker):
        def __init__(self, arg1, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.arg1 = arg1

        def track(self, img, img_metas, model, bboxes, labels, frame_id, **kwargs):
            first = self.num_tracks
            ids = torch.arange(first, first + len(bboxes))
            self.num_tracks += len(bboxes)
            self.update(ids=ids, bboxes=bboxes, labels=labels, frame_ids=frame_id)
            return bboxes, labels, ids


    @MOTION.register_module()
    class MyFlowNet(BaseModule):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.args = arg1, arg2


    @REID.register_module()
    class MyReID(BaseModule):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.args = arg1, arg2


    @AGGREGATORS.register_module()
    class MyAggregator(BaseModule):
        def __init__(self, arg1, arg2):
            super().__init__()
            self.args = arg1, arg2


    @BACKBONES.register_module()
    class MyBackbone(BaseModule):
        def forward(self, x):
            return (x,)


    @weighted_loss
    def my_loss(pred, target):
        return torch.abs(pred - target)


    @LOSSES.register_module()
    class MyLoss(nn.Module):
        def __init__(self, reduction="mean", loss_weight=1.0):
            super().__init__()
            self.reduction = reduction
            self.loss_weight = loss_weight

        def forward(self, pred, target, weight=None, avg_factor=None, reduction_override=None):
            reduction = reduction_override or self.reduction
            return self.loss_weight * my_loss(
                pred, target, weight, reduction=reduction, avg_factor=avg_factor)
"""

USER_CONFIG = """
    custom_imports = dict(imports=["parts_of_a_user"], allow_failed_imports=False)
    model = dict(
        type="DeepSORT",
        detector=dict(type="PlayedDetectorForTest"),
        motion=dict(type="MyFlowNet", arg1=1, arg2=2),
        reid=dict(type="MyReID", arg1=3, arg2=4),
        tracker=dict(type="MyTracker", arg1=5, num_frames_retain=4),
    )
    aggregator = dict(type="MyAggregator", arg1=6, arg2=7)
    loss = dict(type="MyLoss", loss_weight=2.0)
    reid = dict(type="BaseReID", backbone=dict(type="MyBackbone"))
"""


@pytest.fixture
def user_config(tmp_path, monkeypatch):
    (tmp_path / "parts_of_a_user.py").write_text(textwrap.dedent(USER_MODULE))
    (tmp_path / "config.py").write_text(textwrap.dedent(USER_CONFIG))
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(MODELS.module_dict)
    yield Config.fromfile(str(tmp_path / "config.py"))
    sys.modules.pop("parts_of_a_user")
    from mmdet.models.builder import MODELS as MMDET_MODELS

    for name in set(MODELS.module_dict) - before:
        del MODELS.module_dict[name]
    for name in ("MyBackbone", "MyLoss"):
        del MMDET_MODELS.module_dict[name]


def test_modules_of_users(user_config):
    # the detector that plays boxes is registered by the tests of the models
    user_config.model.detector = None
    model = build_model(user_config.model)
    assert type(model.tracker).__name__ == "MyTracker"
    assert (model.motion.args, model.reid.args, model.tracker.arg1) == ((1, 2), (3, 4), 5)
    assert model.tracker.num_frames_retain == 4
    assert build_aggregator(user_config.aggregator).args == (6, 7)
    loss = build_loss(user_config.loss)
    assert float(loss(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))) == 3
    assert type(build_reid(user_config.reid).backbone).__name__ == "MyBackbone"


def test_tracker_of_a_user_keeps_memos(user_config):
    """The API of BaseTracker: `update` stores, `get` stacks, old tracks go."""
    tracker = build_tracker(user_config.model.tracker)
    boxes = torch.tensor([[0.0, 0, 9, 9, 0.9], [20, 0, 29, 9, 0.8]])
    labels = torch.tensor([0, 1])
    _, _, ids = tracker.track(None, None, None, boxes, labels, 0)
    assert ids.tolist() == tracker.ids == [0, 1]
    torch.testing.assert_close(tracker.get("bboxes"), boxes)
    for frame_id in range(1, 6):
        tracker.track(None, None, None, boxes[:1], labels[:1], frame_id)
    assert 0 not in tracker.ids
    tracker.reset()
    assert tracker.empty
