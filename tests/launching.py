"""Start the scripts that run several processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def free_port() -> str:
    """A port that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def start(root: Path, script: str, *args: object, cwd: Path, **env: str) -> subprocess.Popen:
    """Start a script of tools/ in the background; its output can be read as text."""
    tests = str(Path(__file__).parent)
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(root), tests]),
        "PORT": free_port(),
        "PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
        **env,
    }
    return subprocess.Popen(
        [str(root / "tools" / script), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env=variables,
    )


def finish(process: subprocess.Popen, *, check: bool = True, timeout: float = 600) -> str:
    """Wait for what :func:`start` started; returns its output. It must succeed, or must fail."""
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.terminate()
        raise
    assert (process.returncode == 0) == check, f"status {process.returncode}\n{output}"
    return output


def launch(
    root: Path, script: str, *args: object, cwd: Path, check: bool = True, **env: str
) -> str:
    """Run a script of tools/ that starts several processes; returns its output."""
    return finish(start(root, script, *args, cwd=cwd, **env), check=check)
