"""Every command of the documents: checked always, run on small data where it can be run."""

from __future__ import annotations

import re
from pathlib import Path

import doc_blocks
import doc_checks
import pytest
from doc_workshop import CHEAP, PROJECTS, PUBLISHED, Workshop
from script_parsers import parser_of

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = doc_blocks.documents(ROOT)


def by_document(paths):
    """Run a test for each of these documents."""
    names = [str(path.relative_to(ROOT)) for path in paths]
    return pytest.mark.parametrize("path", paths, ids=names)


@pytest.fixture(scope="module")
def workshop(root, tmp_path_factory):
    """A scratch folder that looks like the repository."""
    shop = Workshop(root, tmp_path_factory.mktemp("workshop"))
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def furnished(workshop):
    """The same with data and random weights for every quick-start config."""
    workshop.furnish()
    return workshop


def runnable(path):
    """Commands of blocks that need nothing but what the workshop has."""
    return [
        command
        for command in doc_blocks.commands(path)
        if not (
            command.needs or command.inline or command.words[0] in ("make", *doc_checks.FOREIGN)
        )
    ]


@by_document(DOCUMENTS)
def test_commands_are_right(path, root):
    wrong = {str(c): doc_checks.problem(c, root) for c in doc_blocks.commands(path)}
    assert not {command: text for command, text in wrong.items() if text}


def is_cheap(command):
    """Whether a command needs seconds: the heads of configs are left to the slow run."""
    return command.path.suffix == ".md" and CHEAP.search(" ".join(command.words[1:2]))


@by_document([path for path in DOCUMENTS if any(map(is_cheap, runnable(path)))])
def test_commands_without_a_network_run(path, workshop):
    workshop.write_files(path)
    for command in runnable(path):
        if is_cheap(command):
            problem = workshop.run(command)
            assert problem is None, f"{command}\n{problem}"


@pytest.mark.slow
@by_document([path for path in DOCUMENTS if runnable(path)])
def test_commands_run(path, furnished):
    problems = {}
    furnished.write_files(path)
    for command in runnable(path):
        problem = furnished.run(command)
        if problem:
            problems[str(command)] = problem
    assert not problems, "\n\n".join(f"{key}\n{text}" for key, text in problems.items())


INLINE_DEFAULT = re.compile(r"`(--[\w-]+)` \((\d[\d.]*)\)")
DEFAULT_TABLE = re.compile(r"^\| \w+ \| Default \|.*\n\|[ |-]*\n((?:\|.*\n)+)", re.MULTILINE)
DEFAULT_ROW = re.compile(r"^\| (?:`-\w`, )?`(--[\w-]+)` \| `?(\d[\d.]*)`? \|", re.MULTILINE)


def said_defaults(text):
    """Options with the numbers that a page calls their defaults, in brackets or in a column."""
    rows = "".join(DEFAULT_TABLE.findall(text))
    return INLINE_DEFAULT.findall(text) + DEFAULT_ROW.findall(rows)


@by_document([path for path in DOCUMENTS if said_defaults(path.read_text())])
def test_defaults_are_those_of_the_scripts(path):
    """Of one of the scripts that the page calls."""
    named = set(re.findall(r"(?:tools|demo)/[\w/]+\.py", path.read_text()))
    parsers = [parser_of(ROOT / name) for name in sorted(named) if (ROOT / name).is_file()]
    actions = [action for parser in parsers for action in parser._actions]
    for option, said in said_defaults(path.read_text()):
        found = {str(a.default) for a in actions if option in a.option_strings}
        assert {said, f"{said}.0"} & found, f"{option}: {said} on the page, {found} in the scripts"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("python tools/trane.py CONFIG", "there is no tools/trane.py"),
        ("python tools/train.py CONFIG --epochs 3", "unrecognized arguments: --epochs 3"),
        ("python tools/test.py configs/mot/none.py", "there is no configs/mot/none.py"),
        ("python demo/demo_sot.py CONFIG --input VIDEO --thickness thin", "invalid int value"),
        ("bash tools/dist_train.sh CONFIG 8 --epochs 3", "unrecognized arguments"),
        ("bash tools/dist_train.sh CONFIG", "usage"),
        ("make teas", "No rule to make target"),
        ("python -m mmtrack.utils.nothing", "no module"),
        ("rsync a b", "no command that these tests know"),
        ("docker run mmtrack", "<!-- needs: ... -->"),
    ],
    ids=lambda value: value[:30],
)
def test_wrong_commands_are_found(root, tmp_path, text, message):
    page = tmp_path / "page.md"
    page.write_text(f"```bash\n{text}\n```\n")
    (command,) = doc_blocks.commands(page)
    assert message in doc_checks.problem(command, root)


def test_blocks_are_read_as_a_shell_does(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- needs: a GPU -->\n```bash\nRUN=work_dirs/x  # kept\n"
        'PORT=1 bash a.sh $RUN \\\n  --key="[1,2]" && make b\n```\n'
        "text `python c.py X` text\n\n````text\n```bash\nnot read\n```\n````\n"
    )
    first, second, third = doc_blocks.commands(page)
    assert first.words == ("bash", "a.sh", "work_dirs/x", "--key=[1,2]")
    assert first.settings == ("PORT=1",)
    assert second.words == ("make", "b")
    assert first.needs == second.needs == "a GPU"
    assert third.words == ("python", "c.py", "X")
    assert third.inline
    assert not first.line_of_shell
    assert not third.needs


def test_quick_starts_of_the_workshop_exist():
    names = {*PROJECTS.values(), *(PROJECTS.get(name, name) for _, name in PUBLISHED)}
    missing = [n for n in names if not (ROOT / "configs" / "quickstart" / f"{n}.py").is_file()]
    assert not missing
