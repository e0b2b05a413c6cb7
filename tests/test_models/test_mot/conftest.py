"""Small detectors: one that plays given boxes, and real ones with few channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.models import DETECTORS
from torch import nn


@DETECTORS.register_module(name="PlayedDetectorForTest")
class PlayedDetector(nn.Module):
    """Finds what is set as ``frame``: boxes ``(n, 5)`` and labels ``(n,)``."""

    def __init__(self, num_classes=2, masks=False, train_cfg=None, test_cfg=None):
        super().__init__()
        self.num_classes = num_classes
        self.masks = masks
        self.weight = nn.Parameter(torch.ones(2))
        self.frame = (torch.zeros(0, 5), torch.zeros(0, dtype=torch.long))

    def simple_test(self, img, img_metas, rescale=False):
        bboxes, labels = self.frame
        scale = 1.0 if rescale else 2.0  # img is twice the original
        bboxes = torch.cat((bboxes[:, :4] * scale, bboxes[:, 4:]), dim=1)
        per_class = [bboxes[labels == c].numpy() for c in range(self.num_classes)]
        if self.masks:
            return [(per_class, [[np.ones((4, 4), bool)] * len(rows) for rows in per_class])]
        return [per_class]

    def forward_train(self, img, img_metas, gt_bboxes):
        return {
            "loss_cls": [self.weight.sum() * img.mean(), self.weight.sum()],
            "loss_bbox": self.weight[0] * gt_bboxes[0].sum(),
            "acc": torch.tensor(80.0),
        }


class Scene:
    """Objects that move to the right; every object is always found, in changing order."""

    def __init__(self, frames=6, objects=4, classes=2, seed=0):
        rng = np.random.default_rng(seed)
        # far apart, so that every frame is unambiguous
        start = np.stack((100 * np.arange(objects), 60 * np.arange(objects)), axis=1)
        self.labels = rng.integers(0, classes, objects)
        self.frames, self.owners = [], []
        for t in range(frames):
            corner = start + [3 * t, t]
            rows = np.concatenate((corner, corner + [40, 80], rng.uniform(0.8, 1, (objects, 1))), 1)
            order = rng.permutation(objects)
            self.owners.append(order)
            self.frames.append(
                (
                    torch.from_numpy(rows[order].astype(np.float32)),
                    torch.from_numpy(self.labels[order]),
                )
            )

    @staticmethod
    def meta(frame_id):
        return dict(
            frame_id=frame_id,
            img_shape=(64, 64, 3),
            ori_shape=(32, 32, 3),
            pad_shape=(64, 64, 3),
            scale_factor=np.array([2.0] * 4, np.float32),
            flip=False,
            img_norm_cfg=dict(mean=np.zeros(3), std=np.ones(3), to_rgb=True),
        )


@pytest.fixture
def scene():
    return Scene()


@pytest.fixture(scope="session")
def make_scene():
    return Scene


KALMAN = dict(type="KalmanFilter")
TRACKERS = {
    "ByteTrack": dict(type="ByteTracker", num_frames_retain=30),
    "OCSORT": dict(type="OCSORTTracker", num_frames_retain=30),
    "DeepSORT": dict(type="SortTracker", obj_score_thr=0.5, reid=None, num_tentatives=0),
}


@pytest.fixture(scope="session")
def tracker_config():
    """Config of a model by the name of its class, on the detector that plays boxes."""

    def make(kind, **detector):
        return dict(
            type=kind,
            detector=dict(type="PlayedDetectorForTest", **detector),
            motion=dict(KALMAN),
            tracker=dict(TRACKERS[kind]),
        )

    return make


@pytest.fixture(scope="session")
def two_stage():
    """Faster R-CNN with few channels."""
    coder = dict(type="DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=[0.1] * 4)
    return dict(
        type="FasterRCNN",
        backbone=dict(type="ResNet", depth=18, base_channels=4, norm_eval=True),
        neck=dict(type="FPN", in_channels=[4, 8, 16, 32], out_channels=8, num_outs=5),
        rpn_head=dict(
            type="RPNHead",
            in_channels=8,
            feat_channels=8,
            anchor_generator=dict(
                type="AnchorGenerator", scales=[4], ratios=[1.0], strides=[4, 8, 16, 32, 64]
            ),
            bbox_coder=coder,
        ),
        roi_head=dict(
            type="StandardRoIHead",
            bbox_roi_extractor=dict(
                type="SingleRoIExtractor",
                roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=0),
                out_channels=8,
                featmap_strides=[4, 8, 16, 32],
            ),
            bbox_head=dict(
                type="Shared2FCBBoxHead",
                in_channels=8,
                fc_out_channels=16,
                roi_feat_size=3,
                num_classes=2,
                bbox_coder=coder,
            ),
        ),
        test_cfg=dict(
            rpn=dict(
                nms_pre=50,
                max_per_img=20,
                nms=dict(type="nms", iou_threshold=0.7),
                min_bbox_size=0,
            ),
            rcnn=dict(score_thr=0.0, nms=dict(type="nms", iou_threshold=0.5), max_per_img=10),
        ),
    )


@pytest.fixture(scope="session")
def one_stage():
    """YOLOX with few channels."""
    return dict(
        type="YOLOX",
        input_size=(64, 64),
        backbone=dict(type="CSPDarknet", deepen_factor=0.1, widen_factor=0.125),
        neck=dict(type="YOLOXPAFPN", in_channels=[32, 64, 128], out_channels=16, num_csp_blocks=1),
        bbox_head=dict(type="YOLOXHead", num_classes=2, in_channels=16, feat_channels=16),
        train_cfg=dict(assigner=dict(type="SimOTAAssigner", center_radius=2.5)),
        test_cfg=dict(score_thr=0.0, nms=dict(type="nms", iou_threshold=0.7), max_per_img=20),
    )


@pytest.fixture(scope="session")
def mask_rcnn(two_stage):
    """Two stages that could give masks as well."""
    roi_head = dict(
        two_stage["roi_head"],
        mask_roi_extractor=two_stage["roi_head"]["bbox_roi_extractor"],
        mask_head=dict(
            type="FCNMaskHead", num_convs=1, in_channels=8, conv_out_channels=8, num_classes=2
        ),
    )
    rcnn = dict(two_stage["test_cfg"]["rcnn"], mask_thr_binary=0.5)
    test_cfg = dict(two_stage["test_cfg"], rcnn=rcnn)
    return dict(two_stage, type="MaskRCNN", roi_head=roi_head, test_cfg=test_cfg)


@pytest.fixture(scope="session")
def cascade(two_stage):
    """Cascade R-CNN: its heads for boxes are a list."""
    roi_head = dict(
        two_stage["roi_head"],
        type="CascadeRoIHead",
        num_stages=2,
        stage_loss_weights=[1, 1],
        bbox_head=[two_stage["roi_head"]["bbox_head"]] * 2,
    )
    return dict(two_stage, type="CascadeRCNN", roi_head=roi_head)


@pytest.fixture(scope="session")
def detr():
    """A transformer, whose head wants the meta data too."""
    attention = dict(type="MultiheadAttention", embed_dims=16, num_heads=2)
    ffn = dict(type="FFN", embed_dims=16, feedforward_channels=16)
    encoder = dict(
        type="DetrTransformerEncoder",
        num_layers=1,
        transformerlayers=dict(
            type="BaseTransformerLayer",
            attn_cfgs=[attention],
            ffn_cfgs=ffn,
            operation_order=("self_attn", "norm", "ffn", "norm"),
        ),
    )
    decoder = dict(
        type="DetrTransformerDecoder",
        num_layers=1,
        transformerlayers=dict(
            type="DetrTransformerDecoderLayer",
            attn_cfgs=attention,
            ffn_cfgs=ffn,
            feedforward_channels=16,
            operation_order=("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
        ),
    )
    return dict(
        type="DETR",
        backbone=dict(type="ResNet", depth=18, base_channels=4, out_indices=(3,)),
        bbox_head=dict(
            type="DETRHead",
            num_classes=2,
            num_query=9,
            in_channels=32,
            transformer=dict(type="Transformer", encoder=encoder, decoder=decoder),
            positional_encoding=dict(type="SinePositionalEncoding", num_feats=8, normalize=True),
            train_cfg=None,
            loss_cls=dict(type="CrossEntropyLoss"),
        ),
        test_cfg=dict(max_per_img=9),
    )
