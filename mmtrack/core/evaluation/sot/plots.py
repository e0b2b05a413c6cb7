"""Success and precision plots of several trackers in one figure."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mmtrack.utils.file_io import atomic_write

from .ope import NORM_PRECISION_THRESHOLDS, PRECISION_THRESHOLDS, SUCCESS_THRESHOLDS, OPECurves

_PANEL = (5.2, 4.4)  # inches
_DOTS_PER_INCH = 150
_COLOURS = 10  # of the colour cycle of matplotlib; the next ten trackers get another line
_LINE_STYLES = ("-", "--", "-.", ":")


class _Panel(NamedTuple):
    """One of the plots: which curve, its score, what is on the axes."""

    name: str
    title: str
    thresholds: np.ndarray
    x_label: str
    y_label: str


_PANELS = (
    _Panel("success", "Success", SUCCESS_THRESHOLDS, "overlap threshold",
           "frames with a larger overlap (%)"),
    _Panel("norm_precision", "Normalised precision", NORM_PRECISION_THRESHOLDS,
           "distance threshold (sizes of the box)", "frames within the distance (%)"),
    _Panel("precision", "Precision", PRECISION_THRESHOLDS, "distance threshold (pixels)",
           "frames within the distance (%)"),
)  # fmt: skip


def plot_ope_curves(
    curves: Mapping[str, OPECurves], path: str | os.PathLike, title: str | None = None
) -> None:
    """Draw success, normalised precision and precision of trackers side by side.

    Trackers are listed by their score, best first: the area under the success curve, the precision
    at 0.2 sizes of the box and at 20 pixels. A tracker has the same colour in all plots.

    Args:
        curves: Curves by name of the tracker.
        path: Picture to write, with an ending that matplotlib knows (png, pdf, svg).
        title: Heading of the figure.

    Raises:
        ValueError: there are no trackers, or the ending is unknown.
    """
    if not curves:
        raise ValueError("there are no curves to plot")
    from matplotlib.figure import Figure

    kind = os.path.splitext(os.fspath(path))[1].lstrip(".").lower() or "png"
    figure = Figure(figsize=(_PANEL[0] * len(_PANELS), _PANEL[1]), layout="constrained")
    if kind not in figure.canvas.get_supported_filetypes():
        raise ValueError(f"{os.fspath(path)}: {kind!r} is no kind of picture; use png, pdf or svg")
    looks = {name: _look(number) for number, name in enumerate(curves)}
    for axes, panel in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        _draw(axes, panel, curves, looks)
    if title:
        figure.suptitle(title)
    with atomic_write(path, "wb") as file:
        figure.savefig(file, dpi=_DOTS_PER_INCH, format=kind)


def _look(number: int) -> dict:
    """Colour and line of a tracker."""
    style = _LINE_STYLES[number // _COLOURS % len(_LINE_STYLES)]
    return {"color": f"C{number % _COLOURS}", "linestyle": style}


def _draw(axes: object, panel: _Panel, curves: Mapping[str, OPECurves], looks: dict) -> None:
    """One plot with the curves of all trackers."""
    scores = {name: curve.scores()[panel.name] for name, curve in curves.items()}
    for name in sorted(scores, key=scores.get, reverse=True):
        rates = 100 * getattr(curves[name], panel.name).mean(axis=0)
        label = f"{name} [{scores[name]:.1f}]"
        axes.plot(panel.thresholds, rates, label=label, linewidth=1.8, **looks[name])
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set(xlim=(panel.thresholds[0], panel.thresholds[-1]), ylim=(0, 101))
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize="small")
