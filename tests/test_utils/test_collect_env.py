import logging
import subprocess
import sys
from importlib import metadata

import numpy as np
import torch

import mmtrack
from mmtrack.compat import op_backend
from mmtrack.utils import collect_env, get_root_logger


def test_entries_are_what_is_installed():
    report = collect_env()
    assert all(isinstance(value, str) for value in report.values())
    assert report["mmtrack"].startswith(mmtrack.__version__)
    assert report["torch"] == torch.__version__
    assert report["numpy"] == np.__version__
    assert report["mmdet"] == metadata.version("mmdet")
    assert report["mmcv operators"] == op_backend()
    assert report["CUDA available"] == str(torch.cuda.is_available())
    assert report["Threads of torch"] == str(torch.get_num_threads())
    assert report["Pickled checkpoints"] == "refused (weights only)"


def test_missing_optional_packages_are_said_to_be_missing(monkeypatch):
    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert collect_env()["lvis"] == "not installed"


def test_as_a_program():
    command = [sys.executable, "-m", "mmtrack.utils.collect_env"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"mmcv operators: {op_backend()}" in done.stdout.splitlines()
    assert "RuntimeWarning" not in done.stderr


def test_the_function_survives_the_import_of_its_module():
    import mmtrack.utils.collect_env  # noqa: F401

    assert mmtrack.utils.collect_env()["torch"] == torch.__version__


def test_root_logger(tmp_path):
    path = tmp_path / "run.log"
    logger = get_root_logger(str(path), log_level="INFO")
    assert logger is get_root_logger()
    assert logger.name == "mmtrack"
    assert logger.level == logging.INFO
    logger.info("three tracks")
    logger.debug("not shown")
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):  # a stream may be pytest's, and closed by now
            handler.flush()
    if path.exists():  # another test may have named a file first
        assert "three tracks" in path.read_text()
        assert "not shown" not in path.read_text()
