"""Which metrics a dataset computes, and with which options."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import mmcv
from torch.utils.data import Dataset

# Keys of `evaluation` that belong to the hook, not to dataset.evaluate.
HOOK_KEYS = (
    "interval",
    "tmpdir",
    "start",
    "gpu_collect",
    "save_best",
    "rule",
    "by_epoch",
    "greater_keys",
    "less_keys",
    "test_fn",
    "out_dir",
    "file_client_args",
    "broadcast_bn_buffer",
    "dynamic_intervals",
)
# Metrics by class of dataset, for classes (and classes derived from them) that do not list them
# in an attribute METRICS.
METRICS_OF = {
    "MOTChallengeDataset": ("track", "bbox"),
    "CocoVideoDataset": ("bbox", "segm", "track"),
    "ReIDDataset": ("mAP", "CMC"),
    "CocoDataset": ("bbox", "segm", "proposal", "proposal_fast"),
}


def evaluation_options(
    cfg: mmcv.Config, metrics: Sequence[str], options: dict[str, Any]
) -> dict[str, Any]:
    """Arguments of ``dataset.evaluate``: those of the config, then those of the command line.

    Keys with dots reach into arguments that are dicts: ``bbox_kwargs.classwise=True``.
    """
    configured = {k: v for k, v in cfg.get("evaluation", {}).items() if k not in HOOK_KEYS}
    nested = {key: value for key, value in options.items() if "." in key}
    plain = {key: value for key, value in options.items() if "." not in key}
    merged = {**configured, "metric": list(metrics), **plain}
    if not nested:
        return merged
    config = mmcv.Config(merged)
    config.merge_from_dict(nested)
    return config._cfg_dict.to_dict()


def configured_metrics(cfg: mmcv.Config) -> list[str]:
    """Metrics that a training with the config computes.

    Raises:
        ValueError: it computes none.
    """
    metric = cfg.get("evaluation", {}).get("metric")
    if not metric:
        raise ValueError("nothing to do: the config has no evaluation.metric; give --eval METRIC")
    return [metric] if isinstance(metric, str) else list(metric)


def known_metrics(dataset: Dataset) -> tuple[str, ...] | None:
    """Metrics a dataset computes; None where nothing is known about its class."""
    for member in getattr(dataset, "datasets", ()):
        return known_metrics(member)
    if getattr(dataset, "METRICS", None):
        return tuple(dataset.METRICS)
    names = (base.__name__ for base in type(dataset).__mro__)
    return next((METRICS_OF[name] for name in names if name in METRICS_OF), None)


def check_metrics(dataset: Dataset, metrics: Sequence[str]) -> None:
    """Refuse an unknown metric before the model runs for hours.

    Raises:
        ValueError: the dataset does not compute one of them.
    """
    known = known_metrics(dataset)
    for metric in metrics if known else ():
        if metric not in known:
            by_lower = {name.lower(): name for name in known}
            near = difflib.get_close_matches(metric.lower(), by_lower, n=1)
            hint = f"; did you mean {by_lower[near[0]]}?" if near else ""
            raise ValueError(
                f"--eval {metric}: {type(dataset).__name__} computes {', '.join(known)}{hint}"
            )
