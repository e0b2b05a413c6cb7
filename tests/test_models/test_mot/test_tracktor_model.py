"""Tracktor as a model: its parts, public detections, one pass through the network a frame."""

import numpy as np
import pytest
import torch

from mmtrack.models import build_model

CMC = dict(type="CameraMotionCompensation", num_iters=10)
LINEAR = dict(type="LinearMotion")


@pytest.fixture(scope="session")
def cfg(two_stage):
    return dict(
        type="Tracktor",
        detector=two_stage,
        motion=CMC,
        tracker=dict(type="TracktorTracker", obj_score_thr=0.35, regression=REGRESSION),
    )


REGRESSION = dict(obj_score_thr=0.3, nms=dict(type="nms", iou_threshold=0.6), match_iou_thr=0.3)
REID = dict(
    type="BaseReID",
    backbone=dict(type="ResNet", depth=18, base_channels=4, out_indices=(3,)),
    neck=dict(type="GlobalAveragePooling", kernel_size=(2, 1), stride=1),
    head=dict(
        type="LinearReIDHead", num_fcs=1, in_channels=32, fc_channels=8, out_channels=8,
        num_classes=5, norm_cfg=dict(type="BN1d"), act_cfg=dict(type="ReLU"),
        loss=dict(type="CrossEntropyLoss"),
    ),
)  # fmt: skip
APPEARANCE = dict(
    num_samples=3, img_scale=(64, 32), img_norm_cfg=None, match_score_thr=2.0, match_iou_thr=0.2
)


def frames(count=4, seed=0):
    rng = np.random.default_rng(seed)
    big = torch.from_numpy(rng.normal(size=(1, 3, 20, 20)).astype(np.float32))
    big = torch.nn.functional.interpolate(big, scale_factor=8, mode="bilinear")
    return [big[..., 2 * t : 2 * t + 64, t : t + 96] for t in range(count)]


def meta(t):
    return dict(
        frame_id=t, img_shape=(64, 96, 3), ori_shape=(128, 192, 3), pad_shape=(64, 96, 3),
        scale_factor=np.full(4, 0.5, np.float32), flip=False,
    )  # fmt: skip


def play(model, imgs, **more):
    with torch.no_grad():
        return [
            model([img], [[meta(t)]], return_loss=False, rescale=True, **more)
            for t, img in enumerate(imgs)
        ]


def built(cfg, **changes):
    torch.manual_seed(1)
    model = build_model({**cfg, **changes}).eval()
    # untrained scores of two classes and the background are all about a third; one class is ahead
    model.detector.roi_head.bbox_head.fc_cls.bias.data[:] = torch.tensor([0.0, 1.0, 0.0])
    return model


@pytest.mark.parametrize(
    ("motion", "cmc", "linear"),
    [(None, False, False), (CMC, True, False), (LINEAR, False, True), ([LINEAR, CMC], True, True)],
)
def test_motion_models(cfg, motion, cmc, linear):
    model = built(cfg, motion=motion)
    assert (model.with_cmc, model.with_linear_motion) == (cmc, linear)
    assert (model.with_detector, model.with_reid, model.with_tracker) == (True, False, True)
    results = play(model, frames())
    assert len(results[-1]["track_bboxes"]) == 2


def test_two_motion_models_of_a_kind_are_refused(cfg):
    with pytest.raises(ValueError, match="takes one cmc model"):
        built(cfg, motion=[CMC, CMC])


@pytest.mark.parametrize("kind", ["one_stage", "cascade"])
def test_detector_without_a_second_stage_is_refused(cfg, kind, request):
    detector = request.getfixturevalue(kind)
    with pytest.raises(ValueError, match=f"{detector['type']} has none"):
        built(cfg, detector=detector)


def test_results_are_those_of_the_detector_and_ids_last(cfg):
    model = built(cfg, reid=REID, tracker=dict(cfg["tracker"], reid=APPEARANCE))
    imgs = frames()
    results = play(model, imgs)
    ids = [{row[0] for rows in found["track_bboxes"] for row in rows} for found in results]
    assert ids[0], results[0]["det_bboxes"]
    assert ids[0] & ids[-1]
    for t, found in enumerate(results):
        assert set(found) == {"det_bboxes", "track_bboxes"}
        assert all(rows.dtype == np.float32 for rows in found["track_bboxes"])
        with torch.no_grad():
            plain = model.detector.simple_test(imgs[t], [meta(t)], rescale=True)[0]
        for ours, theirs in zip(found["det_bboxes"], plain, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
    again = play(model, imgs)
    for one, two in zip(results, again, strict=True):
        for ours, theirs in zip(one["track_bboxes"], two["track_bboxes"], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_network_sees_a_frame_once(cfg, monkeypatch):
    model = built(cfg)
    calls = []
    whole = model.detector.extract_feat
    monkeypatch.setattr(model.detector, "extract_feat", lambda img: calls.append(1) or whole(img))
    play(model, frames(3))
    assert len(calls) == 3


def test_public_detections_are_refined_and_scored(cfg):
    model = built(cfg)
    given = torch.tensor([[10.0, 10, 40, 50], [50, 5, 80, 60]])
    found = play(model, frames(2), public_bboxes=[[given]])
    for t, (img, result) in enumerate(zip(frames(2), found, strict=True)):
        with torch.no_grad():
            plain = model.detector.simple_test(img, [meta(t)], proposals=[given], rescale=True)[0]
        for ours, theirs in zip(result["det_bboxes"], plain, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
    nothing = play(model, frames(2), public_bboxes=[[given[:0]]])
    assert [len(rows) for found in nothing for rows in found["track_bboxes"]] == [0] * 4


def test_training_names_the_way(cfg):
    with pytest.raises(NotImplementedError, match="Tracktor is put together from trained parts"):
        built(cfg).forward_train()


def test_reid_settings_without_a_reid_model(cfg):
    """The default settings of the tracker compare appearance; a model without ReID does not."""
    model = built(cfg, reid=None, tracker=dict(type="TracktorTracker", obj_score_thr=0.35))
    assert model.tracker.with_reid
    assert play(model, frames(2))
