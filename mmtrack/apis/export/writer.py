"""Turn a part of a model into an ONNX file."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import onnx
import torch

import mmtrack

from .operators import TRANSLATIONS
from .part import Case, ExportPart

OLDEST_OPSET = 18  # of torch's exporter
LARGEST = 2**31 - 1  # bytes of a file of ONNX with its weights inside


def build_onnx(
    part: ExportPart,
    case: Case,
    *,
    opset: int = OLDEST_OPSET,
    metadata: Mapping[str, Any] | None = None,
) -> bytes:
    """Trace a part and translate it.

    Args:
        part: The part.
        case: The call that is traced.
        opset: Version of ONNX's set of operators, 18 or newer.
        metadata: Written beside that of the part, each value as JSON.

    Returns:
        Content of an ONNX file, with the weights.

    Raises:
        ValueError: the version is too old or unknown, the part cannot be traced as asked, or it is
            larger than ONNX files may be.
    """
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= opset <= newest:
        raise ValueError(f"opset {opset}: the exporter writes {OLDEST_OPSET} to {newest}")
    model = _translate(part, case, opset)
    for key, value in {**part.metadata, **(metadata or {})}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    size = model.ByteSize()
    if size > LARGEST:
        raise ValueError(f"the graph of {part.name} has {size} bytes, ONNX allows {LARGEST}")
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _translate(part: ExportPart, case: Case, opset: int) -> onnx.ModelProto:
    inputs = tuple(case.inputs.values())
    graph = part.graph.eval()
    with torch.no_grad(), _quiet():
        # once without tracing: what modules compute at their first call and keep must be real
        graph(*inputs)
        try:
            program = torch.export.export(
                graph, inputs, dynamic_shapes=_dynamic_shapes(part, case), strict=False
            )
        except torch._dynamo.exc.UserError as error:
            raise ValueError(f"{part.name} cannot be traced as asked: {error}") from error
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=list(case.inputs),
            output_names=list(part.outputs),
            opset_version=opset,
            custom_translation_table=TRANSLATIONS,
            verbose=False,
        )
    model = exported.model_proto
    model.producer_name, model.producer_version = "mmtrack", mmtrack.__version__
    return model


def _dynamic_shapes(part: ExportPart, case: Case) -> tuple | None:
    """Dynamic dimensions of each input, those of ``*args`` as a tuple of their own."""
    if not part.dynamic:
        return None
    shapes = tuple(part.dynamic.get(name, {}) for name in case.inputs)
    parameters = inspect.signature(part.graph.forward).parameters.values()
    named = sum(parameter.kind is not parameter.VAR_POSITIONAL for parameter in parameters)
    return shapes if len(parameters) == named else (*shapes[:named], shapes[named:])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back notes of the exporter about its own work."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
