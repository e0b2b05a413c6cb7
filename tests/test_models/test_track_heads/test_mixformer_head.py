"""Head of MixFormer: its score against torch's attention, its losses and its two stages."""

from __future__ import annotations

import copy

import pytest
import torch
from mmcv import ConfigDict
from mmcv.ops import PrRoIPool
from tiny_mixformer import config, stirred
from torch import nn

from mmtrack.models import build_model
from mmtrack.models.track_heads import MixFormerHead, MixFormerScoreDecoder

DIM, HEADS, SIDE = 16, 4, 4


def decoder(seed=0):
    torch.manual_seed(seed)
    made = MixFormerScoreDecoder(
        pool_size=2, feat_size=SIDE, stride=16, num_heads=HEADS, hidden_dim=DIM, num_layers=3
    )
    return stirred(made).eval()


def head(seed=0, **options):
    torch.manual_seed(seed)
    return stirred(build_model(ConfigDict(config(**options).head))).eval()


def maps(count=3, seed=0):
    make = torch.Generator().manual_seed(seed)
    return (
        torch.randn(count, DIM, 2, 2, generator=make),
        torch.randn(count, DIM, SIDE, SIDE, generator=make),
    )


BBOXES = torch.tensor([[3.0, 5.0, 40.0, 45.0], [10.0, 2.0, 30.0, 48.0], [0.0, 0.0, 48.0, 48.0]])


def torch_attention(model, block):
    """The same layers in torch's module, which divides products by the root of a head's width."""
    layers = nn.MultiheadAttention(DIM, HEADS, batch_first=True)
    shrink = (DIM // HEADS) ** 0.5 / DIM**0.5
    with torch.no_grad():
        parts = [part[block] for part in (model.proj_q, model.proj_k, model.proj_v)]
        weights, biases = [p.weight.clone() for p in parts], [p.bias.clone() for p in parts]
        weights[0] *= shrink
        biases[0] *= shrink
        layers.in_proj_weight.copy_(torch.cat(weights))
        layers.in_proj_bias.copy_(torch.cat(biases))
        layers.out_proj.load_state_dict(model.proj[block].state_dict())
    return layers


class TestScore:
    def test_equals_attention_of_torch_over_regions_of_mmcv(self):
        model = decoder()
        template, search = maps()
        rois = torch.cat((torch.arange(3.0)[:, None], BBOXES), dim=1)
        inside = PrRoIPool(2, 1 / 16)(search, rois)
        with torch.no_grad():
            token = model.norm1(model.score_token).expand(3, -1, -1)
            for block, seen in enumerate((inside, template)):
                seen = seen.flatten(2).transpose(1, 2)
                token = torch_attention(model, block)(token, seen, seen)[0]
                token = model.norm2[block](token)
            want = model.score_head(token)
            found = model(search, template, BBOXES)
        assert found.shape == (3, 1, 1)
        torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-5)
        assert float(found.detach().std()) > 1e-3

    def test_looks_at_the_box_and_at_the_template(self):
        model, (template, search) = decoder(), maps()
        with torch.no_grad():
            want = model(search, template, BBOXES)
            assert (model(search, template + 1, BBOXES) - want).abs().min() > 1e-5
            assert (model(search, template, BBOXES + 5) - want).abs().min() > 1e-6
            changed = search.clone()
            changed[0, :, :, 3] += 9  # the first box ends at 40 / 16 = 2.5; its surface, before 3
            found = model(changed, template, BBOXES - torch.tensor([0.0, 0, 10, 0]))
            alone = model(search, template, BBOXES - torch.tensor([0.0, 0, 10, 0]))
        torch.testing.assert_close(found[0], alone[0])

    def test_samples_do_not_mix(self):
        model, (template, search) = decoder(), maps()
        with torch.no_grad():
            want = model(search, template, BBOXES)
            for i in range(3):
                one = slice(i, i + 1)
                found = model(search[one], template[one], BBOXES[one])
                torch.testing.assert_close(found, want[one])

    def test_wrong_heads(self):
        with pytest.raises(ValueError, match="hidden_dim 10 is no multiple of num_heads 4"):
            MixFormerScoreDecoder(num_heads=4, hidden_dim=10)


class TestForward:
    def test_shapes(self):
        with torch.no_grad():
            found = head()(*maps())
            assert {k: tuple(v.shape) for k, v in found.items()} == {
                "pred_bboxes": (3, 1, 4), "pred_logits": (3, 1, 1),
            }  # fmt: skip
            assert set(head()(*maps(), run_score_head=False)) == {"pred_bboxes"}
            assert set(head(score=False)(*maps())) == {"pred_bboxes"}

    def test_boxes_come_from_the_corner_head(self):
        model, (template, search) = head(), maps()
        with torch.no_grad():
            want = model.bbox_head(search)
            torch.testing.assert_close(model(template, search)["pred_bboxes"][:, 0], want)
            torch.testing.assert_close(model.forward_bbox_head(search)[:, 0], want)

    def test_found_box_is_scored_unless_another_is_given(self):
        model, (template, search) = head(), maps()
        with torch.no_grad():
            found = model(template, search)
            score = model.score_decoder_head
            want = score(search, template, found["pred_bboxes"][:, 0])
            torch.testing.assert_close(found["pred_logits"], want)
            given = model(template, search, gt_bboxes=BBOXES)
            torch.testing.assert_close(given["pred_logits"], score(search, template, BBOXES))
            torch.testing.assert_close(given["pred_bboxes"], found["pred_bboxes"])

    def test_search_region_of_another_size_is_refused(self):
        with pytest.raises(ValueError, match=r"are 5x5, but bbox_head.feat_size is 4"):
            head()(maps()[0], torch.zeros(3, DIM, 5, 5))


def truth(labels=None):
    rows = [torch.tensor([[0.0, *row]]) for row in BBOXES.tolist()]
    return rows, labels and [torch.tensor([[0.0, float(label)]]) for label in labels]


class TestStages:
    def test_first_stage_learns_the_box(self):
        model = head(score=False).train()
        losses = model.loss(model(*maps(), gt_bboxes=BBOXES), *truth(), (64, 64))
        assert set(losses) == {"loss_iou", "loss_bbox"}
        sum(losses.values()).backward()
        assert [name for name, p in model.named_parameters() if p.grad is None] == []

    def test_second_stage_learns_the_score_alone(self):
        model = head(frozen=True).train()
        assert not model.bbox_head.training
        results = model(*maps(), gt_bboxes=BBOXES)
        assert set(results) == {"pred_logits"}
        losses = model.loss(results, *truth([1, 0, 1]), (64, 64))
        assert set(losses) == {"loss_cls"}
        losses["loss_cls"].backward()
        learning = {name for name, p in model.named_parameters() if p.grad is not None}
        assert learning == {n for n, _ in model.named_parameters() if "score_decoder_head" in n}

    def test_score_is_the_cross_entropy_of_its_sigmoid(self):
        model = head(frozen=True).train()
        logits = torch.tensor([0.3, -2.0, 1.5])
        found = model.loss({"pred_logits": logits[:, None, None]}, *truth([1, 0, 0]))
        probability = 1 / (1 + (-logits).exp())
        want = -(probability[0].log() + (1 - probability[1:]).log().sum()) / 3
        assert float(found["loss_cls"]) == pytest.approx(float(want), rel=1e-5)

    def test_score_does_not_move_the_box(self):
        """Neither through the corners nor through the place of the region."""
        model = head().train()
        found = model(*maps())
        grads = torch.autograd.grad(
            found["pred_logits"].sum(), list(model.bbox_head.parameters()), allow_unused=True
        )
        assert all(grad is None for grad in grads)

    def test_score_without_labels(self):
        model = head(frozen=True).train()
        with pytest.raises(ValueError, match="needs search_gt_labels"):
            model.loss(model(*maps(), gt_bboxes=BBOXES), *truth())

    def test_losses_of_the_paper(self):
        made = MixFormerHead(bbox_head=copy.deepcopy(config().head.bbox_head))
        assert (made.loss_bbox.loss_weight, made.loss_iou.loss_weight) == (5.0, 2.0)
        assert made.loss_cls is None
