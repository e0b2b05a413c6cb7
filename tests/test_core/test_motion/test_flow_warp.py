"""Warping along flow: shifts by whole pixels are known."""

import pytest
import torch

from mmtrack.core.motion import flow_warp_feats


def test_uniform_flow_shifts_a_ramp():
    width = 12
    x = torch.arange(width).float().expand(1, 1, 8, width)
    flow = torch.zeros(1, 2, 8, width)
    flow[:, 0] = 3
    # places are divided by the width and read as if divided by width - 1
    want = ((torch.arange(width) + 3) * (width - 1) / width).clamp(max=width - 1)
    torch.testing.assert_close(flow_warp_feats(x, flow)[0, 0, 4], want)
    doubled = torch.zeros(1, 2, 16, 2 * width)
    doubled[:, 0] = 6
    torch.testing.assert_close(flow_warp_feats(x, doubled), flow_warp_feats(x, flow))


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="flow"):
        flow_warp_feats(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
