"""A small project on disk."""

from __future__ import annotations

import pytest
from tiny_project import make_project, save_random_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder with ``data/``, configs and ``tracker.pth``."""
    folder = make_project(tmp_path_factory.mktemp("tiny"))
    save_random_weights(folder / "tracker.py", folder / "tracker.pth")
    return folder
