"""Check a documented command without running it.

The script exists and its own parser takes the arguments; configs exist and take the options; shell
scripts are run for real, with a ``python`` and an ``srun`` that only say what they were given.
"""

from __future__ import annotations

import argparse
import functools
import os
import stat
import subprocess
from pathlib import Path

import mmcv
import pytest
from doc_blocks import Command
from script_parsers import parser_of

ECHO = '#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n'
# What a check puts in the place of a word in capitals where not any word will do.
EXAMPLES = {
    "LAYOUT": "mot17", "GPUS": "2", "PROCESSES": "2", "N": "2", "PORT": "29501", "NODES": "2",
    "RANK": "0", "VERSION": "2019",
}  # fmt: skip
# Programs that are not ours: a block with them says what it needs, and they are not checked.
FOREIGN = {
    "pip", "curl", "docker", "git", "cp", "mkdir", "cd", "tar", "unzip", "nvidia-smi", "torchserve",
    "squeue", "scancel", "sbatch", "tensorboard", "wandb", "mlflow", "jupyter", "export", "kill",
    "conda", "source", "apt", "apt-get", "head", "sudo", "tail", "cat", "ls", "diff", "sinfo",
}  # fmt: skip


# Programs of every system, which are run as they are.
PLAIN = {"printf", "echo", "test", "grep"}


def problem(command: Command, root: Path) -> str | None:
    """What is wrong with a command; None where nothing is."""
    words = fill_in(command)
    program = os.path.basename(words[0])
    if program.startswith("python"):
        return python_problem(words[1:], root)
    if program == "make":
        return make_problem(words[1:], root)
    if program in ("bash", "sh") or words[0].endswith(".sh"):
        script = words[0] if words[0].endswith(".sh") else words[1]
        rest = words[words.index(script) + 1 :]
        return shell_problem(script, rest, command.settings, root)
    if program in PLAIN:
        return None
    if program in FOREIGN:
        return foreign_problem(command, words, root)
    return f"{program}: no command that these tests know (tests/doc_checks.py)"


def fill_in(command: Command) -> list[str]:
    """Words of a command with examples for those that only some words can replace."""
    words = list(command.words)
    if command.inline:  # `CONFIG ...`: and so on
        pairs = zip(["", *words[:-1]], words, strict=True)
        words = [word for before, word in pairs if word != "..." or before.startswith("-")]
    return [EXAMPLES.get(word.strip("${}"), word) for word in words]


def python_problem(words: list[str], root: Path) -> str | None:
    """Of ``python`` with a script of ours or a module."""
    while words and words[0] in ("-u",):
        words = words[1:]
    if words[:1] == ["-m"]:
        if words[1] in ("sphinx", "pytest", "pip", "http.server", "venv"):
            return None
        found = (root / words[1].replace(".", "/")).with_suffix(".py")
        return None if found.is_file() else f"no module {words[1]}"
    if words[:1] == ["-c"]:
        return None
    script, *arguments = words
    if not (root / script).is_file():
        return f"there is no {script}"
    return parser_problem(root / script, tuple(arguments)) or config_problem(arguments, root)


@functools.lru_cache(None)
def parser_problem(script: Path, arguments: tuple[str, ...]) -> str | None:
    """What the parser of a script says of arguments; nothing else of the script runs."""

    def error(parser, message):
        raise ValueError(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "error", error)
        try:
            parser_of(script).parse_args(arguments)
        except ValueError as refused:
            return f"{script.name}: {refused}"
        except SystemExit as end:
            return None if "--help" in arguments else f"{script.name} ends: {end.code}"
    return None


def config_problem(arguments: list[str], root: Path) -> str | None:
    """Configs and other files of the repository that do not exist, and options that do not fit."""
    for word in arguments:
        path = word.rsplit("=", 1)[-1]
        ours = path.startswith(("configs/", "demo/", "requirements/", "tests/"))
        if ours and "$" not in path and not (root / path).exists():
            return f"there is no {path}"
    configs = [w for w in arguments if w.startswith("configs/") and w.endswith(".py")]
    options = cfg_options(arguments)
    if not configs or not options:
        return None
    parser = argparse.ArgumentParser()
    parser.add_argument("options", nargs="+", action=mmcv.DictAction)
    config = mmcv.Config.fromfile(str(root / configs[0]))
    try:
        config.merge_from_dict(parser.parse_args(options).options)
    except (KeyError, TypeError) as error:
        return f"{configs[0]} does not take {options}: {error}"
    return None


def cfg_options(arguments: list[str]) -> list[str]:
    """The KEY=VALUE words after ``--cfg-options``."""
    if "--cfg-options" not in arguments:
        return []
    rest = arguments[arguments.index("--cfg-options") + 1 :]
    end = next((i for i, word in enumerate(rest) if word.startswith("--")), len(rest))
    return rest[:end]


def make_problem(words: list[str], root: Path) -> str | None:
    """Of ``make``: a dry run."""
    done = subprocess.run(
        ["make", "-n", *words], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    return None if done.returncode == 0 else done.stderr


def shell_problem(
    script: str, arguments: list[str], settings: tuple[str, ...], root: Path
) -> str | None:
    """Of a shell script of ours: what it starts is caught and checked."""
    if not (root / script).is_file():
        return f"there is no {script}"
    stubs = stub_folder()
    env = {
        **os.environ,
        **dict(word.split("=", 1) for word in settings if "$" not in word),
        "PATH": f"{stubs}:{os.environ['PATH']}",
        "PYTHON": f"{stubs}/python",
    }
    done = subprocess.run(
        ["bash", script, *arguments],
        cwd=root, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        return f"{script}: {done.stderr}"
    words = done.stdout.rstrip("\0").split("\0")
    started = next((i for i, w in enumerate(words) if w.endswith(".py") and "/tools/" in w), None)
    if started is None:
        return None
    inner = words[started + 1 :]
    return parser_problem(Path(words[started]), tuple(inner)) or config_problem(inner, root)


@functools.lru_cache(None)
def stub_folder() -> Path:
    """A folder with programs that print their arguments."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="mmtrack-stubs-"))
    for name in ("python", "srun", "torchrun"):
        (folder / name).write_text(ECHO)
        (folder / name).chmod(stat.S_IRWXU)
    return folder


def foreign_problem(command: Command, words: list[str], root: Path) -> str | None:
    """Of a program that is not ours: the block must say so, files of ours must exist."""
    for word in words[1:]:
        if word.startswith(("requirements/", "tools/")) and not (root / word).exists():
            return f"there is no {word}"
    if not (command.needs or command.inline):
        return f"{words[0]} cannot be run by the tests: write <!-- needs: ... --> before the block"
    return None
