"""A small project on disk."""

from __future__ import annotations

import pytest
from tiny_project import make_project, save_random_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder with ``data/``, configs and a checkpoint for each: ``detector``, ``tracker``."""
    folder = make_project(tmp_path_factory.mktemp("tiny"))
    for name in ("detector", "tracker"):
        save_random_weights(folder / f"{name}.py", folder / f"{name}.pth")
    return folder
