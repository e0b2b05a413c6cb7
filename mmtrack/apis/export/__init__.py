"""Export of detectors, ReID models and single object trackers to ONNX.

A part of a model becomes a graph without branches (``detectors``, ``networks``), which torch
traces and translates (``writer``). Real frames (``clip``) prepared as the config says
(``preprocessing``) are what is traced and what the file is compared on (``verify``).
"""

import importlib.util

import torch
from packaging.version import Version

OLDEST_TORCH = "2.7"
PACKAGES = ("onnx", "onnxscript", "onnxruntime")

if Version(torch.__version__) < Version(OLDEST_TORCH):
    raise ImportError(
        f"export to ONNX needs PyTorch {OLDEST_TORCH} or newer, this is {torch.__version__}"
    )
_missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
if _missing:
    raise ImportError(
        f"export to ONNX needs {', '.join(_missing)}: pip install {' '.join(_missing)}"
    )

from .clip import Clip  # noqa: E402 - what follows imports these packages
from .part import Case, ExportPart  # noqa: E402
from .parts import make_part, part_names  # noqa: E402
from .preprocessing import Preprocessing  # noqa: E402
from .runtime import OnnxModel  # noqa: E402
from .verify import Difference, VerificationError, verify_onnx  # noqa: E402
from .writer import OLDEST_OPSET, build_onnx  # noqa: E402

__all__ = [
    "OLDEST_OPSET",
    "Case",
    "Clip",
    "Difference",
    "ExportPart",
    "OnnxModel",
    "Preprocessing",
    "VerificationError",
    "build_onnx",
    "make_part",
    "part_names",
    "verify_onnx",
]
