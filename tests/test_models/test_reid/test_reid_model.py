"""ReID models against torch functions and hand numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmtrack.models import REID, build_reid
from mmtrack.models.reid import BaseReID, FcModule, GlobalAveragePooling, LinearReIDHead

LOSS = dict(type="CrossEntropyLoss", loss_weight=1.0)
TRIPLET = dict(type="TripletLoss", margin=0.3, loss_weight=1.0)


def model_config(**head):
    return dict(
        type="BaseReID",
        backbone=dict(type="ResNet", depth=18, base_channels=8, out_indices=(3,)),
        neck=dict(type="GlobalAveragePooling", kernel_size=(2, 1), stride=1),
        head=dict(
            type="LinearReIDHead",
            num_fcs=1,
            in_channels=64,
            fc_channels=16,
            out_channels=6,
            num_classes=5,
            loss=LOSS,
            loss_pairwise=TRIPLET,
            norm_cfg=dict(type="BN1d"),
            act_cfg=dict(type="ReLU"),
            **head,
        ),
    )


def crops(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(*shape, 3, 64, 32)).astype(np.float32))


class TestGlobalAveragePooling:
    x = torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)

    @pytest.mark.parametrize("kernel_size", [None, (4, 5)])
    def test_averages_all_positions(self, kernel_size):
        torch.testing.assert_close(GlobalAveragePooling(kernel_size)(self.x), self.x.mean((2, 3)))

    def test_every_level_of_a_tuple(self):
        small = self.x[:1, :, :2]
        found = GlobalAveragePooling()((self.x, small))
        assert [tuple(f.shape) for f in found] == [(2, 3), (1, 3)]
        torch.testing.assert_close(found[1], small.mean((2, 3)))

    def test_no_image(self):
        assert GlobalAveragePooling((4, 5))(self.x[:0]).shape == (0, 3)

    def test_refuses_other_types(self):
        with pytest.raises(TypeError, match="tensor"):
            GlobalAveragePooling()("x")


class TestFcModule:
    def test_is_linear_norm_activation(self):
        module = FcModule(4, 3, norm_cfg=dict(type="BN1d")).eval()
        module.bn.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3]))
        module.bn.running_var.copy_(torch.tensor([1.0, 2.0, 0.5]))
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
        y = x @ module.fc.weight.T + module.fc.bias
        normed = (y - module.bn.running_mean) / (module.bn.running_var + module.bn.eps).sqrt()
        torch.testing.assert_close(module(x), normed.relu())
        torch.testing.assert_close(module(x, activate=False), normed)
        torch.testing.assert_close(module(x, activate=False, norm=False), y)
        assert module.norm is module.bn

    def test_without_norm_and_activation(self):
        module = FcModule(4, 3, act_cfg=None)
        x = torch.randn(5, 4)
        assert module.norm is None
        assert list(module.state_dict()) == ["fc.weight", "fc.bias"]
        torch.testing.assert_close(module(x), module.fc(x))

    @pytest.mark.parametrize("act", ["PReLU", "GELU", "LeakyReLU"])
    def test_activations_with_and_without_inplace(self, act):
        assert FcModule(2, 2, act_cfg=dict(type=act))(torch.ones(1, 2)).shape == (1, 2)


class TestLinearReIDHead:
    settings = dict(num_fcs=2, in_channels=8, fc_channels=4, out_channels=3, num_classes=5)

    def head(self, **more):
        torch.manual_seed(0)
        return LinearReIDHead(**{**self.settings, "loss": LOSS, "loss_pairwise": TRIPLET, **more})

    def test_embeds_and_classifies(self):
        head = self.head().eval()
        head.bn.running_mean.fill_(0.5)
        head.bn.running_var.fill_(4)
        x = torch.randn(6, 8)
        feats, score = head.forward_train((x,))
        want = head.fc_out(head.fcs[1].fc(head.fcs[0].fc(x)))
        torch.testing.assert_close(feats, want)
        torch.testing.assert_close(score, head.classifier((want - 0.5) / (4 + head.bn.eps) ** 0.5))

    def test_losses_and_accuracy(self):
        head = self.head(topk=(1, 3))
        labels = torch.tensor([0, 0, 4, 4])
        feats = torch.randn(4, 3)
        score = torch.tensor(
            [
                [5.0, 1, 0, 0, 0],  # first: right
                [1.0, 5, 4, 0, 0],  # right within three
                [1.0, 5, 4, 3, 0],  # wrong
                [0.0, 0, 0, 0, 9],  # first: right
            ]
        )
        losses = head.loss(labels, feats, score)
        torch.testing.assert_close(losses["ce_loss"], F.cross_entropy(score, labels))
        torch.testing.assert_close(losses["triplet_loss"], head.loss_triplet(feats, labels))
        assert {k: float(v) for k, v in losses["accuracy"].items()} == {"top-1": 50, "top-3": 75}

    def test_pairwise_loss_alone_needs_no_classifier(self):
        head = self.head(loss=None, num_classes=None)
        outputs = head.forward_train(torch.randn(4, 8))
        assert len(outputs) == 1
        assert set(head.loss(torch.tensor([0, 0, 1, 1]), *outputs)) == {"triplet_loss"}
        assert not any(k.startswith(("classifier", "bn")) for k in head.state_dict())

    def test_no_loss_at_all(self):
        with pytest.raises(ValueError, match="loss_pairwise"):
            self.head(loss=None, loss_pairwise=None)

    def test_classifier_without_number_of_identities(self):
        with pytest.raises(ValueError, match="num_classes"):
            self.head(num_classes=None)


class TestBaseReID:
    @pytest.fixture(scope="class")
    def model(self):
        torch.manual_seed(0)
        return build_reid(model_config())

    def test_embedding_is_backbone_mean_and_head(self, model):
        model.eval()
        x = crops(3)
        with torch.no_grad():
            found = model.simple_test(x)
            feats = model.backbone(x)[-1].mean((2, 3))
            torch.testing.assert_close(found, model.head.forward_train(feats)[0])
            torch.testing.assert_close(model(x, return_loss=False), found)
            torch.testing.assert_close(model([x], return_loss=False, img_metas=[{}]), found)
        assert found.shape == (3, 6)

    def test_no_crops(self, model):
        found = model.simple_test(crops(0))
        assert found.shape == (0, 6)
        assert found.dtype == torch.float32

    def test_batches_of_groups_equal_flat_batches(self, model):
        model.eval()
        x, y = crops(2, 3), torch.tensor([[0, 0, 1], [2, 3, 3]])
        nested = model.forward_train(x, y)
        flat = model.forward_train(x.flatten(0, 1), y.flatten())
        assert float(nested["ce_loss"]) == pytest.approx(float(flat["ce_loss"]))

    def test_training_step(self, model):
        model.train()
        out = model.train_step(
            {"img": crops(4, 2), "gt_label": torch.arange(4)[:, None].repeat(1, 2)}, None
        )
        assert set(out["log_vars"]) == {"triplet_loss", "ce_loss", "top-1", "loss"}
        want = out["log_vars"]["triplet_loss"] + out["log_vars"]["ce_loss"]
        assert float(out["loss"]) == pytest.approx(want)
        assert out["num_samples"] == 4

    def test_batch_statistics_are_learnt(self, model):
        """Detection backbones freeze them; a ReID model learns them unless told otherwise."""
        norms = [
            m for m in model.train().modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)
        ]
        assert all(m.training for m in norms)
        config = model_config()
        config["backbone"]["norm_eval"] = True
        assert not build_reid(config).train().backbone.bn1.training

    def test_starts_from_a_classification_checkpoint(self, model, tmp_path):
        """Those of mmcls hold `backbone.` and a classifier that does not belong here."""
        weights = {k: torch.full_like(v, 0.5) for k, v in model.state_dict().items()
                   if k.startswith("backbone.")}  # fmt: skip
        weights |= {"head.fc.weight": torch.zeros(10, 64), "head.fc.bias": torch.zeros(10)}
        torch.save({"state_dict": weights, "meta": {}}, tmp_path / "resnet.pth")
        config = model_config()
        config["init_cfg"] = dict(type="Pretrained", checkpoint=str(tmp_path / "resnet.pth"))
        found = build_reid(config)
        found.init_weights()
        for key, value in found.state_dict().items():
            if key.startswith("backbone.") and value.is_floating_point():
                assert (value == 0.5).all(), key

    def test_pretrained_is_deprecated(self):
        with pytest.warns(DeprecationWarning, match="init_cfg"):
            found = build_reid({**model_config(), "pretrained": "a.pth"})
        assert found.init_cfg == dict(type="Pretrained", checkpoint="a.pth")

    def test_own_neck_from_the_registry_of_reid(self):
        class HalfNeck(nn.Module):
            def forward(self, x):
                return x[-1].mean((2, 3))[:, :32]

        REID.register_module(name="HalfNeckForTest", module=HalfNeck)
        config = model_config()
        config["neck"], config["head"]["in_channels"] = dict(type="HalfNeckForTest"), 32
        assert build_reid(config).eval().simple_test(crops(2)).shape == (2, 6)

    def test_is_a_plain_module_too(self):
        found = BaseReID(**{k: v for k, v in model_config().items() if k != "type"})
        assert found.with_neck
        assert found.with_head
