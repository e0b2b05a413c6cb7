"""Data sets made of other data sets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.utils import print_log
from mmdet.datasets.builder import DATASETS
from mmdet.datasets.coco import CocoDataset
from mmdet.datasets.dataset_wrappers import ConcatDataset as _DetConcatDataset
from torch.utils.data import ConcatDataset as _ConcatDataset

_AS_A_WHOLE = (
    "separate_eval=False is not possible with {name}: data sets in the COCO and CocoVID formats do "
    "not evaluate by data_infos alone. Set separate_eval=True to score each data set by itself."
)


class ConcatDataset(_DetConcatDataset):
    """mmdet's ``ConcatDataset`` that can also score the result dictionaries of trackers.

    Args:
        datasets: Data sets in the order of the results.
        separate_eval: Score each data set by itself; the keys of the scores then start with the
            position of the data set (``0_bbox_mAP``). False scores all of them as one, which
            COCO and CocoVID data sets cannot do. In trainings it has no meaning.

    Raises:
        NotImplementedError: ``separate_eval=False`` with a COCO or CocoVID data set for testing.
    """

    def __init__(self, datasets: Sequence, separate_eval: bool = True):
        # mmdet refuses separate_eval=False also where nothing is ever scored: in trainings
        super().__init__(datasets, separate_eval=True)
        self.separate_eval = separate_eval
        if any(getattr(dataset, "test_mode", False) for dataset in datasets):
            self._check_evaluation()

    def _check_evaluation(self) -> None:
        for dataset in () if self.separate_eval else self.datasets:
            if isinstance(dataset, CocoDataset):
                raise NotImplementedError(_AS_A_WHOLE.format(name=type(dataset).__name__))

    def evaluate(
        self, results: list | dict[str, list], logger: Any = None, **kwargs: Any
    ) -> dict[str, float]:
        """Score the results of all data sets.

        Args:
            results: One entry per image, in the order of the data sets; or a dictionary of such
                lists as trackers return them (``det_bboxes``, ``track_bboxes``, ...).
            logger: Where the scores are printed.
            **kwargs: Passed to the ``evaluate`` of each data set.

        Raises:
            ValueError: a list of results does not have as many entries as there are images.
            NotImplementedError: ``separate_eval=False`` with a COCO or CocoVID data set.
        """
        self._check_evaluation()
        if not isinstance(results, dict):
            return super().evaluate(results, logger=logger, **kwargs)
        for key, values in results.items():
            if len(values) != len(self):
                raise ValueError(
                    f"results[{key!r}] has {len(values)} entries, but the data sets have "
                    f"{len(self)} images together."
                )
        if not self.separate_eval:
            return self._evaluate_as_one(results, logger=logger, **kwargs)
        scores = {}
        for i, dataset in enumerate(self.datasets):
            last = self.cumulative_sizes[i]
            part = slice(last - len(dataset), last)
            print_log(
                f"\nEvaluating {getattr(dataset, 'ann_file', type(dataset).__name__)} with "
                f"{len(dataset)} images now",
                logger=logger,
            )
            own = {key: values[part] for key, values in results.items()}
            for key, value in dataset.evaluate(own, logger=logger, **kwargs).items():
                scores[f"{i}_{key}"] = value
        return scores

    def _evaluate_as_one(self, results: dict[str, list], **kwargs: Any) -> dict[str, float]:
        """Let the first data set score the frames of all."""
        first = self.datasets[0]
        own_infos = first.data_infos
        try:
            first.data_infos = [info for dataset in self.datasets for info in dataset.data_infos]
            return first.evaluate(results, **kwargs)
        finally:
            first.data_infos = own_infos


@DATASETS.register_module()
class RandomSampleConcatDataset(_ConcatDataset):
    """Draw a data set by weight, then a random sample of it.

    The index asked for is ignored; a sample that the pipeline rejects (None) is drawn again.

    Args:
        dataset_cfgs: Configs of the data sets.
        dataset_sampling_weights: One weight per data set, not negative, with a positive sum; they
            are normalised. None draws all data sets equally often.

    Raises:
        ValueError: the weights do not fit.
    """

    def __init__(
        self,
        dataset_cfgs: Sequence[dict],
        dataset_sampling_weights: Sequence[float] | None = None,
    ):
        from .builder import build_dataset

        if dataset_sampling_weights is None:
            dataset_sampling_weights = [1.0] * len(dataset_cfgs)
        weights = np.asarray(dataset_sampling_weights, np.float64)
        if weights.shape != (len(dataset_cfgs),):
            raise ValueError(
                f"dataset_sampling_weights has {weights.size} values for {len(dataset_cfgs)} "
                "data sets; give one per data set."
            )
        if not np.all(np.isfinite(weights) & (weights >= 0)) or weights.sum() <= 0:
            raise ValueError(
                f"dataset_sampling_weights {weights.tolist()} must be finite, not negative, and "
                "have a positive sum."
            )
        super().__init__([build_dataset(cfg) for cfg in dataset_cfgs])
        self.CLASSES = self.datasets[0].CLASSES
        self.dataset_sampling_weights = (weights / weights.sum()).tolist()

    def __getitem__(self, idx: int) -> Any:
        while True:
            dataset = random.choices(self.datasets, self.dataset_sampling_weights)[0]
            data = dataset[random.randrange(len(dataset))]
            if data is not None:
                return data
