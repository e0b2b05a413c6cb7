"""Training beside frozen parts without weights is refused."""

from __future__ import annotations

import pytest
from torch import nn

from mmtrack.apis.checkpoint import require_frozen_weights
from mmtrack.models.base import FreezableModule

PRETRAINED = {"type": "Pretrained", "checkpoint": "some.pth"}


class Head(FreezableModule):
    def __init__(self, frozen=None, init_cfg=None):
        super().__init__(init_cfg)
        self.transformer = nn.Linear(2, 2)
        self.act = nn.ReLU()
        self.score = nn.Linear(2, 1)
        if frozen:
            self.freeze_module(frozen)


class Model(FreezableModule):
    def __init__(self, head, frozen=None, init_cfg=None):
        super().__init__(init_cfg)
        self.head = head
        self.neck = nn.Linear(2, 2)
        if frozen:
            self.freeze_module(frozen)


def test_names_of_all_bare_parts_and_the_remedy():
    model = Model(Head(["transformer", "act"]), "neck")
    with pytest.raises(ValueError, match=r"freezes neck, head.transformer, but.*load_from=FILE"):
        require_frozen_weights(model, None)


@pytest.mark.parametrize(
    ("model", "load_from"),
    [
        (Model(Head()), None),
        (Model(Head("act")), None),
        (Model(Head("transformer"), "neck"), "first_stage.pth"),
        (Model(Head("transformer"), "neck", PRETRAINED), None),
        (Model(Head("transformer", PRETRAINED)), None),
        (Model(Head(init_cfg=PRETRAINED), "head"), None),
    ],
    ids=["nothing frozen", "no parameters", "load_from", "model", "head", "part itself"],
)
def test_weights_from_somewhere_are_enough(model, load_from):
    require_frozen_weights(model, load_from)
