"""DFF, FGFA and SELSA against versions that compute everything again for every frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_video_detectors import Calls, Video, build, detector, dff, fgfa, run, selsa

from mmtrack.core.motion import flow_warp_feats
from mmtrack.models import build_model
from oracles.plain_video_detectors import plain_fgfa, plain_selsa

SELSA_KINDS = ("SingleRoIExtractor", "TemporalRoIAlign")


def assert_same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        assert sum(map(len, a)) > 0, "nothing was detected, so nothing is compared"
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4)


def window(t, length, left, right):
    return [min(max(i, 0), length - 1) for i in range(t - left, t + right + 1)]


@pytest.mark.parametrize("length", [1, 2, 9], ids="length={}".format)
def test_fgfa_equals_a_version_that_recomputes(length):
    model, video = fgfa(), Video(length, left=2, right=2)
    metas = [video.meta(t) for t in range(length)]
    wanted = []
    for t in range(length):
        frames = window(t, length, 2, 2)
        wanted.append(plain_fgfa(model, video.frames, metas, t, frames))
    assert_same(run(model, video), wanted)


@pytest.mark.parametrize("extractor", SELSA_KINDS)
@pytest.mark.parametrize("length", [1, 2, 7], ids="length={}".format)
def test_selsa_equals_a_version_that_recomputes(extractor, length):
    model, video = selsa(extractor), Video(length, right=3)
    metas = [video.meta(t) for t in range(length)]
    wanted = [
        plain_selsa(model, video.frames, metas, t, [*video.references(0), t]) for t in range(length)
    ]
    assert_same(run(model, video), wanted)


@pytest.mark.parametrize("length", [1, 6], ids="length={}".format)
def test_selsa_with_a_sliding_window(length):
    model, video = selsa(), Video(length, left=1, right=2)
    metas = [video.meta(t) for t in range(length)]
    wanted = [
        plain_selsa(model, video.frames, metas, t, window(t, length, 1, 2)) for t in range(length)
    ]
    assert_same(run(model, video), wanted)


@pytest.mark.parametrize("extractor", SELSA_KINDS)
def test_frames_with_unequal_numbers_of_proposals(extractor):
    cfg = detector(extractor, selsa=True)
    cfg["test_cfg"]["rpn"].update(max_per_img=60, nms={"type": "nms", "iou_threshold": 0.3})
    model, video = build({"type": "SELSA", "detector": cfg}), Video(6, left=1, right=2)
    counts = []
    model.detector.roi_head.bbox_head.aggregator[0].ref_fc.register_forward_hook(
        lambda module, inputs, output: counts.append(len(output))
    )
    metas = [video.meta(t) for t in range(6)]
    found = run(model, video)
    assert len(set(counts[1:])) > 1, "every frame has as many proposals"
    wanted = [plain_selsa(model, video.frames, metas, t, window(t, 6, 1, 2)) for t in range(6)]
    assert_same(found, wanted)


def test_dff_moves_the_features_of_key_frames():
    model, video = dff(), Video(6)
    found = []
    for t in range(6):
        with torch.no_grad():
            key = t // 4 * 4
            x = model.detector.extract_feat(video.frames[key])
            if t != key:
                pair = torch.cat((video.frames[t], video.frames[key]), 1)
                x = [flow_warp_feats(x[0], model.motion(pair, [video.meta(t)]))]
            proposals = model.detector.rpn_head.simple_test_rpn(x, [video.meta(t)])
            found += model.detector.roi_head.simple_test(
                x, proposals, [video.meta(t)], rescale=True
            )
    assert_same(run(model, video, references=False), found)


def test_a_scale_field_of_one_changes_nothing():
    plain = dff()
    scaled = dff(motion={**plain_motion(), "scale_channels": 16})
    scaled.motion.init_weights()
    missing = scaled.load_state_dict(plain.state_dict(), strict=False).missing_keys
    assert missing == ["motion.predict_scale.weight", "motion.predict_scale.bias"]
    video = Video(3)
    assert_same(run(scaled, video, references=False), run(plain, video, references=False))
    scaled.motion.predict_scale.bias.data.fill_(0.5)
    x = scaled.extract_feats(video.frames[2], [video.meta(2)])
    torch.testing.assert_close(x[0], plain.extract_feats(video.frames[2], [video.meta(2)])[0] / 2)


def plain_motion():
    return {"type": "FlowNetSimple", "img_scale_factor": 0.5, "out_indices": [2, 3]}


@pytest.mark.parametrize(
    ("model", "video", "images"),
    [
        (dff, Video(6), 2),
        (fgfa, Video(9, left=2, right=2), 9),
        (fgfa, Video(9, left=1, right=1, stride=3), 9),
        (selsa, Video(9, left=2, right=2), 9),
        (selsa, Video(9, right=5), 9),
        (selsa, Video(1, right=5), 1),
    ],
    ids=["dff", "fgfa", "fgfa-stride", "selsa-window", "selsa-adaptive", "selsa-one-frame"],
)
def test_every_frame_passes_the_backbone_once(model, video, images):
    model = model()
    calls = Calls(model.detector.backbone)
    run(model, video)
    assert calls.images == images


def test_proposals_of_a_reference_are_computed_once():
    model = selsa()
    calls = Calls(model.detector.rpn_head)
    hidden = Calls(model.detector.roi_head.bbox_head.aggregator[0].ref_fc)
    run(model, Video(9, left=2, right=2))
    assert calls.images == 9
    assert hidden.images <= 9 * 20


@pytest.mark.parametrize("model", [fgfa, selsa])
def test_buffers_are_allocated_once(model):
    model = model()
    video = Video(8, left=2, right=1)
    places = set()
    for t in range(8):
        with torch.no_grad():
            model(return_loss=False, **video.inputs(t))
        places.add(tuple(b.data_ptr() for b in model._window.tensors))
        assert all(len(b) == 4 for b in model._window.tensors)
    assert len(places) == 1


@pytest.mark.parametrize("model", [dff, fgfa, selsa])
def test_frame_0_forgets_the_video_before(model):
    first, second = Video(4, left=1, right=1, seed=1), Video(3, left=1, right=1, seed=2, name="b")
    used = model()
    alone = run(used, second)
    run(used, first)
    assert_same(run(used, second), alone)
    other_size = Video(2, left=1, right=1, size=(48, 64), name="c")
    assert len(run(used, other_size)) == 2


@pytest.mark.parametrize("model", [dff, fgfa, selsa])
class TestBadInput:
    def test_frames_of_another_size(self, model):
        model = model()
        video = Video(4, left=1, right=1)
        video.frames[3] = video.frames[3][..., :80]
        with pytest.raises(ValueError, match=r"frame 3 \(video/3.jpg\) has \(64, 80\) rows"):
            run(model, video)

    def test_a_video_that_does_not_start_with_frame_0(self, model):
        video = Video(4, left=1, right=1)
        with pytest.raises(ValueError, match="comes before frame 0 of its video"):
            model()(return_loss=False, **video.inputs(1))

    def test_an_image_that_is_no_frame(self, model):
        inputs = Video(1, left=1, right=1).inputs(0)
        del inputs["img_metas"][0][0]["frame_id"]
        with pytest.raises(ValueError, match="frame_id=None: a video detector wants"):
            model()(return_loss=False, **inputs)


@pytest.mark.parametrize("model", [fgfa, selsa])
def test_references_are_needed(model):
    with pytest.raises(ValueError, match="frame 0 of a video .* brings no reference frames"):
        run(model(), Video(2), references=False)


@pytest.mark.parametrize("model", [fgfa, selsa])
def test_a_window_that_is_too_short(model):
    inputs = Video(3, left=1, right=0).inputs(0)
    inputs["img_metas"][0][0]["num_left_ref_imgs"] = 5
    with pytest.raises(ValueError, match="num_left_ref_imgs is 5, but frame 0 brought 2"):
        model()(return_loss=False, **inputs)


@pytest.mark.parametrize("model", [fgfa, selsa])
def test_references_of_another_size(model):
    inputs = Video(3, left=1, right=0).inputs(0)
    inputs["ref_img"][0] = inputs["ref_img"][0][..., :48]
    with pytest.raises(ValueError, match=r"references have \(64, 48\) rows and columns"):
        model()(return_loss=False, **inputs)


def targets(count):
    boxes = torch.tensor([[4.0, 8.0, 40.0, 50.0], [50.0, 10.0, 90.0, 40.0]])
    return {"gt_bboxes": [boxes] * count, "gt_labels": [torch.tensor([0, 2])] * count}


def train_inputs(frames: int, references: int):
    video = Video(frames * (references + 1))
    images = torch.cat(video.frames).unflatten(0, (frames, references + 1))
    metas = [video.meta(t) for t in range(len(video.frames))]
    return {
        "img": images[:, 0],
        "img_metas": metas[:frames],
        "ref_img": images[:, 1:],
        "ref_img_metas": [metas[:references]] * frames,
        "ref_gt_bboxes": [torch.zeros(1, 5)] * frames,
        "ref_gt_labels": [torch.zeros(1, 2)] * frames,
        **targets(frames),
    }


@pytest.mark.parametrize(
    ("model", "frames", "references"),
    [(dff, 1, 1), (dff, 3, 1), (fgfa, 1, 2), (fgfa, 2, 3), (selsa, 1, 1), (selsa, 1, 4)],
)
def test_all_parts_are_trained(model, frames, references):
    model = model().train()
    losses = model(return_loss=True, **train_inputs(frames, references))
    assert set(losses) == {"loss_rpn_cls", "loss_rpn_bbox", "loss_cls", "loss_bbox", "acc"}
    model.train_step(train_inputs(frames, references), None)["loss"].backward()
    still = [
        name
        for name, p in model.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.abs().sum() > 0)
    ]
    assert [n for n in still if "backbone" not in n and "bias" not in n] == []


def test_several_frames_are_trained_like_one_by_one():
    inputs = train_inputs(2, 2)
    model = fgfa()
    pooled = []
    model.detector.rpn_head.register_forward_pre_hook(lambda m, x: pooled.append(x[0][0].detach()))
    model(return_loss=True, **inputs)
    for i in range(2):
        model(return_loss=True, **{k: v[i : i + 1] for k, v in inputs.items()})
    torch.testing.assert_close(pooled[0], torch.cat(pooled[1:]), rtol=1e-4, atol=1e-4)


def test_dff_is_trained_with_one_reference():
    with pytest.raises(ValueError, match="set num_ref_imgs=1 in ref_img_sampler"):
        dff()(return_loss=True, **train_inputs(1, 2))


def test_selsa_is_trained_with_one_key_frame():
    with pytest.raises(ValueError, match="set data.samples_per_gpu=1"):
        selsa()(return_loss=True, **train_inputs(2, 2))


def test_selsa_wants_its_roi_head():
    with pytest.raises(ValueError, match="roi_head of type SelsaRoIHead"):
        build_model({"type": "SELSA", "detector": detector()})


def test_key_frame_interval_is_checked():
    with pytest.raises(ValueError, match="key_frame_interval must be at least 1, found 0"):
        dff(test_cfg={"key_frame_interval": 0})


def test_parts_can_be_frozen():
    model = dff(frozen_modules=["motion"]).train()
    assert not any(p.requires_grad for p in model.motion.parameters())
    parts = (model.with_detector, model.with_motion, model.with_aggregator)
    assert parts == (True, True, False)


class TestShowResult:
    result = {
        "det_bboxes": [np.array([[5, 5, 20, 20, 0.9], [40, 5, 60, 20, 0.2]]), np.zeros((0, 5))]
    }

    def test_boxes_above_the_threshold_are_drawn(self, tmp_path):
        model, image = dff(), np.zeros((64, 96, 3), np.uint8)
        model.CLASSES = ("a", "b")
        drawn = model.show_result(image, self.result, out_file=str(tmp_path / "a.png"))
        assert not image.any(), "the input was drawn on"
        assert drawn[5, 10].tolist() == [0, 255, 0]
        assert not drawn[20, 45:].any(), "the second box scores 0.2"
        assert (tmp_path / "a.png").is_file()
        red = model.show_result(image, self.result, score_thr=0.1, bbox_color="red", thickness=2)
        assert red[20, 50].tolist() == [0, 0, 255]

    def test_masks_are_tinted(self):
        mask, image = np.zeros((64, 96), bool), np.zeros((64, 96, 3), np.uint8)
        mask[10:15, 10:15] = True
        result = {**self.result, "det_masks": [[mask, ~mask], []]}
        drawn = dff().show_result(image, result, bbox_color="blue")
        assert drawn[12, 12].tolist() == pytest.approx([0.45 * 255, 0, 0], abs=1)
        assert not drawn[40:, 40:].any(), "the second box scores 0.2"

    def test_nothing_detected(self):
        image = np.full((8, 8, 3), 7, np.uint8)
        assert (dff().show_result(image, {"det_bboxes": [np.zeros((0, 5))]}) == image).all()

    def test_results_of_other_models(self):
        with pytest.raises(KeyError, match="no 'det_bboxes'"):
            dff().show_result(np.zeros((8, 8, 3), np.uint8), {"track_bboxes": []})
        with pytest.raises(TypeError, match="must be the dict of a frame"):
            dff().show_result(np.zeros((8, 8, 3), np.uint8), [])
