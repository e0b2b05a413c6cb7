"""Tables of the documents are tables: a head, a rule below it, and as many cells in every row."""

from __future__ import annotations

import re
from pathlib import Path

import doc_blocks
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [path for path in doc_blocks.documents(ROOT) if path.suffix == ".md"]
RULE = re.compile(r"^\|(\s*:?-+:?\s*\|)+$")


def tables(text):
    """Runs of lines that begin with a bar, outside of blocks of code."""
    found, inside = [[]], False
    for line in text.splitlines():
        inside ^= bool(doc_blocks.FENCE.match(line))
        if line.startswith("|") and not inside:
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [rows for rows in found if rows]


def problems(text):
    """Rows that no reader of Markdown takes for a row of a table."""
    wrong = []
    for rows in tables(text):
        if len(rows) < 3 or not RULE.match(rows[1]):
            wrong.append(f"no head and rule above: {rows[0]}")
            continue
        counts = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
        wrong += [row for row, n in zip(rows, counts, strict=True) if n != counts[0]]
    return wrong


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_whole(path):
    assert problems(path.read_text()) == []


def test_broken_tables_are_found():
    head = "| a | b |\n| --- | ---: |\n"
    assert problems(f"{head}| 1 | `x\\|y` |\n\n```\n| no table\n```\n") == []
    assert problems(f"{head}| 1 | 2 |\n\n| 3 | 4 |\n") == ["no head and rule above: | 3 | 4 |"]
    assert problems(f"{head}| 1 | x|y |\n") == ["| 1 | x|y |"]
