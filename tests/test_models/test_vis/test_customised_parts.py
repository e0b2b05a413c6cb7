"""The parts of docs/en/tutorials/customize_vis_model.md work as written there."""

import re

import numpy as np
import pytest
import torch
from mmdet.models import HEADS
from tiny_vis import MODEL

from mmtrack.models import MODELS, build_model

PAGE = "docs/en/tutorials/customize_vis_model.md"


@pytest.fixture
def parts(root):
    """Names of the classes of the page, run as they stand there."""
    blocks = re.findall(r"```python\n(.*?)```", (root / PAGE).read_text(), re.DOTALL)
    names = {}
    for block in blocks:
        if block.startswith("# my_project/"):
            exec(compile(block, PAGE, "exec"), names)  # noqa: S102
    yield names
    MODELS.module_dict.pop("OverlapTracker")
    HEADS.module_dict.pop("CosineEmbedHead")


def run(model, frames=3):
    img = torch.nn.functional.interpolate(torch.randn(1, 3, 8, 12), (64, 96), mode="bilinear")
    for t in range(frames):
        meta = dict(
            ori_shape=(64, 96, 3), img_shape=(64, 96, 3), pad_shape=(64, 96, 3), flip=False,
            scale_factor=np.ones(4, np.float32), frame_id=t,
        )  # fmt: skip
        with torch.no_grad():
            yield model([img], [[meta]], return_loss=False, rescale=True)


def test_parts_of_the_page(parts):
    torch.manual_seed(0)
    head = {**MODEL["track_head"]["embed_head"], "type": "CosineEmbedHead", "scale": 12.0}
    model = build_model(
        {
            **MODEL,
            "track_head": {**MODEL["track_head"], "embed_head": head},
            "tracker": dict(type="OverlapTracker", num_frames_retain=20),
        }
    ).eval()
    assert type(model.tracker) is parts["OverlapTracker"]
    first, *others = (np.concatenate(found["track_bboxes"]) for found in run(model))
    assert len(first) > 3
    for rows in others:  # the same image again: everything overlaps itself
        np.testing.assert_array_equal(rows, first)
    embeds = model.track_head.embed_head.embed(torch.randn(3, 16, 7, 7))
    torch.testing.assert_close(embeds.norm(dim=1), torch.full((3,), 12.0**0.5))
