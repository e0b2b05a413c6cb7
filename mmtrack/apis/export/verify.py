"""Compare an ONNX file with the model it was made of."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from .part import Case
from .runtime import RUNTIME_ERRORS, OnnxModel

RTOL, ATOL = 1e-3, 1e-4
NOT_FINITE = ". The model itself gives values that are not finite there, as random weights may"


class VerificationError(ValueError):
    """An exported graph gives other results than the model; the message says how much."""


class Difference(NamedTuple):
    """Largest differences of one output in all cases.

    Attributes:
        output: Name.
        absolute: Largest difference.
        relative: Largest difference as a share of the largest value.
    """

    output: str
    absolute: float
    relative: float


def verify_onnx(
    model: str | os.PathLike | bytes,
    cases: Sequence[Case],
    *,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> list[Difference]:
    """Run a file on all cases.

    Whole numbers (labels) must be equal. Of detections, boxes and scores are two outputs: beside
    coordinates of thousands of pixels no score would be wrong.

    Args:
        model: The file, or its content.
        cases: Inputs and what the model gives for them.
        rtol: Allowed difference as a share of the largest value of an output.
        atol: Allowed difference beside it.

    Returns:
        One entry per output.

    Raises:
        VerificationError: an output differs by more, or has another shape, or the file cannot be
            run.
    """
    session = OnnxModel(model)
    found: dict[str, Difference] = {}
    for number, case in enumerate(cases):
        try:
            outputs = session.run({name: value.numpy() for name, value in case.inputs.items()})
        except RUNTIME_ERRORS as error:
            raise VerificationError(
                f"onnxruntime cannot run call {number} of the file: {error}"
            ) from error
        expected = {name: value.numpy() for name, value in case.expected.items()}
        if "dets" in expected:
            outputs, expected = _paired(outputs, expected)
        for name, values in expected.items():
            difference = _difference(name, values, outputs[name])
            whole = np.issubdtype(values.dtype, np.integer)
            allowed = 0.0 if whole else atol + rtol * _largest(values)
            if not difference.absolute <= allowed:
                hint = "" if np.isfinite(values).all() else NOT_FINITE
                raise VerificationError(
                    f"{name} of call {number} differs from the model by "
                    f"{difference.absolute:.3g} ({difference.relative:.3g} of its largest value); "
                    f"allowed is {allowed:.3g}{hint}"
                )
            known = found.get(name, difference)
            found[name] = Difference(name, *map(max, known[1:], difference[1:]))
    return list(found.values())


def _difference(name: str, expected: np.ndarray, got: np.ndarray) -> Difference:
    if expected.shape != got.shape:
        raise VerificationError(
            f"{name} has the shape {got.shape}, but the model gives {expected.shape}"
        )
    with np.errstate(invalid="ignore"):  # untrained networks give infinities, and both the same
        gaps = np.abs(expected.astype(np.float64) - got)
    same = (expected == got) | (np.isnan(expected) & np.isnan(got))
    absolute = float(np.where(same, 0.0, gaps).max(initial=0.0))
    return Difference(name, absolute, absolute / max(_largest(expected), 1e-12))


def _largest(values: np.ndarray) -> float:
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _paired(
    got: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Boxes, scores and labels in one order: those of almost equal score may change places."""
    if len(got["dets"]) != len(expected["dets"]):
        raise VerificationError(
            f"the graph finds {len(got['dets'])} boxes, the model {len(expected['dets'])}"
        )
    if not len(got["dets"]):
        return {}, {}
    with np.errstate(invalid="ignore"):
        costs = np.abs(expected["dets"][:, None] - got["dets"][None]).sum(axis=-1)
    costs += 1e6 * (expected["labels"][:, None] != got["labels"])
    order = linear_sum_assignment(np.nan_to_num(costs, nan=1e9, posinf=1e9))[1]
    return _parts(got, order), _parts(expected, slice(None))


def _parts(found: Mapping[str, np.ndarray], order: np.ndarray | slice) -> dict[str, np.ndarray]:
    dets = found["dets"][order]
    return {"boxes": dets[:, :4], "scores": dets[:, 4], "labels": found["labels"][order]}
