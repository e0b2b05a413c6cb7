"""Run an exported file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

# What ONNX Runtime raises; these have no common class of their own.
RUNTIME_ERRORS = (
    errors.Fail,
    errors.InvalidArgument,
    errors.InvalidGraph,
    errors.InvalidProtobuf,
    errors.NotImplemented,
    errors.RuntimeException,
)


class OnnxModel:
    """A file on ONNX Runtime.

    Args:
        model: The file, or its content.
        threads: Threads of one operator; None lets the library choose.

    Attributes:
        metadata: What was written into the file: ``part``, ``classes``, ``size``, ``mean``, ...

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no ONNX file, or one that ONNX Runtime cannot run.
    """

    def __init__(self, model: str | os.PathLike | bytes, threads: int | None = None):
        if not isinstance(model, bytes):
            model = os.fspath(model)
            if not os.path.isfile(model):
                raise FileNotFoundError(f"model {model} does not exist")
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self.session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except RUNTIME_ERRORS as error:
            name = "the content" if isinstance(model, bytes) else model
            raise ValueError(f"{name} is no model that ONNX Runtime can run: {error}") from error
        properties = self.session.get_modelmeta().custom_metadata_map
        self.metadata = {key: json.loads(value) for key, value in properties.items()}
        self.inputs = tuple(value.name for value in self.session.get_inputs())
        self.outputs = tuple(value.name for value in self.session.get_outputs())

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs by name."""
        return dict(zip(self.outputs, self.session.run(None, dict(inputs)), strict=True))
