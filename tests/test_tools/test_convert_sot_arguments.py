"""The scripts for single object tracking and ImageNet VID take the documented arguments."""

from __future__ import annotations

import csv
import runpy
import sys
from collections import defaultdict

import pytest

FOLDERS = ("ilsvrc", "lasot", "got10k", "trackingnet", "otb100", "uav123", "vot")


@pytest.fixture(scope="module")
def documented(shared):
    """Rows of the list of arguments by script."""
    scripts = defaultdict(list)
    with open(shared / "zoo" / "tools.csv") as file:
        for row in csv.DictReader(file):
            parts = row["script"].split("/")
            if parts[:2] == ["tools", "convert_datasets"] and parts[2] in FOLDERS:
                scripts[row["script"]].append(row)
    return scripts


def test_every_script_is_there(documented, root):
    assert len(documented) == 17
    assert [name for name in documented if not (root / name).is_file()] == []


def test_arguments_and_choices(documented, root, monkeypatch, capsys):
    for script in (name for name in documented if name.endswith(".py")):
        monkeypatch.setattr(sys, "argv", [script, "--help"])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(root / script), run_name="__main__")
        assert end.value.code == 0
        text = capsys.readouterr().out
        for row in documented[script]:
            for argument in row["argument"].split(", "):
                assert argument in text, f"{script} has no {argument}"
            for choice in filter(None, row["choices"].split("|")):
                assert choice in text, f"{script}: {row['argument']} does not take {choice}"
