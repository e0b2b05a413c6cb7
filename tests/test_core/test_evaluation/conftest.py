"""Random scenes for the tests of the metrics."""

from __future__ import annotations

import numpy as np
import pytest

from mmtrack.core.evaluation import MOTTable


def _scene(
    seed, frames=25, objects=6, noise=6.0, miss=0.15, clutter=1.0, swap=0.08, spread=120.0,
    distractors=(), first_frame=1,
):  # fmt: skip
    """Ground truth and results of a crowd that overlaps a lot, with misses and exchanged ids.

    Rows of a frame are shuffled; `distractors` are classes of the last objects.
    """
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, spread, (objects, 2))
    speed = rng.normal(0, 4, (objects, 2))
    size = rng.uniform(30, 70, (objects, 2))
    kinds = np.r_[np.ones(objects - len(distractors), int), np.array(distractors, int)]
    names = np.arange(objects)
    truth, found = [], []
    for t in range(frames):
        boxes = np.c_[start + speed * t, size]
        if rng.random() < swap:
            i, j = rng.choice(objects, 2, replace=False)
            names[i], names[j] = names[j], names[i]
        if rng.random() < swap:
            names[rng.integers(objects)] = names.max() + 1
        rows, marks = [], []
        for i in rng.permutation(objects):
            if rng.random() > 0.1:
                rows.append((t, 10 * i + 3, *boxes[i], float(kinds[i] == 1), kinds[i]))
            if rng.random() > miss:
                marks.append((t, names[i], *(boxes[i] + rng.normal(0, noise, 4))))
        for k in range(rng.poisson(clutter)):
            marks.append((t, 1000 + 10 * t + k, *rng.uniform(0, spread, 2), 40, 40))
        truth += rows
        found += [marks[i] for i in rng.permutation(len(marks))]
    truth, found = np.array(truth).reshape(-1, 8), np.array(found).reshape(-1, 6)
    found[:, 4:] = np.maximum(found[:, 4:], 1)
    gt = MOTTable.from_columns(
        truth[:, 0] + first_frame, truth[:, 1], truth[:, 2:6], truth[:, 6], truth[:, 7],
        np.ones(len(truth)),
    )  # fmt: skip
    return gt, MOTTable.from_columns(found[:, 0] + first_frame, found[:, 1], found[:, 2:6])


@pytest.fixture(scope="session")
def scene():
    """Make one sequence: ``scene(seed, **options) -> (ground truth, results)``."""
    return _scene


@pytest.fixture(scope="session")
def empty_table():
    return MOTTable.from_columns(np.empty(0), np.empty(0), np.empty((0, 4)))


@pytest.fixture(scope="session")
def table():
    """Make a table from rows ``(frame, id, x, y, w, h)``."""

    def make(*rows, **columns):
        rows = np.array(rows, float).reshape(-1, 6)
        return MOTTable.from_columns(rows[:, 0], rows[:, 1], rows[:, 2:], **columns)

    return make
