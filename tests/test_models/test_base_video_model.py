"""What all video models share: losses of a step and freezing."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from mmtrack.models.base import BaseVideoModel, parse_losses


class Model(BaseVideoModel):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
        self.head = nn.ModuleDict({"norm": nn.BatchNorm2d(2)})

    def forward_train(self, imgs, img_metas, **kwargs):
        return {}

    def simple_test(self, img, img_metas, **kwargs):
        return {}


class TestParseLosses:
    def test_names_with_loss_are_added(self):
        losses = {
            "loss_a": torch.tensor([1.0, 3.0]),
            "levels.loss": [torch.tensor(4.0), torch.tensor([2.0, 0.0])],
            "acc": torch.tensor(50.0),
            "accuracy": {"top-1": torch.tensor([70.0]), "top-5": torch.tensor(90.0)},
        }
        loss, logs = parse_losses(losses)
        assert float(loss) == 2 + 4 + 1
        want = {"loss_a": 2, "levels.loss": 5, "acc": 50, "top-1": 70, "top-5": 90, "loss": 7}
        assert logs == want
        assert list(logs)[-1] == "loss"

    def test_total_can_be_propagated_back(self):
        weight = torch.tensor([1.0, 2.0], requires_grad=True)
        parse_losses({"loss": weight * 3})[0].backward()
        assert weight.grad.tolist() == [1.5, 1.5]

    def test_other_entries_are_refused(self):
        with pytest.raises(TypeError, match="'loss_a' is a float"):
            parse_losses({"loss_a": 1.0})


class TestFreezing:
    @pytest.mark.parametrize("names", ["backbone", ["backbone"], ("backbone", "backbone.0")])
    def test_part_stays_in_evaluation_mode_without_gradients(self, names):
        model = Model()
        model.freeze_module(names)
        model.train()
        assert model.training
        assert model.head.training
        assert not any(m.training for m in model.backbone.modules())
        assert not any(p.requires_grad for p in model.backbone.parameters())
        assert all(p.requires_grad for p in model.head.parameters())
        model.eval().train()
        before = model.backbone[1].running_mean.clone()
        model.backbone(torch.rand(4, 3, 5, 5))
        assert torch.equal(before, model.backbone[1].running_mean)

    def test_parts_add_up(self):
        model = Model()
        model.freeze_module("backbone")
        model.freeze_module("head.norm")
        model.train()
        assert not model.backbone.training
        assert not model.head["norm"].training

    def test_unknown_part(self):
        with pytest.raises(AttributeError, match="neck"):
            Model().freeze_module("neck")

    def test_no_name(self):
        with pytest.raises(TypeError, match="name"):
            Model().freeze_module(3)


def losses_of_rank(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/sync", rank=rank, world_size=2)
    _, logs = parse_losses({"loss_a": torch.tensor(1.0 + rank), "acc": torch.tensor(10.0 * rank)})
    torch.save(logs, f"{folder}/{rank}.pt")
    try:
        parse_losses(
            {"loss_a": torch.tensor(1.0)}
            if rank
            else {"loss_b": torch.tensor(1.0), "acc": torch.tensor(0.0)}
        )
    except RuntimeError as error:
        torch.save(str(error), f"{folder}/error{rank}.pt")
    dist.destroy_process_group()


def test_processes_log_the_mean_and_notice_different_losses(tmp_path):
    mp.start_processes(losses_of_rank, (str(tmp_path),), nprocs=2, start_method="fork")
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt") == {"loss_a": 1.5, "acc": 5.0, "loss": 1.5}
        assert f"rank {rank}" in torch.load(tmp_path / f"error{rank}.pt")
