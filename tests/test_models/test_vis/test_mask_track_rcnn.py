"""MaskTrack R-CNN with a small detector: masks against mmdet's, frames without objects, losses."""

import copy

import numpy as np
import pytest
import torch
from mmcv import Config
from mmdet.core import BitmapMasks
from tiny_vis import DETECTOR, MODEL, NUM_CLASSES

from mmtrack.models import build_model


def build(**changes):
    torch.manual_seed(0)
    cfg = Config(dict(model=MODEL))
    cfg.merge_from_dict({f"model.{k.replace('__', '.')}": v for k, v in changes.items()})
    model = build_model(cfg.model)
    torch.nn.init.normal_(model.detector.roi_head.bbox_head.fc_reg.weight, std=0.01)
    # masks that depend on what is in the box
    mask_head = model.detector.roi_head.mask_head
    torch.nn.init.normal_(mask_head.convs[0].conv.weight, std=1.0)
    torch.nn.init.normal_(mask_head.upsample.weight, std=1.0)
    torch.nn.init.normal_(mask_head.conv_logits.weight, std=1.0)
    return model.eval()


def frame(t, scale=0.5):
    gen = torch.Generator().manual_seed(t)
    img = torch.nn.functional.interpolate(
        torch.randn(1, 3, 8, 12, generator=gen), (64, 96), mode="bilinear", align_corners=False
    )
    meta = dict(
        ori_shape=(round(60 / scale), round(90 / scale), 3), img_shape=(60, 90, 3),
        pad_shape=(64, 96, 3), scale_factor=np.full(4, scale, np.float32), flip=False,
        frame_id=t,
    )  # fmt: skip
    return img, [meta]


def run(model, t, rescale=True):
    img, metas = frame(t)
    with torch.no_grad():
        return model([img], [metas], return_loss=False, rescale=rescale)


@pytest.mark.parametrize("rescale", [True, False])
def test_first_frame_equals_the_detector(rescale):
    model = build()
    found = run(model, 0, rescale)
    img, metas = frame(0)
    with torch.no_grad():
        boxes, masks = model.detector.simple_test(img, metas, rescale=rescale)[0]
    shape = (120, 180) if rescale else (60, 90)
    assert sum(map(len, boxes)) == 10
    for label in range(NUM_CLASSES):
        rows = found["track_bboxes"][label]
        np.testing.assert_allclose(rows[:, 1:], boxes[label], rtol=1e-5)
        assert len(found["track_masks"][label]) == len(rows)
        for ours, theirs in zip(found["track_masks"][label], masks[label], strict=True):
            assert (ours.shape, ours.dtype) == (shape, bool)
            assert (ours != theirs).sum() <= 2  # rounding at the threshold
    ids = np.concatenate(found["track_bboxes"])[:, 0]
    assert sorted(ids) == list(range(10))
    # numbered by score, whatever the class
    scores = np.concatenate(found["track_bboxes"])[:, 5]
    assert (np.diff(scores[np.argsort(ids)]) <= 0).all()


def test_instances_keep_their_ids_and_a_new_video_starts_at_zero():
    model = build()
    model.track_head.embed_head.fcs[1].weight.data *= 30  # sure of itself
    first = run(model, 0)
    img, metas = frame(0)
    metas[0]["frame_id"] = 1
    with torch.no_grad():
        again = model([img], [metas], return_loss=False, rescale=True)
    for a, b in zip(first["track_bboxes"], again["track_bboxes"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    np.testing.assert_allclose(run(model, 0)["track_bboxes"][0], first["track_bboxes"][0])


@pytest.mark.parametrize("when", ["never a detection", "lost for some frames", "late start"])
def test_frames_without_objects(when):
    model = build()
    config = model.detector.roi_head.test_cfg
    usual, empty = config.score_thr, []
    for t in range(5):
        hidden = {
            "never a detection": True, "lost for some frames": t in (2, 3), "late start": t < 2
        }[when]  # fmt: skip
        config.score_thr = 2.0 if hidden else usual
        found = run(model, t)
        rows = np.concatenate(found["track_bboxes"])
        assert [r.shape[1] for r in found["track_bboxes"]] == [6] * NUM_CLASSES
        assert [len(m) for m in found["track_masks"]] == [len(r) for r in found["track_bboxes"]]
        assert (len(rows) == 0) == hidden
        empty.append(len(rows) == 0)
    assert any(empty)


def test_no_proposals_at_all():
    model = build(detector__test_cfg__rpn__min_bbox_size=1000)
    found = run(model, 0)
    assert [r.shape for r in found["track_bboxes"]] == [(0, 6)] * NUM_CLASSES
    assert found["track_masks"] == [[]] * NUM_CLASSES


def test_masks_of_one_kind_for_all_classes():
    model = build(detector__roi_head__mask_head__class_agnostic=True)
    assert sum(map(len, run(model, 0)["track_masks"])) == 10


def cascade():
    head = dict(DETECTOR["roi_head"], type="CascadeRoIHead", num_stages=2)
    head["stage_loss_weights"] = [1, 0.5]
    head["bbox_head"] = [head["bbox_head"]] * 2
    detector = dict(DETECTOR, type="CascadeRCNN", roi_head=head, train_cfg=None)
    return Config(dict(model=dict(MODEL, detector=detector))).model


def test_detectors_that_give_finished_masks():
    torch.manual_seed(0)
    model = build_model(cascade()).eval()
    found = run(model, 0)
    img, metas = frame(0)
    with torch.no_grad():
        boxes, masks = model.detector.simple_test(img, metas, rescale=True)[0]
    for label in range(NUM_CLASSES):
        np.testing.assert_allclose(found["track_bboxes"][label][:, 1:], boxes[label], rtol=1e-5)
        for ours, theirs in zip(found["track_masks"][label], masks[label], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert sum(map(len, boxes)) > 0


def targets(count, ids):
    boxes = torch.tensor([[5.0, 5, 30, 40], [40, 10, 80, 50]])[:count]
    planes = np.zeros((count, 64, 96), np.uint8)
    for plane, (x1, y1, x2, y2) in zip(planes, boxes.int().tolist(), strict=True):
        plane[y1:y2, x1:x2] = 1
    return dict(
        gt_bboxes=[boxes], gt_labels=[torch.arange(count)], gt_instance_ids=[torch.tensor(ids)],
        gt_masks=[BitmapMasks(planes, 64, 96)],
    )  # fmt: skip


LOSSES = {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "loss_mask", "loss_match"}


@pytest.mark.parametrize("objects", [2, 0])
def test_training_step(objects):
    model = build().train()
    (img, metas), (ref_img, ref_metas) = frame(0), frame(1)
    ids = list(range(objects))
    key = targets(objects, ids)
    ref = {f"ref_{k}": v for k, v in targets(objects, ids[::-1]).items()}
    losses = model(img, metas, ref_img=ref_img, ref_img_metas=ref_metas, **key, **ref)
    assert set(losses) == LOSSES | {"acc", "match_accuracy"}
    total = sum(
        sum(v) if isinstance(v, list) else v for k, v in losses.items() if k.startswith("loss")
    )
    total.backward()
    reached = {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None}
    assert reached == {"detector", "track_head"}
    assert (float(losses["loss_match"]) > 0) == (objects > 0)
    assert model.train_step(dict(img=img, img_metas=metas, ref_img=ref_img, ref_img_metas=ref_metas,
                                 **key, **ref), None)["num_samples"] == 1  # fmt: skip


def test_training_without_identities_is_refused():
    model = build().train()
    (img, metas), key, ref = frame(0), targets(2, [0, 1]), targets(2, [0, 1])
    ref = {f"ref_{k}": v for k, v in ref.items() if k != "gt_instance_ids"}
    with pytest.raises(ValueError, match="with_track=True"):
        model(img, metas, ref_img=img, ref_img_metas=metas, **key, **ref)


def test_detector_without_masks_is_refused():
    detector = copy.deepcopy(DETECTOR)
    detector["type"] = "FasterRCNN"
    for part in ("mask_head", "mask_roi_extractor"):
        detector["roi_head"].pop(part)
    with pytest.raises(ValueError, match="masks, for example MaskRCNN, not FasterRCNN"):
        build_model(Config(dict(model=dict(MODEL, detector=detector))).model)


def test_show_result_tints_the_masks():
    model = build()
    found = run(model, 0)
    picture = np.full((120, 180, 3), 90, np.uint8)
    drawn = model.show_result(picture, found, score_thr=0.0)
    union = np.any([m for group in found["track_masks"] for m in group], axis=0)
    changed = (drawn != picture).any(axis=2)
    assert changed[union].mean() > 0.99
    assert (picture == 90).all()
