"""``torch.compile`` for the networks of a model."""

from __future__ import annotations

import torch
from torch import nn

# Parts that map tensors to tensors. What runs between and after them (proposals, suppression,
# tracks) branches on what was found in the frame, and would be compiled anew again and again.
COMPILED_PARTS = (
    "backbone",
    "neck",
    "rpn_head",
    "bbox_head",
    "mask_head",
    "shared_head",
    "head",
    "motion",
)


def compile_parts(model: nn.Module, *, backend: str = "inductor") -> list[str]:
    """Have the networks of a model compiled when they run for the first time.

    A part is compiled for the sizes of the first frame, and once more, then for any size, when
    another one comes. Results change by rounding only.

    Args:
        model: A model for inference on its device; changed in place. Its state dict stays the same.
        backend: A backend of ``torch.compile``.

    Returns:
        Names of the parts.
    """
    chosen: list[str] = []
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer in chosen)
        if name.rsplit(".", 1)[-1] in COMPILED_PARTS and not inside:
            # not module.compile(): mmdet also calls the forward of its heads by name
            for method in network_methods(module):
                setattr(module, method, torch.compile(getattr(module, method), backend=backend))
            chosen.append(name)
    return chosen


def network_methods(module: nn.Module) -> tuple[str, ...]:
    """Names of the methods that run a network: ``forward``, unless its class names others."""
    return getattr(module, "network_methods", ("forward",))


def require_compiler(device: torch.device) -> None:
    """Compile one addition, to find out before the run whether compiling works here.

    Args:
        device: Where the model runs.

    Raises:
        OSError: it does not; the message says why and what to do.
    """
    try:
        torch.compile(_add_one)(torch.ones(8, device=device))
    except RuntimeError as error:  # also that of a missing or broken compiler, and of the Python
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise OSError(
            f"--compile: torch.compile does not work here ({reason}). On a CPU it needs a C++ "
            "compiler (apt install g++, or name one in the variable CXX) and Python's headers (apt "
            "install python3-dev); this Python must not be newer than PyTorch supports. Without "
            "--compile everything runs as well"
        ) from error


def _add_one(x: torch.Tensor) -> torch.Tensor:
    return x + 1
