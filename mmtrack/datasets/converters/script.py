"""What the command lines of all converters share."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator


def converter_arguments(
    description: str, input_help: str, output_help: str
) -> argparse.ArgumentParser:
    """Parser with ``-i/--input`` and ``-o/--output``.

    Args:
        description: What the script does.
        input_help: What the input folder is.
        output_help: What the output folder receives.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("-i", "--input", required=True, help=input_help)
    parser.add_argument("-o", "--output", required=True, help=output_help)
    return parser


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """End a script with the message of an error about its files instead of a traceback."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error


def progress_bar(total: int, unit: str) -> Callable[[], None]:
    """A function to call after each of ``total`` steps; it shows how far and how fast it went.

    A terminal shows a moving line, a log file one line for each quarter.

    Args:
        total: Number of steps.
        unit: What is counted, for example ``'frames'``.
    """
    live = sys.stderr.isatty()
    start = shown = time.monotonic()
    done = 0

    def step() -> None:
        nonlocal done, shown
        done += 1
        now = time.monotonic()
        due = now - shown > 0.1 if live else done % max(total // 4, 1) == 0
        if due or done == total:
            shown = now
            rate = done / max(now - start, 1e-6)
            end = "\n" if done == total or not live else ""
            lead = "\r" if live else ""
            sys.stderr.write(f"{lead}{done}/{total} {unit}, {rate:.0f}/s {end}")
            sys.stderr.flush()

    return step
