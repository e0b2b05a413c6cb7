"""What the scripts in tools/ and demo/ share."""

from __future__ import annotations

import argparse
import contextlib
import keyword
import os
import re
import sys
from collections.abc import Iterator, Sequence

import mmcv
from mmcv import DictAction

from mmtrack.compat.checkpoint import trust_checkpoints
from mmtrack.core.visualization import DisplayError
from mmtrack.utils.reading import UnreadableFileError, reading

from .config_file import read_config

# What bad input raises. Anything else is an error of the program and keeps its traceback.
USER_ERRORS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    ImportError,
    SyntaxError,
    AssertionError,
    DisplayError,
)
TRACEBACK_VARIABLE = "MMTRACK_TRACEBACK"
# mmcv writes configs into logs and checkpoints as Python text, each text between single quotes.
_UNQUOTABLE = re.compile(r"['\n]|\\(?=$|[,\])])")


# What files cause while a run goes on: images that are missing or damaged, a full disk.
FILE_ERRORS = (OSError, UnreadableFileError)
# An error of a data worker has the worker's traceback in its text, and its own text at the end.
_IN_WORKER = re.compile(r"^Caught \w+ in DataLoader worker.*^[\w.]+: (?P<text>.*)$", re.S | re.M)

_NO_KEY = re.compile(r"'ConfigDict' object has no attribute '(\w+)'")


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Turn an error in what the user gave into one line and exit status 1.

    Meant for the part of a script that reads arguments, config, data and weights. The variable
    ``MMTRACK_TRACEBACK=1`` shows the whole traceback.
    """
    with _in_one_line(USER_ERRORS):
        yield


@contextlib.contextmanager
def file_errors() -> Iterator[None]:
    """As :func:`user_errors`, for files alone.

    Meant for the part of a script that computes, where another error is one of the program.
    """
    with _in_one_line(FILE_ERRORS):
        yield


@contextlib.contextmanager
def _in_one_line(kinds: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        # str() of a KeyError is the repr of its message
        text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        if key := _NO_KEY.fullmatch(text):
            text = f"the config lacks {key[1]!r}, or a part of it does"
        if worker := _IN_WORKER.match(text):
            text = worker["text"].strip()
        sys.stderr.write(
            f"error: {text}\n({type(error).__name__}; {TRACEBACK_VARIABLE}=1 shows where)\n"
        )
        raise SystemExit(1) from None


def add_launcher_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of scripts that torchrun, slurm or MPI may start."""
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="what started the processes (torchrun: pytorch)",
    )
    parser.add_argument(
        "--local_rank",
        "--local-rank",
        type=int,
        default=0,
        help="index of the process on this machine; torchrun sets LOCAL_RANK instead",
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """``--device``, which takes CUDA where there is one by default."""
    parser.add_argument("--device", help="cpu, cuda or cuda:N (default: cuda if there is one)")


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """``--trust-checkpoint``."""
    parser.add_argument(
        "--trust-checkpoint",
        action="store_true",
        help="load checkpoints that hold arbitrary Python objects; this runs code from the file",
    )


def add_speed_arguments(parser: argparse.ArgumentParser) -> None:
    """Opt-in settings that change speed and, slightly, numbers."""
    parser.add_argument(
        "--bf16",
        action="store_true",
        help="convolutions and heads in bfloat16; scores change in the third digit",
    )
    parser.add_argument(
        "--channels-last", action="store_true", help="store images and weights with channels last"
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile the networks with torch.compile at the first frame, which takes minutes on a "
        "CPU; results change by rounding",
    )


class ConfigOptions(DictAction):
    """``KEY=VALUE ...`` as mmcv reads them; what cannot be read ends in the script's usage."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        """Parse the values one by one, so that an error names the one."""
        options: dict[str, object] = {}
        for value in values:
            try:
                with reading(f"{option_string} {value:.200}"):
                    first, *rest = value.split("=", 1)[0].split(".")
                    if not _is_name(first) or not all(p.isdecimal() or _is_name(p) for p in rest):
                        raise ValueError("the key must be names or numbers with points between")
                    if _UNQUOTABLE.search(value):
                        raise ValueError(
                            "a value cannot have single quotes, line breaks or an ending backslash"
                        )
                    super().__call__(parser, namespace, [value], option_string)
            except ValueError as error:
                parser.error(f"{error}; expected KEY=VALUE")
            options.update(getattr(namespace, self.dest))
        setattr(namespace, self.dest, options)


def _is_name(part: str) -> bool:
    """Whether a part of a key can be a name in a config."""
    return part.isidentifier() and not keyword.iskeyword(part)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """``--cfg-options``."""
    parser.add_argument(
        "--cfg-options",
        "--options",  # as the manual of MMTracking 0.14 writes it for slurm_train.sh
        nargs="+",
        action=ConfigOptions,
        metavar="KEY=VALUE",
        help="override values of the config, for example data.workers_per_gpu=0; "
        'lists are written as key="[a,b]"',
    )


def load_config(args: argparse.Namespace) -> mmcv.Config:
    """Read the config a script was given, apply its options and remember trust in checkpoints.

    Raises:
        FileNotFoundError: no such config.
        ConfigFileError: it cannot be read.
    """
    if getattr(args, "trust_checkpoint", False):
        trust_checkpoints(True)
    cfg = read_config(args.config)
    if args.cfg_options is not None:
        given = " ".join(f"{key}={value}" for key, value in args.cfg_options.items())
        with reading(f"--cfg-options {given:.200}", problem=f"does not fit {args.config}"):
            cfg.merge_from_dict(args.cfg_options)
    return cfg


def export_local_rank(args: argparse.Namespace) -> None:
    """Set LOCAL_RANK for launchers that pass it as an argument only."""
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
