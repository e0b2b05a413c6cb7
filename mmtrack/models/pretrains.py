"""The deprecated way to name the weights of parts of a model."""

from __future__ import annotations

import copy
import warnings


def with_pretrains(pretrains: dict | None, **parts: dict | None) -> list[dict | None]:
    """Configs of parts with the deprecated ``pretrains`` turned into their ``init_cfg``.

    Args:
        pretrains: Name of a part to the address of its checkpoint.
        **parts: Name of a part to its config.

    Returns:
        The configs, changed where ``pretrains`` names the part.

    Raises:
        ValueError: a name is unknown, or its address is not a string.
    """
    if pretrains is None:
        return list(parts.values())
    warnings.warn(
        "pretrains is deprecated, use init_cfg=dict(type='Pretrained', ...) of the parts",
        DeprecationWarning,
        stacklevel=3,
    )
    parts = copy.deepcopy(parts)
    for name, checkpoint in pretrains.items():
        if parts.get(name) is None or not isinstance(checkpoint, str):
            raise ValueError(
                f"pretrains wants a checkpoint for some of {[n for n, p in parts.items() if p]}, "
                f"not {name}={checkpoint!r}"
            )
        parts[name]["init_cfg"] = {"type": "Pretrained", "checkpoint": checkpoint}
    return list(parts.values())
