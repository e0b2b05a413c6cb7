"""Last epochs of a YOLOX training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmcv.parallel import is_module_wrapper
from mmcv.runner import HOOKS
from mmdet.core.hook import YOLOXModeSwitchHook as MMDetYOLOXModeSwitchHook


# mmdet registers its hook under the same name, for models that are the detector themselves.
@HOOKS.register_module(force=True)
class YOLOXModeSwitchHook(MMDetYOLOXModeSwitchHook):
    """Switch off mosaic and mixup, and add the L1 loss, for the last epochs.

    Works for a detector and for a tracker that trains its ``detector``, for a
    ``MultiImageMixDataset`` and for data sets that wrap one, and also when a training is resumed
    inside its last epochs.

    Args:
        num_last_epochs: The switch happens before the epoch with the number ``max_epochs`` minus
            this, counted from 1.
        skip_type_keys: Steps of the pipeline to leave out from then on.

    Reference: Ge et al., "YOLOX: Exceeding YOLO Series in 2021", arXiv:2107.08430, section 2.1.
    """

    def __init__(
        self,
        num_last_epochs: int = 15,
        skip_type_keys: tuple[str, ...] = ("Mosaic", "RandomAffine", "MixUp"),
    ):
        super().__init__(num_last_epochs, skip_type_keys)
        self._switched = False

    def before_train_epoch(self, runner: Any) -> None:
        """Switch when the time has come."""
        if self._switched or runner.epoch + 1 < runner.max_epochs - self.num_last_epochs:
            return
        self._switched = True
        loader = runner.data_loader
        mixers = list(_mixing_datasets(loader.dataset))
        if not mixers:
            raise ValueError(
                "YOLOXModeSwitchHook: no MultiImageMixDataset in data.train, nothing to switch off"
            )
        runner.logger.info("No mosaic and mixup aug now!")
        for dataset in mixers:
            dataset.update_skip_type_keys(self.skip_type_keys)
        if getattr(loader, "persistent_workers", False):
            # Its workers hold copies of the old data set; without an iterator, new ones are
            # started.
            loader._iterator = None
        runner.logger.info("Add additional L1 loss now!")
        model = runner.model.module if is_module_wrapper(runner.model) else runner.model
        getattr(model, "detector", model).bbox_head.use_l1 = True


def _mixing_datasets(dataset: Any) -> Iterator[Any]:
    """Data sets with switchable steps inside wrappers (repeated, concatenated, ...)."""
    if hasattr(dataset, "update_skip_type_keys"):
        yield dataset
        return
    inner = [dataset.dataset] if hasattr(dataset, "dataset") else getattr(dataset, "datasets", [])
    for part in inner:
        yield from _mixing_datasets(part)
