"""Links between the documents lead somewhere: the file exists, and the heading too."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import doc_blocks
import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+(?:\([^()\s]*\))?)(?:\s+\"[^\"]*\")?\)")
PAGES = [path for path in doc_blocks.documents(ROOT) if path.suffix == ".md"]
PAGES.append(ROOT / "CHANGELOG.md")


def text_of(path):
    """A page without its blocks of code."""
    lines, inside = [], False
    for line in path.read_text().splitlines():
        if doc_blocks.FENCE.match(line):
            inside = not inside
        elif not inside:
            lines.append(re.sub(r"`[^`]*`", lambda m: m[0] if "](" not in m[0] else "", line))
    return "\n".join(lines)


def anchors(path):
    """Names of the headings, as GitHub and MyST make them."""
    found = set()
    for title in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", text_of(path), re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        kept = [c for c in title if c in " -_" or unicodedata.category(c)[0] in "LN"]
        name = base = "".join(kept).replace(" ", "-")
        number = 0
        while name in found:
            number += 1
            name = f"{base}-{number}"
        found.add(name)
    return found | set(re.findall(r"^\((.+)\)=$", text_of(path), re.MULTILINE))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    wrong = []
    for link in LINK.findall(text_of(path)):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (file != ROOT and ROOT not in file.parents):
            wrong.append(f"{link}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            wrong.append(f"{link}: no such heading, there are {sorted(anchors(file))}")
    assert not wrong


def test_wrong_links_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "a.md"
    page.write_text("# A title, *here*\n[b](b.md) [here](#a-title-here) [c](#c)\n`[d](d.md)`\n")
    with pytest.raises(AssertionError, match="b.md: no such file.*#c: no such heading"):
        test_links_lead_somewhere(page)


def test_pages_are_in_the_contents():
    folder = ROOT / "docs" / "en"
    contents = (folder / "index.md").read_text() + (folder / "methods" / "index.md").read_text()
    listed = {line.strip() for line in contents.splitlines()}
    pages = {p.relative_to(folder).with_suffix("") for p in PAGES if folder in p.parents}
    generated = {Path("index"), *(p for p in pages if p.parts[0] in ("api", "methods"))}
    assert not sorted(str(p) for p in pages - generated if str(p) not in listed)


def test_chinese_readme_has_the_commands_of_the_english_one():
    english, chinese = (
        [c.words for c in doc_blocks.commands(ROOT / name)]
        for name in ("README.md", "README_zh-CN.md")
    )
    assert chinese == english


def test_chinese_readme_leads_to_the_same_pages():
    """In the same order: what is added to one of them belongs into the other one, too."""
    english, chinese = (
        [link for link in LINK.findall(text_of(ROOT / name)) if not link.startswith("README")]
        for name in ("README.md", "README_zh-CN.md")
    )
    assert chinese == english
