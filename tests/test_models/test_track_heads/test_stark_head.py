"""Head of STARK: padding counts for nothing, boxes and losses equal plain computations."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from mmcv import ConfigDict

from mmtrack.models.track_heads import StarkHead

DIM, SIDE, STRIDE = 16, 4, 8


def attention():
    return {"type": "MultiheadAttention", "embed_dims": DIM, "num_heads": 2, "attn_drop": 0.0}


def layers(kind, *operations):
    return {
        "type": f"DetrTransformer{kind}",
        "num_layers": 2,
        "transformerlayers": {
            "type": "BaseTransformerLayer",
            "attn_cfgs": attention(),
            "ffn_cfgs": {"feedforward_channels": 32, "embed_dims": DIM},
            "operation_order": operations,
        },
    }


def build(score=False, seed=0, **more):
    torch.manual_seed(seed)
    config = {
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
            "feat_size": SIDE,
            "stride": STRIDE,
        },
    }
    if score:
        config["cls_head"] = {
            "type": "ScoreHead",
            "input_dim": DIM,
            "hidden_dim": 8,
            "output_dim": 1,
            "num_layers": 3,
        }
        config["loss_cls"] = {"type": "CrossEntropyLoss", "use_sigmoid": True}
    head = StarkHead(**ConfigDict(config), **more)
    head.init_weights()
    return head.eval()


def inputs(seed=0, count=2, templates=2):
    make = torch.Generator().manual_seed(seed)
    sides = [2] * templates + [SIDE]
    parts = [
        {
            "feat": (torch.randn(count, DIM, side, side, generator=make),),
            "mask": torch.zeros(count, side * STRIDE, side * STRIDE, dtype=torch.bool),
        }
        for side in sides
    ]
    parts[-1]["mask"][:, :, : 2 * STRIDE] = True  # two columns of tokens
    parts[0]["mask"][:, -STRIDE:] = True  # one row of tokens
    return parts


class TestForward:
    def test_shapes(self):
        with torch.no_grad():
            assert {k: tuple(v.shape) for k, v in build()(inputs()).items()} == {
                "pred_bboxes": (2, 1, 4)
            }
            found = build(score=True, num_query=3)(inputs())
        assert tuple(found["pred_bboxes"].shape) == (2, 3, 4)
        assert tuple(found["pred_logits"].shape) == (2, 3, 1)

    def test_what_is_padding_does_not_matter(self):
        head = build()
        head.forward_bbox_head = lambda feat, enc_mem: feat  # the embeddings of the queries
        one, other = inputs(), inputs()
        other[-1]["feat"][0][..., :2] += 100
        other[0]["feat"][0][..., -1, :] -= 100
        with torch.no_grad():
            want, found = head(one), head(other)
            other[-1]["feat"][0][..., 2] += 1
            moved = head(other)
        torch.testing.assert_close(found["pred_bboxes"], want["pred_bboxes"])
        assert not torch.allclose(moved["pred_bboxes"], want["pred_bboxes"], atol=1e-3)

    def test_tokens_of_one_sample_do_not_reach_another(self):
        head = build(score=True)
        pair, single = inputs(), inputs()
        for part in single:
            part["feat"] = (part["feat"][0][1:],)
            part["mask"] = part["mask"][1:]
        with torch.no_grad():
            want, found = head(pair), head(single)
        torch.testing.assert_close(found["pred_bboxes"], want["pred_bboxes"][1:])
        torch.testing.assert_close(found["pred_logits"], want["pred_logits"][1:])

    def test_masked_tokens_are_as_good_as_absent(self):
        transformer = build().transformer
        make = torch.Generator().manual_seed(5)
        x, positions = torch.randn(2, 9, 3, DIM, generator=make)
        mask = torch.zeros(3, 9, dtype=torch.bool)
        mask[:, [1, 4, 5]] = True
        keep = ~mask[0]
        query = torch.randn(2, DIM, generator=make)
        with torch.no_grad():
            found, memory = transformer(x, mask, query, positions)
            want, small = transformer(x[keep], mask[:, keep], query, positions[keep])
        assert found.shape == (1, 3, 2, DIM)
        torch.testing.assert_close(found, want)
        torch.testing.assert_close(memory[keep], small)

    def test_order_of_tokens_does_not_matter(self):
        transformer = build().transformer
        make = torch.Generator().manual_seed(6)
        x, positions = torch.randn(2, 7, 1, DIM, generator=make)
        order = torch.randperm(7, generator=make)
        mask, query = torch.zeros(1, 7, dtype=torch.bool), torch.randn(1, DIM, generator=make)
        with torch.no_grad():
            found, memory = transformer(x, mask, query, positions)
            other, moved = transformer(x[order], mask, query, positions[order])
        torch.testing.assert_close(found, other)
        torch.testing.assert_close(memory[order], moved)

    def test_corners_come_from_the_search_region_weighted_by_similarity(self):
        head = build(num_query=2)
        maps = []
        head.bbox_head.register_forward_pre_hook(lambda _, args: maps.append(args[0]))
        make = torch.Generator().manual_seed(7)
        memory = torch.randn(24, 3, DIM, generator=make)
        queries = torch.randn(1, 3, 2, DIM, generator=make)
        with torch.no_grad():
            bboxes = head.forward_bbox_head(queries, memory)
        assert bboxes.shape == (3, 2, 4)
        for sample in range(3):
            for query in range(2):
                for place in range(SIDE * SIDE):
                    token = memory[24 - SIDE * SIDE + place, sample]
                    want = token * float(token @ queries[0, sample, query])
                    found = maps[0][2 * sample + query, :, place // SIDE, place % SIDE]
                    torch.testing.assert_close(found, want, rtol=1e-4, atol=1e-4)

    def test_search_region_of_another_size_is_refused(self):
        parts = inputs()
        parts[-1]["feat"] = (torch.zeros(2, DIM, 5, 5),)
        with pytest.raises(ValueError, match=r"are 5x5, but bbox_head.feat_size is 4"):
            build()(parts)


class TestArguments:
    def test_published_spelling_of_the_queries(self):
        assert build(num_querys=3).query_embedding.weight.shape == (3, DIM)

    def test_unknown_argument(self):
        with pytest.raises(TypeError, match="no arguments num_qury"):
            build(num_qury=3)


BBOXES = [
    [10.0, 12.0, 60.0, 80.0],
    [0.0, 0.0, 20.0, 20.0],
    [50.0, 60.0, 90.0, 70.0],
]
TARGETS = [
    [12.0, 10.0, 70.0, 75.0],
    [60.0, 50.0, 90.0, 95.0],
    [50.0, 60.0, 90.0, 70.0],
]


def with_frame(rows):
    return [torch.tensor([[0.0, *row]], dtype=torch.float64) for row in rows]


class TestLoss:
    @pytest.mark.parametrize("img_size", [None, (100, 200)])
    def test_boxes(self, img_size):
        height, width = img_size or (1, 1)
        scale = torch.tensor([width, height, width, height])
        bboxes, targets = torch.tensor(BBOXES), torch.tensor(TARGETS)
        found = build().loss(
            {"pred_bboxes": bboxes[:, None]}, with_frame(TARGETS), None, img_size=img_size
        )
        overlap = torchvision.ops.generalized_box_iou_loss(
            bboxes / scale, targets / scale, reduction="mean"
        )
        assert float(found["loss_iou"]) == pytest.approx(2 * float(overlap), rel=1e-4)
        distance = F.l1_loss(bboxes / scale, targets / scale)
        assert float(found["loss_bbox"]) == pytest.approx(5 * float(distance), rel=1e-5)
        assert set(found) == {"loss_iou", "loss_bbox"}

    def test_corners_in_the_wrong_order_learn_from_the_distance_alone(self):
        bboxes = torch.tensor(BBOXES)
        bboxes[1] = torch.tensor([30.0, 10.0, 20.0, 40.0])
        bboxes = bboxes.requires_grad_()
        found = build().loss(
            {"pred_bboxes": bboxes[:, None]}, with_frame(TARGETS), None, (100, 100)
        )
        rest = torchvision.ops.generalized_box_iou_loss(
            torch.tensor(BBOXES)[[0, 2]] / 100, torch.tensor(TARGETS)[[0, 2]] / 100
        )
        want = 2 * float(rest.sum()) / 3
        assert found["loss_iou"].item() == pytest.approx(want, rel=1e-4)
        (slope,) = torch.autograd.grad(found["loss_iou"], bboxes, retain_graph=True)
        assert not slope[1].any()
        assert slope[0].any()
        (slope,) = torch.autograd.grad(found["loss_bbox"], bboxes)
        assert slope[1].tolist() == pytest.approx([-5 / 1200] * 4)

    def test_score(self):
        logits = torch.tensor([0.3, -2.0, 1.5])
        labels = [torch.tensor([[0.0, value]]) for value in (1.0, 0.0, 0.0)]
        found = build(score=True).loss({"pred_logits": logits[:, None, None]}, [], labels)
        probability = 1 / (1 + (-logits).exp())
        want = -(probability[0].log() + (1 - probability[1:]).log().sum()) / 3
        assert list(found) == ["loss_cls"]
        assert float(found["loss_cls"]) == pytest.approx(float(want), rel=1e-5)

    def test_score_without_labels(self):
        with pytest.raises(ValueError, match="needs search_gt_labels"):
            build(score=True).loss({"pred_logits": torch.zeros(1, 1, 1)}, [], None)

    def test_every_query_learns_the_same_target(self):
        head = build(num_query=2)
        bboxes = torch.tensor([BBOXES[:2]])
        found = head.loss({"pred_bboxes": bboxes}, with_frame(TARGETS[:1]), None)
        want = F.l1_loss(bboxes[0], torch.tensor(TARGETS[:1]).expand(2, -1))
        assert float(found["loss_bbox"]) == pytest.approx(5 * float(want))


class TestStages:
    def test_first_stage_learns_everything(self):
        head = build().train()
        losses = head.loss(head(inputs()), with_frame(TARGETS[:2]), None, (32, 32))
        sum(losses.values()).backward()
        assert set(losses) == {"loss_iou", "loss_bbox"}
        # a bias that is normalised away, and the one added to all scores, cannot matter
        assert [name for name, p in head.named_parameters() if p.grad is None] == []

    def test_second_stage_learns_the_score_alone(self):
        head = build(score=True, frozen_modules=["transformer", "bbox_head", "query_embedding"])
        head.train()
        assert not head.transformer.training
        results = head(inputs())
        assert set(results) == {"pred_logits"}
        labels = [torch.tensor([[0.0, float(i)]]) for i in range(2)]
        losses = head.loss(results, with_frame(TARGETS[:2]), labels, (32, 32))
        losses["loss_cls"].backward()
        learning = {name for name, p in head.named_parameters() if p.grad is not None}
        assert learning == {name for name, _ in head.named_parameters() if "cls_head" in name}
        assert set(head.eval()(inputs())) == {"pred_logits", "pred_bboxes"}

    def test_both_at_once(self):
        head = build(score=True).train()
        labels = [torch.tensor([[0.0, float(i)]]) for i in range(2)]
        losses = head.loss(head(inputs()), with_frame(TARGETS[:2]), labels, (32, 32))
        assert set(losses) == {"loss_iou", "loss_bbox", "loss_cls"}
