"""The table of data set classes names all of them, their metrics and their arguments."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from mmdet.datasets.builder import DATASETS

import mmtrack.datasets  # noqa: F401  (registers the classes)
from mmtrack.apis.test_options import METRICS_OF

PAGE = Path(__file__).resolve().parents[2] / "docs" / "en" / "dataset.md"
NAME = re.compile(r"`(\w+)`")
# Wrappers, and classes that the text below the table speaks of.
ELSEWHERE = {"RandomSampleConcatDataset", "SOTTrainDataset", "SOTTestDataset"}


def rows():
    """Cells of each row below the head ``| Class |``."""
    table = re.search(r"^\| Class \|.*\n.*\n((?:\|.*\n)+)", PAGE.read_text(), re.MULTILINE)[1]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()]


def metrics_of(cls):
    """What ``--eval`` takes for a class."""
    own = getattr(cls, "METRICS", None)
    names = (base.__name__ for base in cls.__mro__)
    return own or next(METRICS_OF[name] for name in names if name in METRICS_OF)


def test_all_classes_are_there():
    ours = {n for n, c in DATASETS.module_dict.items() if c.__module__.startswith("mmtrack.")}
    assert {name for row in rows() for name in NAME.findall(row[0])} == ours - ELSEWHERE


@pytest.mark.parametrize("row", rows(), ids=lambda row: NAME.findall(row[0])[0])
def test_row(row):
    classes, _, metrics, submission, arguments = row
    for name in NAME.findall(classes):
        cls = DATASETS.get(name)
        takes = {p for c in cls.__mro__ for p in inspect.signature(c.__init__).parameters}
        assert {a for a in NAME.findall(arguments) if a != "CocoVideoDataset"} - takes <= {
            "chunks_list"  # of one of the two in the row
        }
        if metrics != "-":
            assert set(NAME.findall(metrics)) == set(metrics_of(cls)), name
        if submission != "-":
            assert hasattr(cls, "format_results"), name
