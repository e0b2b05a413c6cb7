"""Folders that appear under their name only when they are complete."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .file_io import leads_out
from .reading import read_json_object

_LONGEST_NAME = 255  # bytes, of all common file systems


@contextlib.contextmanager
def staging_folder(target: str | os.PathLike) -> Iterator[Path]:
    """A temporary folder beside ``target``, removed at the end whatever happens.

    It lies on the same file system, so that its content can be renamed into place.
    """
    target = Path(target).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.partial-"))
    umask = os.umask(0)
    os.umask(umask)
    staging.chmod(0o777 & ~umask)  # mkdtemp creates folders for the owner alone
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def new_folder(target: str | os.PathLike) -> Iterator[Path]:
    """Fill a folder that must not exist yet, or be empty; it appears when the block ends well.

    Args:
        target: The folder; the block writes to the temporary folder that is yielded.

    Raises:
        FileExistsError: the folder has content.
    """
    target = Path(target)
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty; choose a new folder, or empty it yourself")
    with staging_folder(target) as staging:
        yield staging
        if target.exists():
            target.rmdir()
        staging.rename(target)


def fresh_folder(path: str | os.PathLike) -> str:
    """A folder without files for results: the given one, or a numbered one below it.

    Nothing is created, deleted or overwritten.

    Args:
        path: The folder that was asked for.

    Returns:
        ``path`` where it does not exist or is empty, else ``path/run_001``, ``path/run_002``, ...

    Raises:
        NotADirectoryError: there is a file of this name.
    """
    path = os.fspath(path)
    if os.path.exists(path) and not os.path.isdir(path):
        raise NotADirectoryError(f"resfile_path {path} is a file; results need a folder")
    if not os.path.exists(path) or not os.listdir(path):
        return path
    taken = set(os.listdir(path))
    number = next(i for i in range(1, len(taken) + 2) if f"run_{i:03d}" not in taken)
    return os.path.join(path, f"run_{number:03d}")


class OwnedFolder:
    """A folder of generated files that can be generated again.

    A marker file records which entries were generated. Only those are ever replaced, and only on
    request; whatever else lies in the folder stays.

    Args:
        target: The folder.
        marker: Name of the marker file in it.
    """

    def __init__(self, target: str | os.PathLike, marker: str):
        self.target = Path(target)
        self.marker = self.target / marker

    def read_marker(self) -> dict | None:
        """Content of the marker; None if there is none."""
        if not self.marker.is_file():
            return None
        content = read_json_object(self.marker)
        entries = content.get("entries", [])
        if not isinstance(entries, list) or not all(map(_is_entry, entries)):
            # What they name is removed before the folder is filled again.
            raise ValueError(f"{self.marker}: 'entries' must be names of files in this folder")
        return content

    def check(self, *, replace: bool) -> None:
        """Raise FileExistsError unless the folder may be written to.

        Args:
            replace: The user asked to replace what was generated before.
        """
        if not self.target.exists():
            return
        if not self.target.is_dir():
            raise FileExistsError(f"{self.target} is a file, expected a folder or nothing")
        if not any(self.target.iterdir()):
            return
        if self.read_marker() is None:
            raise FileExistsError(
                f"{self.target} is not empty and was not generated (no {self.marker.name} in it); "
                "it is left alone, choose another folder"
            )
        if not replace:
            raise FileExistsError(
                f"{self.target} was generated before; use --force to generate it again"
            )

    @contextlib.contextmanager
    def fill(self, description: dict, *, replace: bool = False) -> Iterator[Path]:
        """Write to a temporary folder and move its entries into place when the block ends well.

        Args:
            description: Stored in the marker beside the list of entries; must fit into JSON.
            replace: Replace entries that were generated before.
        """
        self.check(replace=replace)
        with staging_folder(self.target) as staging:
            yield staging
            entries = sorted(entry.name for entry in staging.iterdir())
            self.target.mkdir(exist_ok=True)
            for name in (self.read_marker() or {}).get("entries", ()):
                _remove(self.target / name)
            # The marker goes first: a run that dies while moving can be repeated with --force.
            text = json.dumps({**description, "entries": entries}, indent=2, sort_keys=True)
            self.marker.write_text(text + "\n")
            for name in entries:
                (staging / name).rename(self.target / name)


def _is_entry(name: object) -> bool:
    if not isinstance(name, str) or leads_out(name) or Path(name).name != name or name == ".":
        return False
    return len(os.fsencode(name)) <= _LONGEST_NAME


def _remove(path: Path) -> None:
    """Remove a generated entry; links are removed, not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
