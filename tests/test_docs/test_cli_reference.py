"""The reference of commands has every script, and every argument of the older toolbox."""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from pathlib import Path

import cli
import pytest
from script_parsers import parser_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "en" / "cli.md").read_text()


def test_every_script_is_on_the_page_under_its_name():
    files = [*ROOT.glob("tools/**/*.py"), *ROOT.glob("demo/*.py")]
    scripts = {f.relative_to(ROOT).as_posix() for f in files if "parse_args()" in f.read_text()}
    assert len(scripts) > 50
    shown = re.findall(r"^### (\S+)\n\n```\{cli\} (\S+)\n```$", PAGE, re.MULTILINE)
    assert all(title == script for title, script in shown)
    assert sorted(script for _, script in shown) == sorted(scripts)


def test_every_launcher_is_on_the_page():
    named = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("tools/**/*.sh")}
    launchers = {n for n in named if re.search(r"/(dist|slurm)_\w+\.sh$", n)}
    launchers.remove("tools/analysis/sot/dist_sot_siamrpn_param_search.sh")  # the older name
    assert {name for name in launchers if f"`bash {name} " not in PAGE} == set()


def test_every_argument_of_the_older_scripts_is_shown(shared):
    wanted = defaultdict(set)
    with (shared / "zoo" / "tools.csv").open() as file:
        for row in csv.DictReader(file):
            if row["argument"].startswith("-"):
                wanted[row["script"].split()[0]] |= set(row["argument"].split(", "))
    assert len(wanted) > 20
    for script, arguments in wanted.items():
        calls = re.findall(r"^\| `(-.*?)` ", cli.reference(parser_of(ROOT / script)), re.MULTILINE)
        shown = {word for call in calls for word in re.findall(r"(?<!\S)-[\w-]+", call)}
        assert arguments <= shown, f"{script}: {sorted(arguments - shown)}"


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser(
        description="What it does, for a_b | c: see ``x.py`` and --out.\n\nExample:\n    x.py A\n"
    )
    parser.add_argument("config", help="a file")
    parser.add_argument("-o", "--out", metavar="DIR", required=True, help="folder")
    parser.add_argument("--size", type=int, nargs=2, default=[3, 4], help="with --out [x]")
    parser.add_argument("--kind", choices=("a", "b"), default="a", help="100%% of it")
    parser.add_argument("--many", choices="abcdef", help="one of six")
    parser.add_argument("--seed", metavar="N", default=7, help="a number (default %(default)s)")
    parser.add_argument("--hidden", help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help="say nothing")
    return parser


def test_reference(parser):
    assert cli.reference(parser) == (
        "What it does, for a\\_b \\| c: see ``x.py`` and `--out`.\n\n"
        "Example:\n\n"
        "```text\nx.py A\n```\n\n"
        "| Argument | Default | Meaning |\n"
        "| --- | --- | --- |\n"
        "| `config` |  | a file |\n"
        "| `-o, --out DIR` | required | folder |\n"
        "| `--size SIZE SIZE` | `3 4` | with `--out` \\[x\\] |\n"
        "| `--kind a\\|b` | `a` | 100% of it |\n"
        "| `--many MANY` |  | one of six (`a`, `b`, `c`, `d`, `e`, `f`) |\n"
        "| `--seed N` | `7` | a number |\n"
        "| `--quiet` |  | say nothing |"
    )


def test_what_all_subcommands_take_is_said_once():
    parser = argparse.ArgumentParser(description="Two.")
    commands = parser.add_subparsers()
    for name in ("one", "two"):
        command = commands.add_parser(name, help=f"the {name}")
        command.add_argument("--shared", help="both")
        command.add_argument(f"--{name}", help="own")
    head = "| Argument | Default | Meaning |\n| --- | --- | --- |\n"
    assert cli.reference(parser) == (
        f"Two.\n\nAll of the commands below take\n\n{head}| `--shared SHARED` |  | both |\n\n"
        f"`one`: the one\n\n{head}| `--one ONE` |  | own |\n\n"
        f"`two`: the two\n\n{head}| `--two TWO` |  | own |"
    )


def test_a_script_without_arguments_is_refused(tmp_path):
    script = tmp_path / "plain.py"
    script.write_text("print('done')\n")
    with pytest.raises(ValueError, match="plain.py reads no arguments"):
        parser_of(script)
