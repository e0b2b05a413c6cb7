"""FlowNetSimple: units of flow, sizes, preparation of images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmtrack.models.motion import FlowNetSimple

METAS = [{"img_norm_cfg": {"mean": [100.0, 110.0, 120.0], "std": [50.0, 60.0, 70.0]}}]


def net(**kwargs):
    torch.manual_seed(0)
    return FlowNetSimple(**{"img_scale_factor": 0.5, "out_indices": [2, 3], **kwargs}).eval()


@torch.no_grad()
@pytest.mark.parametrize("deepest", [3, 4, 5, 6])
@pytest.mark.parametrize("size", [(64, 96), (80, 112)])
def test_flow_has_the_size_of_the_images(deepest, size):
    flow = net(out_indices=list(range(2, deepest + 1)))(torch.randn(2, 6, *size), METAS)
    assert flow.shape == (2, 2, *size)


def test_images_are_prepared_as_flownet_knows_them():
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 3, 32, 48)).astype(np.float32)
    norm = METAS[0]["img_norm_cfg"]
    mean, std = (np.array(norm[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    imgs = torch.from_numpy(((pixels - mean) / std).astype(np.float32)).flatten(0, 1)[None]
    found = net().prepare_imgs(imgs, METAS)
    want = torch.from_numpy(pixels / 255 - np.array([0.411, 0.432, 0.45]).reshape(3, 1, 1))
    want = F.avg_pool2d(want.float(), 2)  # bilinear by a half
    torch.testing.assert_close(found[0], want.flatten(0, 1), atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_flow_is_in_pixels_of_the_images(scale):
    module = net(img_scale_factor=scale)
    flow = {}
    module.predict_flow.register_forward_hook(lambda m, i, out: flow.update(raw=out))
    found = module(torch.randn(1, 6, 64, 96), METAS)
    # FlowNet predicts flow divided by 20, in pixels of the images that it sees
    assert float(found.mean() / flow["raw"].mean()) == pytest.approx(20 / scale, rel=1e-3)


def test_maps_are_cut_at_the_right_and_at_the_bottom():
    x = torch.arange(20.0).view(1, 1, 4, 5)
    assert net().crop_like(x, torch.zeros(1, 3, 2, 3)).tolist() == [[[[0, 1, 2], [5, 6, 7]]]]


@torch.no_grad()
def test_scale_field_starts_as_one():
    module = net(scale_channels=7)
    module.init_weights()
    flow, scale = module.flow_and_scale(torch.randn(1, 6, 64, 96), METAS, (4, 6))
    assert flow.shape == (1, 2, 64, 96)
    assert scale.shape == (1, 7, 4, 6)
    assert (scale == 1).all()
    assert net().flow_and_scale(torch.randn(1, 6, 64, 96), METAS, (4, 6))[1] is None


@pytest.mark.parametrize("levels", [[], [2], [3, 4], [2, 4], [2, 3, 4, 5, 6, 7]])
def test_levels_are_checked(levels):
    with pytest.raises(ValueError, match="must be the levels 2 to n"):
        net(out_indices=levels)
