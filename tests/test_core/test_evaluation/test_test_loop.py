"""Results keep their order and lose nothing, whatever the model returns."""

from __future__ import annotations

import numpy as np
import pycocotools.mask as coco_mask
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from mmtrack.core.evaluation.test_loop import (
    compact_result,
    merge_samples,
    order_parts,
    single_gpu_test,
)


class Numbers(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return {"img": torch.full((1, 2, 2), float(i))}


class Model(nn.Module):
    """Returns what a function makes of each image of the batch."""

    def __init__(self, make, whole):
        super().__init__()
        self.make = make
        self.whole = whole

    def forward(self, img, return_loss, rescale):
        assert not return_loss
        assert rescale
        assert not torch.is_grad_enabled()
        assert not self.training
        results = [self.make(float(image.mean())) for image in img]
        return results[0] if self.whole else results


def run(make, batch_size=1, whole=False):
    return single_gpu_test(Model(make, whole), DataLoader(Numbers(), batch_size=batch_size))


def test_dicts_become_lists():
    results = run(lambda v: {"track_bboxes": [np.full((1, 6), v)], "x": v}, whole=True)
    assert [r[0][0, 0] for r in results["track_bboxes"]] == [0, 1, 2, 3, 4]
    assert results["x"] == [0, 1, 2, 3, 4]


def test_lists_stay_lists_with_batches():
    results = run(lambda v: [np.full((1, 5), v)], batch_size=2)
    assert [r[0][0, 0] for r in results] == [0, 1, 2, 3, 4]


def test_tensors_of_reid_models():
    class Embed(nn.Module):
        def forward(self, img, **kwargs):
            return img.flatten(1)

    results = single_gpu_test(Embed(), DataLoader(Numbers(), batch_size=2))
    np.testing.assert_array_equal([r.numpy()[0] for r in results], [0, 1, 2, 3, 4])


@pytest.mark.parametrize("kind", ["array", "tensor", "stack"])
def test_masks_become_run_lengths(kind):
    rng = np.random.default_rng(0)
    masks = rng.random((3, 7, 9)) > 0.5
    given = {"array": list(masks), "tensor": list(torch.from_numpy(masks)), "stack": masks}[kind]
    out = compact_result({"det_masks": [given, []], "det_bboxes": [np.zeros((3, 5))]})
    assert [len(c) for c in out["det_masks"]] == [3, 0]
    np.testing.assert_array_equal(
        np.stack([coco_mask.decode(r) for r in out["det_masks"][0]]).astype(bool), masks
    )
    again = compact_result(out)  # encoded ones stay
    assert again["det_masks"] == out["det_masks"]


def test_masks_of_detectors():
    mask = np.eye(4, dtype=bool)
    boxes, masks = compact_result(([np.zeros((1, 5))], [[mask]]))
    assert boxes[0].shape == (1, 5)
    np.testing.assert_array_equal(coco_mask.decode(masks[0][0]), mask)


def test_frames_with_other_keys_are_refused():
    with pytest.raises(KeyError, match=r"\['a', 'b'\] for sample 1"):
        merge_samples([{"a": 1}, {"a": 1, "b": 2}])


def test_parts_of_interleaved_and_padded_samplers():
    # mmdet's DistributedSampler: 5 samples over 2 processes, one repeated as padding
    parts = [[(0, "a"), (2, "c"), (4, "e")], [(1, "b"), (3, "d"), (0, "a")]]
    assert order_parts(parts, 5) == list("abcde")


def test_parts_of_videos():
    parts = [[((1, 0), "c"), ((1, 1), "d")], [((0, 0), "a"), ((0, 1), "b")]]
    assert order_parts(parts, 4) == list("abcd")


def test_lost_samples_are_noticed():
    with pytest.raises(RuntimeError, match="3 different samples of a dataset of 4"):
        order_parts([[(0, "a"), (1, "b")], [(2, "c")]], 4)


def test_empty_dataset():
    assert merge_samples([]) == []
