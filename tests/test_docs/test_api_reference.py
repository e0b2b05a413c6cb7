"""The API reference is complete, and everything that pages point to is in it."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "en").glob("**/*.md"))
ROLE = re.compile(r"\{py:(\w+)\}`~?([\w.]+)`")


@pytest.fixture(scope="module")
def api_pages(docs_module):
    return docs_module("_ext/api_pages")


@pytest.fixture(scope="module")
def names(api_pages):
    return api_pages.documented_names()


def is_here(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(module), attribute)


def test_every_documented_name_is_in_the_reference(names, shared):
    api = json.loads((shared / "zoo" / "api.json").read_text())
    ours = {name for name in api if is_here(name)}
    assert len(ours) > 150
    assert ours - names == set()


def test_every_module_has_a_place(api_pages):
    """A page per package, a section per module with public names; both import silently."""
    files = (ROOT / "mmtrack").rglob("*.py")
    parts = [f.relative_to(ROOT).with_suffix("").parts for f in files]
    modules = {".".join(p[:-1] if p[-1] == "__init__" else p) for p in parts}
    packages = set(api_pages.packages())
    assert packages == {".".join(p[:-1]) for p in parts if p[-1] == "__init__"}
    shown = {s.module for package in packages for s in api_pages.sections(package)}
    left_out = {m for m in modules - shown if not m.rpartition(".")[2].startswith("_")}
    for name in left_out:  # everything public in it is exported by its package
        module = importlib.import_module(name)
        exported = vars(importlib.import_module(name.rpartition(".")[0])).values()
        own = [v for n, v in api_pages._defined(module)]
        assert all(any(v is e for e in exported) for v in own), name


def test_page_of_a_package(api_pages):
    page = api_pages.page("mmtrack.core.evaluation", api_pages.first_paths())
    assert page.startswith("mmtrack.core.evaluation\n=======================\n")
    assert ".. autofunction:: eval_mot\n" in page
    assert ".. autoclass:: EvalHook\n   :members:" in page
    assert "The same as :py:func:`mmtrack.core.bbox.bbox2region`." in page
    assert "mmtrack.core.evaluation.hota\n----------------------------\n" in page


def test_registries_list_what_is_ours(api_pages):
    page = api_pages.page("mmtrack.models", api_pages.first_paths())
    entry = page[page.index(".. py:data:: MODELS") :].splitlines()[2]
    assert "``ByteTracker``" in entry
    assert "``QDTrack``" in entry
    assert "``FasterRCNN``" not in entry
    table = page[page.index(".. autosummary::") :].split("\n\n")[1].split()
    assert "build_tracker" in table
    assert "TRACKERS" not in table, "its docstring says nothing of its own"
    assert ".. py:data:: TRACKERS\n\n   The same as :py:data:`mmtrack.models.MODELS`." in page


def test_pages_are_written_once(api_pages, tmp_path):
    (tmp_path / "mmtrack.gone.rst").write_text("of a package that was removed")
    api_pages.write_pages(tmp_path)
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(written) == {f"{package}.rst" for package in api_pages.packages()}
    api_pages.write_pages(tmp_path)
    assert written == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT / "docs/en").as_posix())
def test_names_in_pages_are_in_the_reference(page, names, api_pages):
    modules = {s.module for package in api_pages.packages() for s in api_pages.sections(package)}
    for role, name in ROLE.findall(page.read_text()):
        if role == "mod":
            assert name in modules
        elif role in ("meth", "attr"):
            owner, _, member = name.rpartition(".")
            assert owner in names
            module, _, cls = owner.rpartition(".")
            assert hasattr(getattr(importlib.import_module(module), cls), member)
        else:
            assert name in names, f"{page.name}: {name} is not in the reference"
