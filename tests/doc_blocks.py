"""Blocks of code and shell commands in the documents.

A block may have a marker, an HTML comment on the line before it, which readers do not see:

``<!-- needs: MOT17, GPU -->``
    The commands of the block cannot run without these things: they are checked, not run.
``<!-- with: vis -->``
    What CONFIG, CHECKPOINT and other placeholders stand for when the block is run
    (``doc_runner.PROJECTS``).
``<!-- excerpt -->``
    A Python block that shows the shape of something and cannot run by itself.
``<!-- config: configs/... -->``
    A Python block whose values are those of this config.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHELLS = ("bash", "shell", "sh", "console")
MARKER = re.compile(r"^\s*<!--\s*(needs|with|excerpt|config)\b:?\s*(.*?)\s*-->\s*$")
FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})\s*\{?([\w+-]*)")
ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
OPERATOR = re.compile(r"^(\||\d?>>?|<|&|2>&1)$")
INLINE = re.compile(r"(?<!`)`((?:python|bash|make|sbatch) [^`]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, text and marker."""

    path: Path
    line: int
    language: str
    text: str
    marker: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a shell block, or one that stands in a line of text."""

    path: Path
    line: int
    words: tuple[str, ...]
    settings: tuple[str, ...] = ()  # variables set before it, as `PORT=29501`
    needs: str = ""
    project: str = ""
    inline: bool = False
    line_of_shell: str = ""  # the whole line, where it redirects or pipes

    def __str__(self) -> str:
        text = " ".join((*self.settings, *self.words))
        return f"{self.path.parent.name}/{self.path.name}:{self.line}: {text}"


def documents(root: Path) -> list[Path]:
    """All documents for users, and the quick-start configs, whose heads tell how to use them."""
    named = [root / name for name in ("README.md", "README_zh-CN.md", "CONTRIBUTING.md")]
    pages = [
        path
        for folder in ("docs/en", "docs/zh_cn", "configs", "docker", "demo", "tools")
        for path in sorted((root / folder).rglob("*.md"))
        if not {"_build", "_api"} & set(path.parts)
    ]
    heads = sorted((root / "configs" / "quickstart").glob("*.py"))
    return [path for path in (*named, *pages, *heads) if path.is_file()]


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document, with their markers."""
    if path.suffix == ".py":
        return []
    found, marker = [], {}
    lines = enumerate(path.read_text().splitlines(), 1)
    for number, line in lines:
        if fence := FENCE.match(line):
            text = "\n".join(body_of(fence, lines, f"{path}:{number}"))
            found.append(Block(path, number, fence[3], text, marker))
            marker = {}
        elif match := MARKER.match(line):
            marker = {**marker, match[1]: match[2]}
        elif line.strip():
            marker = {}
    return found


def body_of(fence: re.Match, lines: Iterator[tuple[int, str]], where: str) -> list[str]:
    """Lines up to the end of a block, without the indent of its fence."""
    body = []
    for _, line in lines:
        if line.strip().startswith(fence[2]) and not line.strip().strip(fence[2][0]):
            return body
        body.append(line[len(fence[1]) :])
    raise ValueError(f"{where}: the block does not end")


def commands(path: Path) -> list[Command]:
    """Commands of the shell blocks and of the text of a document, in their order.

    Of a config they are the indented lines of the comment at its head.
    """
    if path.suffix == ".py":
        return of_block(head_of_config(path))
    fenced = [c for block in blocks(path) if block.language in SHELLS for c in of_block(block)]
    return sorted(fenced + in_text(path), key=lambda command: command.line)


def head_of_config(path: Path) -> Block:
    """The commands in the first comment of a config, as a block."""
    head = itertools.takewhile(lambda line: line.startswith("#"), path.read_text().splitlines())
    lines = [line[4:] if line.startswith("#   ") else "" for line in head]
    return Block(path, 0, "bash", "\n".join(lines))


def of_block(block: Block) -> list[Command]:
    """Commands of a shell block; variables set on a line of their own are filled in."""
    found, variables, pending = [], {}, ""
    for offset, line in enumerate(block.text.splitlines(), 1):
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        for text in re.split(r"\s&&\s", pending):
            words = split(text, f"{block.path}:{block.line + offset}")
            count = 0
            while count < len(words) and ASSIGNMENT.match(words[count]):
                count += 1
            if count == len(words):
                variables.update(word.split("=", 1) for word in words)
                continue
            end = next((i for i, word in enumerate(words) if OPERATOR.match(word)), len(words))
            found.append(
                Command(
                    block.path,
                    block.line + offset,
                    tuple(fill(word, variables) for word in words[count:end]),
                    tuple(words[:count]),
                    block.marker.get("needs", ""),
                    block.marker.get("with", ""),
                    line_of_shell=fill(text, variables) if end < len(words) else "",
                )
            )
        pending = ""
    return found


def split(text: str, where: str) -> list[str]:
    """Words of a line as the shell splits it, without its comment."""
    try:
        return shlex.split(text, comments=True)
    except ValueError as error:
        raise ValueError(f"{where}: {error}: {text}") from None


def fill(word: str, variables: dict[str, str]) -> str:
    """A word with the variables that the block has set."""
    return re.sub(r"\$\{?(\w+)\}?", lambda m: variables.get(m[1], m[0]), word)


def in_text(path: Path) -> list[Command]:
    """Commands between backticks outside of blocks, as in tables."""
    inside, found = False, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            for text in INLINE.findall(line):
                for part in text.split(" && "):
                    words = split(part, f"{path}:{number}")
                    found.append(Command(path, number, tuple(words), inline=True))
    return found
