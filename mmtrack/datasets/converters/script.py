"""What the command lines of all converters share."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator


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
