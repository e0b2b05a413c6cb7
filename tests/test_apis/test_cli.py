"""Options of the command line that cannot be read end in the usage, or name the option."""

from __future__ import annotations

import argparse

import pytest

from mmtrack.apis.cli import add_config_options, load_config


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
