"""STARK follows a target: geometry by hand, templates by a script of scores, two stages."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmcv import ConfigDict
from mmcv.runner import save_checkpoint
from sot_video import FIRST, Waits, movie, run

from mmtrack.models import build_model
from mmtrack.models.sot import Stark
from mmtrack.models.sot.stark import IMG_MEAN, IMG_STD, clip_to_frame

DIM = 16
FROZEN = ["transformer", "bbox_head", "query_embedding"]


def layers(kind, *operations):
    return {
        "type": f"DetrTransformer{kind}",
        "num_layers": 1,
        "transformerlayers": {
            "type": "BaseTransformerLayer",
            "attn_cfgs": {"type": "MultiheadAttention", "embed_dims": DIM, "num_heads": 2},
            "ffn_cfgs": {"feedforward_channels": 32, "embed_dims": DIM},
            "operation_order": operations,
        },
    }


def build(stage=2, intervals=(2,), frozen=False, seed=0):
    torch.manual_seed(seed)
    head = {
        "type": "StarkHead",
        "transformer": {
            "type": "StarkTransformer",
            "encoder": layers("Encoder", "self_attn", "norm", "ffn", "norm"),
            "decoder": layers("Decoder", "self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
        },
        "positional_encoding": {
            "type": "SinePositionalEncoding",
            "num_feats": DIM // 2,
            "normalize": True,
        },
        "bbox_head": {
            "type": "CornerPredictorHead",
            "inplanes": DIM,
            "channel": 16,
            "feat_size": 4,
            "stride": 16,
        },
    }
    if stage == 2:
        dims = {"input_dim": DIM, "hidden_dim": 8, "output_dim": 1}
        head["cls_head"] = {"type": "ScoreHead", "num_layers": 3, **dims}
        head["loss_cls"] = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    if frozen:
        head["frozen_modules"] = FROZEN
    model = {
        "type": "Stark",
        "frozen_modules": ["backbone", "neck"] if frozen else None,
        "backbone": {
            "type": "ResNet",
            "depth": 18,
            "base_channels": 8,
            "stem_channels": 8,
            "num_stages": 3,
            "strides": (1, 2, 2),
            "dilations": (1, 1, 1),
            "out_indices": (2,),
            "norm_eval": True,
        },
        "neck": {
            "type": "ChannelMapper",
            "in_channels": [32],
            "out_channels": DIM,
            "kernel_size": 1,
            "act_cfg": None,
        },
        "head": head,
        "test_cfg": {
            "search_factor": 5.0,
            "search_size": 64,
            "template_factor": 2.0,
            "template_size": 32,
            "update_intervals": list(intervals),
        },
    }
    return build_model(ConfigDict(model)).eval()


class TestVideo:
    def test_boxes_and_scores(self):
        found = run(build(), movie(4))
        assert found.shape == (4, 5)
        assert found[0].tolist() == [30, 20, 54, 48, -1]
        assert ((found[1:, 4] > 0) & (found[1:, 4] < 1)).all()
        assert (found[:, 2:4] - found[:, :2] >= 10 - 1e-9).all()

    def test_first_stage_has_no_score(self):
        assert run(build(stage=1), movie(3))[:, 4].tolist() == [-1, -1, -1]

    def test_frames_of_bytes_and_of_floats(self):
        frames = movie(3)
        np.testing.assert_array_equal(run(build(), frames), run(build(), frames.float()))

    def test_a_video_does_not_remember_the_one_before(self):
        model, frames = build(intervals=(1,)), movie(4)
        alone = run(model, frames)
        run(model, movie(5, seed=8), torch.tensor([[50.0, 30.0, 80.0, 60.0]]))
        np.testing.assert_array_equal(run(model, frames), alone)

    def test_two_trackers_side_by_side(self):
        one, other, frames = build(), build(), movie(3)
        alone = run(build(), frames)
        side = []
        for i, frame in enumerate(frames):
            meta = [[{"frame_id": i}]]
            with torch.no_grad():
                side.append(one([frame], meta, gt_bboxes=[FIRST], return_loss=False))
                other([frame.flip(3)], meta, gt_bboxes=[FIRST + 9], return_loss=False)
        np.testing.assert_array_equal(np.stack([s["track_bboxes"] for s in side]), alone)

    def test_polygons_start_with_a_box_of_their_area(self):
        diamond = torch.tensor([[40.0, 20.0, 60.0, 40.0, 40.0, 60.0, 20.0, 40.0]])
        side = 800**0.5  # the diamond's area is 800, its middle (40, 40)
        want = [40 - side / 2, 40 - side / 2, 40 + side / 2, 40 + side / 2, -1]
        assert run(build(), movie(1), diamond)[0].tolist() == pytest.approx(want)

    @pytest.mark.parametrize(
        ("bbox", "message"),
        [
            ([[30.0, 20.0, 30.0, 48.0]], "has no area"),
            ([[130.0, 20.0, 160.0, 48.0]], "lies outside"),
            ([[float("nan"), 20.0, 50.0, 48.0]], "not finite"),
        ],
    )
    def test_bad_first_box(self, bbox, message):
        with pytest.raises(ValueError, match=message):
            run(build(), movie(1), torch.tensor(bbox))

    def test_video_without_its_first_frame(self):
        with pytest.raises(RuntimeError, match="begin with the frame of frame_id 0"):
            build()([movie(1)[0]], [[{"frame_id": 3}]], gt_bboxes=[FIRST], return_loss=False)

    def test_meta_data_without_frame_id(self):
        with pytest.raises(KeyError, match="VideoCollect"):
            build()([movie(1)[0]], [[{}]], gt_bboxes=[FIRST], return_loss=False)

    def test_output_that_is_no_box(self):
        model = build()
        model.head.bbox_head.tl_corner_pred[4].bias.data.fill_(float("nan"))
        with pytest.raises(FloatingPointError, match="which is no box"):
            run(model, movie(2))


class Scripted(Stark):
    """Finds the box it started with, with the scores of a script; notes the templates it used."""

    def track(self, img, bbox):
        self.used.append([t["made"] for t in self.templates])
        return torch.tensor(self.script[self.frame_id]), bbox

    def _template(self, img, bbox):
        return {"made": self.frame_id}


class TestTemplates:
    def follow(self, intervals, scores):
        model = build(intervals=intervals)
        model.__class__ = Scripted
        model.script, model.used = scores, []
        run(model, movie(len(scores)))
        return model.used

    def test_taken_at_the_interval_from_sure_boxes(self):
        #         0    1    2    3    4    5    6    7
        scores = [0.0, 0.9, 0.9, 0.9, 0.5, 0.9, 0.6, 0.9]
        second = [templates[1] for templates in self.follow((2,), scores)]
        # used in frames 1 to 7; a score of exactly 0.5 in frame 4 is not sure enough
        assert second == [0, 0, 2, 2, 2, 2, 6]

    def test_first_template_stays(self):
        scores = [0.0] + [0.9] * 5
        assert {templates[0] for templates in self.follow((1,), scores)} == {0}

    def test_intervals_of_their_own(self):
        used = self.follow((2, 3), [0.0] + [0.9] * 7)
        assert [t[1] for t in used] == [0, 0, 2, 2, 4, 4, 6]
        assert [t[2] for t in used] == [0, 0, 0, 3, 3, 3, 6]

    def test_none(self):
        assert self.follow((), [0.0, 0.9, 0.9]) == [[0], [0]]

    def test_changed_template_changes_what_is_found(self):
        frames = movie(4)
        never, often = build(intervals=(100,)), build(intervals=(1,))
        for model in (never, often):
            model.head.cls_head.layers[-1].bias.data.fill_(5.0)
        one, other = run(never, frames), run(often, frames)
        np.testing.assert_array_equal(one[1], other[1])
        assert np.abs(one[2:] - other[2:]).max() > 1e-6


class TestGeometry:
    def test_boxes_go_back_to_where_they_were_cut(self):
        model = build()
        # a region of 128 pixels around (50, 40), shown in 64: its corner is (-14, -24)
        bboxes = torch.tensor([[[0.0, 0.0, 64.0, 64.0], [32.0, 32.0, 42.0, 37.0]]])
        found = model.mapping_bbox_back(bboxes, torch.tensor([[50.0, 40.0, 20.0, 30.0]]), 0.5)
        want = [[[-14.0, -24.0, 114.0, 104.0], [50.0, 40.0, 70.0, 50.0]]]
        assert found.tolist() == want

    def test_each_sample_has_its_own_region(self):
        found = build().mapping_bbox_back(
            torch.tensor([[[32.0, 32.0, 48.0, 48.0]]] * 2),
            torch.tensor([[10.0, 20.0, 5.0, 5.0], [30.0, 60.0, 5.0, 5.0]]),
            2.0,
        )
        assert found[:, 0].tolist() == [[10.0, 20.0, 18.0, 28.0], [30.0, 60.0, 38.0, 68.0]]

    def test_crop_and_way_back_agree(self):
        """A dark square is found again where it was, up to a pixel of the crop."""
        frame = torch.full((1, 3, 90, 120), 200.0)
        frame[:, :, 41:51, 63:77] = 0
        bbox = [60.0, 50.0, 16.0, 12.0]
        crop, factor, mask = build().get_cropped_img(frame, bbox, 5.0, 64)
        rows, cols = torch.nonzero((crop[0, 0] < 100) & ~mask[0], as_tuple=True)
        box = torch.stack((cols.min(), rows.min(), cols.max() + 1, rows.max() + 1))
        found = build().mapping_bbox_back(box[None, None].float(), torch.tensor([bbox]), factor)
        np.testing.assert_allclose(found[0, 0].numpy(), [63, 41, 77, 51], atol=1 / factor + 0.5)

    @pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
    def test_boxes_of_any_kind(self, kind):
        crop, factor, mask = build().get_cropped_img(movie(1)[0], kind([50.0, 30, 8, 8]), 2.0, 32)
        assert (crop.shape, mask.shape, factor) == ((1, 3, 32, 32), (1, 32, 32), 2.0)

    @pytest.mark.parametrize(
        ("corners", "want"),
        [
            ([20, 10, 50, 40], [20, 10, 50, 40]),
            ([-20, -5, 30, 25], [0, 0, 50, 30]),
            ([20, 10, 24, 12], [20, 10, 30, 20]),
            ([50, 40, 20, 10], [50, 40, 60, 50]),
            ([95, 65, 130, 90], [90, 60, 125, 85]),
            ([-10, -10, 500, 400], [0, 0, 100, 70]),
        ],
        ids=["inside", "over the corner", "too small", "inverted", "far corner", "too large"],
    )
    def test_box_in_a_frame(self, corners, want):
        found = clip_to_frame(torch.tensor(corners, dtype=torch.float64), height=70, width=100)
        cx, cy, width, height = found.tolist()
        assert [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2] == want


def test_nothing_waits_for_the_device_before_the_box_is_read():
    model, frames = build(), movie(2)
    run(model, frames[:1])
    with torch.no_grad(), Waits() as waits:
        search, _ = model._region(frames[1], model.bbox, 5.0, 64)
        model.head([*model.templates, search])
    assert waits.count == 0


class TestTraining:
    def batch(self, count=3, label=True):
        make = torch.Generator().manual_seed(4)
        masks = torch.zeros(count, 2, 32, 32, dtype=torch.bool)
        masks[0, 0, :, :16] = True  # of one template, not of the other
        batch = {
            "img": torch.randn(count, 2, 3, 32, 32, generator=make),
            "img_metas": [{}] * count,
            "gt_bboxes": [torch.zeros(2, 5)] * count,
            "padding_mask": masks,
            "search_img": torch.randn(count, 1, 3, 64, 64, generator=make),
            "search_img_metas": [[{}]] * count,
            "search_gt_bboxes": [torch.tensor([[0.0, 10 + i, 12, 40, 50]]) for i in range(count)],
            "search_padding_mask": torch.zeros(count, 1, 64, 64, dtype=torch.bool),
        }
        if label:
            labels = [torch.tensor([[0.0, float(i % 2)]]) for i in range(count)]
            batch["search_gt_labels"] = labels
        return batch

    def test_first_stage(self):
        model = build(stage=1).train()
        losses = model(**self.batch(label=False), return_loss=True)
        assert set(losses) == {"loss_iou", "loss_bbox"}
        sum(losses.values()).backward()
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)

    def test_second_stage_leaves_everything_but_the_score(self):
        model = build(frozen=True).train()
        before = {k: v.clone() for k, v in model.state_dict().items()}
        losses = model(**self.batch(), return_loss=True)
        assert set(losses) == {"loss_cls"}
        learning = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(learning, lr=0.1)
        losses["loss_cls"].backward()
        optimizer.step()
        changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
        assert changed
        assert {k.split(".")[1] for k in changed} == {"cls_head"}

    def test_second_stage_without_labels(self):
        with pytest.raises(ValueError, match="search_gt_labels"):
            build(frozen=True).train()(**self.batch(label=False), return_loss=True)

    def test_samples_do_not_mix(self):
        """The loss of a batch is the mean of the losses of its samples."""
        model, batch = build(frozen=True).train(), self.batch()
        whole = model(**batch, return_loss=True)["loss_cls"]
        parts = [
            model(**{k: v[i : i + 1] for k, v in batch.items()}, return_loss=True)["loss_cls"]
            for i in range(3)
        ]
        torch.testing.assert_close(whole, torch.stack(parts).mean())

    def test_templates_in_training_are_those_of_tests(self):
        """Box of a training sample equals that of the same images in a test."""
        model, batch = build(), self.batch(count=1)
        with torch.no_grad():
            feats = [model.extract_feat(batch["img"][:, i]) for i in range(2)]
            parts = [{"feat": f, "mask": batch["padding_mask"][:, i]} for i, f in enumerate(feats)]
            search = model.extract_feat(batch["search_img"][:, 0])
            parts.append({"feat": search, "mask": batch["search_padding_mask"][:, 0]})
            want = model.head.loss(
                model.head(parts), batch["search_gt_bboxes"], batch["search_gt_labels"], (64, 64)
            )
            found = model.forward_train(**batch)
        assert set(found) == {"loss_iou", "loss_bbox", "loss_cls"}
        torch.testing.assert_close(found, want)


def test_crops_are_normalised_after_padding():
    """Black padding becomes the darkest value, as in the training pipeline."""
    model, seen = build(), []
    model.extract_feat = lambda img: seen.append(img) or (torch.zeros(1, DIM, 2, 2),)
    model.init(torch.full((1, 3, 70, 110), 255, dtype=torch.uint8), [0.0, 35.0, 20.0, 20.0])
    mean, std = torch.tensor(IMG_MEAN), torch.tensor(IMG_STD)
    torch.testing.assert_close(seen[0][0, :, 16, 0], -mean / std)
    torch.testing.assert_close(seen[0][0, :, 16, 31], (255 - mean) / std)
    # the published numbers of ImageNet, as fractions of 255
    torch.testing.assert_close(mean / 255, torch.tensor([0.485, 0.456, 0.406]))
    torch.testing.assert_close(std / 255, torch.tensor([0.229, 0.224, 0.225]))


def test_checkpoints_hold_the_weights_alone(tmp_path):
    """mmcv writes every buffer, also those that torch leaves out of the state."""
    model = build()
    save_checkpoint(model, str(tmp_path / "a.pth"))
    state = torch.load(tmp_path / "a.pth", weights_only=True)["state_dict"]
    assert list(state) == list(model.state_dict())
