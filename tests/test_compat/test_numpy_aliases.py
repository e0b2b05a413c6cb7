"""The four modules that spell removed NumPy aliases work; NumPy itself stays as it is."""

import numpy as np
import pytest
import torch


def test_numpy_is_not_touched():
    import mmdet.datasets  # noqa: F401

    assert not hasattr(np, "int")


def test_get_cat_ids_of_mmdet_datasets():
    from mmdet.datasets import CustomDataset

    dataset = CustomDataset.__new__(CustomDataset)
    dataset.data_infos = [dict(ann=dict(labels=np.array([2, 0, 2], np.int64)))]
    assert dataset.get_cat_ids(0) == [2, 0, 2]


def test_iou_balanced_negative_sampler():
    from mmdet.core.bbox import AssignResult
    from mmdet.core.bbox.samplers import IoUBalancedNegSampler

    torch.manual_seed(0)
    overlaps = torch.linspace(0, 0.4, 40)
    assigned = AssignResult(1, torch.zeros(40, dtype=torch.long), overlaps, None)
    for floor in (-1, 0.1):
        sampler = IoUBalancedNegSampler(16, 0.0, floor_thr=floor, floor_fraction=0.25)
        chosen = sampler._sample_neg(assigned, 16)
        assert len(set(chosen.tolist())) == 16


def test_distances_of_motmetrics():
    from motmetrics.distances import iou_matrix, norm2squared_matrix

    first = [[0, 0, 10, 10], [20, 20, 10, 10]]  # x, y, width, height
    second = [[0, 0, 10, 5], [100, 0, 10, 10]]
    expected = [[0.5, np.nan], [np.nan, np.nan]]
    np.testing.assert_allclose(iou_matrix(first, second, max_iou=0.6), expected)
    np.testing.assert_allclose(norm2squared_matrix([[0, 0]], [[3, 4]]), [[25]])


@pytest.mark.parametrize(
    "name",
    ["motmetrics.distances", "mmdet.datasets.custom", "mmcv.ops.pixel_group", "lvis.eval"],
)
def test_the_proxy_is_numpy_otherwise(name):
    import importlib

    pytest.importorskip(name.split(".")[0])
    module = importlib.import_module(name)
    assert module.np.array is np.array
    assert module.np.float is float
    with pytest.raises(AttributeError):
        module.np.no_such_name  # noqa: B018
