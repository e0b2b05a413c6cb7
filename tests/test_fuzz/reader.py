"""What the fuzz test knows about a kind of file: how to make a good one, and who reads it."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
from test_fuzz.mutators import Mutator, mutate

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Reader:
    """A kind of file that users bring.

    Attributes:
        name: Of the test.
        make: Writes good files into an empty folder; returns the one to be damaged.
        read: Reads them, given the folder and that file. It may write to the folder ``out``.
        mutators: How the file is damaged.
        check: Raises AssertionError if what a damaged file gave is no good result.
        says: Messages that are fine without the name of the file, where its content names another
            file that is not there.
        refuses: Some damage must end in an error.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path, Path], object]
    mutators: tuple[Mutator, ...]
    check: Callable[[object], None] | None = None
    says: tuple[str, ...] = ()
    refuses: bool = True

    def prepare(self, folder: Path, seed: int) -> Path:
        """Files of a case; those of a negative seed are good."""
        path = self.make(folder)
        if seed >= 0:
            rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed])
            path.write_bytes(mutate(path.read_bytes(), self.mutators, rng))
        return path

    def names(self, path: Path) -> tuple[str, ...]:
        """One of these is in a good message."""
        return (path.name, *self.says)

    def run(self, path: Path, folder: Path) -> None:
        """Read a case and look at what came of it."""
        found = self.read(folder, path)
        if self.check is not None:
            self.check(found)


def file_of(name: str, content: str | bytes) -> Callable[[Path], Path]:
    """A `make` for one file."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def finite(*arrays: np.ndarray) -> None:
    """Raise AssertionError unless all numbers are finite."""
    for array in arrays:
        assert np.isfinite(np.asarray(array, np.float64)).all(), (
            "accepted numbers that are not finite"
        )


@lru_cache
def script(name: str) -> ModuleType:
    """A script of the repository as a module."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
