"""Contract of the models that detect and link: ByteTrack, OC-SORT, SORT and DeepSORT."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mmtrack.models import build_detector, build_model, build_tracker

KINDS = ("ByteTrack", "OCSORT", "DeepSORT")
every_model = pytest.mark.parametrize("kind", KINDS)
IMAGE = torch.zeros(1, 3, 64, 64)


def play(model, scene, frame_ids=None, rescale=True):
    out = []
    for t, frame in zip(frame_ids or range(len(scene.frames)), scene.frames, strict=False):
        model.detector.frame = frame
        with torch.no_grad():
            out.append(model([IMAGE], [[scene.meta(t)]], return_loss=False, rescale=rescale))
    return out


def rows(per_class):
    """One table of a result with the class in front, in a fixed order."""
    table = np.concatenate(
        [np.insert(r, 0, label, axis=1) for label, r in enumerate(per_class)], axis=0
    )
    return table[np.lexsort(table.T)]


@every_model
class TestContract:
    @pytest.fixture
    def model(self, kind, tracker_config):
        return build_model(tracker_config(kind)).eval()

    def test_result_has_detections_and_tracks_by_class(self, model, scene):
        for frame, found in zip(scene.frames, play(model, scene), strict=True):
            assert list(found) == ["det_bboxes", "track_bboxes"]
            assert [r.shape[1] for r in found["det_bboxes"]] == [5, 5]
            assert [r.shape[1] for r in found["track_bboxes"]] == [6, 6]
            assert all(r.dtype == np.float32 for group in found.values() for r in group)
            for label in (0, 1):
                given = frame[0][frame[1] == label].numpy()
                np.testing.assert_array_equal(found["det_bboxes"][label], given)

    def test_objects_keep_their_identity(self, model, scene):
        names = {}
        for owners, frame, found in zip(
            scene.owners, scene.frames, play(model, scene), strict=True
        ):
            for label, tracks in enumerate(found["track_bboxes"]):
                assert len(tracks) == int((frame[1] == label).sum())
                for row in tracks:
                    nearest = np.abs(frame[0][:, :4].numpy() - row[1:5]).sum(1).argmin()
                    assert names.setdefault(owners[nearest], row[0]) == row[0]
        assert sorted(names.values()) == [0, 1, 2, 3]

    def test_frame_zero_starts_a_video(self, model, scene):
        first, second = play(model, scene), play(model, scene)
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(rows(a["track_bboxes"]), rows(b["track_bboxes"]))

    def test_two_models_do_not_touch(self, kind, model, scene, make_scene, tracker_config):
        alone = play(model, scene)
        other = build_model(tracker_config(kind)).eval()
        busy = make_scene(seed=5, objects=7)
        for t, want in enumerate(alone):
            for one, video in ((model, scene), (other, busy)):
                one.detector.frame = video.frames[t]
                found = one([IMAGE], [[scene.meta(t)]], return_loss=False, rescale=True)
                if one is model:
                    np.testing.assert_array_equal(
                        rows(found["track_bboxes"]), rows(want["track_bboxes"])
                    )

    def test_frames_without_detections(self, model, scene):
        nothing = (torch.zeros(0, 5), torch.zeros(0, dtype=torch.long))
        scene.frames[0] = scene.frames[3] = nothing
        found = play(model, scene)
        for t in (0, 3):
            assert [r.shape for r in found[t]["det_bboxes"]] == [(0, 5), (0, 5)]
            assert [r.shape for r in found[t]["track_bboxes"]] == [(0, 6), (0, 6)]
        assert sum(len(r) for r in found[5]["track_bboxes"]) == 4

    def test_boxes_without_area_are_detections_but_no_tracks(self, model, scene):
        """Heads that clip to the image make them of boxes outside."""
        for t, (bboxes, labels) in enumerate(scene.frames):
            flat = torch.tensor([[5.0, 0, 5, 9, 0.95], [0, 7, 9, 7, 0.95]])
            scene.frames[t] = torch.cat((bboxes, flat)), torch.cat((labels, torch.tensor([0, 1])))
        found = play(model, scene)[-1]
        assert sum(map(len, found["det_bboxes"])) == 6
        assert sum(map(len, found["track_bboxes"])) == 4

    def test_tracker_works_in_the_scale_that_is_asked_for(self, model, scene):
        original = play(model, scene)
        scaled = play(model, scene, rescale=False)
        for a, b in zip(original, scaled, strict=True):
            table = rows(a["track_bboxes"])
            table[:, 2:6] *= 2
            np.testing.assert_allclose(table, rows(b["track_bboxes"]), rtol=1e-4)

    def test_is_what_the_tracker_says(self, kind, model, scene, tracker_config):
        tracker = build_tracker(tracker_config(kind)["tracker"])
        for t, found in enumerate(play(model, scene)):
            by_class = torch.sort(scene.frames[t][1], stable=True).indices
            bboxes, labels = (x[by_class] for x in scene.frames[t])
            _, labels, ids = tracker.track(
                img=IMAGE, img_metas=[scene.meta(t)], model=model, bboxes=bboxes,
                labels=labels, frame_id=t, rescale=True,
            )  # fmt: skip
            for label in (0, 1):
                want = sorted(ids[labels == label].tolist())
                assert sorted(found["track_bboxes"][label][:, 0].tolist()) == want

    def test_masks_of_a_detector_are_left_out(self, kind, scene, tracker_config):
        model = build_model(tracker_config(kind, masks=True))
        plain = build_model(tracker_config(kind))
        for a, b in zip(play(model, scene), play(plain, scene), strict=True):
            np.testing.assert_array_equal(rows(a["det_bboxes"]), rows(b["det_bboxes"]))

    def test_parts(self, model):
        assert model.with_detector
        assert model.with_motion
        assert model.with_tracker
        assert not model.with_reid
        assert not model.with_track_head
        assert not hasattr(model, "reid")

    def test_a_batch_of_frames_is_refused(self, model, scene):
        with pytest.raises(ValueError, match="samples_per_gpu=1"):
            model([IMAGE.repeat(2, 1, 1, 1)], [[scene.meta(0)] * 2], return_loss=False)

    def test_lists_per_augmentation_are_wanted(self, model, scene):
        with pytest.raises(TypeError, match="imgs must be a list"):
            model(IMAGE, [[scene.meta(0)]], return_loss=False)
        with pytest.raises(ValueError, match="2 images"):
            model([IMAGE] * 2, [[scene.meta(0)]], return_loss=False)
        with pytest.raises(NotImplementedError, match="augmentation"):
            model([IMAGE] * 2, [[scene.meta(0)]] * 2, return_loss=False)

    def test_frame_number_is_needed(self, model, scene):
        meta = scene.meta(0)
        del meta["frame_id"]
        with pytest.raises(KeyError, match="frame_id"):
            model([IMAGE], [[meta]], return_loss=False)

    def test_runs_without_gradients_of_the_result(self, model, scene):
        model.detector.frame = scene.frames[0]
        found = model([IMAGE], [[scene.meta(0)]], return_loss=False)
        assert isinstance(found["track_bboxes"][0], np.ndarray)


class RecordingTracker(nn.Module):
    """Stands for a tracker of a user; it writes down what it is asked."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def reset(self):
        self.calls.append("reset")

    def track(self, *, bboxes, labels, frame_id, more=None, **inputs):
        self.calls.append((frame_id, bboxes[:, 0].tolist(), labels.tolist(), more))
        self.inputs = inputs
        return bboxes, labels, torch.arange(len(bboxes))


class PlayedHead(nn.Module):
    """Head of a detector that answers in the order of the scores, classes mixed."""

    num_classes = 2
    bboxes = torch.tensor([[3.0, 0, 9, 9, 0.9], [1, 0, 9, 9, 0.8], [2, 0, 9, 9, 0.7]])
    labels = torch.tensor([1, 0, 1])

    def forward(self, feats):
        return (feats,)

    def get_bboxes(self, feats, img_metas, rescale):
        return [(self.bboxes, self.labels)]


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        # new tracks are numbered in the order of the detections
        ("ByteTrack", ([1, 3, 2], [0, 1, 1])),
        ("OCSORT", ([1, 3, 2], [0, 1, 1])),
        ("DeepSORT", ([3, 1, 2], [1, 0, 1])),
    ],
)
def test_what_a_tracker_is_asked(kind, order, scene, tracker_config):
    config = tracker_config(kind)
    config["tracker"] = None
    model = build_model(config).eval()
    model.tracker = RecordingTracker()
    model.detector.bbox_head = PlayedHead()
    model.detector.extract_feat = lambda img: img
    for frame_id in (0, 1, 0):
        found = model([IMAGE], [[scene.meta(frame_id)]], return_loss=False, rescale=True, more=7)
    asked = [(t, *order, 7) for t in (0, 1, 0)]
    assert model.tracker.calls == ["reset", asked[0], asked[1], "reset", asked[2]]
    assert set(model.tracker.inputs) == {"img", "img_metas", "model", "rescale"}
    assert model.tracker.inputs["model"] is model
    assert found["det_bboxes"][1][:, 0].tolist() == [3, 2]


@pytest.mark.parametrize("kind", ["ByteTrack", "OCSORT"])
def test_training_is_training_the_detector(kind, tracker_config, scene):
    model = build_model(tracker_config(kind)).train()
    data = dict(img=torch.full((2, 3, 4, 4), 0.5), img_metas=[{}, {}],
                gt_bboxes=[torch.tensor([[1.0, 2, 3, 4]]), torch.zeros(0, 4)])  # fmt: skip
    out = model.train_step(data, None)
    # loss_cls 2 * 0.5 + 2 (levels are added), loss_bbox 1 * 10, acc is no loss
    assert out["log_vars"] == {"loss_cls": 3.0, "loss_bbox": 10.0, "acc": 80.0, "loss": 13.0}
    assert out["num_samples"] == 2
    out["loss"].backward()
    assert model.detector.weight.grad.tolist() == [1.5 + 10, 1.5]
    assert model.val_step(data)["log_vars"] == out["log_vars"]


def test_deepsort_is_not_trained(tracker_config):
    with pytest.raises(NotImplementedError, match="configs/reid"):
        build_model(tracker_config("DeepSORT")).train_step({"img": 0, "img_metas": []}, None)


class TestDetectors:
    """SORT asks one- and two-stage detectors, and gets what they find."""

    @pytest.fixture
    def image(self):
        torch.manual_seed(3)
        return torch.randn(1, 3, 64, 64)

    def sort(self, detector):
        torch.manual_seed(0)
        model = build_model(
            dict(
                type="DeepSORT",
                detector=detector,
                motion=dict(type="KalmanFilter"),
                tracker=dict(type="SortTracker", obj_score_thr=0.1, reid=None),
            )
        )
        return model.eval()

    @pytest.mark.parametrize("stages", ["one_stage", "two_stage", "mask_rcnn", "cascade", "detr"])
    @pytest.mark.parametrize("rescale", [True, False])
    def test_detections_are_those_of_the_detector(self, stages, rescale, image, scene, request):
        model = self.sort(request.getfixturevalue(stages))
        meta = scene.meta(0)
        with torch.no_grad():
            found = model([image], [[meta]], return_loss=False, rescale=rescale)
            want = model.detector.simple_test(image, [meta], rescale=rescale)[0]
            want = want[0] if isinstance(want, tuple) else want  # without masks
        assert sum(map(len, want)) > 3
        np.testing.assert_allclose(rows(found["det_bboxes"]), rows(want), rtol=1e-5)
        assert len(found["track_bboxes"]) == 2

    def test_public_detections_are_scored_by_the_second_stage(self, two_stage, image, scene):
        model = self.sort(two_stage)
        given = torch.tensor([[4.0, 4, 30, 40], [20, 10, 60, 50]])
        meta = scene.meta(0)
        with torch.no_grad():
            feats = model.detector.extract_feat(image)
            head = model.detector.roi_head
            boxes, labels = head.simple_test_bboxes(feats, [meta], [given], head.test_cfg)
            for public in ([given[None]], [[given]], [given]):
                found = model(
                    [image], [[meta]], return_loss=False, rescale=False, public_bboxes=public
                )
                for label in (0, 1):
                    want = boxes[0][labels[0] == label].numpy()
                    np.testing.assert_allclose(found["det_bboxes"][label], want, rtol=1e-5)

    def test_no_public_detections_in_a_frame(self, two_stage, image, scene):
        model = self.sort(two_stage)
        with torch.no_grad():
            found = model(
                [image], [[scene.meta(0)]], return_loss=False, public_bboxes=[torch.zeros(1, 0, 4)]
            )
        assert [r.shape for r in found["det_bboxes"]] == [(0, 5), (0, 5)]

    def test_public_detections_need_two_stages(self, one_stage, image, scene):
        model = self.sort(one_stage)
        with pytest.raises(ValueError, match=r"two-stage.*YOLOX.*LoadDetections"):
            model([image], [[scene.meta(0)]], return_loss=False, public_bboxes=[[torch.ones(1, 4)]])


def test_deepsort_gives_the_tracker_its_reid_model(two_stage, scene):
    torch.manual_seed(0)
    model = build_model(
        dict(
            type="DeepSORT",
            detector=two_stage,
            motion=dict(type="KalmanFilter"),
            reid=dict(
                type="BaseReID",
                backbone=dict(type="ResNet", depth=18, base_channels=4, out_indices=(3,)),
                neck=dict(type="GlobalAveragePooling"),
                head=dict(
                    type="LinearReIDHead",
                    num_fcs=1,
                    in_channels=32,
                    fc_channels=8,
                    out_channels=6,
                    loss_pairwise=dict(type="TripletLoss"),
                ),
            ),
            tracker=dict(
                type="SortTracker",
                obj_score_thr=0.1,
                reid=dict(
                    num_samples=3, img_scale=(32, 16), img_norm_cfg=None, match_score_thr=2.0
                ),
                num_tentatives=0,
            ),
        )
    ).eval()
    seen = []
    model.reid.register_forward_hook(lambda *_: None)
    simple_test = model.reid.simple_test
    model.reid.simple_test = lambda img, **kw: (
        seen.append(tuple(img.shape)) or simple_test(img, **kw)
    )
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = [
            model([image], [[scene.meta(t)]], return_loss=False, rescale=True) for t in range(2)
        ]
    assert model.with_reid
    assert all(shape[1:] == (3, 32, 16) for shape in seen)
    assert len(seen) == 2, "one batch of crops a frame"
    first, second = (rows(f["track_bboxes"]) for f in found)
    assert len(first) > 0
    np.testing.assert_array_equal(first[:, 1], second[:, 1])  # the same image: the same identities


class TestPretrains:
    def make(self, pretrains, two_stage):
        return build_model(dict(type="DeepSORT", detector=two_stage, pretrains=pretrains))

    def test_becomes_init_cfg_of_the_part(self, two_stage):
        with pytest.warns(DeprecationWarning, match="init_cfg"):
            model = self.make(dict(detector="a.pth"), two_stage)
        assert model.detector.init_cfg == dict(type="Pretrained", checkpoint="a.pth")
        assert "init_cfg" not in two_stage, "the config was changed"

    @pytest.mark.parametrize("wrong", [dict(detector=3), dict(reid="a.pth"), dict(tracker="a.pth")])
    def test_unknown_part(self, wrong, two_stage):
        with (
            pytest.warns(DeprecationWarning, match="pretrains"),
            pytest.raises(ValueError, match="pretrains wants"),
        ):
            self.make(wrong, two_stage)


class TestShowResult:
    @pytest.fixture
    def model(self, tracker_config):
        return build_model(tracker_config("ByteTrack"))

    @pytest.fixture
    def result(self):
        tracks = [
            np.array([[7, 10, 10, 40, 50, 0.9], [8, 150, 110, 190, 190, 0.2]]),
            np.zeros((0, 6)),
        ]
        return dict(track_bboxes=tracks, det_bboxes=[np.zeros((0, 5))] * 2)

    def test_draws_tracks_above_the_threshold(self, model, result, tmp_path):
        image = np.full((200, 200, 3), 128, np.uint8)
        before = image.copy()
        file = tmp_path / "sub" / "a.png"
        shown = model.show_result(image, result, score_thr=0.5, out_file=str(file))
        assert (image == before).all(), "the input was drawn on"
        changed = (shown != image).any(-1)
        assert changed[30, 10]
        assert not changed[100:, 140:].any()
        assert file.is_file()

    def test_reads_a_file(self, model, result, tmp_path):
        import cv2

        cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
        shown = model.show_result(str(tmp_path / "a.png"), result)
        assert shown.shape == (64, 64, 3)
        assert shown.any()

    def test_refuses_what_is_no_result(self, model):
        with pytest.raises(TypeError, match="dict"):
            model.show_result(np.zeros((8, 8, 3), np.uint8), [])
        with pytest.raises(KeyError, match="det_bboxes"):
            model.show_result(np.zeros((8, 8, 3), np.uint8), {"det_bboxes": []})


def test_any_detector_of_mmdet_can_be_built(one_stage):
    assert type(build_detector(one_stage)).__name__ == "YOLOX"
