"""The folder that lets pip build mmcv on Python 3.13 and newer."""

from __future__ import annotations

import os
import subprocess
import sys

CODE = """
def version():
    exec("__version__ = '1.7.2'")  # as mmcv's setup.py
    return locals()["__version__"]

exec("module_level = 1")
names = {"a": 1}
exec("b = a + module_level", {"module_level": module_level}, names)
print(version(), module_level, names["b"])
"""


def test_exec_reaches_the_calling_function(root):
    env = {**os.environ, "PYTHONPATH": str(root / "requirements" / "mmcv_build")}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=env, capture_output=True, text=True, check=False
    )
    assert done.stdout == "1.7.2 1 2\n", done.stderr
