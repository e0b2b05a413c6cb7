"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import mmtrack  # noqa: F401  (installs the compatibility layer before anything imports mmcv)

import torch  # isort: skip

# Two processes run the tests. Results are compared bit by bit with those of scripts, which
# `run_script` gives one thread: sums depend on their number.
torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _one_thread():
    """Undo what a script run in this process chose; see above."""
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference facts and real inputs that lies beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"reference material is not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def run_script(root):
    """Run a script as a user does: ``run_script('tools/train.py', 'config.py', cwd=...)``.

    Returns the completed process with text output; a non-zero exit fails the test unless
    ``check=False``.
    """

    def run(script, *args, check=True, cwd=None, env=None, timeout=600):
        path = [str(root), os.environ.get("PYTHONPATH", "")]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
            **(env or {}),
        }
        done = subprocess.run(
            [sys.executable, str(root / script), *map(str, args)],
            capture_output=True,
            text=True,
            cwd=cwd or root,
            env=env,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            pytest.fail(f"{script} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    return run
