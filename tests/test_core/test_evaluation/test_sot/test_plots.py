"""Plots of curves: what is drawn, and that the file is a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from mmtrack.core.evaluation.sot import ope_curves, plot_ope_curves


def tracker(noise):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 300, (3, 80, 2))
    truth = np.concatenate((corner, corner + 60), 2)
    return ope_curves(list(truth + rng.normal(0, noise, truth.shape)), list(truth))


@pytest.fixture
def figures(monkeypatch):
    """Figures that are saved."""
    seen = []
    save = Figure.savefig

    def keep(figure, *args, **kwargs):
        seen.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    return seen


def test_all_trackers_in_all_plots(tmp_path, figures):
    curves = {"bad": tracker(40), "good": tracker(4), "fair": tracker(15)}
    plot_ope_curves(curves, tmp_path / "a.png", title="80 frames")
    image = cv2.imread(str(tmp_path / "a.png"))
    assert image.shape[1] > 2 * image.shape[0]
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 50
    (figure,) = figures
    assert figure.get_suptitle() == "80 frames"
    names = ("success", "norm_precision", "precision")
    for axes, name in zip(figure.axes, names, strict=True):
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        expected = [f"{t} [{curves[t].scores()[name]:.1f}]" for t in ("good", "fair", "bad")]
        assert labels == expected, "best first"
        for line in axes.lines:
            wanted = 100 * getattr(curves[line.get_label().split()[0]], name).mean(0)
            assert line.get_ydata() == pytest.approx(wanted)
    colours = [
        {x.get_label().split()[0]: x.get_color() for x in axes.lines} for axes in figure.axes
    ]
    assert colours[0] == colours[1] == colours[2]
    assert len(set(colours[0].values())) == 3


def test_many_trackers_look_different(tmp_path, figures):
    plot_ope_curves({f"t{i}": tracker(i + 1) for i in range(25)}, tmp_path / "a.svg")
    looks = {(line.get_color(), line.get_linestyle()) for line in figures[0].axes[0].lines}
    assert len(looks) == 25


def test_refused(tmp_path):
    with pytest.raises(ValueError, match="no curves"):
        plot_ope_curves({}, tmp_path / "a.png")
    with pytest.raises(ValueError, match="'txt' is no kind of picture"):
        plot_ope_curves({"a": tracker(1)}, tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []
