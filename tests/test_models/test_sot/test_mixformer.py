"""MixFormer follows a target: templates by a script of scores, caching, learning of a pair."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmcv import ConfigDict
from mmcv.runner import save_checkpoint
from sot_video import FIRST, Waits, movie, run
from tiny_mixformer import SEARCH, TEMPLATE, build, config

from mmtrack.apis.checkpoint import require_frozen_weights
from mmtrack.models import build_model
from mmtrack.models.sot import MixFormer
from mmtrack.models.sot.stark import IMG_MEAN, IMG_STD


def sure(model, bias=5.0):
    """The same model, which is always sure of its boxes."""
    model.head.score_decoder_head.score_head.layers[-1].bias.data.fill_(bias)
    return model


class TestVideo:
    def test_boxes_and_scores(self):
        found = run(build(), movie(4))
        assert found.shape == (4, 5)
        assert found[0].tolist() == [30, 20, 54, 48, -1]
        assert ((found[1:, 4] > 0) & (found[1:, 4] < 1)).all()
        assert (found[:, 2:4] - found[:, :2] >= 10 - 1e-9).all()

    def test_box_is_what_the_full_pass_finds(self):
        """Crop, forward of the backbone with all templates, head, and the way back."""
        model, frames = sure(build()), movie(5)
        found = run(model, frames)
        other = sure(build())
        bbox, templates = torch.tensor([42.0, 34, 24, 28]), []
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMG_MEAN, IMG_STD))

        def cut(frame, bbox, factor, size):
            crop, scale, _ = other.get_cropped_img(frame, bbox, factor, size)
            return (crop - mean) / std, scale

        with torch.no_grad():
            templates.append(cut(frames[0], bbox, 2.0, TEMPLATE)[0])
            online, best, view = [templates[0]], 0.0, templates[0]
            for i in range(1, 5):
                search, scale = cut(frames[i], bbox, 4.5, SEARCH)
                feats = other.backbone(templates[0], torch.cat(online), search)
                result = other.head(*feats)
                corners = result["pred_bboxes"][0, 0].double() / scale
                corners += (bbox[:2] - SEARCH / scale / 2).double().repeat(2)
                x1, y1, x2, y2 = corners.tolist()
                width, height = min(max(x2 - x1, 10), 110), min(max(y2 - y1, 10), 70)
                x1, y1 = min(max(x1, 0), 100), min(max(y1, 0), 60)
                score = float(result["pred_logits"].sigmoid())
                want = [x1, y1, x1 + width, y1 + height, score]
                np.testing.assert_allclose(found[i], want, rtol=1e-4, atol=1e-3)
                bbox = torch.tensor([x1 + width / 2, y1 + height / 2, width, height])
                best *= 0.9
                if score > max(0.5, best):
                    best, view = score, cut(frames[i], bbox, 2.0, TEMPLATE)[0]
                if i % 2 == 0:
                    online = [*online, view][-2:]
                    best, view = 0.0, templates[0]

    def test_first_stage_has_no_score_and_keeps_its_template(self):
        model = build(score=False, update_interval=[1])
        calls = []
        model.set_online = lambda *templates: calls.append(MixFormer.set_online(model, *templates))
        assert run(model, movie(4))[:, 4].tolist() == [-1, -1, -1, -1]
        assert len(calls) == 1

    def test_frames_of_bytes_and_of_floats(self):
        frames = movie(3)
        np.testing.assert_array_equal(run(build(), frames), run(build(), frames.float()))

    def test_a_video_does_not_remember_the_one_before(self):
        model, frames = sure(build(update_interval=[1])), movie(4)
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

    def test_video_without_its_first_frame(self):
        model = build()
        run(model, movie(2))
        model.reset()
        with pytest.raises(RuntimeError, match="begin with the frame of frame_id 0"):
            model([movie(1)[0]], [[{"frame_id": 3}]], gt_bboxes=[FIRST], return_loss=False)

    def test_bad_first_box(self):
        with pytest.raises(ValueError, match="has no area"):
            run(build(), movie(1), torch.tensor([[30.0, 20.0, 30.0, 48.0]]))

    def test_output_that_is_no_box(self):
        model = build()
        model.head.bbox_head.tl_corner_pred[4].bias.data.fill_(float("nan"))
        with pytest.raises(FloatingPointError, match="which is no box"):
            run(model, movie(2))


class Scripted(MixFormer):
    """Finds the box it started with, with the scores of a script; notes the templates it uses."""

    def track(self, img, bbox):
        self.used.append([int(t) for t in self.online_templates])
        return torch.tensor(self.script[self.frame_id]), bbox

    def set_online(self, template, online_template):
        self.sent.append((int(template), online_template.flatten().int().tolist()))

    def _template(self, img, bbox):
        return torch.full((1, 1, 1, 1), float(self.frame_id))


class TestTemplates:
    def follow(self, scores, **settings):
        model = build(**settings)
        model.__class__ = Scripted
        model.script, model.used, model.sent = scores, [], []
        run(model, movie(len(scores)))
        return model

    def test_surest_view_since_the_last_update(self):
        #         0    1    2    3    4    5    6    7    8    9
        scores = [0.0, 0.7, 0.9, 0.8, 0.7, 0.6, 0.8, 0.9, 0.8, 0.6]
        model = self.follow(scores, update_interval=[4], online_size=[1], max_score_decay=[1.0])
        assert [online for (online,) in model.used] == [0, 0, 0, 0, 2, 2, 2, 2, 7]
        assert model.sent == [(0, [0]), (0, [2]), (0, [7])]

    def test_newest_templates_stay(self):
        scores = [0.0] + [0.9] * 7
        used = self.follow(scores, max_score_decay=[1.0]).used
        assert used == [[0], [0], [0, 1], [0, 1], [1, 3], [1, 3], [3, 5]]

    def test_decay_lets_newer_views_win(self):
        scores = [0.0, 0.9, 0.8, 0.75, 0.7]
        settings = {"update_interval": [4], "online_size": [1]}
        # 0.9 shrinks to 0.81 and 0.729, which 0.75 exceeds; 0.75 to 0.675, which 0.7 exceeds
        for decay, want in ((1.0, 1), (0.9, 4), (0.87, 4), (0.95, 1)):
            model = self.follow([*scores, 0.6], max_score_decay=[decay], **settings)
            assert model.used[-1] == [want], decay

    def test_first_template_stands_in_where_no_view_is_sure(self):
        scores = [0.0, 0.9, 0.9, 0.5, 0.4, 0.9]
        used = self.follow(scores, online_size=[1], max_score_decay=[1.0]).used
        assert used == [[0], [0], [1], [1], [0]]

    def test_views_of_the_video_before_are_forgotten(self):
        model = self.follow([0.0, 0.95, 0.95], update_interval=[3], max_score_decay=[1.0])
        model.script, model.sent = [0.0, 0.6, 0.7, 0.6], []
        run(model, movie(4))
        assert model.sent == [(0, [0]), (0, [0, 2])]

    def test_first_template_always_belongs_to_them(self):
        scores = [0.0] + [0.9] * 5
        sent = self.follow(scores, update_interval=[1], online_size=[2]).sent
        assert {first for first, _ in sent} == {0}

    def test_changed_template_changes_what_is_found(self):
        frames = movie(4)
        never, often = (sure(build(update_interval=[n])) for n in (100, 1))
        one, other = run(never, frames), run(often, frames)
        np.testing.assert_array_equal(one[1], other[1])
        assert np.abs(one[2:] - other[2:]).max() > 1e-6

    @pytest.mark.parametrize("value", [25, [], [25, 50]])
    def test_settings_of_one_number(self, value):
        with pytest.raises(ValueError, match="test_cfg.update_interval is .*list of one number"):
            build(update_interval=value)


def test_nothing_waits_for_the_device_before_the_box_is_read():
    model, frames = build(), movie(2)
    run(model, frames[:1])
    with torch.no_grad(), Waits() as waits:
        search, *_ = model.normalized_crop(frames[1], model.bbox, 4.5, SEARCH)
        model.head(*model.backbone.forward_test(search))
    assert waits.count == 0


def batch(count=3, label=True, seed=4):
    make = torch.Generator().manual_seed(seed)
    made = {
        "img": torch.randn(count, 2, 3, TEMPLATE, TEMPLATE, generator=make),
        "img_metas": [{}] * count,
        "gt_bboxes": [torch.zeros(2, 5)] * count,
        "padding_mask": torch.zeros(count, 2, TEMPLATE, TEMPLATE, dtype=torch.bool),
        "search_img": torch.randn(count, 1, 3, SEARCH, SEARCH, generator=make),
        "search_img_metas": [[{}]] * count,
        "search_gt_bboxes": [torch.tensor([[0.0, 10 + i, 12, 40, 50]]) for i in range(count)],
    }
    if label:
        made["search_gt_labels"] = [torch.tensor([[0.0, float(i % 2)]]) for i in range(count)]
    return made


class TestTraining:
    def test_first_stage_learns_everything(self):
        model = build(score=False).train()
        losses = model(**batch(label=False), return_loss=True)
        assert set(losses) == {"loss_iou", "loss_bbox"}
        sum(losses.values()).backward()
        learning = {name for name, p in model.named_parameters() if p.requires_grad}
        assert {n for n, p in model.named_parameters() if p.grad is not None} == learning
        for name, weight in model.named_parameters():
            # key biases shift all products of a query alike, which softmax does not see
            if name in learning and "proj_k.bias" not in name and ".conv.bias" not in name:
                assert weight.grad.any() or name.endswith("pred.4.bias"), name

    def test_second_stage_leaves_everything_but_the_score(self):
        model = build(frozen=True).train()
        before = {k: v.clone() for k, v in model.state_dict().items()}
        losses = model(**batch(), return_loss=True)
        assert set(losses) == {"loss_cls"}
        learning = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(learning, lr=0.1)
        losses["loss_cls"].backward()
        optimizer.step()
        changed = {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}
        assert changed
        assert {k.split(".")[1] for k in changed} == {"score_decoder_head"}

    def test_second_stage_needs_the_first(self):
        with pytest.raises(ValueError, match=r"MixFormer freezes backbone, head.bbox_head, but"):
            require_frozen_weights(build(frozen=True), None)

    def test_second_stage_loads_the_first(self):
        missing = build(frozen=True).load_state_dict(
            build(score=False, seed=3).state_dict(), strict=False
        )
        assert missing.unexpected_keys == []
        assert all(key.startswith("head.score_decoder_head.") for key in missing.missing_keys)

    def test_samples_do_not_mix(self):
        """The loss of a batch is the mean of the losses of its samples."""
        model, data = build(frozen=True).train(), batch()
        whole = model(**data, return_loss=True)["loss_cls"]
        parts = [
            model(**{k: v[i : i + 1] for k, v in data.items()}, return_loss=True)["loss_cls"]
            for i in range(3)
        ]
        torch.testing.assert_close(whole, torch.stack(parts).mean())

    def test_score_is_learnt_from_true_boxes(self):
        model, data = build(frozen=True).train(), batch()
        seen = []
        model.head.score_decoder_head.register_forward_pre_hook(lambda _, a: seen.append(a[2]))
        model(**data, return_loss=True)
        assert seen[0].tolist() == [[10.0 + i, 12, 40, 50] for i in range(3)]

    def test_without_true_boxes(self):
        data = batch()
        del data["search_gt_bboxes"]
        with pytest.raises(ValueError, match="0 search_gt_bboxes for 3 samples: collect gt_bboxes"):
            build().train()(**data, return_loss=True)

    def test_one_pair_is_learnt_by_heart(self):
        """A square on noise: the loss falls, and the box of a test lies on the square."""
        torch.manual_seed(0)
        model, data = build_model(config(score=False)).train(), self.square()
        losses = learn(model, data, 61)
        assert losses[-1] < 0.25 * losses[0]
        model.eval()
        with torch.no_grad():
            model.set_online(data["img"][:, 0], data["img"][:, 1])
            found = model.head(*model.backbone.forward_test(data["search_img"][:, 0]))
        want = data["search_gt_bboxes"][0][0, 1:]
        torch.testing.assert_close(found["pred_bboxes"][0, 0], want, atol=2.0, rtol=0)

    def test_score_of_pairs_is_learnt_by_heart(self):
        assert learn(build(frozen=True).train(), batch(count=4), 60)[-1] < 0.05

    @staticmethod
    def square():
        """A sample whose search region shows the square of its templates."""
        make = torch.Generator().manual_seed(2)
        data = batch(count=1, label=False, seed=5)
        pattern = 3 * torch.rand(3, 1, 1, generator=make) + 1
        data["img"] *= 0.2
        data["img"][..., 8:24, 8:24] += pattern
        data["search_img"] *= 0.2
        data["search_img"][..., 24:40, 10:26] += pattern
        data["search_gt_bboxes"] = [torch.tensor([[0.0, 10, 24, 26, 40]])]
        return data


def learn(model, data, steps):
    """Train on one batch again and again; the loss of every step."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(steps):
        loss = sum(model(**data, return_loss=True).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_checkpoints_hold_the_weights_alone(tmp_path):
    model = build()
    run(model, movie(2))
    save_checkpoint(model, str(tmp_path / "a.pth"))
    state = torch.load(tmp_path / "a.pth", weights_only=True)["state_dict"]
    assert list(state) == list(model.state_dict())
    fresh = build_model(ConfigDict(config()))
    assert fresh.load_state_dict(state, strict=True)
