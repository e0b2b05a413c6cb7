"""Weights that do not fit a model are reported shortly, and refused where none fits.

Needed by: every mmcv 1.x, whose report is one line with every key, and which goes on with random
weights even if not a single key fits.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from torch import Tensor, nn

from .checkpoint import CheckpointError
from .import_hooks import when_imported

_SHOWN_KEYS = 6


class StateDictError(CheckpointError, RuntimeError):
    """Weights that do not fit a model. Also a RuntimeError, as mmcv and torch raise."""


def shorten(names: tuple[str, ...] | list[str], limit: int = _SHOWN_KEYS) -> str:
    """A list as text: the first few names, and how many more there are."""
    more = f", ... and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


@dataclass(frozen=True)
class StateDictFit:
    """What of a state dictionary went into a model.

    Attributes:
        fitting: Number of the model's entries that were given.
        missing: Entries of the model that were not given.
        unexpected: Keys given that the model does not have.
        mismatched: One text for each entry with another shape, and other refusals.
    """

    fitting: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Everything fits."""
        return not (self.missing or self.unexpected or self.mismatched)

    def report(self) -> str:
        """The differences, each kind in one shortened line."""
        lines = ["The weights do not fit the model exactly:"]
        for title, names in (
            ("missing in the weights", self.missing),
            ("not part of the model", self.unexpected),
            ("of another shape", self.mismatched),
        ):
            if names:
                lines.append(f"  {len(names)} {title}: {shorten(names)}")
        return "\n".join(lines)


def _fill(module: nn.Module, state_dict: Mapping[str, Tensor]) -> StateDictFit:
    """Copy what fits into the module."""
    from mmcv.parallel import is_module_wrapper

    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", None) or {}
    state_dict = OrderedDict(state_dict)  # modules may rename keys while they load

    def visit(part: nn.Module, prefix: str) -> None:
        if is_module_wrapper(part):
            part = part.module
        part._load_from_state_dict(
            state_dict, prefix, metadata.get(prefix[:-1], {}), True, missing, unexpected, errors
        )
        for name, child in part.named_children():
            visit(child, f"{prefix}{name}.")

    visit(module, "")
    # Counters of BatchNorm are absent from old checkpoints and do not matter.
    missing = [key for key in missing if "num_batches_tracked" not in key]
    wanted = sum("num_batches_tracked" not in key for key in module.state_dict())
    mismatched = tuple(error.removeprefix("size mismatch for ") for error in errors)
    fitting = wanted - len(missing) - len(mismatched)
    return StateDictFit(max(fitting, 0), tuple(missing), tuple(unexpected), mismatched)


def check_state_dict_fit(
    module: nn.Module, state_dict: Mapping[str, Tensor], fit: StateDictFit
) -> None:
    """Refuse weights of which nothing fits.

    Args:
        module: The model they were loaded into.
        state_dict: The weights.
        fit: What :func:`load_state_dict` found.

    Raises:
        StateDictError: Not a single entry fits.
    """
    own = list(module.state_dict())
    if fit.fitting or not own or not state_dict:
        return
    raise StateDictError(
        f"none of the {len(state_dict)} weights fits {type(module).__name__}: there are "
        f"{shorten(list(state_dict))}; the model expects {shorten(own)}"
        + (f"; shapes: {shorten(fit.mismatched, 3)}" if fit.mismatched else "")
    )


def load_state_dict(
    module: nn.Module,
    state_dict: Mapping[str, Tensor],
    strict: bool = False,
    logger: logging.Logger | str | None = None,
) -> StateDictFit:
    """Load weights into a model and report, shortened, what does not fit.

    Args:
        module: Receives the weights; wrappers such as MMDataParallel are looked through.
        state_dict: Weights by name.
        strict: Refuse weights that do not fit exactly.
        logger: Receives the report; printed if None.

    Returns:
        What was loaded.

    Raises:
        StateDictError: Nothing fits, or not everything although ``strict``.
    """
    from mmcv.runner import get_dist_info
    from mmcv.utils import print_log

    fit = _fill(module, state_dict)
    if fit.exact:
        return fit
    if strict:
        raise StateDictError(fit.report())
    check_state_dict_fit(module, state_dict, fit)
    if get_dist_info()[0] == 0:
        print_log(fit.report(), logger, logging.WARNING)
    return fit


def _replace_loading(module: ModuleType) -> None:
    load_checkpoint = module.load_checkpoint
    module.load_state_dict = load_state_dict

    def load_checkpoint_naming_file(
        model: nn.Module, filename: str, *args: object, **kwargs: object
    ) -> dict:
        try:
            return load_checkpoint(model, filename, *args, **kwargs)
        except CheckpointError as error:
            if str(filename) in str(error):
                raise
            raise type(error)(f"checkpoint {filename}: {error}") from error
        except (RuntimeError, AttributeError, TypeError) as error:
            if isinstance(error, RuntimeError) and "No state_dict" not in str(error):
                raise  # of a device
            raise CheckpointError(
                f"checkpoint {filename} holds no weights: expected a dictionary of tensors"
            ) from error

    load_checkpoint_naming_file.__doc__ = load_checkpoint.__doc__
    load_checkpoint_naming_file.__name__ = load_checkpoint.__name__
    module.load_checkpoint = load_checkpoint_naming_file


def install() -> None:
    """Let mmcv load state dictionaries with the functions above."""
    when_imported("mmcv.runner.checkpoint", _replace_loading)
