"""What is exported: a graph, and real inputs with the results that it must give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import nn

from .clip import Clip


class Case(NamedTuple):
    """One call.

    Attributes:
        inputs: Name to tensor, in the order of the graph's arguments.
        expected: Name to tensor: results of the model without any export, by its usual methods.
    """

    inputs: dict[str, torch.Tensor]
    expected: dict[str, torch.Tensor]


@dataclass(frozen=True)
class ExportPart:
    """A part of a model that becomes one ONNX file.

    Attributes:
        name: ``'detector'``, ``'reid'``, ``'template'`` or ``'search'``.
        graph: The module.
        outputs: Names of what it returns.
        cases: Calls on the frames of a clip; the first one is traced.
        metadata: Written into the file, for those who have no config.
        dynamic: Input to dimensions of any size.
    """

    name: str
    graph: nn.Module
    outputs: tuple[str, ...]
    cases: Callable[[Clip], list[Case]]
    metadata: Mapping[str, Any]
    dynamic: Mapping[str, dict[int, Any]] = field(default_factory=dict)
