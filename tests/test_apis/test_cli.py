"""Options of the command line that cannot be read end in the usage, or name the option."""

from __future__ import annotations

import argparse

import pytest
import torch

from mmtrack.apis.cli import add_config_options, file_errors, load_config
from mmtrack.datasets.pipelines import ImageReadError


@pytest.fixture
def load(tmp_path):
    """Function that reads a config with some options, as scripts do."""
    path = tmp_path / "config.py"
    path.write_text("a = dict(b=2)\nparts = [dict(depth=50)]\n")
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    add_config_options(parser)

    def run(*options):
        return load_config(parser.parse_args([str(path), "--cfg-options", *options]))

    return run


def test_values(load):
    cfg = load("a.b=3", "a.c=[1,2.5,(x,True)]", "parts.0.depth=18", "name=x")
    assert cfg.a == {"b": 3, "c": [1, 2.5, ("x", True)]}
    assert cfg.parts[0].depth == 18
    assert cfg.name == "x"


@pytest.mark.parametrize(
    "option",
    [
        "a.b",
        "a=[(1]",
        "a=" + "[" * 5000 + "]" * 5000,
        "a=x'y",
        "a=x\ny",
        "a=C:\\",
        "a=[x\\,y]",
        "del.b=1",
        "a b=1",
        "0.b=1",
    ],
)
def test_what_cannot_be_parsed_ends_in_the_usage(load, option, capsys):
    with pytest.raises(SystemExit) as error:
        load("a.b=1", option)
    assert error.value.code == 2
    text = capsys.readouterr().err
    assert f"--cfg-options {option[:10]}" in text
    assert "expected KEY=VALUE" in text


@pytest.mark.parametrize("option", ["parts.7.depth=1", "parts.x=1"])
def test_what_does_not_fit_names_option_and_config(load, option):
    with pytest.raises(ValueError, match=rf"--cfg-options {option} does not fit .*config\.py"):
        load(option)


def test_code_is_text(load):
    """Values are numbers, texts and lists of them; nothing is evaluated."""
    assert load("a.b=__import__(os).getcwd()").a.b == "__import__(os).getcwd()"


class Broken(torch.utils.data.Dataset):
    """Items that cannot be read."""

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "error", [ImageReadError("image a: b.png is damaged"), OSError(28, "No space left", "x/y.pth")]
)
def test_files_end_a_computation_in_one_line(capsys, monkeypatch, error, workers):
    monkeypatch.delenv("MMTRACK_TRACEBACK", raising=False)
    loader = torch.utils.data.DataLoader(Broken(error), num_workers=workers)
    with pytest.raises(SystemExit) as end, file_errors():
        list(loader)
    assert end.value.code == 1
    text, hint = capsys.readouterr().err.splitlines()
    assert text == f"error: {error}"
    assert hint == f"({type(error).__name__}; MMTRACK_TRACEBACK=1 shows where)"


def test_errors_of_the_program_keep_their_traceback(monkeypatch):
    with pytest.raises(ValueError, match="shape"), file_errors():
        raise ValueError("shape")
    monkeypatch.setenv("MMTRACK_TRACEBACK", "1")
    with pytest.raises(ImageReadError), file_errors():
        raise ImageReadError("a.png")
