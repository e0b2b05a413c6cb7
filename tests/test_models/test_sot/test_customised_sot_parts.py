"""The tracker of docs/en/tutorials/customize_sot_model.md works as written there."""

import re

import numpy as np
import pytest
import torch

from mmtrack.models import MODELS, build_model

PAGE = "docs/en/tutorials/customize_sot_model.md"
SIDE = 20


@pytest.fixture(scope="module")
def model(root):
    """The model of the page's config, after its classes have been run."""
    blocks = re.findall(r"```python\n(.*?)```", (root / PAGE).read_text(), re.S)
    names = {}
    for block in blocks:
        exec(compile(block, PAGE, "exec"), names)  # noqa: S102 - our own page
    torch.manual_seed(0)
    yield build_model(names["model"])
    for name in ("MyTracker", "SimilarityHead"):
        MODELS.module_dict.pop(name)
    from mmdet.models.builder import BACKBONES, NECKS

    BACKBONES.module_dict.pop("SmallNet")
    NECKS.module_dict.pop("ContrastNeck")


def picture(size, center, pattern):
    """Noise with a pattern in it, ``(3, size, size)``."""
    image = torch.rand(3, size, size) * 60
    x, y = (int(c) - SIDE // 2 for c in center)
    image[:, y : y + SIDE, x : x + SIDE] = pattern
    return image


def test_learns_and_follows(model):
    rng = np.random.default_rng(0)
    pattern = torch.tensor([200.0, 40, 120])[:, None, None].expand(3, SIDE, SIDE)
    centers = 64 + rng.integers(-3, 4, (16, 2)) * 8
    half = SIDE / 2
    batch = dict(
        img=torch.stack([picture(63, (32, 32), pattern) for _ in centers]),
        img_metas=[{}] * 16,
        search_img=torch.stack([picture(127, c, pattern) for c in centers])[:, None],
        search_img_metas=[[{}]] * 16,
        gt_bboxes=None,
        search_gt_bboxes=[
            torch.tensor([[0, x - half, y - half, x + half, y + half]]) for x, y in centers
        ],
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    model.train()
    for _ in range(80):
        loss = model.forward_train(**batch)["loss_score"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * np.median(losses[:5])
    model.eval()
    for frame_id, center in enumerate(((80, 80), (96, 88), (112, 80), (120, 96))):
        frame = picture(200, center, pattern)[None]
        start = torch.tensor([[70.0, 70, 90, 90]])
        with torch.no_grad():
            found = model.simple_test(frame, [{"frame_id": frame_id}], gt_bboxes=[start])
        x1, y1, x2, y2, _ = found["track_bboxes"]
        assert abs((x1 + x2) / 2 - center[0]) <= 8
        assert abs((y1 + y2) / 2 - center[1]) <= 8
        assert x2 - x1 == pytest.approx(SIDE)
