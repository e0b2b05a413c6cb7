"""Masks put into the image against torch's grid_sample and mmdet's pasting."""

import numpy as np
import pycocotools.mask as coco_mask
import pytest
import torch
import torch.nn.functional as F
from mmdet.models.roi_heads.mask_heads import FCNMaskHead

from mmtrack.core.mask import paste, paste_masks


def probabilities(count, cells=14, seed=0):
    """Smooth blobs, so that no pixel lies on the threshold by chance."""
    gen = torch.Generator().manual_seed(seed)
    coarse = torch.rand((count, 1, 4, 4), generator=gen)
    return F.interpolate(coarse, cells, mode="bicubic", align_corners=False)[:, 0].clamp(0, 1)


def boxes_around(count, size, seed=0):
    """Boxes, some of which reach out of the image."""
    rng = np.random.default_rng(seed)
    height, width = size
    corner = rng.uniform((-0.2 * width, -0.2 * height), (0.9 * width, 0.9 * height), (count, 2))
    sides = rng.uniform(0.5, 0.7 * width, (count, 2))
    return torch.from_numpy(np.concatenate((corner, corner + sides), axis=1)).float()


def sampled(mask, box, size):
    """Probability at the centre of each pixel by grid_sample."""
    height, width = size
    x = ((torch.arange(width) + 0.5) - box[0]) / (box[2] - box[0]) * 2 - 1
    y = ((torch.arange(height) + 0.5) - box[1]) / (box[3] - box[1]) * 2 - 1
    grid = torch.stack((x[None].expand(height, -1), y[:, None].expand(-1, width)), dim=-1)
    return F.grid_sample(mask[None, None], grid[None], align_corners=False)[0, 0]


@pytest.mark.parametrize("threshold", [0.5, 0.3, 0.1])
def test_equals_sampling_at_every_pixel(threshold):
    size = (37, 53)
    masks, bboxes = probabilities(25), boxes_around(25, size)
    found = paste_masks(masks, bboxes, size, threshold)
    assert found.shape == (25, *size)
    assert found.dtype == torch.bool
    for mask, box, pasted in zip(masks, bboxes, found, strict=True):
        want = sampled(mask, box, size)
        certain = (want - threshold).abs() > 1e-5
        assert torch.equal(pasted[certain], (want >= threshold)[certain])


def test_equals_mmdet():
    size, count = (40, 60), 12
    head = FCNMaskHead(num_convs=0, num_classes=3, in_channels=2)
    gen = torch.Generator().manual_seed(3)
    logits = 4 * F.interpolate(torch.randn(count, 3, 5, 5, generator=gen), 28, mode="bilinear")
    bboxes = boxes_around(count, size, seed=3).clamp(min=0)
    bboxes[:, 2:] = bboxes[:, :2] + (bboxes[:, 2:] - bboxes[:, :2]).clamp(min=1)
    labels = torch.arange(count) % 3
    config = type("Config", (), {"mask_thr_binary": 0.5})
    want = head.get_seg_masks(
        logits, bboxes, labels, config, size, torch.ones(4), rescale=True
    )  # per class
    found = paste_masks(logits[range(count), labels].sigmoid(), bboxes, size)
    for label in range(3):
        assert np.mean(np.array(want[label]) != found[labels == label].numpy()) < 1e-4


def test_both_ways_agree(monkeypatch):
    size = (45, 64)
    masks, bboxes = probabilities(30, seed=5), boxes_around(30, size, seed=5)
    one_by_one = paste_masks(masks, bboxes, size)
    monkeypatch.setattr(paste, "_paste_one_by_one", paste._paste_together)
    monkeypatch.setattr(paste, "MAX_PIXELS", 7 * size[0] * size[1])  # several blocks
    assert (one_by_one != paste_masks(masks, bboxes, size)).float().mean() < 1e-4
    assert one_by_one.any()


@pytest.mark.parametrize(
    "box",
    [[-30, -30, -10, -10], [70, 5, 90, 25], [5, 50, 25, 90], [9, 9, 9, 20], [9, 9, 20, 9]],
    ids=["above left", "right", "below", "no width", "no height"],
)
def test_masks_that_cannot_be_seen_are_empty(box, monkeypatch):
    masks, bboxes = torch.ones(1, 14, 14), torch.tensor([box]).float()
    assert not paste_masks(masks, bboxes, (40, 60)).any()
    monkeypatch.setattr(paste, "_paste_one_by_one", paste._paste_together)
    assert not paste_masks(masks, bboxes, (40, 60)).any()


def test_no_masks_and_scores_beside_the_boxes():
    assert paste_masks(torch.zeros(0, 1, 1), torch.zeros(0, 5), (4, 6)).shape == (0, 4, 6)
    full = paste_masks(torch.ones(1, 7, 7), torch.tensor([[2.0, 1, 5, 3, 0.9]]), (4, 6))
    assert full[0].int().tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_masks_can_be_encoded_without_a_copy():
    found = paste_masks(probabilities(3), boxes_around(3, (20, 30)), (20, 30)).numpy()
    assert all(mask.flags.f_contiguous for mask in found)
    stacked = found.transpose(1, 2, 0)
    assert stacked.flags.f_contiguous
    codes = coco_mask.encode(stacked.view(np.uint8))
    np.testing.assert_array_equal(coco_mask.decode(codes), stacked)
