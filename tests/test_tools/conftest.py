"""A small project on disk, and a training run that was killed and resumed."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from tiny_project import EPOCHS, make_project, read_rows, save_random_weights


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder with ``data/``, configs and a checkpoint for each: ``detector``, ``tracker``."""
    folder = make_project(tmp_path_factory.mktemp("tiny"))
    for name in ("detector", "tracker"):
        save_random_weights(folder / f"{name}.py", folder / f"{name}.pth")
    return folder


@pytest.fixture(scope="session")
def resumed(tiny, root, run_script, tmp_path_factory):
    """A training run that got SIGKILL in its second epoch and was resumed to the end."""
    work_dir = tmp_path_factory.mktemp("run")
    options = [
        str(tiny / "detector.py"),
        "--work-dir",
        str(work_dir),
        "--device",
        "cpu",
        "--seed",
        "3",
        "--cfg-options",
        f"total_epochs={EPOCHS}",
        "evaluation.save_best=bbox_mAP",
    ]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    with open(work_dir / "output.txt", "w") as output:
        process = subprocess.Popen(
            [sys.executable, str(root / "tools/train.py"), *options],
            env=env,
            cwd=tiny,
            stdout=output,
            stderr=output,
        )
        wait_for_epoch(process, work_dir, 2)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    files = sorted(path.name for path in work_dir.glob("*.pth"))
    before = read_rows(work_dir)
    time.sleep(1)  # logs are named after the second they were opened in
    run_script("tools/train.py", *options, "--resume-from", work_dir / "latest.pth", cwd=tiny)
    return SimpleNamespace(work_dir=work_dir, files_at_kill=files, rows_at_kill=before)


def wait_for_epoch(process, work_dir, epoch):
    """Wait until the log has an iteration of an epoch."""
    for _ in range(6000):
        if process.poll() is not None:
            pytest.fail(f"training ended early\n{(work_dir / 'output.txt').read_text()}")
        logs = list(work_dir.glob("*.log.json"))
        if logs and f'"epoch": {epoch}' in logs[0].read_text():
            return
        time.sleep(0.02)
    pytest.fail("training did not reach the epoch")


@pytest.fixture
def run_here(root, monkeypatch, capsys):
    """Run a script inside this process, which saves its start-up; returns status and stderr."""

    def run(script, *args):
        monkeypatch.setattr(sys, "argv", [script, *map(str, args)])
        try:
            runpy.run_path(str(root / script), run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run
