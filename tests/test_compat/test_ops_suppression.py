"""Non-maximum suppression and overlaps against loops over pairs of boxes."""

import numpy as np
import pytest
import torch
from mmcv import ops


def iou(a, b, offset=0, mode="iou"):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]) + offset)
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]) + offset)
    area_a = (a[2] - a[0] + offset) * (a[3] - a[1] + offset)
    area_b = (b[2] - b[0] + offset) * (b[3] - b[1] + offset)
    union = area_a + area_b - width * height if mode == "iou" else area_a
    return width * height / union if union else 0.0


def brute_nms(boxes, scores, threshold, offset):
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        if all(iou(boxes[i], boxes[j], offset) <= threshold for j in kept):
            kept.append(i)
    return kept


def brute_soft_nms(boxes, scores, threshold, sigma, min_score, method, offset):
    """The definition of Bodla et al. 2017 over a set of remaining boxes; scores are distinct."""
    scores = scores.astype(np.float64).copy()
    remaining, kept = list(range(len(boxes))), []
    while remaining:
        best = max(remaining, key=lambda i: scores[i])
        remaining.remove(best)
        kept.append((best, scores[best]))
        for i in remaining:
            overlap = iou(boxes[best], boxes[i], offset)
            if method == "gaussian":
                scores[i] *= np.exp(-(overlap**2) / sigma)
            elif overlap >= threshold:
                scores[i] *= 0 if method == "naive" else 1 - overlap
        remaining = [i for i in remaining if scores[i] >= min_score]
    return kept


@pytest.fixture
def crowd(rng):
    corner = rng.uniform(0, 40, (60, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 30, (60, 2))], 1).astype(np.float32)
    return boxes, rng.permutation(60).astype(np.float32) / 60 + 0.01


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_nms(crowd, device, offset, threshold):
    boxes, scores = crowd
    expected = brute_nms(boxes, scores, threshold, offset)
    assert 3 < len(expected) < 60
    dets, kept = ops.nms(
        torch.tensor(boxes, device=device),
        torch.tensor(scores, device=device),
        threshold,
        offset=offset,
    )
    assert kept.tolist() == expected
    np.testing.assert_array_equal(dets.cpu().numpy()[:, 4], scores[expected])


def test_nms_keeps_boxes_at_exactly_the_threshold(device):
    """Compared in single precision as by mmcv: 0.3 as float32 is not above the float 0.3."""
    boxes = torch.tensor([[0.0, 0, 10, 13], [0, 10, 10, 23]], device=device)
    overlap = torch.tensor(30.0) / torch.tensor(230.0)
    _, kept = ops.nms(boxes, torch.tensor([0.9, 0.8], device=device), overlap.item())
    assert len(kept) == 2
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 3]], device=device)  # IoU 0.3
    _, kept = ops.nms(boxes, torch.tensor([0.9, 0.8], device=device), 0.3)
    assert len(kept) == 2


def test_nms_score_threshold_and_max_num(crowd, device):
    boxes, scores = (torch.tensor(array, device=device) for array in crowd)
    _, everything = ops.nms(boxes, scores, 0.5)
    _, kept = ops.nms(boxes, scores, 0.5, score_threshold=0.5, max_num=4)
    expected = [i for i in everything.tolist() if scores[i] > 0.5][:4]
    assert kept.tolist() == expected


def test_nms_of_nothing(device):
    dets, kept = ops.nms(torch.zeros(0, 4, device=device), torch.zeros(0, device=device), 0.5)
    assert dets.shape == (0, 5)
    assert kept.shape == (0,)
    assert kept.dtype == torch.int64


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_nms_in_other_precisions(crowd, device, dtype, ours_only):
    boxes, scores = crowd
    boxes = torch.tensor(boxes).to(dtype)
    expected = brute_nms(boxes.double().numpy(), scores, 0.5, 0)
    _, kept = ops.nms(boxes.to(device), torch.tensor(scores, device=device), 0.5)
    assert kept.tolist() == expected


def test_batched_nms_separates_classes(crowd, device):
    boxes, scores = (torch.tensor(array, device=device) for array in crowd)
    classes = torch.arange(60, device=device) % 3
    _, kept = ops.batched_nms(boxes, scores, classes, dict(type="nms", iou_threshold=0.4))
    expected = []
    for label in range(3):
        members = torch.nonzero(classes == label)[:, 0].cpu().numpy()
        local = brute_nms(crowd[0][members], crowd[1][members], 0.4, 0)
        expected += [int(members[i]) for i in local]
    assert kept.tolist() == sorted(expected, key=lambda i: -crowd[1][i])


@pytest.mark.parametrize("method", ["naive", "linear", "gaussian"])
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("min_score", [1e-3, 0.2])
def test_soft_nms(crowd, device, method, offset, min_score):
    boxes, scores = crowd
    expected = brute_soft_nms(boxes, scores, 0.3, 0.5, min_score, method, offset)
    dets, kept = ops.soft_nms(
        torch.tensor(boxes, device=device),
        torch.tensor(scores, device=device),
        0.3,
        0.5,
        min_score,
        method,
        offset,
    )
    assert kept.tolist() == [i for i, _ in expected]
    np.testing.assert_allclose(dets[:, 4].cpu().numpy(), [s for _, s in expected], rtol=1e-4)
    np.testing.assert_array_equal(dets[:, :4].cpu().numpy(), boxes[kept.cpu().numpy()])


def sequential_soft_nms(boxes, scores, threshold, min_score):
    """In-place removal as mmcv does it: the last box takes the place of a removed one."""
    rows = [[*box, score, i] for i, (box, score) in enumerate(zip(boxes, scores, strict=True))]
    count, i = len(rows), 0
    while i < count:
        best = max(range(i, count), key=lambda k: (rows[k][4], -k))
        rows[i], rows[best] = rows[best], rows[i]
        position = i + 1
        while position < count:
            overlap = iou(rows[i], rows[position])
            if overlap >= threshold:
                rows[position][4] *= 1 - overlap
            if rows[position][4] < min_score:
                count -= 1
                rows[position] = list(rows[count])
            else:
                position += 1
        i += 1
    return [row[5] for row in rows[:count]]


def test_soft_nms_breaks_ties_like_mmcv(rng):
    """Equal scores: the order of removals decides, so it must be the same."""
    corner = rng.integers(0, 30, (80, 2)).astype(np.float32)
    boxes = np.concatenate([corner, corner + 16], axis=1)
    scores = rng.choice([0.25, 0.5, 0.75], 80).astype(np.float32)
    _, kept = ops.soft_nms(boxes, scores, 0.3, min_score=0.2, method="linear")
    assert kept.tolist() == sequential_soft_nms(boxes, scores, 0.3, 0.2)


def test_soft_nms_with_boxes_without_area():
    """The overlap of two empty boxes is not a number, which compares as never larger."""
    boxes = torch.tensor([[0.0, 0, 0, 5], [0, 0, 0, 5], [0, 0, 10, 10], [0, 0, 10, 9]])
    scores = torch.tensor([0.9, 0.8, 0.7, 0.6])
    dets, kept = ops.soft_nms(boxes, scores, 0.3, 0.5, 1e-3, "gaussian")
    assert kept.tolist() == [0, 1, 2, 3]
    expected = [0.9, np.nan, 0.7, 0.6 * np.exp(-(0.9**2) / 0.5)]
    np.testing.assert_allclose(dets[:, 4].numpy(), expected, rtol=1e-6)


def test_soft_nms_of_nothing():
    dets, kept = ops.soft_nms(torch.zeros(0, 4), torch.zeros(0))
    assert dets.shape == (0, 5)
    assert kept.shape == (0,)


def test_nms_match(crowd, device):
    boxes, scores = crowd
    dets = np.concatenate([boxes, scores[:, None]], axis=1)
    groups = [g.tolist() for g in ops.nms_match(torch.tensor(dets, device=device), 0.4)]
    order, expected = list(np.argsort(-scores)), []
    while order:
        best = order[0]
        group = [i for i in order if i == best or iou(boxes[best], boxes[i]) >= 0.4]
        expected.append(group)
        order = [i for i in order if i not in group]
    assert groups == expected
    assert ops.nms_match(np.zeros((0, 5), np.float32), 0.4) == []


@pytest.mark.parametrize("mode", ["iou", "iof"])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("offset", [0, 1])
def test_bbox_overlaps(crowd, device, mode, aligned, offset, cuda_only_when_compiled):
    first, second = crowd[0][:20], crowd[0][20:40]
    if aligned:
        expected = [iou(a, b, offset, mode) for a, b in zip(first, second, strict=True)]
    else:
        expected = [[iou(a, b, offset, mode) for b in second] for a in first]
    result = ops.bbox_overlaps(
        torch.tensor(first, device=device),
        torch.tensor(second, device=device),
        mode,
        aligned,
        offset,
    )
    np.testing.assert_allclose(result.cpu().numpy(), expected, rtol=1e-5)


def test_bbox_overlaps_of_nothing(device):
    boxes = torch.rand(3, 4, device=device)
    assert ops.bbox_overlaps(boxes[:0], boxes).shape == (0, 3)
    assert ops.bbox_overlaps(boxes, boxes[:0]).shape == (3, 0)
