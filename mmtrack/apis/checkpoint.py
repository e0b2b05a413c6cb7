"""Load weights into a whole model, and know which of its parts have weights."""

from __future__ import annotations

import os
import re
import urllib.error
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from mmcv.runner import CheckpointLoader
from torch import nn

from mmtrack.models.base import FreezableModule

# Parts of a tracker that are models of their own and may come from different files.
SEPARATE_PARTS = ("detector", "reid", "motion")
SHOWN_KEYS = 6
# Left in training checkpoints by the EMA hook; they are no weights of the model.
TRAINING_KEYS = re.compile(r"^ema_")
OPTIONAL_KEYS = re.compile(r"num_batches_tracked$")


class KeyFit(NamedTuple):
    """How the keys of a checkpoint fit a model; all empty means they agree."""

    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]


def load_model_checkpoint(model: nn.Module, path: str | os.PathLike) -> dict[str, Any]:
    """Load all weights of a checkpoint into a model that has not been initialised yet.

    A part of a tracker (detector, reid, motion) of which the checkpoint holds nothing is
    initialised by its own ``init_cfg``. Everything else must fit.

    Args:
        model: The model.
        path: File or address that mmcv can load.

    Returns:
        ``meta`` of the checkpoint, empty where it has none.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the keys do not fit; the message lists them, shortened.
    """
    path = os.fspath(path)
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location="cpu")
    state = weights_of(checkpoint, path)
    absent = _absent_parts(model, state)
    own = {
        key: value
        for key, value in model.state_dict().items()
        if not key.startswith(tuple(f"{name}." for name in absent))
    }
    fit = compare_keys(own, state)
    if not own or any(fit):
        raise ValueError(_explain(model, path, state, fit))
    _check_finite(own, state, path)
    model.load_state_dict({key: state[key] for key in own if key in state}, strict=False)
    for name in absent:
        part = getattr(model, name)
        if not _is_pretrained(part):
            warnings.warn(f"{path} holds no weights of model.{name}, which stays random")
        initialize(part)
    return dict(checkpoint.get("meta") or {}) if "state_dict" in checkpoint else {}


def _check_finite(own: Iterable[str], state: Mapping[str, torch.Tensor], path: str) -> None:
    """Refuse weights of a training that diverged: every result would be NaN, or nothing."""
    for key in own:
        value = state.get(key)
        if value is not None and value.is_floating_point() and not value.isfinite().all():
            raise ValueError(
                f"{path}: {key} has values that are not finite; the training diverged, or the file "
                "is damaged. Take an earlier checkpoint"
            )


def compare_keys(own: Mapping[str, Any], state: Mapping[str, Any]) -> KeyFit:
    """Compare names and shapes of a model's state with those of a checkpoint."""
    missing = [k for k in own if k not in state and not OPTIONAL_KEYS.search(k)]
    unexpected = [k for k in state if k not in own and not TRAINING_KEYS.search(k)]
    mismatched = [
        f"{k} (model {tuple(own[k].shape)}, file {tuple(state[k].shape)})"
        for k in own
        if k in state and own[k].shape != state[k].shape
    ]
    return KeyFit(missing, unexpected, mismatched)


def initialize(model: nn.Module) -> None:
    """Run ``init_weights``; weights that cannot be fetched end in an error that says what to do.

    Raises:
        ConnectionError: an address in an ``init_cfg`` cannot be reached.
    """
    try:
        model.init_weights()
    except (urllib.error.URLError, TimeoutError) as error:
        raise ConnectionError(
            f"weights named in the config cannot be downloaded ({error}). Download the file on a "
            "connected machine and name it in the config (for example "
            "model.detector.init_cfg.checkpoint=FILE), or pass a checkpoint of the whole model"
        ) from error


def parts_without_weights(model: nn.Module) -> list[str]:
    """Parts of a freshly built model that no ``init_cfg`` of the config fills with weights.

    An initialised backbone does not count: a detector with a random head finds nothing.

    Returns:
        Names of detector, reid and motion parts with parameters but without a ``Pretrained``
        ``init_cfg``; ``['']`` for a model without such parts; empty when all weights are named.
    """
    if _is_pretrained(model):
        return []
    parts = {name: getattr(model, name, None) for name in SEPARATE_PARTS}
    parts = {name: part for name, part in parts.items() if _has_parameters(part)}
    if not parts:
        return [""] if _has_parameters(model) else []
    return [name for name, part in parts.items() if not _is_pretrained(part)]


def require_weights(model: nn.Module) -> None:
    """Refuse a model all of whose parts would be random.

    Raises:
        ValueError: no ``init_cfg`` names weights for any part.
    """
    bare = parts_without_weights(model)
    known = [name for name in SEPARATE_PARTS if _has_parameters(getattr(model, name, None))]
    if bare and len(bare) >= len(known):
        raise ValueError(
            f"no weights are given for {type(model).__name__}: results would be random. Pass "
            "--checkpoint FILE, or name weights in the config (model.detector.init_cfg); "
            "--allow-random-weights runs anyway"
        )
    for name in bare:
        warnings.warn(f"no weights are given for model.{name}, it stays random")


def require_frozen_weights(model: nn.Module, load_from: str | None) -> None:
    """Refuse to train beside parts that stay random.

    A part that is frozen never learns, so its weights must come from somewhere: the first stage of
    STARK, for example.

    Args:
        model: A freshly built model.
        load_from: Checkpoint that the training starts from.

    Raises:
        ValueError: parts are frozen, but neither ``load_from`` nor an ``init_cfg`` names weights.
    """
    if load_from:
        return
    bare = [name for name in _frozen_parts(model) if not _has_pretrained_owner(model, name)]
    if bare:
        raise ValueError(
            f"{type(model).__name__} freezes {', '.join(bare)}, but no weights are given for them: "
            "they would stay random. Name the checkpoint of the training before this one in "
            "load_from (--cfg-options load_from=FILE)"
        )


def _frozen_parts(model: nn.Module) -> list[str]:
    """Full names of the parts with parameters that a model and its parts keep from learning."""
    names = [
        f"{prefix}.{part}".lstrip(".")
        for prefix, module in model.named_modules()
        if isinstance(module, FreezableModule)
        for part in module.frozen_parts
    ]
    return [name for name in names if _has_parameters(model.get_submodule(name))]


def _has_pretrained_owner(model: nn.Module, name: str) -> bool:
    """Whether a part, or one that it belongs to, is filled with weights by its ``init_cfg``."""
    steps = name.split(".")
    owners = (model.get_submodule(".".join(steps[:i])) for i in range(len(steps) + 1))
    return any(_is_pretrained(owner) for owner in owners)


def weights_of(checkpoint: Any, path: str) -> dict[str, torch.Tensor]:  # noqa: ANN401 - any content
    """Weights by name, of a checkpoint or of a bare ``state_dict``.

    Args:
        checkpoint: What a file holds.
        path: The file, for the message.

    Raises:
        ValueError: it holds something else than plain tensors, or none.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not any(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f"{path} holds no weights: it is neither a checkpoint nor a state_dict")
    wrong = [
        key
        for key, value in state.items()
        if not isinstance(key, str) or not isinstance(value, torch.Tensor) or value.is_sparse
    ]
    if wrong:
        raise ValueError(f"{path}: {wrong[0]!r:.100} of its weights is no plain tensor")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _absent_parts(model: nn.Module, state: Iterable[str]) -> list[str]:
    """Separate parts with parameters of which the checkpoint holds nothing, if it holds others."""
    names = [n for n in SEPARATE_PARTS if _has_parameters(getattr(model, n, None))]
    absent = [n for n in names if not any(key.startswith(f"{n}.") for key in state)]
    return absent if len(absent) < len(names) else []


def _has_parameters(part: nn.Module | None) -> bool:
    return isinstance(part, nn.Module) and next(part.parameters(), None) is not None


def _is_pretrained(part: nn.Module) -> bool:
    init_cfg = getattr(part, "init_cfg", None) or []
    init_cfg = [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg
    return any(cfg.get("type") == "Pretrained" for cfg in init_cfg)


def _explain(model: nn.Module, path: str, state: Mapping[str, Any], fit: KeyFit) -> str:
    """The error message: what does not fit, shortened, and a likely remedy."""
    lines = [f"the weights in {path} do not fit {type(model).__name__}"]
    for title, keys in (
        ("missing in the file", fit.missing),
        ("unknown to the model", fit.unexpected),
        ("of different shape", fit.mismatched),
    ):
        if keys:
            more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
            lines.append(f"  {len(keys)} {title}: {', '.join(keys[:SHOWN_KEYS])}{more}")
    for name in SEPARATE_PARTS:
        part = getattr(model, name, None)
        if _has_parameters(part) and not any(compare_keys(part.state_dict(), state)):
            lines.append(
                f"  they fit model.{name}: name the file in model.{name}.init_cfg instead, as "
                "dict(type='Pretrained', checkpoint=FILE) in the config"
            )
    return "\n".join(lines)
