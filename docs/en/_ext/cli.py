"""What the parser of a script says, as Markdown: what it does, arguments, defaults, meaning."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

CODE = re.compile(r"(``[^`]+``|`[^`]+`)")
OPTION = re.compile(r"(?<![\w-])(--?[a-z][\w-]*)")
MARKUP = re.compile(r"([\\*_\[\]<>#$|])")
SAID = re.compile(r" \(default:? ([^()]*)\)$")
MANY = {"+": " ...", "*": " ..."}
MOST_CHOICES = 5  # more would make the column wider than a page
# Without these no row says what a default is: the option is off, or nothing is set.
UNSAID = (None, False, argparse.SUPPRESS)


def reference(parser: argparse.ArgumentParser) -> str:
    """Description and table of a parser, then what its subcommands take."""
    parts = [*_paragraphs(parser.description or ""), _table(_rows(parser))]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parts += _subcommands(action)
    return "\n\n".join(part for part in parts if part)


def _subcommands(action: argparse._SubParsersAction) -> Iterator[str]:
    """Arguments that all subcommands share, then those of each."""
    helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
    rows = {name: _rows(sub) for name, sub in action.choices.items()}
    shared = [row for row in next(iter(rows.values())) if all(row in r for r in rows.values())]
    if shared:
        yield "All of the commands below take"
        yield _table(shared)
    for name, own in rows.items():
        yield f"`{name}`: {text(helps.get(name, ''))}"
        yield _table([row for row in own if row not in shared])


def _rows(parser: argparse.ArgumentParser) -> list[str]:
    """One row for each argument that ``--help`` shows."""
    return [_row(action) for action in parser._actions if _is_shown(action)]


def _table(rows: list[str]) -> str:
    head = ["| Argument | Default | Meaning |", "| --- | --- | --- |"]
    return "\n".join(head + rows) if rows else ""


def _is_shown(action: argparse.Action) -> bool:
    hidden = (argparse._HelpAction, argparse._SubParsersAction)
    return action.help != argparse.SUPPRESS and not isinstance(action, hidden)


def _row(action: argparse.Action) -> str:
    meaning = (action.help or "") % vars(action)
    said = SAID.search(meaning)  # the text of --help says it better than the value
    default = _default(action)
    if said:
        default = text(said[1]) if " " in said[1] else f"`{said[1]}`"
    meaning = text(SAID.sub("", meaning))
    if action.choices and not _choices_are_the_value(action):
        meaning += f" ({', '.join(f'`{choice}`' for choice in action.choices)})"
    return f"| `{_call(action)}` | {default} | {meaning} |"


def _call(action: argparse.Action) -> str:
    """How the argument is written, as ``-o, --out FILE ...``."""
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    value = _value(action)
    return (f"{names} {value}" if names else value).replace("|", r"\|")


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    name = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    if _choices_are_the_value(action):
        name = "|".join(map(str, action.choices))
    if isinstance(action.nargs, int):
        return " ".join([name] * action.nargs)
    return f"[{name}]" if action.nargs == "?" else name + MANY.get(action.nargs, "")


def _choices_are_the_value(action: argparse.Action) -> bool:
    """Whether ``a|b`` stands for the value; many choices are listed behind the meaning."""
    return bool(action.choices) and not action.metavar and len(action.choices) <= MOST_CHOICES


def _default(action: argparse.Action) -> str:
    if action.required and action.option_strings:
        return "required"
    if any(action.default is nothing for nothing in UNSAID) or action.default in ([], ""):
        return ""
    values = action.default if isinstance(action.default, (list, tuple)) else [action.default]
    return f"`{' '.join(map(str, values))}`"


def text(words: str) -> str:
    """Prose as Markdown: nothing in it is markup but code; options become code."""
    parts = CODE.split(" ".join(words.split()))
    for i in range(0, len(parts), 2):  # between the pieces of code
        pieces = OPTION.split(parts[i])
        pieces[::2] = [MARKUP.sub(r"\\\1", piece) for piece in pieces[::2]]
        pieces[1::2] = [f"`{piece}`" for piece in pieces[1::2]]
        parts[i] = "".join(pieces)
    return "".join(part.replace("|", r"\|") if part[:1] == "`" else part for part in parts)


def _paragraphs(description: str) -> Iterator[str]:
    """Paragraphs of a docstring; indented lines are commands or output."""
    for block in re.split(r"\n\s*\n", description.strip("\n")):
        prose: list[str] = []
        lines: list[str] = []
        for line in block.split("\n"):
            (lines if line.startswith("    ") else prose).append(line)
        if prose:
            yield text(" ".join(prose))
        if lines:
            yield "\n".join(["```text", *(line[4:] for line in lines), "```"])
