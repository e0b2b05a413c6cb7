"""The documentation builds without a warning, and what it promises is in it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zlib

import pytest

NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton")


@pytest.fixture(scope="module")
def site(root, tmp_path_factory):
    """Folder of the built pages."""
    for name in NEEDED:
        pytest.importorskip(name, reason="pip install -r requirements/docs.txt")
    out = tmp_path_factory.mktemp("site")
    command = ["-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [sys.executable, *command, str(root / "docs" / "en"), str(out)],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return out


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
