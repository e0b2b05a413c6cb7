"""Packing of results, similarity, correlation, renormalisation, crops."""

import mmcv
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmtrack.core.track import (
    TrackTable,
    clip_to_pixels,
    crop_resize,
    depthwise_correlation,
    embed_similarity,
    imrenormalize,
    outs2results,
    results2outs,
)

BOXES = np.arange(20, dtype=np.float32).reshape(4, 5)


def test_rows_go_to_their_class_and_rows_without_track_are_dropped():
    out = outs2results(
        bboxes=torch.from_numpy(BOXES), labels=torch.tensor([1, 0, 1, 1]),
        ids=torch.tensor([7, -1, 3, 0]), num_classes=2,
    )["bbox_results"]  # fmt: skip
    assert out[0].shape == (0, 6)
    np.testing.assert_array_equal(out[1][:, 0], [7, 3, 0])
    np.testing.assert_array_equal(out[1][:, 1:], BOXES[[0, 2, 3]])


def test_packing_and_back_with_masks():
    masks = np.random.default_rng(0).uniform(size=(4, 3, 5)) > 0.5
    labels = np.array([0, 1, 1, 2])
    packed = outs2results(bboxes=BOXES, labels=labels, masks=masks, ids=np.arange(4), num_classes=4)
    outs = results2outs(**packed, mask_shape=(3, 5))
    np.testing.assert_array_equal(outs["bboxes"], BOXES)
    np.testing.assert_array_equal(outs["labels"], labels)
    np.testing.assert_array_equal(outs["ids"], np.arange(4))
    np.testing.assert_array_equal(outs["masks"], masks)


def test_empty_results_keep_their_shapes():
    packed = outs2results(
        bboxes=np.zeros((0, 5)), labels=np.zeros(0, int), masks=np.zeros((0, 3, 5)), num_classes=2
    )
    outs = results2outs(**packed, mask_shape=(3, 5))
    assert outs["bboxes"].shape == (0, 5)
    assert outs["masks"].shape == (0, 3, 5)
    with pytest.raises(ValueError, match="mask_shape"):
        results2outs(mask_results=[[], []])


def test_label_beyond_the_classes_is_refused():
    with pytest.raises(ValueError, match="labels must lie in"):
        outs2results(bboxes=BOXES, labels=np.array([0, 1, 2, 3]), num_classes=3)


def test_similarity_against_torch():
    key, ref = torch.randn(3, 8), torch.randn(5, 8)
    want = F.cosine_similarity(key[:, None], ref[None], dim=-1)
    torch.testing.assert_close(embed_similarity(key, ref, "cosine", temperature=0.5), want / 0.5)
    torch.testing.assert_close(embed_similarity(key, ref), key @ ref.T)
    with pytest.raises(ValueError, match="euclid"):
        embed_similarity(key, ref, method="euclid")


def test_correlation_channel_by_channel():
    x, kernel = torch.randn(2, 3, 7, 6), torch.randn(2, 3, 3, 2)
    found = depthwise_correlation(x, kernel)
    for n in range(2):
        for c in range(3):
            want = F.conv2d(x[n, c][None, None], kernel[n, c][None, None])[0, 0]
            torch.testing.assert_close(found[n, c], want)


@pytest.mark.parametrize("old_rgb", [True, False])
@pytest.mark.parametrize("new_rgb", [True, False])
def test_renormalising_equals_normalising_the_original(old_rgb, new_rgb):
    img = np.random.default_rng(0).uniform(0, 255, (6, 5, 3)).astype(np.float32)
    old = dict(mean=np.array([1.0, 20, 30]), std=np.array([2.0, 3, 4]), to_rgb=old_rgb)
    new = dict(mean=np.array([7.0, 8, 9]), std=np.array([5.0, 4, 3]), to_rgb=new_rgb)
    given, want = mmcv.imnormalize(img, **old), mmcv.imnormalize(img, **new)
    np.testing.assert_allclose(imrenormalize(given, old, new), want, atol=1e-4)
    tensor = torch.from_numpy(given.transpose(2, 0, 1).copy())[None]
    found = imrenormalize(tensor, old, new)[0].numpy().transpose(1, 2, 0)
    np.testing.assert_allclose(found, want, atol=1e-4)


def test_crops_equal_resizing_one_by_one():
    img = torch.randn(1, 3, 60, 90)
    boxes = torch.tensor(
        [[5.5, 3.2, 30.9, 50.1], [80, 50, 200, 200], [-9, -9, 2, 2], [40, 20, 40, 20]]
    )
    regions = clip_to_pixels(boxes, 60, 90)
    assert regions.tolist() == [[5, 3, 30, 50], [80, 50, 90, 60], [0, 0, 2, 2], [40, 20, 41, 21]]
    found = crop_resize(img, regions, (32, 16))
    for (x1, y1, x2, y2), crop in zip(regions.tolist(), found, strict=True):
        want = F.interpolate(img[:, :, y1:y2, x1:x2], (32, 16), mode="bilinear")[0]
        torch.testing.assert_close(crop, want, atol=1e-4, rtol=1e-4)
    assert crop_resize(img, regions[:0], (32, 16)).shape == (0, 3, 32, 16)
    assert crop_resize(img.to(torch.uint8), regions, (8, 8)).dtype == torch.float32


def test_track_table_finds_rows_and_refuses_nonsense():
    table = TrackTable({"boxes": ((4,), np.float64)})
    table.append(ids=np.array([2, 5]), boxes=np.ones((2, 4)))
    table.append(ids=np.array([9]))
    assert table.rows_of([9, 2]).tolist() == [2, 0]
    table.keep(np.array([True, False, True]))
    assert table["ids"].tolist() == [2, 9]
    with pytest.raises(KeyError, match="5"):
        table.rows_of([5])
    with pytest.raises(ValueError, match="above"):
        table.append(ids=np.array([9]))
    with pytest.raises(ValueError, match="labels"):
        table.append(ids=np.array([12]), labels=np.array([1]))
    with pytest.raises(KeyError, match="boxes"):
        TrackTable({"boxes": ((4,), np.float64)}).load_state_dict({"ids": np.zeros(0)})
