"""What users read is about their run, not about the age of a library."""

from __future__ import annotations

import logging

import pytest


@pytest.mark.parametrize("script", ["tools/train.py", "demo/demo_sot.py"])
def test_scripts_print_nothing_while_they_start(run_script, script):
    assert run_script(script, "--help").stderr == ""


def test_warnings_about_the_compiler_of_extensions_are_kept(caplog):
    logger = logging.getLogger("torch.utils.cpp_extension")
    logger.warning("No CUDA runtime is found, using CUDA_HOME='/usr/local/cuda'")
    logger.warning("the compiler is too old")
    assert [record.getMessage() for record in caplog.records] == ["the compiler is too old"]
