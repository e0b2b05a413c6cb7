"""Modules of the documentation, which are no package."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture(scope="session")
def docs_module(root):
    """Import a module of the documentation by its path from ``docs/en``, without its ending."""

    def load(path: str):
        file = root / "docs" / "en" / path
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "path", [str(file.parent), *sys.path])
            return importlib.import_module(file.name)

    return load
