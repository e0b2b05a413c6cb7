"""Head of SiameseRPN++: correlation, targets and losses against plain loops."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from mmcv import ConfigDict

from mmtrack.core.bbox import bbox_iou
from mmtrack.models.backbones import SOTResNet
from mmtrack.models.track_heads import CorrelationHead, SiameseRPNHead

TRAIN = {
    "assigner": {
        "type": "MaxIoUAssigner",
        "pos_iou_thr": 0.6,
        "neg_iou_thr": 0.3,
        "min_pos_iou": 0.6,
        "match_low_quality": False,
    },
    "sampler": {
        "type": "RandomSampler",
        "num": 64,
        "pos_fraction": 0.25,
        "add_gt_as_proposals": False,
    },
    "num_neg": 16,
    "search_size": 255,
}


@pytest.fixture
def head():
    torch.manual_seed(3)
    return SiameseRPNHead(
        {
            "type": "SiameseRPNAnchorGenerator",
            "strides": [8],
            "ratios": [0.33, 0.5, 1, 2, 3],
            "scales": [8],
        },
        in_channels=[4, 4],
        weighted_sum=True,
        train_cfg=ConfigDict(TRAIN),
    ).eval()


def features(size, seed):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(2, 4, size, size, generator=generator) for _ in range(2))


def test_correlation_is_the_sum_over_the_kernel():
    head = CorrelationHead(4, 4, 3).eval()
    kernel, search = features(7, 1)[0], features(11, 2)[0]
    found = head(kernel, search)
    k, s = head.kernel_convs(kernel), head.search_convs(search)
    want = torch.zeros(2, 4, 5, 5)
    for y in range(5):
        for x in range(5):
            want[..., y, x] = (s[..., y : y + 5, x : x + 5] * k).sum((-2, -1))
    torch.testing.assert_close(found, head.head_convs(want), rtol=1e-4, atol=1e-5)


def test_encoded_template_gives_the_same_maps(head):
    z, x = features(7, 1), features(31, 2)
    with torch.no_grad():
        head.cls_weight.copy_(torch.tensor([0.2, 1.5]))
        plain, encoded = head(z, x), head(head.encode_template(z), x)
        levels = [part(a, b) for part, a, b in zip(head.cls_heads, z, x, strict=True)]
    assert plain[0].shape == (2, 10, 25, 25)
    assert plain[1].shape == (2, 20, 25, 25)
    for a, b in zip(plain, encoded, strict=True):
        assert torch.equal(a, b)
    share = F.softmax(torch.tensor([0.2, 1.5]), dim=0)
    torch.testing.assert_close(plain[0], share[0] * levels[0] + share[1] * levels[1])


def test_anchors_are_centred_and_kept(head):
    places = head.places((25, 25), torch.device("cpu"))
    middle = places.anchors.view(25, 25, 5, 4)[12, 12]
    assert (middle[:, :2] + middle[:, 2:]).abs().max() == 0
    assert head.places((25, 25), torch.device("cpu")) is places


def test_targets_of_a_positive_pair(head):
    gt = torch.tensor([[0.0, 100.0, 90.0, 165.0, 160.0]])
    labels, weights, targets, bbox_weights = head.get_targets([gt], (25, 25), [True])
    anchors = head.places((25, 25), torch.device("cpu")).anchors + 127
    ious = torch.from_numpy(bbox_iou(anchors.numpy(), gt[:, 1:].numpy()))[:, 0]
    pos = labels[0] == 1
    assert 0 < int(pos.sum()) <= 16
    assert ious[pos].min() >= 0.6
    neg = (weights[0] > 0) & ~pos
    assert ious[neg].max() < 0.3
    assert int(pos.sum() + neg.sum()) == 64
    assert float(weights[0][pos].sum()) == pytest.approx(0.5)
    assert float(weights[0][neg].sum()) == pytest.approx(0.5)
    assert torch.equal(bbox_weights[0].sum(1) > 0, pos)
    assert float(bbox_weights[0].sum()) == pytest.approx(4.0)
    decoded = head.bbox_coder.decode(anchors[pos], targets[0][pos])
    torch.testing.assert_close(decoded, gt[:, 1:].expand_as(decoded), atol=1e-3, rtol=1e-5)


def test_targets_of_a_negative_pair_lie_around_the_other_object(head):
    gt = torch.tensor([[0.0, 110.25, 96.7, 170.25, 164.0]])  # middle 140.25, 130.35
    labels, weights, _, bbox_weights = head.get_targets([gt, gt], (25, 25), [False, False])
    assert not labels.any()
    assert not bbox_weights.any()
    used = weights[0].view(25, 25, 5).nonzero()
    assert len(used) == 16
    assert used[:, 0].min() >= 10
    assert used[:, 0].max() <= 16
    assert used[:, 1].min() >= 12
    assert used[:, 1].max() <= 18
    assert float(weights.sum()) == pytest.approx(0.5), "the batch has the weight of a mean"


def test_losses_are_weighted_sums(head):
    generator = torch.Generator().manual_seed(4)
    cls, reg = (torch.randn(1, n * 5, 3, 4, generator=generator) for n in (2, 4))
    labels = torch.randint(0, 2, (1, 60), generator=generator)
    weights, targets, box_weights = (
        torch.rand(*s, generator=generator) for s in ((1, 60), (1, 60, 4), (1, 60, 4))
    )
    found = head.loss(cls, reg, labels, weights, targets, box_weights)
    want_cls = want_bbox = 0.0
    for i in range(60):
        cell, a = divmod(i, 5)
        y, x = divmod(cell, 4)
        two = torch.stack([cls[0, a, y, x], cls[0, 5 + a, y, x]])
        want_cls -= float(two.log_softmax(0)[labels[0, i]] * weights[0, i])
        four = torch.stack([reg[0, 5 * k + a, y, x] for k in range(4)])
        want_bbox += 1.2 * float(((four - targets[0, i]).abs() * box_weights[0, i]).sum())
    assert float(found["loss_rpn_cls"]) == pytest.approx(want_cls, rel=1e-4)
    assert float(found["loss_rpn_bbox"]) == pytest.approx(want_bbox, rel=1e-4)


def test_backbone_has_stride_eight():
    with torch.device("meta"):
        settings = {"strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4), "out_indices": (1, 2, 3)}
        backbone = SOTResNet(50, unfreeze_backbone=False, **settings)
        sizes = {n: [m.shape[-1] for m in backbone(torch.zeros(1, 3, n, n))] for n in (127, 255)}
    assert sizes == {127: [15] * 3, 255: [31] * 3}
    assert not any(p.requires_grad for p in backbone.parameters())
    with pytest.raises(ValueError, match="depth of 50, not 18"):
        SOTResNet(18)
