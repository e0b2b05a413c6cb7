"""The documentation builds without a warning, and what it promises is in it."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import zlib

import pytest

NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton")


def build(source, out, builder="html") -> str:
    """Build pages with warnings as errors; returns what Sphinx says if it fails."""
    for name in NEEDED:
        pytest.importorskip(name, reason="pip install -r requirements/docs.txt")
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", builder]
    done = subprocess.run(
        [sys.executable, *command, str(source), str(out)],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    return done.stderr[-5000:] if done.returncode else ""


def test_every_page_is_read_without_a_warning(root, tmp_path):
    """All that can go wrong with pages, docstrings and links does so before pages are written."""
    assert build(root / "docs" / "en", tmp_path, "dummy") == ""


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """Folder of the built pages."""
    out = tmp_path_factory.mktemp("site")
    assert build(root / "docs" / "en", out) == ""
    return out


def test_links_out_of_the_folder(root, tmp_path):
    """To a page that lies elsewhere, and to a file that is no page."""
    docs, elsewhere = tmp_path / "docs", tmp_path / "demo"
    docs.mkdir()
    elsewhere.mkdir()
    (docs / "shown").symlink_to("../demo")
    (elsewhere / "page.md").write_text("# Page\n")
    (tmp_path / "README.md").write_text("# Readme\n")
    (docs / "conf.py").write_text(
        f"import sys\nsys.path.insert(0, {str(root / 'docs/en/_ext')!r})\n"
        "extensions = ['myst_nb', 'outside_links']\n"
    )
    links = "[one](shown/page.md) [`two`](../README.md)"
    (docs / "index.md").write_text(f"# Index\n\n{links}\n\n```{{toctree}}\nshown/page\n```\n")
    out = tmp_path / "out"
    assert build(docs, out) == ""
    html = (out / "index.html").read_text()
    assert 'href="shown/page.html"><span class="std std-doc">one<' in html
    copy = re.search(r'href="(_downloads/\w+/README.md)"><span[^>]*><code.*?two', html)
    assert (out / copy[1]).read_text() == "# Readme\n"


def inventory(site) -> set[str]:
    """Names of Python objects that other pages can point to."""
    content = (site / "objects.inv").read_bytes()
    body = zlib.decompress(content.split(b"\n", 4)[4]).decode()
    entries = (line.split(" ", 2) for line in body.splitlines())
    return {name for name, role, _ in entries if role.startswith("py:")}


@pytest.mark.slow
def test_build(site, root, shared, docs_module):
    names = inventory(site)
    for name in json.loads((shared / "zoo" / "api.json").read_text()):
        module, _, attribute = name.rpartition(".")
        assert name in names or not hasattr(importlib.import_module(module), attribute), name
    assert docs_module("_ext/api_pages").documented_names() <= names
    zoo = (site / "model_zoo.html").read_text()
    for collection in docs_module("_ext/zoo").read_collections(root).values():
        for model in collection.models:
            assert all(f'href="{address}"' in zoo for address in model.weights)
    page = (site / "methods" / "stark.html").read_text()
    assert 'class="math' in page
    assert "_images/stark.svg" in page
    assert 'href="../api/mmtrack.models.sot.html#mmtrack.models.sot.Stark"' in page
    assert (site / "_static" / "mathjax" / "tex-chtml.js").is_file(), "equations need a network"
