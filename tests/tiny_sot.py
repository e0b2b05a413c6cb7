"""Two short videos in the layout of LaSOT, and a SiamRPN++ that takes milliseconds for a frame.

Imported by tests that run scripts for single object tracking as a user does.
"""

from __future__ import annotations

from pathlib import Path

import mmcv
import sot_layout
import torch

from mmtrack.models import build_model

LENGTHS = (6, 8)

CONFIG = """
model = dict(
    type='SiamRPN',
    backbone=dict(type='SOTResNet', depth=50, base_channels=4, out_indices=(1, 2, 3),
                  strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), norm_eval=True),
    neck=dict(type='ChannelMapper', in_channels=[32, 64, 128], out_channels=8, kernel_size=1,
              norm_cfg=dict(type='BN'), act_cfg=None),
    head=dict(type='SiameseRPNHead', in_channels=[8, 8, 8], weighted_sum=True,
              anchor_generator=dict(type='SiameseRPNAnchorGenerator', strides=[8],
                                    ratios=[0.33, 0.5, 1, 2, 3], scales=[8])),
    train_cfg=None,
    test_cfg=dict(exemplar_size=127, search_size=255, context_amount=0.5, center_size=7,
                  rpn=dict(penalty_k=0.05, window_influence=0.42, lr=0.38)))
test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True, with_label=False),
    dict(type='MultiScaleFlipAug', scale_factor=1, flip=False, transforms=[
        dict(type='VideoCollect', keys=['img', 'gt_bboxes']),
        dict(type='ImageToTensor', keys=['img'])])]
videos = dict(type='LaSOTDataset', ann_file='{root}/infos.txt', img_prefix='{root}',
              pipeline=test_pipeline, split='test', test_mode=True, only_eval_visible=True)
data = dict(samples_per_gpu=1, workers_per_gpu=0, val=videos, test=videos)
evaluation = dict(metric=['track'])
"""


def make_sot_project(folder: Path) -> Path:
    """Write ``data/``, ``siamrpn.py`` and ``siamrpn.pth``; the weights move the box of each frame.

    Args:
        folder: Receives them.
    """
    root = folder / "data"
    sot_layout.lasot(root, LENGTHS, frames=True)
    (folder / "siamrpn.py").write_text(CONFIG.replace("{root}", str(root)))
    torch.manual_seed(0)
    model = build_model(mmcv.Config.fromfile(str(folder / "siamrpn.py")).model)
    with torch.no_grad():
        model.backbone.conv1.weight.mul_(0.02)  # activations of usual size for bytes as input
        for heads in (model.head.cls_heads, model.head.reg_heads):
            for head in heads:
                head.head_convs[-1].conv.weight.mul_(3)
    torch.save({"meta": {}, "state_dict": model.state_dict()}, folder / "siamrpn.pth")
    return folder
