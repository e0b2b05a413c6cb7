"""QDTrack as a model: what it learns, what it returns, where videos start."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmcv import Config

from mmtrack.models import build_model

CHANNELS = 16


@pytest.fixture
def cfg(root):
    """The model of the config for MOT17 with few channels."""
    name = "configs/mot/qdtrack/qdtrack_faster-rcnn_r50_fpn_4e_mot17-private-half.py"
    model = copy.deepcopy(Config.fromfile(root / name).model)
    detector, head = model.detector, model.track_head
    detector.init_cfg = None
    detector.backbone.update(depth=18, base_channels=8, init_cfg=None, frozen_stages=-1)
    detector.neck.update(in_channels=[8, 16, 32, 64], out_channels=CHANNELS)
    detector.rpn_head.update(in_channels=CHANNELS, feat_channels=CHANNELS)
    detector.roi_head.bbox_roi_extractor.out_channels = CHANNELS
    detector.roi_head.bbox_head.update(in_channels=CHANNELS, fc_out_channels=16)
    detector.train_cfg.rpn_proposal.update(nms_pre=50, max_per_img=20)
    detector.test_cfg.rpn.update(nms_pre=50, max_per_img=20)
    detector.test_cfg.rcnn.score_thr = 0.0
    head.roi_extractor.out_channels = CHANNELS
    head.embed_head.update(
        num_convs=1, in_channels=CHANNELS, conv_out_channels=CHANNELS, fc_out_channels=16,
        embed_channels=8, norm_cfg=dict(type="GN", num_groups=4),
    )  # fmt: skip
    model.tracker.update(init_score_thr=0.0, obj_score_thr=0.0)
    return model


def meta(frame_id, scale=1.0):
    return dict(
        frame_id=frame_id,
        img_shape=(96, 128, 3),
        ori_shape=(round(96 / scale), round(128 / scale), 3),
        pad_shape=(96, 128, 3),
        scale_factor=np.full(4, scale, np.float32),
        flip=False,
    )


def pair():
    """A batch of two pairs of frames with two objects each."""
    torch.manual_seed(0)
    boxes = torch.tensor([[10.0, 10, 40, 70], [60, 20, 100, 80]])
    labels = torch.zeros(2, dtype=torch.int64)
    batch = {"gt_match_indices": [torch.tensor([1, 0]), torch.tensor([0, -1])]}
    for prefix in ("", "ref_"):
        batch[prefix + "img"] = torch.randn(2, 3, 96, 128)
        batch[prefix + "img_metas"] = [meta(0), meta(0)]
        batch[prefix + "gt_bboxes"] = [boxes, boxes + 3]
        batch[prefix + "gt_labels"] = [labels, labels]
    return batch


LOSSES = {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "acc", "loss_bbox"}
TRACK_LOSSES = {"loss_track", "loss_track_aux"}


def gradients(model, losses):
    values = [sum(v) if isinstance(v, list) else v for k, v in losses.items() if "loss" in k]
    sum(values).backward()
    return {name: p.grad for name, p in model.named_parameters()}


def test_learns_detector_and_embeddings_together(cfg):
    model = build_model(cfg).train()
    losses = model(**pair(), return_loss=True)
    assert set(losses) == LOSSES | TRACK_LOSSES
    grads = gradients(model, losses)
    for part in ("layer4.1.conv2", "rpn_head.rpn_cls", "bbox_head.fc_reg", "fc_embed.weight"):
        chosen = [g for name, g in grads.items() if part in name]
        assert chosen
        assert all(g is not None and g.abs().sum() > 0 for g in chosen), part


def test_frozen_detector_learns_nothing(cfg):
    model = build_model(dict(cfg, freeze_detector=True)).train()
    assert not model.detector.training
    assert model.track_head.training
    losses = model(**pair(), return_loss=True)
    assert set(losses) == LOSSES | TRACK_LOSSES
    grads = gradients(model, losses)
    assert all(g is None for name, g in grads.items() if name.startswith("detector."))
    assert grads["track_head.embed_head.fc_embed.weight"].abs().sum() > 0


def test_train_step_sums_all_losses(cfg):
    model = build_model(cfg).train()
    found = model.train_step(pair(), None)
    names = [n for n in LOSSES | TRACK_LOSSES if "loss" in n]
    total = sum(found["log_vars"][name] for name in names)
    assert float(found["loss"].detach()) == pytest.approx(total, rel=1e-5)
    assert found["num_samples"] == 2


def test_results_per_class_and_ids_over_a_still_video(cfg):
    torch.manual_seed(1)
    cfg.tracker.match_metric = "cosine"  # embeddings of an untrained head are all alike
    model = build_model(cfg).eval()
    img = torch.randn(1, 3, 96, 128)
    found = []
    for frame_id in (0, 1, 2, 0):
        with torch.no_grad():
            found.append(model([img], [[meta(frame_id)]], return_loss=False, rescale=True))
    assert all(set(f) == {"det_bboxes", "track_bboxes"} for f in found)
    (tracks,) = found[0]["track_bboxes"]
    assert tracks.shape[1] == 6
    assert len(tracks) > 0
    assert tracks[:, 0].tolist() == list(range(len(tracks)))
    for later in found[1:]:
        np.testing.assert_array_equal(later["track_bboxes"][0], tracks)
        np.testing.assert_array_equal(later["det_bboxes"][0], found[0]["det_bboxes"][0])


def test_boxes_are_embedded_where_they_are_found(cfg):
    """With and without rescaling to the original image, the same pixels of the input."""
    torch.manual_seed(1)
    model = build_model(cfg).eval()
    img, seen = torch.randn(1, 3, 96, 128), []
    embed = model.track_head.extract_bbox_feats
    model.track_head.extract_bbox_feats = lambda x, b: seen.append(b[0].clone()) or embed(x, b)
    tracks = []
    for rescale in (True, False):
        with torch.no_grad():
            found = model([img], [[meta(0, 0.5)]], return_loss=False, rescale=rescale)
        tracks.append(found["track_bboxes"][0])
    torch.testing.assert_close(seen[0], seen[1])
    np.testing.assert_allclose(tracks[0][:, 1:5], 2 * tracks[1][:, 1:5], rtol=1e-5)


def test_frame_without_detections(cfg):
    cfg.detector.test_cfg.rcnn.score_thr = 1.1
    model = build_model(cfg).eval()
    with torch.no_grad():
        found = model([torch.zeros(1, 3, 96, 128)], [[meta(0)]], return_loss=False)
    assert found["track_bboxes"][0].shape == (0, 6)
    assert found["det_bboxes"][0].shape == (0, 5)


def test_one_stage_detector_is_refused():
    detector = dict(
        type="RetinaNet",
        backbone=dict(type="ResNet", depth=18, base_channels=8),
        neck=dict(type="FPN", in_channels=[8, 16, 32, 64], out_channels=8, num_outs=5),
        bbox_head=dict(type="RetinaHead", num_classes=1, in_channels=8, feat_channels=8),
    )
    with pytest.raises(ValueError, match="RetinaNet has no rpn_head and roi_head"):
        build_model(dict(type="QDTrack", detector=detector))


def test_custom_tracker_with_the_documented_arguments(cfg):
    """`rescale` is ours: a tracker written for MMTracking does not know it."""
    model = build_model(cfg).eval()

    class Tracker:
        def reset(self):
            self.count = 0

        def track(self, img_metas, feats, model, bboxes, labels, frame_id):
            return bboxes, labels, torch.arange(len(bboxes))

    del model.tracker
    model.tracker = Tracker()
    with torch.no_grad():
        found = model([torch.zeros(1, 3, 96, 128)], [[meta(0)]], return_loss=False, rescale=True)
    assert len(found["track_bboxes"][0]) == len(found["det_bboxes"][0])
