"""The argument parser of a script, without running the script."""

from __future__ import annotations

import argparse
import functools
import runpy
import sys
from pathlib import Path
from unittest import mock


class _Reached(BaseException):
    """Raised in the place of what a script does once it reads its arguments."""


@functools.lru_cache(None)
def parser_of(script: Path) -> argparse.ArgumentParser:
    """The parser that a script makes; the script ends before it does anything else.

    Args:
        script: A Python file that calls ``parse_args`` when it is run.

    Raises:
        ValueError: the script reads no arguments; the message names it.
    """
    found: list[argparse.ArgumentParser] = []

    def parse(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        found.append(parser)
        raise _Reached

    with (
        mock.patch.object(argparse.ArgumentParser, "parse_args", parse),
        mock.patch.object(sys, "argv", [str(script)]),
        mock.patch.object(sys, "path", [str(script.parent), *sys.path]),
    ):
        try:
            runpy.run_path(str(script), run_name="__main__")
        except _Reached:
            return found[0]
    raise ValueError(f"{script} reads no arguments")
