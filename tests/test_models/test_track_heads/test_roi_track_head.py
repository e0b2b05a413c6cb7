"""The heads of MaskTrack R-CNN against sums written out, and with nothing to compare."""

import math
from types import SimpleNamespace

import pytest
import torch

from mmtrack.models.track_heads import RoIEmbedHead, RoITrackHead

ROI = dict(
    type="SingleRoIExtractor",
    roi_layer=dict(type="RoIAlign", output_size=3, sampling_ratio=0),
    out_channels=4,
    featmap_strides=[4, 8],
)
TRAIN = dict(
    assigner=dict(type="MaxIoUAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0.5),
    sampler=dict(type="RandomSampler", num=16, pos_fraction=0.5, add_gt_as_proposals=True),
)
SIZES = dict(num_fcs=2, roi_feat_size=3, in_channels=4, fc_out_channels=6)


@pytest.fixture
def head():
    torch.manual_seed(0)
    return RoIEmbedHead(**SIZES)


@pytest.fixture
def track_head():
    torch.manual_seed(0)
    return RoITrackHead(ROI, dict(type="RoIEmbedHead", **SIZES), train_cfg=TRAIN)


def test_logits_per_pair_of_images(head):
    x, ref = torch.randn(5, 4, 3, 3), torch.randn(4, 4, 3, 3)
    found = head(x, ref, [2, 3], [4, 0])
    assert [tuple(f.shape) for f in found] == [(2, 5), (3, 1)]
    first, second = head.fcs

    def embed(values):
        hidden = (first.weight @ values.flatten() + first.bias).clamp(min=0)
        return (second.weight @ hidden + second.bias).clamp(min=0)

    for row in range(2):
        assert found[0][row, 0].item() == 0
        for col in range(4):
            torch.testing.assert_close(found[0][row, col + 1], embed(x[row]) @ embed(ref[col]))


def test_weights_are_those_of_the_published_models():
    head = RoIEmbedHead(num_fcs=2, roi_feat_size=7, in_channels=256, fc_out_channels=1024)
    assert {k: list(v.shape) for k, v in head.state_dict().items()} == {
        "fcs.0.weight": [1024, 12544],
        "fcs.0.bias": [1024],
        "fcs.1.weight": [1024, 1024],
        "fcs.1.bias": [1024],
    }
    pooled = RoIEmbedHead(
        num_convs=1, num_fcs=1, in_channels=4, conv_out_channels=8, with_avg_pool=True
    )
    assert pooled.fcs[0].weight.shape == (1024, 8)
    assert pooled.embed(torch.randn(2, 4, 7, 7)).shape == (2, 1024)


def sampling(pos_gt, num_neg):
    count = len(pos_gt) + num_neg
    return SimpleNamespace(
        bboxes=torch.zeros(count, 4),
        pos_bboxes=torch.zeros(len(pos_gt), 4),
        pos_assigned_gt_inds=torch.tensor(pos_gt, dtype=torch.int64),
    )


def test_targets_point_at_the_reference_and_leave_background_out(head):
    targets, weights = head.get_targets(
        [sampling([0, 2, 1, 0], 2), sampling([], 3)],
        [torch.tensor([7, 8, 9]), torch.tensor([1])],
        [torch.tensor([9, 7]), torch.tensor([1])],
    )
    assert targets[0].tolist() == [2, 1, 0, 2, 0, 0]
    assert weights[0].tolist() == [1, 1, 1, 1, 0, 0]
    assert (targets[1].tolist(), weights[1].tolist()) == ([0, 0, 0], [0, 0, 0])


def test_loss_is_the_sum_of_cross_entropies_over_the_boxes_with_a_partner(head):
    logits = [torch.randn(4, 3), torch.randn(2, 2)]
    targets = [torch.tensor([1, 0, 2, 0]), torch.tensor([0, 0])]
    weights = [torch.tensor([1.0, 1, 1, 0]), torch.tensor([0.0, 0])]
    found = head.loss(logits, targets, weights)
    total = 0.0
    for row in range(3):  # the last one is background
        values = logits[0][row].tolist()
        total += math.log(sum(math.exp(v) for v in values)) - values[targets[0][row]]
    # two of the three boxes on objects have a partner; the second image has nothing to learn from
    assert float(found["loss_match"]) == pytest.approx((total / 2 + 0) / 2, rel=1e-4)
    right = sum(int(logits[0][row].argmax()) == int(targets[0][row]) for row in range(3))
    assert float(found["match_accuracy"]) == pytest.approx((100 * right / 3 + 0) / 2, rel=1e-4)


def test_losses_of_single_boxes(head):
    logits, targets = torch.randn(3, 4), torch.tensor([1, 0, 3])
    found = head.loss([logits], [targets], [torch.ones(3)], reduction_override="none")
    want = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(found["loss_match"], want)
    summed = head.loss([logits], [targets], [torch.ones(3)], reduction_override="sum")
    torch.testing.assert_close(summed["loss_match"], want.sum())


def frames(objects):
    feats = [torch.randn(2, 4, 16, 16, requires_grad=True), torch.randn(2, 4, 8, 8)]
    boxes = torch.tensor([[4.0, 4, 20, 20], [30, 30, 50, 54], [40, 5, 60, 25]])[:objects]
    return feats, [boxes, boxes + 2]


def test_training_learns_from_boxes_of_both_frames(track_head):
    x, boxes = frames(3)
    ref_x, ref_boxes = frames(2)
    proposals = [torch.cat((b + 1, torch.tensor([[0.0, 50, 9, 60]]))) for b in boxes]
    losses = track_head.forward_train(
        x, ref_x, [{}, {}], proposals, boxes, ref_boxes, [torch.zeros(3, dtype=torch.int64)] * 2,
        [torch.tensor([4, 5, 6])] * 2, [torch.tensor([6, 4])] * 2,
    )  # fmt: skip
    losses["loss_match"].backward()
    assert float(losses["loss_match"]) > 0
    assert x[0].grad.abs().sum() > 0
    assert ref_x[0].grad.abs().sum() > 0


def test_training_without_objects_has_a_loss_of_zero(track_head):
    x, boxes = frames(0)
    ids = [torch.zeros(0, dtype=torch.int64)] * 2
    losses = track_head.forward_train(
        x, x, [{}, {}], [torch.tensor([[0.0, 0, 9, 9]])] * 2, boxes, boxes, ids, ids, ids
    )
    assert float(losses["loss_match"]) == 0
    losses["loss_match"].backward()


def test_features_of_no_boxes_and_comparison(track_head):
    x, boxes = frames(3)
    feats, counts = track_head.extract_roi_feats(x, [boxes[0], boxes[1][:0]])
    assert feats.shape == (3, 4, 3, 3)
    assert counts == [3, 0]
    scored = torch.cat((boxes[0], torch.ones(3, 1)), dim=1)
    other, _ = track_head.extract_roi_feats(x, [scored, boxes[1][:0]])
    torch.testing.assert_close(feats, other)
    assert track_head.simple_test(feats, feats[:2]).shape == (3, 3)
    assert track_head.with_track


def test_regress_head_is_refused():
    with pytest.raises(NotImplementedError, match="regress_head"):
        RoITrackHead(ROI, dict(type="RoIEmbedHead", **SIZES), regress_head=dict(type="X"))
