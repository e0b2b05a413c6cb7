"""QDTrack's heads: targets and losses by hand, weights, the documented defaults."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.models.builder import build_head
from torch.nn import functional as F

SMALL = dict(
    type="QuasiDenseEmbedHead",
    num_convs=1,
    num_fcs=1,
    in_channels=8,
    conv_out_channels=8,
    fc_out_channels=12,
    embed_channels=6,
    norm_cfg=dict(type="GN", num_groups=2),
    loss_track_aux=dict(type="L2Loss", neg_pos_ub=3, pos_margin=0, neg_margin=0.1),
)


def sampled(pos_objects, negatives=0):
    """Sampling result: boxes on objects by their index, then boxes on nothing."""
    boxes = torch.zeros(len(pos_objects) + negatives, 4)
    return SimpleNamespace(
        pos_assigned_gt_inds=torch.tensor(pos_objects, dtype=torch.int64),
        pos_bboxes=boxes[: len(pos_objects)],
        bboxes=boxes,
    )


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = build_head(SMALL)
    head.init_weights()
    return head


def test_targets_by_hand(head):
    """Objects 0 and 1 are 2 and 0 of the reference frame; object 2 is not there."""
    targets, weights = head.get_targets(
        [torch.tensor([2, 0, -1]), torch.tensor([-1])],
        [sampled([0, 0, 1, 2], 3), sampled([0], 1)],
        [sampled([0, 2, 2, 1], 2), sampled([], 2)],
    )
    assert targets[0].tolist() == [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert weights[0].tolist() == [1, 1, 1, 0]
    assert targets[1].tolist() == [[0, 0]]
    assert weights[1].tolist() == [0]


def test_pairs_of_frames_are_compared_apart(head):
    keys, refs = torch.randn(3, 6), torch.randn(5, 6)
    key_results, ref_results = (
        [sampled([0, 1], 4), sampled([0])],
        [sampled([0], 1), sampled([0], 2)],
    )
    dists, cosines = head.match(keys, refs, key_results, ref_results)
    torch.testing.assert_close(dists[0], keys[:2] @ refs[:2].T)
    torch.testing.assert_close(dists[1], keys[2:] @ refs[2:].T)
    want = F.cosine_similarity(keys[2:, None], refs[None, 2:], dim=2)
    torch.testing.assert_close(cosines[1], want)


def test_temperature_and_no_auxiliary_loss():
    head = build_head(dict(SMALL, softmax_temp=0.5, loss_track_aux=None))
    keys, refs = torch.randn(2, 6), torch.randn(3, 6)
    dists, cosines = head.match(keys, refs, [sampled([0, 1])], [sampled([0], 2)])
    torch.testing.assert_close(dists[0], keys @ refs.T / 0.5)
    assert cosines == [None]
    losses = head.loss(dists, cosines, *head.get_targets([torch.tensor([0, -1])],
                       [sampled([0, 1])], [sampled([0], 2)]))  # fmt: skip
    assert set(losses) == {"loss_track"}


def test_loss_of_a_pair_by_hand(head):
    """Equations 4 and 5 of the paper, written as loops."""
    dist = torch.tensor([[2.0, -1.0, 0.5, 0.0], [0.3, 0.1, -0.2, 0.4]])
    cosine = torch.tensor([[0.9, 0.05, 0.7, -0.3], [0.2, 0.6, 0.0, 0.15]])
    target = torch.tensor([[1, 0, 1, 0], [0, 0, 0, 0]])
    weight = torch.tensor([1.0, 0.0])
    losses = head.loss([dist], [cosine], [target], [weight])
    total = sum(np.exp(n - p) for p in (2.0, 0.5) for n in (-1.0, 0.0))
    assert float(losses["loss_track"]) == pytest.approx(0.25 * np.log1p(total), rel=1e-5)
    # 2 positives, so all 6 negatives count; 0.1 of each is free
    negatives = [0.05, -0.3, 0.2, 0.6, 0.0, 0.15]
    errors = [(1 - 0.9) ** 2, (1 - 0.7) ** 2] + [max(n - 0.1, 0) ** 2 for n in negatives]
    assert float(losses["loss_track_aux"]) == pytest.approx(np.mean(errors), rel=1e-5)


def test_mean_over_the_pairs(head):
    torch.manual_seed(1)
    parts = [
        (torch.randn(n, m), torch.rand(n, m), (torch.rand(n, m) < 0.3).long(), torch.ones(n))
        for n, m in ((3, 5), (6, 2))
    ]
    both = head.loss(*map(list, zip(*parts, strict=True)))
    alone = [head.loss(*([value] for value in part)) for part in parts]
    for name, value in both.items():
        torch.testing.assert_close(value, (alone[0][name] + alone[1][name]) / 2)


def test_frames_without_matches_have_finite_losses_and_gradients(head):
    keys = head(torch.randn(2, 8, 7, 7))
    refs = head(torch.randn(3, 8, 7, 7))
    found = [sampled([0, 1])], [sampled([], 3)]
    dists, cosines = head.match(keys, refs, *found)
    losses = head.loss(dists, cosines, *head.get_targets([torch.tensor([-1, -1])], *found))
    sum(losses.values()).backward()
    assert float(losses["loss_track"].detach()) == 0
    assert all(torch.isfinite(p.grad).all() for p in head.parameters() if p.grad is not None)


def test_embedding_is_convs_a_layer_and_the_last_layer(head):
    x = torch.randn(4, 8, 7, 7)
    hidden = head.convs[0](x).flatten(1)
    want = head.fc_embed(head.fcs[0](hidden).relu())
    torch.testing.assert_close(head(x), want)
    assert head(x[:0]).shape == (0, 6)


def test_weights_start_as_documented(head):
    assert float(head.fc_embed.weight.detach().std()) == pytest.approx(0.01, rel=0.3)
    bound = (6 / (head.fcs[0].in_features + 12)) ** 0.5
    assert 0.9 * bound < float(head.fcs[0].weight.detach().abs().max()) <= bound
    assert float(head.fcs[0].bias.detach().abs().max()) == 0


def test_documented_default_of_the_auxiliary_loss_can_be_built():
    """Its argument names are those of the first release of QDTrack."""
    head = build_head({k: v for k, v in SMALL.items() if k != "loss_track_aux"})
    loss = head.loss_track_aux
    assert (loss.neg_pos_ub, loss.neg_margin, loss.hard_mining) == (3, 0.3, True)


def track_head(**train):
    return build_head(
        dict(
            type="QuasiDenseTrackHead",
            roi_extractor=dict(
                type="SingleRoIExtractor",
                roi_layer=dict(type="RoIAlign", output_size=7, sampling_ratio=0),
                out_channels=8,
                featmap_strides=[4],
            ),
            embed_head=SMALL,
            loss_bbox=dict(type="L1Loss"),
            train_cfg=dict(
                assigner=dict(type="MaxIoUAssigner", pos_iou_thr=0.7, neg_iou_thr=0.3),
                sampler=dict(
                    type="CombinedSampler", num=16, pos_fraction=0.5, neg_pos_ub=3,
                    add_gt_as_proposals=True,
                    pos_sampler=dict(type="InstanceBalancedPosSampler"),
                    neg_sampler=dict(type="RandomSampler"),
                ),
                **train,
            ),
        )
    )  # fmt: skip


def test_head_learns_to_tell_two_objects_apart():
    """Two objects, one bright in channel 0 and one in channel 1, swap places between frames."""
    torch.manual_seed(0)
    head = track_head()
    head.init_weights()
    left, right = [0.0, 0, 40, 40], [80.0, 0, 120, 40]
    feats = torch.zeros(1, 8, 10, 30)
    feats[0, 0, :, :10], feats[0, 1, :, 20:] = 1, 1
    swapped = feats.flip(3)
    boxes = torch.tensor([left, right])
    proposals = boxes.repeat(3, 1) + torch.randn(6, 4)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.05, momentum=0.9)
    history = []
    for _ in range(30):
        losses = head.forward_train(
            x=[feats], img_metas=[{}], proposal_list=[proposals], gt_bboxes=[boxes],
            gt_labels=[torch.zeros(2, dtype=torch.int64)],
            gt_match_indices=[torch.tensor([1, 0])],
            ref_x=[swapped], ref_img_metas=[{}], ref_proposals=[proposals],
            ref_gt_bboxes=[boxes], ref_gt_labels=[torch.zeros(2, dtype=torch.int64)],
        )  # fmt: skip
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
        history.append(float(losses["loss_track"].detach()))
    assert history[-1] < 0.1 * history[0]
    embeds = head.extract_bbox_feats([feats], [boxes])
    others = head.extract_bbox_feats([swapped], [boxes])
    assert (embeds @ others.T).argmax(1).tolist() == [1, 0]
