"""Configs that cannot be read are named, with the line."""

from __future__ import annotations

import gc
import re
import warnings

import pytest

from mmtrack.apis.config_file import ConfigFileError, read_config

BROKEN = {
    "syntax.py": ("a = (\n", "was never closed"),
    "name.py": ("a = 1\nb = undefined\n", r"line 2: NameError: .*undefined"),
    "import.py": ("import no_such_module\n", r"line 1: .*No module named 'no_such_module'"),
    "encoding.py": (b"a = '\xe9'\n", "utf-8"),
    "zeros.py": ("a = 1\0\n", "null bytes"),
    "zero.py": ("def f():\n    1 / 0\n\nf()\n", r"line 2: ZeroDivisionError"),
    "file.py": ("open('/no/such/file')\n", r"line 1: .*/no/such/file"),
    "reserved.py": ("filename = 1\n", "reserved"),
    "custom.py": (
        "custom_imports = dict(imports=['no_such'], allow_failed_imports=False)\n",
        "no_such",
    ),
    "open.yaml": ("a: [1\n", "ParserError"),
    "open.json": ('{"a":', "Expecting value"),
    "notes.txt": ("a = 1\n", "Only py/yml/yaml/json"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_config_is_named(tmp_path, name):
    content, message = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error", pytest.PytestUnraisableExceptionWarning)
        with pytest.raises(
            ConfigFileError, match=rf"(?s)^config {re.escape(str(path))}.*{message}"
        ):
            read_config(path)
        gc.collect()  # mmcv's copy of the file must not complain when it goes


def test_broken_base_is_blamed(tmp_path):
    (tmp_path / "leaf.py").write_text("_base_ = 'middle.py'\n")
    (tmp_path / "middle.py").write_text("_base_ = 'base.py'\n")
    (tmp_path / "base.py").write_text("a = 1\nb = a.c\n")
    with pytest.raises(ConfigFileError, match=r"/base\.py, line 2: AttributeError"):
        read_config(tmp_path / "leaf.py")
    (tmp_path / "base.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"leaf\.py is based on another one: .*/base\.py"):
        read_config(tmp_path / "leaf.py")
    with pytest.raises(FileNotFoundError, match=r"config gone\.py does not exist"):
        read_config("gone.py")


def test_no_second_error_is_left_behind(tmp_path, run_script):
    (tmp_path / "name.py").write_text("a = undefined\n")
    done = run_script("tools/analysis/print_config.py", tmp_path / "name.py", check=False)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "rror" in line or "xception" in line]
    place = f"config {tmp_path / 'name.py'}, line 1"
    assert lines == [
        f"error: {place}: NameError: name 'undefined' is not defined",
        "(ConfigFileError; MMTRACK_TRACEBACK=1 shows where)",
    ]
