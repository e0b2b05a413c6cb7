"""What all video models share: dispatch of forward, losses of a step, freezing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import torch
import torch.distributed as dist
from mmcv.runner import BaseModule
from torch import nn


class FreezableModule(BaseModule):
    """A module parts of which can be kept out of the training.

    Args:
        init_cfg: Initialisation of the weights, see :class:`mmcv.runner.BaseModule`.
    """

    def __init__(self, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self._frozen: tuple[str, ...] = ()

    @property
    def frozen_parts(self) -> tuple[str, ...]:
        """Names of the frozen parts."""
        return self._frozen

    def freeze_module(self, module: str | list[str] | tuple[str, ...]) -> None:
        """Keep parts of the model out of the training.

        Their parameters get no gradient, and they stay in evaluation mode when the model is set to
        training mode, so that BatchNorm statistics stay as they are.

        Args:
            module: Name of a part, or several, for example ``'detector'``.

        Raises:
            TypeError: ``module`` is neither a name nor a list or tuple of names.
            AttributeError: the model has no such part.
        """
        names = (module,) if isinstance(module, str) else module
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise TypeError(f"freeze_module wants a name or a list of names, not {module!r}")
        for name in names:
            part = self.get_submodule(name)
            part.eval()
            part.requires_grad_(False)
        self._frozen = tuple(dict.fromkeys((*self._frozen, *names)))

    def train(self, mode: bool = True) -> nn.Module:
        """Set the mode of all parts that are not frozen."""
        super().train(mode)
        for name in self._frozen:
            self.get_submodule(name).eval()
        return self


class BaseVideoModel(FreezableModule):
    """A model that is trained on batches and tested frame after frame.

    Args:
        init_cfg: Initialisation of the weights, see :class:`mmcv.runner.BaseModule`.
    """

    def __init__(self, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.fp16_enabled = False

    def has_part(self, name: str) -> bool:
        """Whether the part ``name`` exists and is set."""
        return getattr(self, name, None) is not None

    @abstractmethod
    def forward_train(self, imgs: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> dict:
        """Losses of a batch."""

    @abstractmethod
    def simple_test(self, img: torch.Tensor, img_metas: list[dict], **kwargs: Any) -> Any:
        """Results of one frame."""

    def aug_test(
        self, imgs: list[torch.Tensor], img_metas: list[list[dict]], **kwargs: Any
    ) -> dict:
        """Test with several augmented versions of a frame; models that support it override this."""
        raise NotImplementedError(
            f"{type(self).__name__} has no test time augmentation: give one scale and no flip"
        )

    def forward_test(
        self, imgs: list[torch.Tensor], img_metas: list[list[dict]], **kwargs: Any
    ) -> dict:
        """Results of one frame.

        Args:
            imgs: Augmented versions of the frame, each ``(1, C, H, W)``.
            img_metas: Meta data of each version, each a list of one dict.
            **kwargs: Passed on.

        Raises:
            TypeError: one of the two is not a list.
            ValueError: their lengths differ, or there are several frames.
        """
        for name, value in (("imgs", imgs), ("img_metas", img_metas)):
            if not isinstance(value, list):
                raise TypeError(
                    f"{name} must be a list with one entry per augmentation, not {value!r}"
                )
        if len(imgs) != len(img_metas):
            raise ValueError(f"{len(imgs)} images, but img_metas of {len(img_metas)}")
        for img, metas in zip(imgs, img_metas, strict=True):
            if len(img) != 1 or len(metas) != 1:
                raise ValueError(
                    f"a tracker sees one frame at a time, not {max(len(img), len(metas))}: "
                    "test with samples_per_gpu=1"
                )
            # Detectors with a transformer mask the padding from this entry.
            metas[0]["batch_input_shape"] = tuple(img.shape[-2:])
        if len(imgs) == 1:
            return self.simple_test(imgs[0], img_metas[0], **kwargs)
        return self.aug_test(imgs, img_metas, **kwargs)

    def train_step(self, data: dict, optimizer: Any) -> dict:
        """Losses of an iteration, as the runner wants them.

        Args:
            data: Output of the data loader.
            optimizer: Not used; optimizer hooks do the update.

        Returns:
            ``loss`` (a scalar tensor), ``log_vars`` (floats) and ``num_samples``.
        """
        loss, log_vars = parse_losses(self(**data))
        samples = data["img_metas"] if "img_metas" in data else data["img"]
        return {"loss": loss, "log_vars": log_vars, "num_samples": len(samples)}

    def val_step(self, data: dict, optimizer: Any = None) -> dict:
        """Losses of a validation iteration; see :meth:`train_step`."""
        return self.train_step(data, optimizer)


def parse_losses(losses: Mapping[str, Any]) -> tuple[torch.Tensor, dict[str, float]]:
    """Sum up losses and prepare the values for the log.

    Args:
        losses: Name to tensor, list of tensors (one per level; summed) or dict of tensors (each
            gets its own entry in the log). Names that contain ``loss`` are added up.

    Returns:
        The total loss, and all values averaged over the processes, ``loss`` last.

    Raises:
        TypeError: an entry is none of these.
        RuntimeError: the processes of a distributed run have different entries.
    """
    values = {name: value for key, entry in losses.items() for name, value in _entries(key, entry)}
    loss = sum(value for name, value in values.items() if "loss" in name)
    values["loss"] = loss
    # one tensor, so that a step waits for the device only once
    table = torch.stack([torch.as_tensor(v).detach().float().reshape(()) for v in values.values()])
    if dist.is_available() and dist.is_initialized():
        table = _mean_over_processes(table, values)
    return loss, dict(zip(values, table.tolist(), strict=True))


def _entries(name: str, entry: Any) -> Iterable[tuple[str, torch.Tensor]]:
    if isinstance(entry, torch.Tensor):
        yield name, entry.mean()
    elif isinstance(entry, list | tuple):
        yield name, sum(value.mean() for value in entry)
    elif isinstance(entry, Mapping):
        for key, value in entry.items():
            yield key, value.mean()
    else:
        raise TypeError(
            f"loss {name!r} is a {type(entry).__name__}, not a tensor or list of tensors"
        )


def _mean_over_processes(table: torch.Tensor, names: Iterable[str]) -> torch.Tensor:
    # Processes with different entries would wait for each other for ever, so compare counts first.
    count = torch.tensor(len(table), device=table.device)
    dist.all_reduce(count)
    if int(count) != len(table) * dist.get_world_size():
        raise RuntimeError(
            f"losses differ between processes: rank {dist.get_rank()} has {', '.join(names)}"
        )
    dist.all_reduce(table)
    return table / dist.get_world_size()
