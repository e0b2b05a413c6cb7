"""Overlap of boxes against torchvision and against each other."""

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from mmtrack.core.bbox import bbox_iou, sparse_bbox_iou


def boxes(count, seed, side=300.0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, side, (count, 2))
    return np.concatenate((corner, corner + rng.uniform(1, 60, (count, 2))), axis=1)


def as_table(pairs, rows, cols):
    table = np.zeros((rows, cols))
    table[pairs.rows, pairs.cols] = pairs.ious
    return table


@pytest.mark.parametrize("shape", [(1, 1), (7, 40), (80, 60)])
def test_dense_and_sparse_overlaps_equal_torchvision(shape):
    first, second = boxes(shape[0], 1), boxes(shape[1], 2)
    want = box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    np.testing.assert_allclose(bbox_iou(first, second), want, atol=1e-12)
    pairs = sparse_bbox_iou(first, second)
    np.testing.assert_allclose(as_table(pairs, *shape), want, atol=1e-12)
    assert np.all(pairs.ious > 0)
    assert np.all(np.diff(pairs.rows) >= 0)


def test_one_wide_box_does_not_hide_the_others():
    first = np.array([[0, 0, 10, 10], [500, 0, 510, 10.0]])
    second = np.array([[0, 0, 1000, 10], [2, 2, 8, 8], [501, 0, 509, 10.0]])
    want = box_iou(torch.from_numpy(first), torch.from_numpy(second)).numpy()
    np.testing.assert_allclose(as_table(sparse_bbox_iou(first, second), 2, 3), want)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_without_boxes_there_are_no_pairs(shape):
    first, second = boxes(shape[0], 1), boxes(shape[1], 2)
    assert bbox_iou(first, second).shape == shape
    assert len(sparse_bbox_iou(first, second).ious) == 0


def test_aligned_overlaps_are_the_diagonal_and_iof_divides_by_the_first_area():
    first, second = boxes(20, 3, side=30), boxes(20, 4, side=30)
    np.testing.assert_allclose(
        bbox_iou(first, second, aligned=True), np.diag(bbox_iou(first, second))
    )
    iof = bbox_iou(np.array([[0, 0, 4, 4]]), np.array([[2, 0, 100, 100]]), mode="iof")
    np.testing.assert_allclose(iof, [[0.5]])


def test_touching_boxes_and_boxes_without_area_overlap_nothing():
    assert bbox_iou(np.array([[0, 0, 2, 2]]), np.array([[2, 0, 4, 2], [1, 1, 1, 1]])).sum() == 0
    assert len(sparse_bbox_iou(np.array([[0, 0, 2, 2]]), np.array([[2, 0, 4, 2]])).ious) == 0


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="giou"):
        bbox_iou(boxes(1, 0), boxes(1, 1), mode="giou")
