"""Single object tracking: one-pass evaluation and the measures of the VOT challenge."""

from .ope import OPECurves, eval_sot_ope, ope_curves
from .plots import plot_ope_curves
from .vot import eval_sot_accuracy_robustness, eval_sot_eao

__all__ = [
    "OPECurves",
    "eval_sot_accuracy_robustness",
    "eval_sot_eao",
    "eval_sot_ope",
    "ope_curves",
    "plot_ope_curves",
]
